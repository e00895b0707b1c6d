"""The pages where people make and revoke tokens. Their one rule: a secret is shown once, in the
answer to the form that made it, and never stored.
"""

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from members.access import MemberRequest, members_only
from members.api.token_forms import CompanyTokenForm, OwnTokenForm
from members.models import ApiToken
from members.tokens import company_tokens, find_own_token, issue_token, own_tokens, revoke_token
from skypemgr.lib.errors import ProductError
from skypemgr.lib.periods import utc_now


@never_cache
@members_only
@require_http_methods(["GET", "POST"])
def show_tokens(request: MemberRequest) -> HttpResponse:
    """The reader's tokens, for administrators the company's too, and forms to make one."""
    administers = request.member.is_administrator
    is_post = request.method == "POST"
    for_company = is_post and "company-name" in request.POST
    own_data = request.POST if is_post and not for_company else None
    own = OwnTokenForm(own_data, prefix="own", may_report_calls=administers)
    shared = CompanyTokenForm(request.POST if for_company else None, prefix="company")
    if not is_post:
        return _page(request, own, shared)
    form = shared if for_company else own
    if form.is_valid():
        scopes = [ApiToken.Scope.CALLS] if for_company else form.cleaned_data["scopes"]
        now = utc_now()
        try:
            token, secret = issue_token(
                actor=request.actor,
                name=form.cleaned_data["name"],
                scopes=scopes,
                expires_at=form.expires_at(now),
                for_company=for_company,
                now=now,
            )
        except ProductError as error:
            if error.status == 403:
                raise
            form.add_error(error.field if error.field in form.fields else None, str(error))
        else:
            values = {"token": token, "secret": secret}
            return render(request, "members/tokens_made.html", values, status=201)
    return _page(request, own, shared, status=422)


@members_only
@require_http_methods(["GET", "POST"])
def drop_token(request: MemberRequest, pk: int) -> HttpResponse:
    """Asks, then revokes one of the reader's or the company's tokens."""
    token = find_own_token(request.actor, pk)
    if request.method == "POST":
        revoke_token(actor=request.actor, token=token)
        messages.success(request, _("The token %(name)s is revoked.") % {"name": token.name})
        return redirect("tokens")
    return render(request, "members/tokens_revoke.html", {"token": token})


def _page(
    request: MemberRequest, own: OwnTokenForm, shared: CompanyTokenForm, *, status: int = 200
) -> HttpResponse:
    values: dict[str, Any] = {
        "form": own,
        "company_form": shared,
        "tokens": own_tokens(request.actor),
        "company_tokens": company_tokens(request.actor),
        "administers": request.member.is_administrator,
        "now": utc_now(),
    }
    return render(request, "members/tokens.html", values, status=status)
