"""What is to be renewed, in days and totals. Its one rule: totals are read as groups of features
that are charged alike, never one by one, so their cost does not follow how many there are.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from itertools import accumulate
from typing import Any

from django.db import connection
from django.db.models import (
    BooleanField,
    Case,
    Count,
    DateField,
    ExpressionWrapper,
    F,
    IntegerField,
    Q,
    QuerySet,
    Value,
    When,
)

from billing.features.periods import (
    CHARGED_BEFORE_END,
    GRACE,
    GRACE_OF_NUMBERS,
    add_months,
    grace_end,
)
from billing.features.terms import Terms, TermsBook
from billing.models import FeatureKind, Subscription
from credit.accounts import company_balance
from members.models import Company
from skypemgr.lib.arrays import array
from skypemgr.lib.periods import first_of_month

ZERO = Decimal(0)
ALIKE = ("plan_id", "months", "next_plan_id", "next_months", "paid_until", "anchor_day")
ROWS = """
SELECT subscription.id, alike.place
  FROM billing_subscription subscription
  JOIN unnest(%(places)s::int[], %(plans)s::bigint[], %(months)s::int[], %(next_plans)s::bigint[],
              %(next_months)s::int[], %(untils)s::date[], %(anchors)s::int[], %(unpaid)s::bool[])
    AS alike (place, plan_id, months, next_plan_id, next_months, paid_until, anchor_day, is_unpaid)
    ON alike.paid_until = subscription.paid_until
   AND alike.plan_id = subscription.plan_id
   AND alike.months = subscription.months
   AND alike.anchor_day = subscription.anchor_day
   AND alike.next_plan_id IS NOT DISTINCT FROM subscription.next_plan_id
   AND alike.next_months IS NOT DISTINCT FROM subscription.next_months
   AND alike.is_unpaid = (subscription.last_failed_on IS NOT NULL
                          OR subscription.charge_on < %(today)s)
 WHERE subscription.company_id = %(company)s AND subscription.charge_on IS NOT NULL
 ORDER BY alike.place, subscription.id
