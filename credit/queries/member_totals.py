"""Sums over all members that filters leave. Its one rule: they are the ledger's own figures, kept
for a moment only for hundreds of members and only while nothing moved or was decided.
"""

from collections.abc import Collection, Mapping
from dataclasses import astuple, dataclass
from datetime import date
from decimal import Decimal

from django.db.models import Case, Count, F, Q, QuerySet, Sum, Value, When
from django.db.models.functions import Coalesce

from credit.member_filters import (
    STATUSES,
    MemberFilters,
    filtered_members,
    with_purses,
)
from credit.models import Account
from credit.money import ZERO
from credit.queries.kept import KEPT_FROM, keep, key_of, recall
from members.models import Company, Member
from members.models.people import PRESENT
from skypemgr.lib.periods import first_of_month

# So many are paged along an index, not sorted.
MANY = 5_000


@dataclass(frozen=True, slots=True)
class StatusSums:
    """Of the members of one status. ``with_balance``, ``with_spending`` and ``with_movement``: how
    many of them have a balance above 0, spent on calls this month, had any movement.
    """

    count: int = 0
    balance: Decimal = ZERO
    spent: Decimal = ZERO
    with_balance: int = 0
    with_spending: int = 0
    with_movement: int = 0


@dataclass(frozen=True, slots=True)
class MembersTotals:
    """Of all members that the filters leave, on every page."""

    by_status: Mapping[str, StatusSums]

    def of(self, statuses: Collection[str]) -> StatusSums:
        """The sums of the members who have one of the statuses."""
        parts = [sums for status, sums in self.by_status.items() if status in statuses]
        return StatusSums(
            count=sum(part.count for part in parts),
            balance=sum((part.balance for part in parts), ZERO),
            spent=sum((part.spent for part in parts), ZERO),
            with_balance=sum(part.with_balance for part in parts),
            with_spending=sum(part.with_spending for part in parts),
            with_movement=sum(part.with_movement for part in parts),
        )

    @property
    def all(self) -> StatusSums:
        """The sums of everybody."""
        return self.of(self.by_status)

    @property
    def count(self) -> int:
        """How many they are."""
        return sum(sums.count for sums in self.by_status.values())

    @property
    def present_count(self) -> int:
        """How many of them are still in the company."""
        return self.of(PRESENT).count

    @property
    def active_count(self) -> int:
        """How many of them are active."""
        return self.of((Member.Status.ACTIVE,)).count

    @property
    def balance(self) -> Decimal:
        """What they have together."""
        return self.all.balance

    @property
    def spent(self) -> Decimal:
        """What calls took from them this month."""
        return self.all.spent


def read_totals(
    company: Company, filters: MemberFilters, *, today: date, anew: bool = False
) -> MembersTotals:
    """The totals; for many members as they were at most half a minute ago, if nothing happened
    since and they are not wanted ``anew``.
    """
    key = "" if anew else key_of(company, "members", filters.content(), today)
    kept = recall(key)
    if kept:
        return MembersTotals({status: StatusSums(*sums) for status, sums in kept.items()})
    if filters == MemberFilters(status=filters.status):
        totals = _sum_up_company(company, STATUSES[filters.status], today)
    else:
        totals = sum_up(filtered_members(company, filters, today=today), today)
    if totals.count >= KEPT_FROM:
        keep(key, {str(status): astuple(sums) for status, sums in totals.by_status.items()})
    return totals


def sum_up(members: QuerySet[Member], today: date) -> MembersTotals:
    """The totals of these members; one query."""
    is_of_month = Q(purse__last_booked_on__gte=first_of_month(today))
    rows = (
        members.order_by()
        .values("status")
        .annotate(
            count=Count("pk"),
            sum_balance=Coalesce(Sum("purse__balance"), Value(ZERO)),
            sum_spent=Coalesce(Sum(spent_this_month(today)), Value(ZERO)),
            with_balance=Count("pk", filter=Q(purse__balance__gt=0)),
            with_spending=Count("pk", filter=is_of_month & Q(purse__month_spent__gt=0)),
            with_movement=Count("purse__last_booked_on"),
        )
        .values_list(
            "status",
            "count",
            "sum_balance",
            "sum_spent",
            "with_balance",
            "with_spending",
            "with_movement",
        )
    )
    return MembersTotals({status: StatusSums(*sums) for status, *sums in rows})


def _sum_up_company(company: Company, statuses: Collection[str], today: date) -> MembersTotals:
    """The totals of all who have the statuses; three queries. Nearly everybody is active: what the
    few others have is taken from what all purses have, so that the many meet no purse one by one.
    """
    others = [status for status in STATUSES["all"] if status != Member.Status.ACTIVE]
    totals = sum_up(with_purses(company).filter(status__in=others), today)
    by_status = {status: sums for status, sums in totals.by_status.items() if status in statuses}
    if Member.Status.ACTIVE in statuses:
        count = Member.objects.filter(company=company, status=Member.Status.ACTIVE).count()
        all_purses, rest = _sum_up_purses(company, today), totals.all
        by_status[Member.Status.ACTIVE] = StatusSums(
            count=count,
            balance=all_purses.balance - rest.balance,
            spent=all_purses.spent - rest.spent,
            with_balance=all_purses.with_balance - rest.with_balance,
            with_spending=all_purses.with_spending - rest.with_spending,
            with_movement=all_purses.with_movement - rest.with_movement,
        )
    return MembersTotals(by_status)


def _sum_up_purses(company: Company, today: date) -> StatusSums:
    """The sums of all members' purses, but for how many members there are."""
    is_of_month = Q(last_booked_on__gte=first_of_month(today))
    sums = Account.objects.filter(company=company, kind=Account.Kind.MEMBER).aggregate(
        sum_balance=Coalesce(Sum("balance"), Value(ZERO)),
        sum_spent=Coalesce(Sum("month_spent", filter=is_of_month), Value(ZERO)),
        with_balance=Count("pk", filter=Q(balance__gt=0)),
        with_spending=Count("pk", filter=is_of_month & Q(month_spent__gt=0)),
        with_movement=Count("last_booked_on"),
    )
    balance, spent = sums.pop("sum_balance"), sums.pop("sum_spent")
    return StatusSums(balance=balance, spent=spent, **sums)


def spent_this_month(today: date) -> Case:
    """What calls took from the member's purse this month, for a query over members."""
    is_of_month = When(
        purse__last_booked_on__gte=first_of_month(today), then=F("purse__month_spent")
    )
    return Case(is_of_month, default=Value(ZERO))
