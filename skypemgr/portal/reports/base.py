"""What every report is made of. Its one rule: a report is booked days of one company, so that
opening + in − out = closing holds on each; single calls never stand in one.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from django.db.models import Q, Sum
from django.utils.functional import Promise
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from billing.models import FeatureKind
from credit.accounts import purse_of_company
from credit.models import DailyTotal, Transfer
from members.models import Company, Member, MemberList
from skypemgr.lib.errors import NotFound, ProductError
from skypemgr.lib.exports import Cell
from skypemgr.lib.text import search_key
from skypemgr.portal.spans import Span

ZERO = Decimal(0)
# Few large portions: each is found by counting the rows before it.
AT_ONCE = 10_000
Kind = Transfer.Kind
# Transfers by their kind, those for features by what they paid for.
KIND_LABELS: dict[str, str | Promise] = {
    **{kind.value: kind.label for kind in Kind},
    **{kind.value: kind.label for kind in FeatureKind},
}
# Where nothing is, a dash says so sooner than a row of noughts.
NOTHING = "\u2013"
Row = tuple[Any, ...]


class InvalidFilter(ProductError):
    """The report cannot be cut or sorted like that."""

    code = "invalid_filter"


@dataclass(frozen=True, slots=True)
class Column:
    """``form`` says what it holds: text, day, month, count, duration, money, kind (of a transfer),
    flag; id is for programs alone. Pages leave out what is rare where it is nothing in all rows,
    and may be too narrow for some columns: ``shown_from`` tablet or wide; on a phone the column
    ``below`` stands under this one instead.
    """

    key: str
    label: str | Promise
    form: str = "text"
    is_rare: bool = False
    shown_from: str = ""
    below: str = ""


@dataclass(frozen=True, slots=True)
class Choice:
    """One way to cut a report, or one value of a filter."""

    value: str
    label: str | Promise


@dataclass(frozen=True, slots=True)
class Filters:
    """What of a report is asked for; empty: all of it. ``by`` is what a line stands for."""

    by: str = ""
    kind: str = ""
    list_id: int | None = None
    member_id: int | None = None
    sort: str = ""

    @property
    def parameters(self) -> dict[str, str]:
        """How they are written in an address."""
        named = {
            "by": self.by,
            "kind": self.kind,
            "list": self.list_id,
            "member": self.member_id,
            "sort": self.sort,
        }
        return {name: str(value) for name, value in named.items() if value}


@dataclass(frozen=True, slots=True)
class Meeting:
    """How calls listed by their start meet those booked in the same days. ``later``: what was
    booked after the last day, by day of booking.
    """

    started: Decimal
    booked_later: Decimal
    started_earlier: Decimal
    later: tuple[tuple[date, Decimal], ...] = ()

    @property
    def booked(self) -> Decimal:
        """What the movements of these days say."""
        return self.started - self.booked_later + self.started_earlier


@dataclass(frozen=True, slots=True)
class Report:
    """One report of one span. ``count`` rows, a value for each column, in a fixed order.

    ``cuts`` are what a line may stand for, ``kinds`` what may be filtered. ``sorts`` are the
    columns by which it can be sorted, ``sort`` how it is (``-``: falling; empty: as the report
    likes); ``meeting`` is only of calls.
    """

    name: str
    title: str | Promise
    columns: tuple[Column, ...]
    count: int
    totals: Mapping[str, Decimal | int]
    read: Callable[[int, int], Sequence[Row]]
    cuts: tuple[Choice, ...] = ()
    kinds: tuple[Choice, ...] = ()
    sorts: tuple[str, ...] = ()
    sort: str = ""
    can_choose_people: bool = False
    meeting: Meeting | None = None
    stream: Callable[[], Iterator[Row]] | None = None

    @property
    def shown_columns(self) -> tuple[Column, ...]:
        """The columns that people see."""
        return tuple(column for column in self.columns if column.form != "id")

    def rows(self) -> Iterator[Row]:
        """Every row, read in portions."""
        if self.stream is not None:
            yield from self.stream()
            return
        for offset in range(0, self.count, AT_ONCE):
            yield from self.read(offset, AT_ONCE)

    def shown(self, row: Row) -> list[Cell]:
        """The row as people see it, kinds in the reader's language."""
        return [
            shown_cell(column, value)
            for column, value in zip(self.columns, row, strict=True)
            if column.form != "id"
        ]


