"""Who calls the API. Its one rule: a token opens nothing once it is revoked or expired, or its
member is suspended, removed or gone.
"""

from datetime import timedelta

from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from members.actors import Actor
from members.models import ApiToken, Member, User
from members.tokens import find_token
from skypemgr.lib.periods import utc_now

SCHEME = "Bearer"
USE_NOTED_EVERY = timedelta(minutes=1)


class ApiRequest(Request):
    """A request that carries a usable token."""

    actor: Actor
    auth: ApiToken


class TokenAuthentication(BaseAuthentication):
    """``Authorization: Bearer <token>``; the request then has ``auth`` (its token), ``actor``."""

    def authenticate(self, request: Request) -> tuple[User | None, ApiToken] | None:
        """The login and its token; None without the header; AuthenticationFailed (401) else."""
        words = request.headers.get("Authorization", "").split()
        if not words:
            return None
        if len(words) != 2 or words[0].lower() != SCHEME.lower() or len(words[1]) > 200:
            raise AuthenticationFailed(_("Send the header as: Authorization: Bearer <token>."))
        token = find_token(words[1])
        if token is None or not token.is_usable:
            raise AuthenticationFailed(_("This token is unknown, revoked or expired."))
        actor = _actor_of(token)
        _note_use(token)
        request.actor = actor  # type: ignore[attr-defined]
        return actor.user, token

    def authenticate_header(self, request: Request) -> str:
        """What a 401 asks for."""
        return f'{SCHEME} realm="api"'


def _actor_of(token: ApiToken) -> Actor:
    member = token.member
    if member is None:
        return Actor.of_token(token)
    if member.status != Member.Status.ACTIVE or not member.user.is_active:
        raise AuthenticationFailed(_("The token's member is no longer active in the company."))
    return Actor.of_member(member, token=token)


def _note_use(token: ApiToken) -> None:
    now = utc_now()
    before = now - USE_NOTED_EVERY
    if token.last_used_at is None or token.last_used_at < before:
        ApiToken.objects.filter(
            Q(last_used_at=None) | Q(last_used_at__lt=before), pk=token.pk
        ).update(last_used_at=now)
