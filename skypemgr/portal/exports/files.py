"""Reports as files. Its one rule: a file holds the same rows and amounts as the page, in whichever
form; of many rows only a few are in memory.
"""

import io
import json
import tempfile
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import IO, Any

from django.utils.translation import gettext as _

from members.models import Company
from skypemgr.lib.exports import Cell, Duration, Table, csv_chunks, write_workbook
from skypemgr.lib.pdf import write_pdf
from skypemgr.lib.periods import utc_now
from skypemgr.lib.text import search_key
from skypemgr.portal.exports.paper import lay_out
from skypemgr.portal.models import Export
from skypemgr.portal.queries import figures
from skypemgr.portal.reports.base import Filters, Report, Row, read_filters
from skypemgr.portal.reports.catalogue import read_report
from skypemgr.portal.reports.words import filter_words
from skypemgr.portal.spans import Span, find_span

Tick = Callable[[int], None]
TICK_ROWS = 500
LONGEST_SLUG = 40


@dataclass(frozen=True, slots=True)
class Source:
    """One report as it was asked for, and how it is to be written."""

    company: Company
    report: Report
    span: Span
    filters: Filters
    language: str

    @property
    def file_name(self) -> str:
        """The file's name without its ending."""
        return f"{self.report.name}-{self.span.slug}"


def no_tick(_count: int) -> None:
    """Nobody waits to be told."""


def write_reports(export: Export, file: IO[bytes], tick: Tick) -> str:
    """The export's report, or a ZIP with all of them, is in the file; gives the file's name."""
    company = export.company
    span = find_span(company, export.span, now=utc_now())
    filters = read_filters(company, export.filters)
    sources = [
        Source(company, read_report(name, company, span, filters), span, filters, export.language)
        for name in export.reports
    ]
    if len(sources) == 1:
        write_report(sources[0], export.form, file, tick)
        return f"{sources[0].file_name}.{export.form}"
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for source in sources:
            name = f"{source.file_name}.{export.form}"
            with tempfile.TemporaryFile() as part:
                write_report(source, export.form, part, tick)
                part.seek(0)
                add_to_zip(archive, name, part)
    return f"{slug(company.name)}-{span.slug}.zip"


def write_report(source: Source, form: str, file: IO[bytes], tick: Tick = no_tick) -> None:
    """The report is in the file, in one of the forms csv, xlsx, pdf, json."""
    WRITERS[form](source, file, tick)


def table_of(source: Source, tick: Tick = no_tick) -> Table:
    """The report's rows as people see them, the currency in a column of its own."""
    report = source.report
    currency = source.company.currency
    columns = report.shown_columns
    durations = [place for place, column in enumerate(columns) if column.form == "duration"]

    def cells(row: Row) -> list[Cell]:
        shown = report.shown(row)
        for place in durations:
            shown[place] = _duration(shown[place])
        return [*shown, currency]

    totals: list[Cell] = [
        Duration(total) if column.form == "duration" and total is not None else total
        for column, total in ((column, report.totals.get(column.key)) for column in columns)
    ]
    if totals and totals[0] is None:
        totals[0] = _("Total")
    return Table(
        title=str(report.title),
        header=[*(str(column.label) for column in columns), _("Currency")],
        rows=(cells(row) for row in ticked(report.rows(), tick)),
        totals=[*totals, currency],
    )


def slug(name: str) -> str:
    """A name as it can stand in a file's name."""
    plain = "".join(sign if sign.isascii() and sign.isalnum() else "-" for sign in search_key(name))
    return "-".join(filter(None, plain.split("-")))[:LONGEST_SLUG] or "company"


def add_to_zip(archive: zipfile.ZipFile, name: str, part: IO[bytes]) -> None:
    """The part is in the archive under that name, however long it is."""
    with archive.open(name, "w", force_zip64=True) as entry:
        while portion := part.read(1024 * 1024):
            entry.write(portion)


def ticked(rows: Iterator[Any], tick: Tick) -> Iterator[Any]:
    """The rows, told now and then how many went by."""
    count = 0
    for count, row in enumerate(rows, start=1):
        if count % TICK_ROWS == 0:
            tick(TICK_ROWS)
        yield row
    tick(count % TICK_ROWS)


def _duration(cell: Cell) -> Cell:
    return Duration(cell) if isinstance(cell, int) else cell


def _write_csv(source: Source, file: IO[bytes], tick: Tick) -> None:
    table = table_of(source, tick)
    for chunk in csv_chunks(table.header, table.rows, language=source.language):
        file.write(chunk.encode())


def _write_xlsx(source: Source, file: IO[bytes], tick: Tick) -> None:
    write_workbook(file, [table_of(source, tick)])


def _write_pdf(source: Source, file: IO[bytes], tick: Tick) -> None:
    strip = figures.read_strip(source.company, source.span.first, source.span.last)
    rows = list(ticked(source.report.rows(), tick))
    document = lay_out(
        source.company,
        source.report,
        source.span,
        strip,
        narrowed=filter_words(source.company, source.report, source.filters),
        rows=rows,
        language=source.language,
    )
    write_pdf(file, document)


def _write_json(source: Source, file: IO[bytes], tick: Tick) -> None:
    """What the API answers, written row by row."""
    text = io.TextIOWrapper(file, encoding="utf-8", write_through=False)
    keys = [column.key for column in source.report.columns]
    head = json.dumps(head_of(source), ensure_ascii=False)
    text.write(head[:-1] + ',\n "results": [')
    separator = "\n  "
    for row in ticked(source.report.rows(), tick):
        text.write(separator + json.dumps(plain_row(keys, row), ensure_ascii=False))
        separator = ",\n  "
    text.write("\n ]\n}\n")
    text.flush()
    text.detach()


def head_of(source: Source) -> dict[str, Any]:
    """What a program is told of the report before its rows."""
    span = source.span
    strip = figures.read_strip(source.company, span.first, span.last)
    return {
        "name": source.report.name,
        **({"month": span.slug} if span.kind == "month" else {}),
        "first": span.first.isoformat(),
        "last": span.last.isoformat(),
        "currency": source.company.currency,
        "opening": plain(strip.opening),
        "incoming": plain(strip.incoming),
        "outgoing": plain(strip.outgoing),
        "closing": plain(strip.closing),
        "totals": {key: plain(value) for key, value in source.report.totals.items()},
    }


def plain_row(keys: Sequence[str], row: Row) -> Mapping[str, Any]:
    """The row for a program, by the keys of its columns."""
    return {key: plain(value) for key, value in zip(keys, row, strict=True)}


def plain(value: Any) -> Any:
    """The value as JSON can hold it: amounts with four decimals, days as 2026-01-31."""
    if isinstance(value, Decimal):
        return f"{value:.4f}"
    if isinstance(value, date):
        return value.isoformat()
    return value if value is None or isinstance(value, int | bool) else str(value)


WRITERS: dict[str, Callable[[Source, IO[bytes], Tick], None]] = {
    "csv": _write_csv,
    "xlsx": _write_xlsx,
    "pdf": _write_pdf,
    "json": _write_json,
}
