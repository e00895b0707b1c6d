"""Writes tables as CSV and XLSX. Its one rule: a cell that a person typed never runs as a formula.

Rows hold text, whole numbers, Decimal, durations, days, instants or nothing; amounts stay exact.
However many rows there are, memory does not grow with them.
"""

import csv
import io
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from itertools import islice
from typing import IO, Any

import xlsxwriter
from django.http import FileResponse, StreamingHttpResponse
from django.utils.functional import Promise

Cell = str | Promise | int | Decimal | date | datetime | None
Row = Sequence[Cell]

BOM = "\ufeff"
CSV_TYPE = "text/csv; charset=utf-8"
XLSX_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
# What a sheet holds beside its header and totals; more rows go on in the next one.
SHEET_ROWS = 1_000_000
ROWS_AT_ONCE = 1_000
# From when a sheet counts days.
DAY_ZERO = date(1899, 12, 30).toordinal()
NARROWEST, WIDEST = 11, 60

# A spreadsheet takes what starts so for a formula, also behind blanks or in full-width letters.
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
_BLANKS = " \u00a0"
_NO_SHEET_NAME = str.maketrans(dict.fromkeys("[]:*?/\\'", " "))


class Duration(int):
    """Seconds, which a spreadsheet shows as hours, minutes and seconds."""


@dataclass(frozen=True, slots=True)
class Table:
    """Rows with a header, and the sums below them if there are any."""

    title: str
    header: Row
    rows: Iterable[Row]
    totals: Row | None = None


# --- CSV ------------------------------------------------------------------------------------------


class _Echo:
    """A file that hands back what is written to it."""

    def write(self, text: str) -> str:
        return text


def csv_lines(header: Row, rows: Iterable[Row], *, language: str = "en") -> Iterator[str]:
    """The table line by line, header first, with a byte order mark so that Excel reads UTF-8.

    In French columns are parted by ``;``, decimals by ``,`` and days are 31/01/2026, as Excel
    expects there.
    """
    cells = _csv_forms(language)
    writer = csv.writer(_Echo(), delimiter=separator(language), lineterminator="\r\n")
    yield BOM + writer.writerow(_csv_row(header, cells))
    for row in rows:
        yield writer.writerow(_csv_row(row, cells))


def csv_chunks(header: Row, rows: Iterable[Row], *, language: str = "en") -> Iterator[str]:
    """What ``csv_lines`` gives, a thousand lines at once."""
    cells = _csv_forms(language)
    waiting = iter(rows)
    buffer = io.StringIO(newline="")
    buffer.write(BOM)
    writer = csv.writer(buffer, delimiter=separator(language), lineterminator="\r\n")
    writer.writerow(_csv_row(header, cells))
    while portion := list(islice(waiting, ROWS_AT_ONCE)):
        writer.writerows([_csv_row(row, cells) for row in portion])
        yield buffer.getvalue()
        buffer.seek(0)
        buffer.truncate()
    if rest := buffer.getvalue():
        yield rest


def csv_response(
    name: str, header: Row, rows: Iterable[Row], *, language: str = "en"
) -> StreamingHttpResponse:
    """The table as a download, sent while it is read."""
    chunks = csv_chunks(header, rows, language=language)
    response = StreamingHttpResponse(chunks, content_type=CSV_TYPE)
    response["Content-Disposition"] = f'attachment; filename="{name}.csv"'
    return response


def separator(language: str) -> str:
    """What parts the columns in that language."""
    return ";" if is_french(language) else ","


def is_french(language: str) -> bool:
    """Whether numbers are written the French way."""
    return language.lower().startswith("fr")


def harmless(text: str) -> str:
    """The text, with an apostrophe before what a spreadsheet would take for a formula."""
    return f"'{text}" if text.lstrip(_BLANKS).startswith(_FORMULA_STARTS) else text


def _csv_forms(language: str) -> dict[type, Callable[[Any], str]]:
    """How each kind of cell is written."""
    french = is_french(language)
    day = "%d/%m/%Y" if french else "%Y-%m-%d"
    return {
        str: harmless,
        int: str,
        Duration: int.__repr__,
        bool: lambda cell: str(int(cell)),
        Decimal: _comma if french else _point,
        date: lambda cell: cell.strftime(day),
        datetime: lambda cell: cell.strftime(f"{day} %H:%M:%S"),
        type(None): lambda _cell: "",
    }


def _csv_row(row: Row, cells: dict[type, Callable[[Any], str]]) -> list[str]:
    return [cells[type(cell)](cell) if type(cell) in cells else _csv_text(cell) for cell in row]


def _csv_text(cell: Cell) -> str:
    return harmless(str(cell))


def _point(amount: Decimal) -> str:
    return f"{amount:f}"


def _comma(amount: Decimal) -> str:
    return f"{amount:f}".replace(".", ",")


# --- XLSX -----------------------------------------------------------------------------------------


