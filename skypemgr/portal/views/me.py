"""What everybody sees of themselves. Its one rule: nobody else's figures stand on it."""

from decimal import Decimal
from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.vary import vary_on_headers

from credit.credit_requests import open_request_of
from credit.rules import describe_rule
from members.access import MemberRequest, members_only
from members.invitations import waiting_invitations
from skypemgr.lib.periods import utc_now
from skypemgr.portal.queries import movements, own, people
from skypemgr.portal.shell import keep_version
from skypemgr.portal.words import tell_own_movements, tell_rule

MOVEMENTS_SHOWN = 10
CALLS_SHOWN = 10


@vary_on_headers("HX-Request")
@members_only
def show_me(request: MemberRequest) -> HttpResponse:
    """Own balance, rule, movements and calls."""
    keep_version(request)
    part = "#live" if request.htmx else ""
    return render(request, f"portal/me.html{part}", _read(request))


def _read(request: MemberRequest) -> dict[str, Any]:
    member = request.member
    company = member.company
    now = utc_now()
    today = company.day_at(now)
    purse = movements.read_member_purse(member)
    status = describe_rule(member, now=now)
    return {
        "company": company,
        "currency": company.currency,
        "balance": purse.balance if purse else Decimal(0),
        "held": purse.held if purse else Decimal(0),
        "rule": status,
        "rule_words": tell_rule(status, company.currency, today),
        "movements": tell_own_movements(
            movements.read_member_movements(purse, MOVEMENTS_SHOWN), today
        ),
        "calls": own.read_own_calls(member.pk, CALLS_SHOWN),
        "administrators": people.read_administrators(company),
        "invitations": list(waiting_invitations(member.user, now=now)),
        "open_request": open_request_of(member),
        "is_suspended": member.status == member.Status.SUSPENDED,
    }
