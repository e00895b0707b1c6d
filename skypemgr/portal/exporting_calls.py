"""Calls as files. Its one rule: a file holds the same lines as the page, digits hidden alike, and
nothing is sent before it is whole.

Numbers stand in their plain form, as programs read them: +33142278186, or +3314227••••.
"""

from collections.abc import Iterator
from datetime import date
from typing import IO

from django.http import FileResponse
from django.utils import translation
from django.utils.translation import gettext as _

from credit.queries.call_files import (
    CallsQuery,
    Reader,
    member_calls_query,
    shown_calls_query,
)
from members.countries import COUNTRIES
from skypemgr.lib.copying import copy_csv, one_snapshot
from skypemgr.lib.errors import ProductError
from skypemgr.lib.exports import (
    CSV_TYPE,
    XLSX_TYPE,
    Row,
    Table,
    csv_chunks,
    file_response,
    write_workbook,
)
from skypemgr.lib.formats import format_number
from skypemgr.portal.queries.calls import Search, read_calls, read_days

FORMATS = {"csv": CSV_TYPE, "xlsx": XLSX_TYPE}
# A workbook takes a minute for more, and its reader as long to open it.
MOST_SHEET_ROWS = 200_000


class TooManyRows(ProductError):
    """This form of file is not for so many lines."""

    code = "too_many_rows"


def download_calls(search: Search, *, form: str, language: str, zone: str) -> FileResponse:
    """All lines that the search finds, as ``csv`` or ``xlsx``; instants in that zone.

    Raises TooManyRows for a workbook of more than 200,000 calls.
    """

    def write(file: IO[bytes]) -> None:
        with translation.override(language), one_snapshot():
            if search.shows_member or search.shows_day:
                _write_singles(file, search, form, language, zone)
            else:
                _write_days(file, search, form, language)

    return file_response(f"calls-{search.span.slug}.{form}", FORMATS[form], write)


def _write_singles(file: IO[bytes], search: Search, form: str, language: str, zone: str) -> None:
    header = [
        _("Start"),
        _("Date"),
        _("Booked on"),
        _("Member"),
        _("Number"),
        _("Country"),
        _("Calls"),
        *_measures(),
    ]
    query = _query(search, zone, language)
    if form == "csv":
        copy_csv(
            file,
            query.text,
            query.parameters,
            language=language,
            header=header,
            footer=_others(search),
        )
        return
    if query.count() > MOST_SHEET_ROWS:
        raise TooManyRows(
            _("An Excel file holds at most %(count)s calls. Choose CSV, or fewer days.")
            % {"count": format_number(MOST_SHEET_ROWS)},
            field="format",
        )
    write_workbook(file, [Table(_("Calls"), header, _rows(query, _others(search)))])


def _query(search: Search, zone: str, language: str) -> CallsQuery:
    names = {code: country.name(language) for code, country in COUNTRIES.items()}
    reader = Reader(search.viewer.pk if search.viewer else 0, zone, names)
    member = search.shown_member
    if member:
        return member_calls_query(member, search.wanted, reader)
    return shown_calls_query(search.scope.company, search.span.first, search.wanted, reader)


def _others(search: Search) -> list[Row]:
    """The calls of the day that are not shown one by one, as one line."""
    others = read_calls(search, limit=1).others if search.shows_day else None
    if not others or not others.calls_count:
        return []
    day: date = search.span.first
    currency = search.scope.company.currency
    return [[None, day, None, _("All others"), None, None, *others.all, currency]]


def _rows(query: CallsQuery, footer: list[Row]) -> Iterator[Row]:
    yield from query.rows()
    yield from footer


def _write_days(file: IO[bytes], search: Search, form: str, language: str) -> None:
    currency = search.scope.company.currency
    header = [_("Date"), _("Calls"), *_measures()]
    rows = [[line.day, *line.sums.all, currency] for line in read_days(search)]
    if form == "xlsx":
        write_workbook(file, [Table(_("Calls"), header, rows)])
        return
    for chunk in csv_chunks(header, rows, language=language):
        file.write(chunk.encode())


def _measures() -> list[str]:
    return [
        _("Duration (seconds)"),
        _("Included (seconds)"),
        _("Price"),
        _("Paid"),
        _("Not collected"),
        _("Currency"),
    ]