class _Sheet:
    """One sheet that is being written, row after row; those written are no longer in memory."""

    def __init__(self, book: Any, formats: dict[str, Any], name: str, header: Row) -> None:
        self._page = book.add_worksheet(name)
        self._formats = formats
        self._line = 0
        self._widths = [NARROWEST] * len(header)
        self._page.freeze_panes(1, 0)
        self.write(header, "bold ")

    def write(self, row: Row, weight: str = "") -> None:
        """The row stands below the last one."""
        line, page, formats, widths = self._line, self._page, self._formats, self._widths
        for column, cell in enumerate(row):
            if cell is None:
                continue
            if isinstance(cell, Decimal):
                page.write_number(line, column, cell, formats[weight + "amount"])
                long = 12
            elif isinstance(cell, Duration):
                page.write_number(line, column, cell / 86_400, formats[weight + "duration"])
                long = 9
            elif isinstance(cell, int):
                page.write_number(line, column, cell, formats[weight + "count"])
                long = 9
            elif isinstance(cell, datetime):
                days = cell.toordinal() - DAY_ZERO
                seconds = cell.hour * 3_600 + cell.minute * 60 + cell.second
                page.write_number(line, column, days + seconds / 86_400, formats[weight + "moment"])
                long = 16
            elif isinstance(cell, date):
                days = cell.toordinal() - DAY_ZERO
                page.write_number(line, column, days, formats[weight + "day"])
                long = 10
            else:
                text = str(cell)
                page.write_string(line, column, text, formats[weight + "text"])
                long = len(text)
            if long > widths[column]:
                widths[column] = long
        self._line += 1

    def end(self, totals: Row | None) -> None:
        """The totals stand below the rows, and every column is as wide as it needs."""
        if totals is not None:
            self.write(totals, "bold ")
        for column, width in enumerate(self._widths):
            self._page.set_column(column, column, min(width, WIDEST) + 2)


def write_workbook(file: IO[bytes], tables: Iterable[Table]) -> None:
    """One sheet for each table in the file; a table of more than a million rows takes several."""
    options = {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    with xlsxwriter.Workbook(file, options) as book:
        formats = _formats(book)
        names: set[str] = set()
        for table in tables:
            rows = iter(table.rows)
            sheet = _Sheet(book, formats, _sheet_name(table.title, names), table.header)
            for row in islice(rows, SHEET_ROWS):
                sheet.write(row)
            for row in rows:
                sheet.end(None)
                sheet = _Sheet(book, formats, _sheet_name(table.title, names), table.header)
                sheet.write(row)
                for another in islice(rows, SHEET_ROWS - 1):
                    sheet.write(another)
            sheet.end(table.totals)


def xlsx_file(header: Row, rows: Iterable[Row], *, sheet: str) -> IO[bytes]:
    """The table as a workbook in a temporary file, rewound."""
    return _written(lambda file: write_workbook(file, [Table(sheet, header, rows)]))


def xlsx_response(name: str, header: Row, rows: Iterable[Row], *, sheet: str) -> FileResponse:
    """The table as a workbook to download."""
    file = xlsx_file(header, rows, sheet=sheet)
    return send_file(file, f"{name}.xlsx", XLSX_TYPE)


def file_response(
    name: str, content_type: str, write: Callable[[IO[bytes]], object]
) -> FileResponse:
    """What is written, to download; nothing is sent before it is whole."""
    return send_file(_written(write), name, content_type)


def send_file(file: IO[bytes], name: str, content_type: str) -> FileResponse:
    """The open file, to download; it is closed when it was sent."""
    return FileResponse(file, as_attachment=True, filename=name, content_type=content_type)


def _written(write: Callable[[IO[bytes]], object]) -> IO[bytes]:
    file = tempfile.TemporaryFile()  # noqa: SIM115 - handed to the caller, who closes it
    try:
        write(file)
    except BaseException:
        file.close()
        raise
    file.seek(0)
    return file


def _formats(book: Any) -> dict[str, Any]:
    shown: dict[str, dict[str, Any]] = {
        "text": {},
        "count": {"num_format": "#,##0"},
        "amount": {"num_format": "#,##0.00##"},
        "duration": {"num_format": "[h]:mm:ss"},
        # These two are shown the way of the reader's own system.
        "day": {"num_format": 14, "align": "left"},
        "moment": {"num_format": 22, "align": "left"},
    }
    return {
        f"{weight}{name}": book.add_format({**form, **({"bold": True} if weight else {})})
        for name, form in shown.items()
        for weight in ("", "bold ")
    }


def _sheet_name(title: str, taken: set[str]) -> str:
    """A name that Excel takes: at most 31 characters, none of its own signs, none twice."""
    plain = title.translate(_NO_SHEET_NAME).strip()[:31] or "1"
    name, number = plain, 1
    while name.lower() in taken:
        number += 1
        name = f"{plain[: 31 - len(str(number)) - 3]} ({number})"
    taken.add(name.lower())
    return name
