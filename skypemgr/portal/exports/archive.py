"""Everything of a company in one ZIP. Its one rule: every number of the pages can be found again in
its tables, each of which opens in a spreadsheet.
"""

import zipfile
from collections.abc import Iterable, Iterator
from datetime import date, datetime
from typing import IO

from django.utils.translation import gettext as _

from members.models import Company
from skypemgr.lib.copying import copy_csv
from skypemgr.lib.exports import Row, Table, csv_chunks
from skypemgr.lib.formats import format_date
from skypemgr.lib.periods import add_months, first_of_month, utc_now
from skypemgr.portal.exports.archive_tables import TABLES, query_of
from skypemgr.portal.exports.files import Source, Tick, slug, table_of
from skypemgr.portal.models import Export
from skypemgr.portal.reports.base import Filters
from skypemgr.portal.reports.catalogue import REPORTS, read_report
from skypemgr.portal.spans import first_day, month_span

TICK_ROWS = 500


def count_tables(company: Company, *, now: datetime) -> int:
    """How many tables an archive of the company has."""
    return len(TABLES) + len(REPORTS) * len(_months(company, now))


def write_archive(export: Export, file: IO[bytes], tick: Tick) -> str:
    """The company's people, money, calls by day, and reports by month are in the file; gives its
    name. A tick is a table.
    """
    company = export.company
    now = utc_now()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("README.txt", _read_me(company))
        for name in TABLES:
            with archive.open(f"{name}.csv", "w", force_zip64=True) as entry:
                parameters = {"company": company.pk}
                copy_csv(entry, query_of(name), parameters, language=export.language, tick=tick)
            tick(1)
        for name, table in _reports(export, now):
            with archive.open(f"reports/{name}.csv", "w", force_zip64=True) as entry:
                rows = _watched(table.rows, tick)
                for chunk in csv_chunks(table.header, rows, language=export.language):
                    entry.write(chunk.encode())
            tick(1)
    return f"{slug(company.name)}-{company.day_at(now).isoformat()}.zip"


def _reports(export: Export, now: datetime) -> Iterator[tuple[str, Table]]:
    company = export.company
    today = company.day_at(now)
    for month in _months(company, now):
        span = month_span(month, month, today)
        for name in REPORTS:
            report = read_report(name, company, span)
            source = Source(company, report, span, Filters(), export.language)
            yield f"{month:%Y-%m}/{name}", table_of(source)


def _months(company: Company, now: datetime) -> list[date]:
    months = [first_day(company)]
    last = first_of_month(company.day_at(now))
    while months[-1] < last:
        months.append(add_months(months[-1], 1))
    return months


def _watched(rows: Iterable[Row], tick: Tick) -> Iterator[Row]:
    """The rows; of a long table it is seen that somebody is at work."""
    for count, row in enumerate(rows):
        if count % TICK_ROWS == 0:
            tick(0)
        yield row


def _read_me(company: Company) -> str:
    lines = (
        company.name,
        "",
        _("Everything of the company, as it stood on %(day)s.")
        % {"day": format_date(company.day_at(utc_now()))},
        _("Tables are CSV in UTF-8; instants are in UTC, amounts in %(currency)s.")
        % {"currency": company.currency},
        _("Statements hold the calls of a day as one line, with their number and sum."),
        _("reports/ has the reports of every month."),
        "",
    )
    return "\r\n".join(lines)
