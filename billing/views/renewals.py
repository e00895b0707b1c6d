"""What is renewed when, and what could not be paid. Its one rule: this page reads, and its cost
does not follow how many features there are.
"""

from collections.abc import Sequence
from itertools import groupby
from typing import Any

from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from billing.features.months_ahead import MonthAhead, find_month_ahead
from billing.features.upcoming import Ahead, Day, Renewal, Sum
from credit.accounts import company_balance
from credit.money import ZERO
from members.access import MemberRequest, readers_only
from skypemgr.lib.errors import ProductError
from skypemgr.lib.formats import format_month
from skypemgr.lib.periods import utc_now

ROWS = 50


class Rows(Sequence[Renewal]):
    """The renewals of some days, read a page at a time."""

    def __init__(self, ahead: Ahead, days: list[Day]) -> None:
        self._ahead = ahead
        self._days = days

    def __len__(self) -> int:
        return sum(day.sum.rows_count for day in self._days)

    def __getitem__(self, place: Any) -> Any:
        if not isinstance(place, slice):
            return self[place : place + 1][0]
        start, stop = place.start or 0, place.stop or len(self)
        return self._ahead.rows(self._days, offset=start, limit=stop - start)


@require_safe
@readers_only
def show_renewals(request: MemberRequest) -> HttpResponse:
    """A month's renewals by day of charge, or those that could not be paid; eight queries."""
    company = request.actor.company
    today = company.day_at(utc_now())
    try:
        month = find_month_ahead(request.GET.get("month", ""), today)
    except ProductError as error:
        said = {"sentence": str(error)}
        return render(request, "billing/renewals_refused.html", said, status=error.status)
    ahead = Ahead(company, today)
    unpaid = ahead.unpaid
    shows_unpaid = request.GET.get("show") == "unpaid"
    days = [] if shows_unpaid else ahead.days_of(month.first)
    balance = company_balance(company)
    needed = ahead.needed_until(month.first)
    rows: Any = ahead.unpaid_rows() if shows_unpaid else Rows(ahead, days)
    page = Paginator(rows, ROWS).get_page(request.GET.get("page"))
    by_day = {day.on: day for day in days}
    found = list(page.object_list)
    context: dict[str, Any] = {
        "currency": company.currency,
        "is_administrator": request.member.is_administrator,
        "today": today,
        "month": month,
        "sum": ahead.sum_of(month.first),
        "unpaid": unpaid,
        "balance": balance,
        "needed": needed,
        "missing": max(ZERO, needed - balance),
        "shows_unpaid": shows_unpaid,
        "page": page,
        "tabs": _tabs(month, unpaid, shows_unpaid=shows_unpaid),
        "unpaid_url": f"{reverse('renewals')}?show=unpaid",
        "waiting": ahead.describe_unpaid(found) if shows_unpaid else [],
        "groups": [] if shows_unpaid else _by_day(found, by_day),
    }
    return render(request, "billing/renewals.html", context)


def _by_day(found: Sequence[Renewal], days: dict[Any, Day]) -> list[dict[str, Any]]:
    """The renewals of a page under their days; a day's sums are those of the whole day."""
    return [
        {"day": days[on], "renewals": list(renewals)}
        for on, renewals in groupby(found, key=lambda renewal: renewal.charge_on)
    ]


def _tabs(month: MonthAhead, unpaid: Sum, *, shows_unpaid: bool) -> list[dict[str, Any]]:
    address = reverse("renewals")
    tabs: list[dict[str, Any]] = [
        {
            "url": f"{address}?month={first:%Y-%m}",
            "label": format_month(first),
            "active": not shows_unpaid and first == month.first,
        }
        for first in month.offered
    ]
    if unpaid.rows_count or shows_unpaid:
        tabs.append(
            {
                "url": f"{address}?show=unpaid",
                "label": _("Not paid"),
                "active": shows_unpaid,
                "count": unpaid.rows_count,
            }
        )
    return tabs
