"""The monthly reports: what they are called, their columns, their rows and their sums.

Its one rule: a report is booked days of one month of one company, so that opening + in − out =
closing holds on each. Single calls never stand in a report: calls are one line a member and day.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.db.models import Count, Min, Q, QuerySet, Sum
from django.db.models.functions import Coalesce
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from credit.models import Account, Call, DailyTotal, Transfer
from members.models import Company
from skypemgr.lib.errors import NotFound, ProductError
from skypemgr.lib.exports import Cell
from skypemgr.lib.periods import add_months, first_of_month, first_of_next_month

ZERO = Decimal(0)
MONTH_FORM = re.compile(r"(?P<year>[0-9]{4})-(?P<month>0[1-9]|1[0-2])")

TITLES: dict[str, Promise] = {
    "summary": _("Summary"),
    "purchases": _("Purchases"),
    "allocations": _("Allocations"),
    "usage": _("Usage"),
}

Kind = Transfer.Kind


class InvalidMonth(ProductError):
    """That is no month."""

    code = "invalid_month"


class NoSuchMonth(NotFound):
    """The company has no such month."""

    code = "no_such_month"


@dataclass(frozen=True)
class Column:
    """``form`` says what it holds: text, day, count, duration, money, kind (of a transfer), flag;
    id is for programs alone.
    """

    key: str
    label: Promise
    form: str = "text"


@dataclass(frozen=True)
class Report:
    """One report of one month. ``found`` are its rows, a value for each column."""

    name: str
    title: Promise
    columns: tuple[Column, ...]
    found: QuerySet[Any, tuple[Any, ...]]
    totals: dict[str, Decimal | int]

    @property
    def shown_columns(self) -> tuple[Column, ...]:
        """The columns that people see."""
        return tuple(column for column in self.columns if column.form != "id")

    def rows(self) -> Iterator[tuple[Any, ...]]:
        """Every row, read in portions."""
        return self.found.iterator(chunk_size=2000)

    def shown(self, row: tuple[Any, ...]) -> list[Cell]:
        """The row as people see it, kinds in the reader's language."""
        return [
            _shown(column, value)
            for column, value in zip(self.columns, row, strict=True)
            if column.form != "id"
        ]


@dataclass(frozen=True)
class Month:
    """A month of a company, and its neighbours if the company has them."""

    first: date
    previous: date | None
    following: date | None
    earliest: date
    latest: date

    @property
    def all(self) -> list[date]:
        """The company's months, latest first."""
        months = [self.latest]
        while months[-1] > self.earliest:
            months.append(add_months(months[-1], -1))
        return months


def find_month(company: Company, text: str, now: datetime) -> Month:
    """The month written ``YYYY-MM``, by default the current one in the company's zone.

    Raises InvalidMonth (422) for what is no month, NoSuchMonth (404) for a month to come or before
    the company. One query.
    """
    latest = first_of_month(company.day_at(now))
    earliest = _earliest(company)
    match = MONTH_FORM.fullmatch(text.strip()) if text else None
    if text and (match is None or match["year"] == "0000"):
        raise InvalidMonth(_("That is not a month. Write it as 2026-01."), field="month")
    first = date(int(match["year"]), int(match["month"]), 1) if match else latest
    if first > latest:
        raise NoSuchMonth(_("That month is still to come."), field="month")
    if first < earliest:
        raise NoSuchMonth(_("Your company did not exist in that month."), field="month")
    return Month(
        first=first,
        previous=add_months(first, -1) if first > earliest else None,
        following=add_months(first, 1) if first < latest else None,
        earliest=earliest,
        latest=latest,
    )


def read_report(name: str, company: Company, month: date) -> Report:
    """The report of that name; NotFound for another name. Its rows are read when asked for."""
    if name not in REPORTS:
        raise NotFound(_("There is no such report."), code="unknown_report")
    return REPORTS[name](company, month)


def _shown(column: Column, value: Any) -> Cell:
    if column.form == "kind":
        return Kind(value).label
    if column.form == "flag":
        return str(_("Yes") if value else _("No"))
    cell: Cell = value
    return cell


def _earliest(company: Company) -> date:
    created = company.day_at(company.created_at)
    booked = DailyTotal.objects.filter(company=company).aggregate(day=Min("day"))["day"]
    return first_of_month(min(created, booked) if booked else created)


def _within(column: str, month: date) -> Q:
    return Q(**{f"{column}__gte": month, f"{column}__lt": first_of_next_month(month)})


def _company_purse(company: Company) -> QuerySet[Account, int]:
    return Account.objects.filter(company=company, kind=Account.Kind.COMPANY).values_list(
        "pk", flat=True
    )


def _allocations(company: Company, month: date) -> Report:
    moved = Transfer.objects.filter(
        _within("booked_on", month),
        source__in=_company_purse(company),
        kind__in=(Kind.ALLOCATION, Kind.AUTO_RECHARGE),
    )
    found = moved.order_by("source_version").values_list(
        "booked_on",
        "destination__member_id",
        "destination__member__name",
        "destination__member__list__name",
        "kind",
        "actor__name",
        "amount",
        "destination_balance_after",
    )
    return Report(
        name="allocations",
        title=TITLES["allocations"],
        columns=(
            Column("day", _("Date"), "day"),
            Column("member_id", _("Member"), "id"),
            Column("member", _("Member")),
            Column("list", _("List")),
            Column("kind", _("Kind"), "kind"),
            Column("by", _("Allocated by")),
            Column("amount", _("Amount"), "money"),
            Column("balance_after", _("Member's balance after"), "money"),
        ),
        found=found,
        totals={"amount": moved.aggregate(sum=Sum("amount"))["sum"] or ZERO},
    )


