"""Reports as they stand on paper. Its one rule: every figure is written as on the page, in the
reader's language.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from itertools import compress
from typing import Any
from zoneinfo import ZoneInfo

from django.utils import dateformat, timezone
from django.utils.text import capfirst
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from credit.closing import closing_of
from members.models import Company
from skypemgr.lib.exports import is_french
from skypemgr.lib.formats import (
    NO_BREAK_SPACE,
    decimals_of,
    format_date,
    format_duration,
    format_moment,
    format_money,
    format_month,
    format_number,
)
from skypemgr.lib.pdf import Bar, Chart, Document, Head
from skypemgr.lib.periods import first_of_month, utc_now
from skypemgr.portal.queries.figures import Strip
from skypemgr.portal.reports.base import NOTHING, Column, Report, Row
from skypemgr.portal.spans import Kind, Span

# What a chart shows, where the report has it; else its first amount.
CHARTED = ("amount", "net", "out", "calls_amount", "paid", "calls")
NUMBERS = ("money", "count", "duration")
LONGEST_BY_DAY = 62
MOST_NAMED_BARS = 10
ZERO = Decimal(0)


def lay_out(
    company: Company,
    report: Report,
    span: Span,
    strip: Strip,
    *,
    narrowed: Sequence[str],
    rows: Sequence[Row],
    language: str,
) -> Document:
    """The report with all its rows as a document; what it is narrowed to stands beside its days."""
    # What is rare and nothing in all rows would only take room.
    kept = [
        not column.is_rare or bool(report.totals.get(column.key)) for column in report.shown_columns
    ]
    columns = list(compress(report.shown_columns, kept))
    cells = [list(compress(report.shown(row), kept)) for row in rows]
    currency = company.currency
    decimals = [
        _decimals([*(line[place] for line in cells), report.totals.get(column.key)], currency)
        for place, column in enumerate(columns)
    ]
    now = utc_now()
    with timezone.override(ZoneInfo(company.present_zone)):
        made = _("Generated on %(moment)s") % {"moment": format_moment(now)}
    totals = [
        _written(column, report.totals.get(column.key), currency, decimals[place])
        if place
        else _("Total")
        for place, column in enumerate(columns)
    ]
    return Document(
        owner=company.name,
        title=str(report.title),
        subtitle=" · ".join((span.label, *narrowed)),
        heads=[Head(str(column.label), column.form in NUMBERS) for column in columns],
        rows=[
            [
                NOTHING if cell == 0 else _written(column, cell, currency, places)
                for column, cell, places in zip(columns, line, decimals, strict=True)
            ]
            for line in cells
        ],
        totals=totals if report.totals else None,
        strip=_strip(strip, currency, is_running=span.is_running),
        chart=_chart(report, rows, span, currency),
        notes=_notes(company, report, span),
        made=made,
        made_at=now,
        pages=_("Page %(page)s of %(pages)s") % {"page": "{page}", "pages": "{pages}"},
        language=language,
        empty=_("Nothing in these days"),
    )


def _decimals(values: Sequence[Any], currency: str) -> int:
    """The amounts of a column stand in line."""
    return decimals_of((value for value in values if isinstance(value, Decimal)), currency)


def _written(column: Column, value: Any, currency: str, decimals: int) -> str:
    if value is None:
        return ""
    if isinstance(value, Decimal):
        return format_money(value, currency, decimals=decimals)
    if column.form == "month":
        return format_month(date.fromisoformat(f"{value}-01"))
    if column.form == "duration":
        return format_duration(value)
    if column.form == "count":
        return format_number(value)
    if isinstance(value, date):
        return _short(value)
    return str(value)


def _short(day: date) -> str:
    """A day that is never broken between two lines."""
    form = "d/m/Y" if is_french(get_language() or "en") else "j M Y"
    return dateformat.format(day, form).replace(" ", NO_BREAK_SPACE)


def _strip(strip: Strip, currency: str, *, is_running: bool) -> list[tuple[str, str]]:
    last = _("Balance now") if is_running else _("Closing balance")
    return [
        (_("Opening balance"), format_money(strip.opening, currency)),
        (f"+ {_('In')}", format_money(strip.incoming, currency)),
        (f"− {_('Out')}", format_money(strip.outgoing, currency)),
        (f"= {last}", format_money(strip.closing, currency)),
    ]


def _chart(report: Report, rows: Sequence[Row], span: Span, currency: str) -> Chart | None:
    """Amounts by day or month where rows have one, else of the greatest lines."""
    keys = [column.key for column in report.columns]
    amounts = [column for column in report.columns if column.form == "money"]
    wanted = [column for key in CHARTED for column in amounts if column.key == key] or amounts
    if not wanted or not rows:
        return None
    charted = wanted[0]
    place = keys.index(charted.key)

    def bar(label: str, value: Decimal) -> Bar:
        return Bar(label, value, format_money(value, currency))

    timed = next((column for column in report.columns if column.form in ("day", "month")), None)
    if timed is not None:
        at = keys.index(timed.key)
        return _in_time(charted, [(row[at], row[place]) for row in rows], span, bar)
    lines = [(_bar_label(report, report.shown(row)), row[place]) for row in rows]
    greatest = sorted(lines, key=lambda line: -line[1])[:MOST_NAMED_BARS]
    return Chart(str(charted.label), [bar(*line) for line in greatest if line[1] > 0])


def _bar_label(report: Report, cells: Sequence[Any]) -> str:
    """What the line stands for: the words with which it begins."""
    words = [str(cells[0] or _("None"))]
    for column, cell in zip(report.shown_columns[1:], cells[1:], strict=True):
        if column.form != "text":
            break
        words.append(str(cell or ""))
    return ", ".join(filter(None, words))


def _in_time(
    charted: Column,
    found: Sequence[tuple[date, Decimal]],
    span: Span,
    bar: Callable[[str, Decimal], Bar],
) -> Chart:
    days = [day for day, _amount in found]
    by_day = (span.last - span.first).days < LONGEST_BY_DAY and len({*days}) > 1
    sums: dict[date, Decimal] = {}
    for day, amount in found:
        at = day if by_day else first_of_month(day)
        sums[at] = sums.get(at, ZERO) + amount
    french = is_french(get_language() or "en")
    day_form, month_form = ("j/m", "m/Y") if french else ("j M", "M Y")
    form = day_form if by_day else month_form
    bars = [bar(dateformat.format(day, form), amount) for day, amount in sorted(sums.items())]
    title = _("%(what)s by day") if by_day else _("%(what)s by month")
    return Chart(title % {"what": charted.label}, bars, in_time=True)


def _notes(company: Company, report: Report, span: Span) -> list[str]:
    """What stands below the table: how calls meet the movements, and since when nothing changes."""
    notes = []
    if report.meeting is not None and (report.count or report.meeting.booked):
        notes.append(_meeting(report.meeting, company.currency))
        notes.extend(
            _("Reported afterwards, booked on %(day)s: %(amount)s")
            % {"day": format_date(day), "amount": format_money(amount, company.currency)}
            for day, amount in report.meeting.later
        )
    closing = closing_of(company, span.first) if span.kind == Kind.MONTH else None
    if closing is not None:
        told: Mapping[str, str] = {
            "day": format_date(company.day_at(closing.closed_at)),
            "digest": closing.digest[:12],
            "month": capfirst(format_month(span.first)),
        }
        notes.append(
            _(
                "%(month)s was closed on %(day)s: these figures do not change any more. "
                "Check code %(digest)s."
            )
            % told
        )
    return notes


def _meeting(meeting: Any, currency: str) -> str:
    amounts = {
        name: format_money(getattr(meeting, name), currency)
        for name in ("started", "booked_later", "started_earlier", "booked")
    }
    return (
        _(
            "Calls that began in these days cost %(started)s; less %(booked_later)s booked later, "
            "plus %(started_earlier)s of calls that began before: %(booked)s booked in these days."
        )
        % amounts
    )
