"""The page of the lists with their balances. Its one rule: it only reads."""

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from credit.queries.lists import read_lists_table
from members.access import MemberRequest, readers_only
from skypemgr.lib.periods import utc_now


@readers_only
@require_safe
def show_lists(request: MemberRequest) -> HttpResponse:
    """Every list with members, balance in total and the month's calls."""
    company = request.actor.company
    values = {
        "table": read_lists_table(company, today=company.day_at(utc_now())),
        "currency": company.currency,
        "is_administrator": request.member.is_administrator,
    }
    return render(request, "credit/lists.html", values)
