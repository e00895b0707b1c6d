"""What a token may do. Its one rule: the role at this moment, within the token's scopes."""

from typing import Any

from django.utils.translation import gettext_lazy as _
from rest_framework.exceptions import NotAuthenticated, PermissionDenied
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from members.models import ApiToken
from members.models.people import Role

READERS = (Role.ADMINISTRATOR, Role.FINANCE)
ADMINISTRATORS = (Role.ADMINISTRATOR,)
EVERYBODY = tuple(Role)
COMPANY_TOKEN = ""
PHONE_SYSTEMS = (Role.ADMINISTRATOR, COMPANY_TOKEN)


class HasScope(BasePermission):
    """A view states ``scopes`` and ``roles`` by method; both must be met.

    Unstated: GET needs ``read`` and a reader, everything else ``write`` and an administrator. A
    company token has the empty role.
    """

    def has_permission(self, request: Request, view: Any) -> bool:
        """True, or a refusal that says what is missing."""
        token = request.auth
        if not isinstance(token, ApiToken):
            raise NotAuthenticated(_("Send a token: Authorization: Bearer <token>."))
        method = "GET" if request.method == "HEAD" else str(request.method)
        needed = needed_scope(view, method)
        if needed not in token.scopes:
            raise PermissionDenied(
                _("This token lacks the scope “%(scope)s”.") % {"scope": needed},
                code="scope_missing",
            )
        role = token.member.role if token.member else COMPANY_TOKEN
        if role not in permitted_roles(view, method):
            raise PermissionDenied(
                _("Your role does not permit this. Ask an administrator."), code="not_allowed"
            )
        return True


def needed_scope(view: object, method: str) -> str:
    """The scope that the view asks for this method."""
    scopes: dict[str, str] = getattr(view, "scopes", {})
    usual = ApiToken.Scope.READ if method == "GET" else ApiToken.Scope.WRITE
    return scopes.get(method, usual)


def permitted_roles(view: object, method: str) -> tuple[str, ...]:
    """The roles that the view admits for this method."""
    roles: dict[str, tuple[str, ...]] = getattr(view, "roles", {})
    return roles.get(method, READERS if method == "GET" else ADMINISTRATORS)
