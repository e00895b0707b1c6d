"""Writes tables as CSV and XLSX. Its one rule: a cell that a person typed never runs as a formula.

Rows hold text, whole numbers, Decimal, days, instants or nothing; amounts stay exact.
"""

import csv
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import IO

import xlsxwriter
from django.http import FileResponse, StreamingHttpResponse
from django.utils.functional import Promise

Cell = str | Promise | int | Decimal | date | datetime | None
Row = Sequence[Cell]

BOM = "\ufeff"
CSV_TYPE = "text/csv; charset=utf-8"
XLSX_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
XLSX_ROWS_LIMIT = 1_048_575

# A spreadsheet takes what starts so for a formula, also behind blanks or in full-width letters.
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


class _Echo:
    """A file that hands back what is written to it."""

    def write(self, text: str) -> str:
        return text


def csv_lines(header: Row, rows: Iterable[Row], *, language: str = "en") -> Iterator[str]:
    """The table line by line, header first, with a byte order mark so that Excel reads UTF-8.

    In French columns are parted by ``;`` and decimals by ``,``, as Excel expects there.
    """
    french = language.lower().startswith("fr")
    writer = csv.writer(_Echo(), delimiter=";" if french else ",", lineterminator="\r\n")
    yield BOM + writer.writerow([_csv_cell(cell, french) for cell in header])
    for row in rows:
        yield writer.writerow([_csv_cell(cell, french) for cell in row])


def csv_response(
    name: str, header: Row, rows: Iterable[Row], *, language: str = "en"
) -> StreamingHttpResponse:
    """The table as a download, sent while it is read."""
    response = StreamingHttpResponse(
        csv_lines(header, rows, language=language), content_type=CSV_TYPE
    )
    response["Content-Disposition"] = f'attachment; filename="{name}.csv"'
    return response


def xlsx_file(header: Row, rows: Iterable[Row], *, sheet: str) -> IO[bytes]:
    """The table as a workbook in a temporary file, rewound; memory does not grow with the rows."""
    file = tempfile.TemporaryFile()  # noqa: SIM115 - handed to the caller, who closes it
    options = {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    with xlsxwriter.Workbook(file, options) as book:
        page = book.add_worksheet(sheet[:31])
        bold = book.add_format({"bold": True})
        formats = {
            Decimal: book.add_format({"num_format": "#,##0.00##"}),
            date: book.add_format({"num_format": "yyyy-mm-dd"}),
            datetime: book.add_format({"num_format": "yyyy-mm-dd hh:mm"}),
        }
        page.freeze_panes(1, 0)
        for column, cell in enumerate(header):
            page.write_string(0, column, str(cell), bold)
            page.set_column(column, column, max(12, len(str(cell)) + 2))
        for line, row in enumerate(rows, start=1):
            for column, cell in enumerate(row):
                _write_cell(page, line, column, cell, formats)
    file.seek(0)
    return file


def xlsx_response(name: str, header: Row, rows: Iterable[Row], *, sheet: str) -> FileResponse:
    """The table as a workbook to download."""
    return FileResponse(
        xlsx_file(header, rows, sheet=sheet),
        as_attachment=True,
        filename=f"{name}.xlsx",
        content_type=XLSX_TYPE,
    )


def harmless(text: str) -> str:
    """The text, with an apostrophe before what a spreadsheet would take for a formula."""
    return f"'{text}" if text.lstrip(" \u00a0").startswith(_FORMULA_STARTS) else text


def _csv_cell(cell: Cell, french: bool) -> str:
    if cell is None:
        return ""
    if isinstance(cell, Decimal):
        text = f"{cell:f}"
        return text.replace(".", ",") if french else text
    if isinstance(cell, datetime):
        return cell.strftime("%Y-%m-%d %H:%M:%S")
    if isinstance(cell, int | date):
        return str(cell)
    return harmless(str(cell))


def _write_cell(
    page: xlsxwriter.worksheet.Worksheet,
    line: int,
    column: int,
    cell: Cell,
    formats: dict[type, object],
) -> None:
    if cell is None:
        return
    if isinstance(cell, datetime):
        page.write_datetime(line, column, cell.replace(tzinfo=None), formats[datetime])
    elif isinstance(cell, date):
        page.write_datetime(line, column, cell, formats[date])
    elif isinstance(cell, Decimal):
        page.write_number(line, column, cell, formats[Decimal])
    elif isinstance(cell, int):
        page.write_number(line, column, cell)
    else:
        page.write_string(line, column, str(cell))