OFFSET %(offset)s LIMIT %(limit)s
"""


@dataclass(frozen=True, slots=True)
class Alike:
    """So many features that are renewed on the same day on the same terms. Those that are unpaid
    were to be charged before today, or could not be paid.
    """

    plan_id: int
    months: int
    next_plan_id: int | None
    next_months: int | None
    paid_until: date
    anchor_day: int
    is_unpaid: bool
    count: int


@dataclass(slots=True)
class Sum:
    """How many are charged, what they cost together, and how many end because their plan is not
    offered any more.
    """

    count: int = 0
    total: Decimal = ZERO
    ending_count: int = 0

    def add(self, count: int, terms: Terms | None) -> None:
        """So many more on these terms."""
        if terms is None:
            self.ending_count += count
        else:
            self.count += count
            self.total += terms.price * count

    @property
    def rows_count(self) -> int:
        """The features, whether they are charged or end."""
        return self.count + self.ending_count


@dataclass(slots=True)
class Day:
    """What is charged on one day."""

    on: date
    sum: Sum = field(default_factory=Sum)
    members: list[tuple[Alike, Terms | None, date]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Renewal:
    """One renewal to come: when it is charged, by which terms; the period that it pays begins on
    ``starts_on``. Without terms the feature ends on that day.
    """

    subscription: Subscription
    charge_on: date
    starts_on: date
    terms: Terms | None


@dataclass(frozen=True, slots=True)
class Unpaid:
    """One feature that could not be paid; it is lost on ``lost_on`` unless it is paid before."""

    subscription: Subscription
    terms: Terms | None
    lost_on: date


class Ahead:
    """A company's renewals from today on. Three queries, whatever is asked of it; one more for the
    rows of a page.
    """

    def __init__(self, company: Company, today: date) -> None:
        self.company = company
        self.today = today
        self.groups = read_alike(_renewing(company), today)
        self.book = TermsBook(self.groups, currency=company.currency)

    def days_of(self, month: date) -> list[Day]:
        """The days of the month on which something is charged for the first or a later time."""
        days: dict[date, Day] = {}
        for group in self.groups:
            for charge_on, starts_on, terms in self._charges(group, month):
                day = days.setdefault(charge_on, Day(charge_on))
                day.sum.add(group.count, terms)
                day.members.append((group, terms, starts_on))
        return [days[on] for on in sorted(days)]

    def sum_of(self, month: date) -> Sum:
        """What is charged in the month, unpaid features apart."""
        return _sum(self.days_of(month))

    @property
    def unpaid(self) -> Sum:
        """What was to be charged and is not paid yet."""
        told = Sum()
        for group in self.groups:
            if group.is_unpaid:
                told.add(group.count, self.book.at_renewal(group, group.paid_until))
        return told

    def needed_until(self, month: date) -> Decimal:
        """What is charged from today to the end of the month, with what is unpaid."""
        needed, current = self.unpaid.total, first_of_month(self.today)
        while current <= month:
            needed += self.sum_of(current).total
            current = add_months(current, 1, anchor_day=1)
        return needed

    def rows(self, days: Sequence[Day], *, offset: int, limit: int) -> list[Renewal]:
        """These renewals of these days, in the order of days, then as given. Only the days that
        they are on are read.
        """
        counts = [day.sum.rows_count for day in days]
        ends = list(accumulate(counts))
        shown = [
            (day, end - count)
            for day, count, end in zip(days, counts, ends, strict=True)
            if end > offset and end - count < offset + limit
        ]
        if not shown:
            return []
        found = [(day, *member) for day, _first in shown for member in day.members]
        places = [place for place, (day, _first) in enumerate(shown) for _member in day.members]
        parameters = {
            **_columns([group for _day, group, _terms, _starts in found]),
            "places": array(places),
            "company": self.company.pk,
            "today": self.today,
            "offset": offset - shown[0][1],
            "limit": limit,
        }
        with connection.cursor() as cursor:
            cursor.execute(ROWS, parameters)
            rows = cursor.fetchall()
        features = _in_bulk(pk for pk, _place in rows)
        return [self._renewal(features[pk], shown[place][0]) for pk, place in rows]

    def unpaid_rows(self) -> QuerySet[Subscription]:
        """The features that could not be paid, what is lost first before the others."""
        grace = Case(
            When(kind=FeatureKind.NUMBER, then=Value(GRACE_OF_NUMBERS.days)),
            default=Value(GRACE.days),
            output_field=IntegerField(),
        )
        lost_on = ExpressionWrapper(F("paid_until") + grace, output_field=DateField())
        found = _renewing(self.company).filter(_is_unpaid(self.today)).annotate(lost_on=lost_on)
        return found.select_related("member", "plan", "next_plan", "number").order_by(
            "lost_on", "pk"
        )

    def describe_unpaid(self, found: Iterable[Subscription]) -> list[Unpaid]:
        """Each with its terms and the day on which it is lost. No query."""
        return [
            Unpaid(
                each,
                self.book.at_renewal(each, each.paid_until),
                max(grace_end(each.kind, each.paid_until), self.today),
            )
            for each in found
        ]

    def _renewal(self, feature: Subscription, day: Day) -> Renewal:
        for group, terms, starts_on in day.members:
            if all(getattr(group, name) == getattr(feature, name) for name in ALIKE):
                return Renewal(feature, day.on, starts_on, terms)
        # It was renewed or changed between the two queries.
        return Renewal(
            feature,
            day.on,
            feature.paid_until,
            self.book.of(feature.plan_id, feature.months, day.on),
        )

    def _charges(self, group: Alike, month: date) -> Iterator[tuple[date, date, Terms | None]]:
        """The group's charge in the month, at most one: a period is a number of whole months, and
        the day of charge stays in the same place of the month.
        """
        distance = _index(month) - _index(group.paid_until - CHARGED_BEFORE_END)
        terms = self.book.at_renewal(group, group.paid_until)
        if distance < 0 or (distance == 0 and group.is_unpaid):
            return
        if distance == 0:
            yield group.paid_until - CHARGED_BEFORE_END, group.paid_until, terms
        elif terms is not None and distance % terms.months == 0:
            before = self._until(group, distance - terms.months)
            starts_on = self._until(group, distance)
            if before == group.paid_until or self.book.of(terms.plan.pk, terms.months, before):
                then = self.book.of(terms.plan.pk, terms.months, starts_on)
                yield starts_on - CHARGED_BEFORE_END, starts_on, then

    def _until(self, group: Alike, months: int) -> date:
        if not months:
            return group.paid_until
        return add_months(group.paid_until, months, anchor_day=group.anchor_day)


@dataclass(frozen=True, slots=True)
class UpcomingTotal:
    """All renewals of a span of days. ``missing`` is what the balance lacks for them now."""

    count: int
    total: Decimal
    balance: Decimal
    missing: Decimal


def total_upcoming(company: Company, *, until: date) -> UpcomingTotal:
    """What the next renewals of all features cost that are charged by that day, against the balance
    now. Four queries, whatever the number of features.
    """
    told = sum_alike(company, _renewing(company).filter(charge_on__lte=until))
    balance = company_balance(company)
    return UpcomingTotal(told.count, told.total, balance, max(ZERO, told.total - balance))


def sum_alike(company: Company, found: QuerySet[Subscription]) -> Sum:
    """What the next renewal of these features of the company costs. Three queries."""
    groups = read_alike(found, date.min)
    book = TermsBook(groups, currency=company.currency)
    told = Sum()
    for group in groups:
        told.add(group.count, book.at_renewal(group, group.paid_until))
    return told


def read_alike(found: QuerySet[Subscription], today: date) -> list[Alike]:
    """The features in groups. One query."""
    is_unpaid = Case(
        When(_is_unpaid(today), then=Value(True)),
        default=Value(False),
        output_field=BooleanField(),
    )
    rows = found.order_by().annotate(is_unpaid=is_unpaid).values_list(*ALIKE, "is_unpaid")
    return [Alike(*row) for row in rows.annotate(count=Count("*"))]


def _renewing(company: Company) -> QuerySet[Subscription]:
    return Subscription.objects.filter(company=company, charge_on__isnull=False)


def _is_unpaid(today: date) -> Q:
    return Q(last_failed_on__isnull=False) | Q(charge_on__lt=today)


def _sum(days: Sequence[Day]) -> Sum:
    told = Sum()
    for day in days:
        told.count += day.sum.count
        told.total += day.sum.total
        told.ending_count += day.sum.ending_count
    return told


def _index(day: date) -> int:
    return day.year * 12 + day.month


def _in_bulk(pks: Iterable[int]) -> dict[int, Subscription]:
    found = Subscription.objects.select_related("member", "plan", "next_plan", "number")
    return found.in_bulk(list(pks))


def _columns(groups: Sequence[Alike]) -> dict[str, Any]:
    columns: dict[str, list[Any]] = defaultdict(list)
    for group in groups:
        columns["plans"].append(group.plan_id)
        columns["months"].append(group.months)
        columns["next_plans"].append(group.next_plan_id)
        columns["next_months"].append(group.next_months)
        columns["untils"].append(group.paid_until)
        columns["anchors"].append(group.anchor_day)
        columns["unpaid"].append(group.is_unpaid)
    return {name: array(values) for name, values in columns.items()}
