"""The members table with balances. Its one rule: it reads; ticking only leads to other pages."""

from django.http import HttpResponse
from django.shortcuts import render

from credit.queries.members import MemberFilters, read_lists, read_members
from members.access import MemberRequest, readers_only
from skypemgr.lib.periods import utc_now

TABLE = "members-table"


@readers_only
def show_members(request: MemberRequest) -> HttpResponse:
    """The table, or only its part that a search or a change of balances refreshes."""
    company = request.actor.company
    filters = MemberFilters.of(request.GET.dict())
    today = company.day_at(utc_now())
    page, totals = read_members(company, filters, page=request.GET.get("page", "1"), today=today)
    only_table = request.htmx and request.htmx.target == TABLE
    context = {
        "page": page,
        "totals": totals,
        "filters": filters,
        "currency": company.currency,
        "today": today,
        "lists": [] if only_table else read_lists(company),
        "ticked": set(request.GET.getlist("member")),
        "is_administrator": request.member.is_administrator,
        "table_url": _table_url(request),
    }
    template = "credit/members.html#members_table" if only_table else "credit/members.html"
    return render(request, template, context)


def _table_url(request: MemberRequest) -> str:
    """This table's own address, without the ticks that a refresh carries along."""
    values = request.GET.copy()
    values.pop("member", None)
    return f"{request.path}?{values.urlencode()}" if values else request.path
