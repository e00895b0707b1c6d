"""The members table with balances. Its one rule: it reads; ticking only leads to other pages."""

from dataclasses import dataclass
from typing import Any

from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from credit.exports import download_members
from credit.filter_words import filter_words, rule_words, status_words
from credit.member_filters import PARAMETERS, MemberFilters
from credit.queries.members import DEFAULT_SORT, SORTS, MemberRow, read_lists, read_members
from credit.views.shared import refuse_misread
from members.access import MemberRequest, readers_only
from members.models.people import Role
from skypemgr.lib.periods import utc_now
from skypemgr.lib.table_addresses import Addresses, Chip

TABLE = "members-table"
HEADS = {"name": "name", "balance": "balance", "spent": "-spent", "activity": "-activity"}
# What a table's address may carry; ticks are the page's own.
CARRIED = (*PARAMETERS, "sort")


@dataclass(frozen=True, slots=True)
class Line:
    """A row with what the template would otherwise make anew for each: addresses and badges."""

    row: MemberRow
    key: str
    url: str
    credit_url: str
    recharge_url: str
    list_url: str
    rule_badge: str
    status_badge: str
    is_ticked: bool
    names: dict[str, str]


@readers_only
def show_members(request: MemberRequest) -> HttpResponse:
    """The table, or only its part that a search or a change of balances refreshes."""
    company = request.actor.company
    filters = MemberFilters.of(request.GET.dict())
    sort = _sort(request)
    addresses = _addresses(request)
    today = company.day_at(utc_now())
    number = request.GET.get("page", "1")
    page, totals = read_members(company, filters, sort=sort, page=number, today=today)
    only_table = request.htmx and request.htmx.target == TABLE
    ticked = request.GET.get("ticked", "")
    chips = [
        Chip(words, addresses.to(without=(name,))) for name, words in filter_words(company, filters)
    ]
    context: dict[str, Any] = {
        "page": page,
        "lines": _lines(request, addresses, page.rows, ticked),
        "tickable_count": sum(row.can_receive for row in page.rows),
        "totals": totals,
        "filters": filters,
        "chips": chips,
        "sort": sort,
        "heads": {name: addresses.head(sort, name, first) for name, first in HEADS.items()},
        "currency": company.currency,
        "today": today,
        "is_page_ticked": ticked == "page",
        "is_every_ticked": ticked == "every" and bool(totals.present_count) and not filters.errors,
        "carried": _carried(request),
        "is_administrator": request.member.is_administrator,
        "table_url": addresses.to(page=number, ticked=ticked),
        "untick_url": addresses.to(page=number),
        "tick_page_url": addresses.to(page=number, ticked="page"),
        "tick_every_url": addresses.to(page=number, ticked="every"),
        "export_url": f"{reverse('members_export')}?{addresses.query()}",
        "clear_url": reverse("members"),
    }
    if only_table:
        return render(request, "credit/members.html#members_table", context)
    context |= {
        "lists": read_lists(company),
        "typed": request.GET,
        "is_filtered": addresses.is_filtered,
        "roles": Role.choices,
        "statuses": [(value, status_words()[value]) for value in _STATUSES_OFFERED],
        "rules": list(rule_words().items()),
        "sorts": list(_sort_words().items()),
    }
    return render(request, "credit/members.html", context)


@readers_only
def export_members(request: MemberRequest) -> HttpResponseBase:
    """All members that the filters leave as a file, in the form ``?format=`` (csv or xlsx)."""
    filters = MemberFilters.of(request.GET.dict())
    if filters.errors:
        return refuse_misread(request)
    return download_members(
        request.actor.company,
        filters,
        sort=_sort(request),
        form="xlsx" if request.GET.get("format") == "xlsx" else "csv",
        language=get_language() or "en",
        now=utc_now(),
    )


def _lines(
    request: MemberRequest, addresses: Addresses, rows: list[MemberRow], ticked: str
) -> list[Line]:
    """The rows for the template; each address and badge is made once, then filled in."""
    chosen = set(request.GET.getlist("member"))
    url = reverse("member", args=(0,))
    urls = {name: reverse(name, args=(0,)) for name in ("member_credit", "member_recharge")}
    of_list = addresses.to(list="0LIST")
    words = {
        "select": _("Select %(name)s"),
        "credit": _("Manage credit of %(name)s"),
        "recharge": _("Manage auto-recharge of %(name)s"),
    }
    rules = {
        (row.rule_state, row.resumes_on): render_to_string(
            "credit/parts/rule_badge.html", {"state": row.rule_state, "resumes_on": row.resumes_on}
        )
        for row in {(row.rule_state, row.resumes_on): row for row in rows}.values()
    }
    statuses = {
        status: render_to_string("credit/parts/status_badge.html", {"status": status})
        for status in {row.status for row in rows}
    }
    return [
        Line(
            row=row,
            key=(key := str(row.id)),
            url=url.replace("/0/", f"/{key}/"),
            credit_url=urls["member_credit"].replace("/0/", f"/{key}/"),
            recharge_url=urls["member_recharge"].replace("/0/", f"/{key}/"),
            list_url=of_list.replace("0LIST", str(row.list_id)),
            rule_badge=rules[row.rule_state, row.resumes_on],
            status_badge=statuses[row.status],
            is_ticked=ticked == "page" or key in chosen,
            names={name: text % {"name": row.name} for name, text in words.items()},
        )
        for row in rows
    ]


_STATUSES_OFFERED = ("", "active", "suspended", "gone", "all")


def _sort_words() -> dict[str, str]:
    return {
        "name": _("Name, A to Z"),
        "-name": _("Name, Z to A"),
        "balance": _("Lowest balance first"),
        "-balance": _("Highest balance first"),
        "-spent": _("Highest spending first"),
        "spent": _("Lowest spending first"),
        "-activity": _("Latest activity first"),
        "activity": _("Longest inactive first"),
        "-joined": _("Newest members first"),
        "joined": _("Longest in the company first"),
    }


def _sort(request: MemberRequest) -> str:
    sort = request.GET.get("sort", DEFAULT_SORT)
    return sort if sort in SORTS else DEFAULT_SORT


def _addresses(request: MemberRequest) -> Addresses:
    return Addresses(request, CARRIED, default_sort=DEFAULT_SORT)


def _carried(request: MemberRequest) -> list[tuple[str, str]]:
    """The filters as they were typed, for the pages that act on all that they leave."""
    return [(name, str(request.GET[name])) for name in PARAMETERS if request.GET.get(name)]
