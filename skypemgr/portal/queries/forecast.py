"""How long a balance lasts. Its one rule: what goes out a day at the pace of the last 30 days, and
each renewal on the day on which it will be charged.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from django.db.models import QuerySet

from billing.features.terms import TermsBook
from billing.features.upcoming import Ahead, Day, read_alike
from billing.models import Subscription
from skypemgr.lib.periods import add_months, first_of_month
from skypemgr.portal.scope import Scope

ZERO = Decimal(0)
A_DAY = timedelta(days=1)
SHOWN = timedelta(days=30)
# Nobody plans further, and the pace says nothing about it.
FURTHEST = timedelta(days=366)


@dataclass(frozen=True, slots=True)
class Renewals:
    """What is charged from tomorrow on within 30 days, and what should have been paid already."""

    count: int
    total: Decimal
    next_on: date | None
    next_total: Decimal
    unpaid_count: int
    unpaid_total: Decimal


@dataclass(frozen=True, slots=True)
class Forecast:
    """``until`` is the last day that the balance covers; None: for more than a year, or nothing
    goes out at all (``is_spending`` tells).
    """

    today: date
    until: date | None
    is_spending: bool
    renewals: Decimal

    @property
    def days(self) -> int | None:
        """For how many days from now; 0: not until tomorrow."""
        return (self.until - self.today).days if self.until else None


class ScopeAhead(Ahead):
    """The renewals to come of one list's or one member's features, or of the whole company's."""

    def __init__(self, scope: Scope, today: date) -> None:
        self.company = scope.company
        self.today = today
        self.groups = read_alike(_renewing(scope), today)
        self.book = TermsBook(self.groups, currency=scope.company.currency)

    @property
    def renewals(self) -> Renewals:
        """The next 30 days in figures; no query."""
        first = first_of_month(self.today)
        days = [
            day
            for month in (first, add_months(first, 1))
            for day in self.days_of(month)
            if self.today <= day.on <= self.today + SHOWN and day.sum.count
        ]
        unpaid = self.unpaid
        return Renewals(
            count=sum(day.sum.count for day in days),
            total=sum((day.sum.total for day in days), ZERO),
            next_on=days[0].on if days else None,
            next_total=days[0].sum.total if days else ZERO,
            unpaid_count=unpaid.count,
            unpaid_total=unpaid.total,
        )


def tell_forecast(
    balance: Decimal, pace: Decimal, today: date, *, ahead: ScopeAhead | None
) -> Forecast:
    """How long the balance lasts at ``pace`` a day, from tomorrow on; ``ahead``: the renewals that
    it pays too. No query.
    """
    days_of: Callable[[date], list[Day]] = ahead.days_of if ahead else lambda _month: []
    left, charged = balance, ZERO
    if ahead:
        left -= ahead.unpaid.total
    is_spending = pace > 0 or bool(ahead and ahead.groups)
    if left < 0:
        return Forecast(today, today, is_spending, charged)
    day, end = today, today + FURTHEST
    charges: dict[date, Decimal] = {}
    known = None
    while day < end:
        month = first_of_month(day)
        if month != known:
            charges, known = {each.on: each.sum.total for each in days_of(month)}, month
        due = charges.get(day, ZERO)
        # Today's calls and allocations are behind it already.
        left -= due + (pace if day > today else ZERO)
        if left < 0:
            return Forecast(today, max(day - A_DAY, today), is_spending, charged)
        charged += due
        day += A_DAY
    return Forecast(today, None, is_spending, charged)


def _renewing(scope: Scope) -> QuerySet[Subscription]:
    found = Subscription.objects.filter(company=scope.company, charge_on__isnull=False)
    if scope.list is not None:
        return found.filter(member__list=scope.list)
    return found.filter(member=scope.member) if scope.member else found
