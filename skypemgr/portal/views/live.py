"""The poll by which open pages learn that something moved.

Its one rule: as long as nothing changed it costs one look in Redis; trouble means "unchanged".
"""

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.http import require_safe

from members.models import Member
from skypemgr.lib import live
from skypemgr.lib.formats import format_money
from skypemgr.portal.shell import shown_balance


@require_safe
def poll(request: HttpRequest) -> HttpResponse:
    """204 while the company's version is ``?v=``, else version and balance for the reader's role.

    204 as well without a place in a company, or while Redis cannot be asked; 401 signed out.
    """
    if not request.user.is_authenticated:
        return _never_kept(HttpResponse(status=401))
    member: Member | None = getattr(request, "member", None)
    version = live.version(member.company_id) if member else None
    if not member or version is None or request.GET.get("v", "") == str(version):
        return _never_kept(HttpResponse(status=204))
    balance = format_money(shown_balance(member), member.company.currency)
    return _never_kept(JsonResponse({"version": version, "balance": balance}))


def _never_kept(response: HttpResponse) -> HttpResponse:
    response["Cache-Control"] = "no-store"
    return response