def _purchases(company: Company, month: date) -> Report:
    moved = Transfer.objects.filter(
        _within("booked_on", month), destination__in=_company_purse(company), kind=Kind.PURCHASE
    )
    found = moved.order_by("destination_version").values_list(
        "booked_on",
        "purchase__pk",
        "purchase__method_label",
        "purchase__made_by__name",
        Coalesce("purchase__is_automatic", False),
        "amount",
        Coalesce("purchase__vat_amount", ZERO),
        Coalesce("purchase__total", "amount"),
    )
    sums = moved.aggregate(
        net=Sum("amount"),
        vat=Sum("purchase__vat_amount"),
        total=Sum(Coalesce("purchase__total", "amount")),
    )
    return Report(
        name="purchases",
        title=TITLES["purchases"],
        columns=(
            Column("day", _("Date"), "day"),
            Column("purchase", _("Purchase number")),
            Column("method", _("Payment method")),
            Column("by", _("Bought by")),
            Column("automatic", _("Auto-recharge"), "flag"),
            Column("net", _("Net"), "money"),
            Column("vat", _("VAT"), "money"),
            Column("total", _("Total"), "money"),
        ),
        found=found,
        totals={
            "net": sums["net"] or ZERO,
            "vat": sums["vat"] or ZERO,
            "total": sums["total"] or ZERO,
        },
    )


def _usage(company: Company, month: date) -> Report:
    calls = Call.objects.filter(_within("booked_on", month), company=company)
    sums = {
        "calls": Count("pk"),
        "seconds": Sum("billed_seconds"),
        "paid": Sum("collected"),
        "uncollected": Sum("uncollected"),
    }
    found = (
        calls.values("booked_on", "member_id")
        .annotate(**sums)
        .order_by("booked_on", "member__name_key", "member_id")
        .values_list("booked_on", "member_id", "member__name", "member__list__name", *sums)
    )
    totals = calls.aggregate(**sums)
    return Report(
        name="usage",
        title=TITLES["usage"],
        columns=(
            Column("day", _("Date"), "day"),
            Column("member_id", _("Member"), "id"),
            Column("member", _("Member")),
            Column("list", _("List")),
            Column("calls", _("Calls"), "count"),
            Column("seconds", _("Duration"), "duration"),
            Column("paid", _("Paid"), "money"),
            Column("uncollected", _("Not collected"), "money"),
        ),
        found=found,
        totals={
            "calls": totals["calls"],
            "seconds": totals["seconds"] or 0,
            "paid": totals["paid"] or ZERO,
            "uncollected": totals["uncollected"] or ZERO,
        },
    )


def _summary(company: Company, month: date) -> Report:
    booked = DailyTotal.objects.filter(
        _within("day", month), company=company, account__kind=Account.Kind.COMPANY
    )
    sums = {"moves": Sum("moves_count"), "came": Sum("incoming"), "went": Sum("outgoing")}
    totals = booked.aggregate(**sums)
    return Report(
        name="summary",
        title=TITLES["summary"],
        columns=(
            Column("kind", _("Kind"), "kind"),
            Column("movements", _("Movements"), "count"),
            Column("in", _("In"), "money"),
            Column("out", _("Out"), "money"),
        ),
        found=booked.values("kind").annotate(**sums).order_by("kind").values_list("kind", *sums),
        totals={
            "movements": totals["moves"] or 0,
            "in": totals["came"] or ZERO,
            "out": totals["went"] or ZERO,
        },
    )


REPORTS: dict[str, Callable[[Company, date], Report]] = {
    "summary": _summary,
    "allocations": _allocations,
    "purchases": _purchases,
    "usage": _usage,
}


@dataclass(frozen=True)
class ListMonth:
    """What the members of one list received and spent on calls; ``name`` empty: in no list."""

    name: str
    members_count: int
    received: Decimal
    calls: Decimal


def read_by_list(company: Company, month: date) -> list[ListMonth]:
    """The month by list, biggest spender first; one query."""
    rows = (
        DailyTotal.objects.filter(
            _within("day", month), company=company, account__kind=Account.Kind.MEMBER
        )
        .values("account__member__list__name")
        .annotate(
            people=Count("account", distinct=True),
            received=Sum("incoming", filter=Q(kind__in=(Kind.ALLOCATION, Kind.AUTO_RECHARGE))),
            spent=Sum("outgoing", filter=Q(kind=Kind.CALL)),
        )
        .order_by()
        .values_list("account__member__list__name", "people", "received", "spent")
    )
    lists = [ListMonth(row[0] or "", row[1], row[2] or ZERO, row[3] or ZERO) for row in rows]
    return sorted(lists, key=lambda line: (-line.calls, -line.received, line.name))
