"""The lines of a report as the page draws them. Its one rule: every value is the report's own, the
amounts of a column stand in line.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from django.http import QueryDict
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from skypemgr.lib.formats import (
    decimals_of,
    format_date,
    format_duration,
    format_money,
    format_month,
    format_number,
)
from skypemgr.portal.reports.base import NOTHING, Column, Filters, Report, Row, shown_cell
from skypemgr.portal.reports.links import link_of
from skypemgr.portal.spans import Span

NUMBERS = ("money", "count", "duration")
NARROW = {"tablet": "hide-phone", "wide": "hide-tablet"}
# What a line is called that has no name.
NAMELESS: Mapping[str, str | Promise] = {
    "list": _("No list"),
    "cost_centre": _("No cost centre"),
    "country": _("Unknown"),
}


@dataclass(frozen=True, slots=True)
class Cell:
    """A value as it is read, where it leads, how it stands, and what stands below it on a phone."""

    text: str
    classes: str
    url: str = ""
    below: str = ""


@dataclass(frozen=True, slots=True)
class Head:
    """The head of a column; ``url`` sorts by it, ``direction`` says how it is sorted."""

    label: str | Promise
    classes: str
    url: str = ""
    direction: str = ""


@dataclass(frozen=True, slots=True)
class Lines:
    """A page of a report."""

    heads: Sequence[Head]
    rows: Sequence[Sequence[Cell]]
    totals: Sequence[Cell]


def draw_lines(
    report: Report,
    rows: Sequence[Row],
    *,
    span: Span,
    filters: Filters,
    currency: str,
    wanted: QueryDict,
) -> Lines:
    """The rows of the page below their heads, and the sums of all rows."""
    columns = [
        column
        for column in report.shown_columns
        if not column.is_rare or report.totals.get(column.key)
    ]
    lines = [dict(zip((column.key for column in report.columns), row, strict=True)) for row in rows]
    decimals = {
        column.key: _decimals(column, [*lines, report.totals], currency) for column in columns
    }

    def text(column: Column, value: Any) -> str:
        return _text(column, value, currency, decimals[column.key])

    first = columns[0].key
    named = {column.key: column for column in report.columns}
    return Lines(
        heads=[_head(report, column, wanted) for column in columns],
        rows=[
            [
                Cell(
                    text=(NOTHING if _is_nothing(column, line[column.key]) else "")
                    or text(column, line[column.key])
                    or (str(NAMELESS.get(column.key, "")) if column.key == first else ""),
                    classes=_classes(column, line[column.key]),
                    url=link_of(report.name, column.key, line, span, filters),
                    below=text(named[column.below], line[column.below]) if column.below else "",
                )
                for column in columns
            ]
            for line in lines
        ],
        totals=[
            Cell(text(column, report.totals.get(column.key)), _classes(column))
            for column in columns
        ],
    )


def _head(report: Report, column: Column, wanted: QueryDict) -> Head:
    if column.key not in report.sorts:
        return Head(column.label, _classes(column))
    direction = {column.key: "ascending", f"-{column.key}": "descending"}.get(report.sort, "")
    # Numbers are wanted from the greatest on, words and days from the first.
    is_falling = direction == "ascending" or (not direction and column.form in NUMBERS)
    query = wanted.copy()
    query.pop("page", None)
    query["sort"] = f"-{column.key}" if is_falling else column.key
    return Head(column.label, _classes(column), f"?{query.urlencode()}", direction)


def _is_nothing(column: Column, value: Any) -> bool:
    return column.form in NUMBERS and value == 0


def _classes(column: Column, value: Any = None) -> str:
    names = []
    if column.form in NUMBERS:
        names.append("amount-cell")
        if _is_nothing(column, value):
            names.append("is-nothing")
    if column.form in ("day", "month"):
        names.append("nowrap")
    if column.shown_from:
        names.append(NARROW[column.shown_from])
    return " ".join(names)


def _decimals(column: Column, lines: Sequence[Mapping[str, Any]], currency: str) -> int:
    if column.form != "money":
        return 0
    values = (line.get(column.key) for line in lines)
    return decimals_of((value for value in values if isinstance(value, Decimal)), currency)


def _text(column: Column, value: Any, currency: str, decimals: int) -> str:
    if value is None:
        return ""
    if column.form == "money":
        return format_money(value, currency, decimals=decimals)
    if column.form == "count":
        return format_number(value)
    if column.form == "duration":
        return format_duration(value)
    if isinstance(value, date):
        return (
            format_month(value)
            if column.form == "month"
            else format_date(value, today=timezone.localdate())
        )
    return str(shown_cell(column, value))
