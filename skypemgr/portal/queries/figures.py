"""Balances and sums of months. Its one rule: every figure is a sum of daily totals or a purse's
balance, so that pages and ledger cannot disagree.
"""

from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal

from django.db.models import Count, DecimalField, F, Q, QuerySet, Sum, Value
from django.db.models.functions import Coalesce

from credit.figures import Level, totals
from credit.models import Account, DailyTotal, Transfer
from members.models import Company, Member
from skypemgr.lib.periods import add_months, first_of_next_month

ZERO = Decimal(0)
FORECAST_DAYS = 30

Kind = Transfer.Kind


@dataclass(frozen=True)
class Flow:
    """What came in and went out by kind; amounts in the company's currency."""

    incoming: dict[str, Decimal] = field(default_factory=dict)
    outgoing: dict[str, Decimal] = field(default_factory=dict)

    @property
    def total_in(self) -> Decimal:
        """All that came in."""
        return sum(self.incoming.values(), ZERO)

    @property
    def total_out(self) -> Decimal:
        """All that went out."""
        return sum(self.outgoing.values(), ZERO)


@dataclass(frozen=True)
class Month:
    """One month of a company: its own purse, and what members spent on calls."""

    first: date
    company: Flow
    members: Flow

    @property
    def purchases(self) -> Decimal:
        """Credit bought, less what was refunded."""
        return self.company.incoming.get(Kind.PURCHASE, ZERO) - self.company.outgoing.get(
            Kind.REVERSAL, ZERO
        )

    @property
    def allocations(self) -> Decimal:
        """Credit that administrators gave to members."""
        return self.company.outgoing.get(Kind.ALLOCATION, ZERO)

    @property
    def recharges(self) -> Decimal:
        """Credit that members' rules drew."""
        return self.company.outgoing.get(Kind.AUTO_RECHARGE, ZERO)

    @property
    def calls(self) -> Decimal:
        """What members' calls cost, less what was given back."""
        return self.members.outgoing.get(Kind.CALL, ZERO) - self.members.incoming.get(
            Kind.REVERSAL, ZERO
        )


@dataclass(frozen=True)
class Strip:
    """A purse over some days: opening + incoming − outgoing = closing."""

    opening: Decimal
    incoming: Decimal
    outgoing: Decimal

    @property
    def closing(self) -> Decimal:
        """The balance at the end of the last day (now, if it is still to come)."""
        return self.opening + self.incoming - self.outgoing


@dataclass(frozen=True)
class MemberTotals:
    """How many are in the company, and what their purses hold together."""

    count: int
    balance: Decimal
    without_credit: int


def read_months(company: Company, last: date, count: int = 12) -> list[Month]:
    """The ``count`` months that end with the month of ``last``, oldest first; one query."""
    end = first_of_next_month(last)
    start, last_day = add_months(end, -count), end - timedelta(days=1)
    months = {
        first: Month(first=first, company=Flow(), members=Flow())
        for first in (add_months(start, index) for index in range(count))
    }
    for row in totals(company, start, last_day, Level.COMPANY, Level.MEMBERS):
        month = months[row.month]
        flow = month.company if row.level == Level.COMPANY else month.members
        flow.incoming[row.kind] = row.incoming
        flow.outgoing[row.kind] = row.outgoing
    return list(months.values())


def read_strip(company: Company, first: date, last: date) -> Strip:
    """The company's purse over these days, both included; one query."""
    before = Q(day__lt=first)
    within = Q(day__gte=first, day__lte=last)
    sums = _of_company(company).aggregate(
        in_before=_sum("incoming", before),
        out_before=_sum("outgoing", before),
        in_within=_sum("incoming", within),
        out_within=_sum("outgoing", within),
    )
    return Strip(
        opening=sums["in_before"] - sums["out_before"],
        incoming=sums["in_within"],
        outgoing=sums["out_within"],
    )


def read_company_purse(company: Company) -> Account | None:
    """The company's purse, if it was opened; one query."""
    return Account.objects.filter(company=company, kind=Account.Kind.COMPANY).first()


def read_member_totals(company: Company) -> MemberTotals:
    """Members who are active or suspended, and their balances together; one query."""
    present = Member.objects.filter(
        company=company, status__in=(Member.Status.ACTIVE, Member.Status.SUSPENDED)
    )
    sums = present.aggregate(
        count=Count("pk"),
        balance=Coalesce(Sum("accounts__balance"), Value(ZERO), output_field=_money()),
        without_credit=Count(
            "pk",
            filter=Q(status=Member.Status.ACTIVE) & (Q(accounts=None) | Q(accounts__balance=0)),
        ),
    )
    return MemberTotals(**sums)


def read_daily_pace(company: Company, today: date) -> Decimal:
    """What left the company's purse a day, on average over the last 30 days; one query."""
    start = today - timedelta(days=FORECAST_DAYS)
    spent: Decimal = _of_company(company).aggregate(
        spent=_sum("outgoing", Q(day__gt=start, day__lte=today))
    )["spent"]
    return spent / FORECAST_DAYS


def lasts_days(balance: Decimal, pace: Decimal) -> int | None:
    """For how many days the balance lasts at that pace; None when nothing is spent."""
    return int(balance / pace) if pace > 0 else None


def _of_company(company: Company) -> QuerySet[DailyTotal]:
    return DailyTotal.objects.filter(
        company=company, account__company=company, account__kind=Account.Kind.COMPANY
    )


def _sum(column: str, condition: Q) -> Coalesce:
    return Coalesce(Sum(F(column), filter=condition), Value(ZERO), output_field=_money())


def _money() -> "DecimalField[Decimal, Decimal]":
    return DecimalField(max_digits=18, decimal_places=4)