class Rows(Sequence[Row]):
    """A report's rows as a sequence: only the slice that is asked for is read."""

    def __init__(self, report: Report) -> None:
        self._report = report

    def __len__(self) -> int:
        return self._report.count

    def __getitem__(self, place: Any) -> Any:
        if isinstance(place, slice):
            start, stop, _step = place.indices(len(self))
            return self._report.read(start, stop - start) if start < stop else []
        return self._report.read(place, 1)[0]


@dataclass(frozen=True, slots=True)
class Versions:
    """The company's purse over a span: its versions after ``opening`` and up to ``closing`` were
    booked in it. None: there is no purse.
    """

    purse_id: int | None
    opening: int
    closing: int

    def within(self, side: str) -> Q:
        """The transfers of the span on that side of the purse, source or destination."""
        return Q(
            **{
                side: self.purse_id,
                f"{side}_version__gt": self.opening,
                f"{side}_version__lte": self.closing,
            }
        )


def read_versions(company: Company, span: Span) -> Versions:
    """The company's purse has one version for each move, and its days never go back: the daily
    totals count them. Two queries.
    """
    purse_id = purse_of_company(company).values_list("pk", flat=True).first()
    counts = DailyTotal.objects.filter(account=purse_id, day__lte=span.last).aggregate(
        opening=Sum("moves_count", filter=Q(day__lt=span.first), default=0),
        closing=Sum("moves_count", default=0),
    )
    return Versions(purse_id, counts["opening"], counts["closing"])


def shown_cell(column: Column, value: Any) -> Cell:
    """One value as people see it; amounts, counts and days as they are."""
    if column.form == "kind":
        return str(KIND_LABELS[value])
    if column.form == "flag":
        return str(_("Yes") if value else _("No"))
    if column.form == "month" and isinstance(value, date):
        return f"{value:%Y-%m}"
    cell: Cell = value
    return cell


def from_rows(rows: Sequence[Row]) -> Callable[[int, int], Sequence[Row]]:
    """Reads from rows that are few and known."""
    return lambda offset, limit: rows[offset : offset + limit]


def read_filters(company: Company, wanted: Mapping[str, str]) -> Filters:
    """The filters of an address. Raises InvalidFilter, and NotFound for a list or member that the
    company does not have. Two queries at most.
    """
    list_id = _number(wanted, "list")
    member_id = _number(wanted, "member")
    if list_id is not None and not MemberList.objects.filter(company=company, pk=list_id).exists():
        raise NotFound(_("There is no such list in your company."), field="list")
    if member_id is not None and not Member.objects.filter(company=company, pk=member_id).exists():
        raise NotFound(_("There is no such member in your company."), field="member")
    return Filters(
        by=wanted.get("by", "").strip(),
        kind=wanted.get("kind", "").strip(),
        list_id=list_id,
        member_id=member_id,
        sort=wanted.get("sort", "").strip(),
    )


def choose(name: str, value: str, choices: Sequence[Choice]) -> str:
    """The chosen value, the first one by default. Raises InvalidFilter for another one."""
    values = [choice.value for choice in choices]
    if value and value not in values:
        raise InvalidFilter(
            _("Choose one of these: %(values)s.") % {"values": ", ".join(filter(None, values))},
            field=name,
        )
    return value or values[0]


def choose_sort(value: str, keys: Sequence[str], default: str) -> str:
    """How to sort: one of the keys, with ``-`` before it falling. Raises InvalidFilter."""
    if not value:
        return default
    choose("sort", value.removeprefix("-") or value, [Choice(key, key) for key in keys])
    return value


def sort_rows(rows: Sequence[Row], columns: Sequence[Column], sort: str) -> list[Row]:
    """The rows, few and known, in that order; those that are alike stay as they were."""
    if not sort:
        return list(rows)
    place = [column.key for column in columns].index(sort.removeprefix("-"))
    column = columns[place]

    def key(row: Row) -> Any:
        value = shown_cell(column, row[place])
        return search_key(value) if isinstance(value, str) else value

    return sorted(rows, key=key, reverse=sort.startswith("-"))


def _number(wanted: Mapping[str, str], name: str) -> int | None:
    text = wanted.get(name, "").strip()
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and len(text) < 19):
        raise InvalidFilter(_("Give its number."), field=name)
    return int(text)


def feature_words(name_en: str | None, name_fr: str | None, number: str | None) -> str:
    """What a movement for a feature paid for: the plan in the reader's language, and the number."""
    plan = name_fr if (get_language() or "").startswith("fr") else name_en
    return " · ".join(filter(None, (plan, number)))
