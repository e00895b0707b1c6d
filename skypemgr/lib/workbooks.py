"""Reads tables that people upload, XLSX workbooks or CSV. Its one rule: a file's declared sizes are
checked before anything is unpacked, and no macro is ever let in.
"""

import zipfile
from collections.abc import Iterator
from datetime import date, datetime
from typing import Any, BinaryIO
from xml.etree.ElementTree import ParseError

from defusedxml.common import DefusedXmlException
from django.conf import settings
from django.utils.translation import gettext_lazy as _
from openpyxl import load_workbook
from openpyxl.utils.exceptions import InvalidFileException

from skypemgr.lib.tables import Table, UnreadableTable, read_table, require_rows

ZIP_START = b"PK\x03\x04"
OLD_EXCEL_START = b"\xd0\xcf\x11\xe0"
MAX_PARTS = 500
UNPACKED_FACTOR = 5
MAX_RATIO = 200
SMALL_PART_BYTES = 1024 * 1024
MAX_COLUMNS = 50
MAX_CELL_LENGTH = 1_000
MACRO_PARTS = ("vbaproject.bin", "vbadata.xml", "xl/macrosheets/", "xl/activex/")


def read_upload(file: BinaryIO, *, limit: int) -> Table:
    """The table in a CSV file or in the first sheet of a workbook: at most ``limit`` rows of at
    most 50 cells, each without blanks around and cut at 1,000 characters.

    Raises UnreadableTable (``file_too_big``, ``macros``, ``too_many_rows``, ``no_rows`` or
    ``unreadable_file``).
    """
    size = file.seek(0, 2)
    if size > settings.MAX_UPLOAD_BYTES:
        raise _refusal(
            _("The file is bigger than %(size)s MB. Split it.")
            % {"size": settings.MAX_UPLOAD_BYTES // (1024 * 1024)},
            "file_too_big",
        )
    file.seek(0)
    start = file.read(4)
    file.seek(0)
    if start == OLD_EXCEL_START:
        raise _refusal(_("This is an old Excel file. Save it as XLSX or CSV first."))
    table = _read_workbook(file, limit) if start == ZIP_START else read_table(file, limit=limit)
    require_rows(table.rows, limit=limit)
    widest = max(len(cells) for _line, cells in table.rows)
    width = min(MAX_COLUMNS, max(len(table.header), widest))
    return Table(
        _clean(table.header, width), [(line, _clean(cells, width)) for line, cells in table.rows]
    )


def _clean(cells: list[str], width: int) -> list[str]:
    filled = [cell.strip().replace("\0", "")[:MAX_CELL_LENGTH] for cell in cells[:width]]
    return filled + [""] * (width - len(filled))


def _read_workbook(file: BinaryIO, limit: int) -> Table:
    try:
        _check_parts(file)
        book = load_workbook(file, read_only=True, data_only=True, keep_links=False)
        try:
            return _read_sheet(book.worksheets[0], limit)
        finally:
            book.close()
    except UnreadableTable:
        raise
    except (
        zipfile.BadZipFile,
        InvalidFileException,
        DefusedXmlException,
        ParseError,
        NotImplementedError,
        ArithmeticError,
        LookupError,
        OSError,
        ValueError,
        TypeError,
        AttributeError,
    ) as error:
        # A damaged workbook makes the library fail in many ways; the remedy is always the same.
        raise _refusal(
            _("The workbook cannot be read. Save it again as XLSX, or as CSV.")
        ) from error


def _check_parts(file: BinaryIO) -> None:
    with zipfile.ZipFile(file) as archive:
        parts = archive.infolist()
    if any(mark in part.filename.lower() for part in parts for mark in MACRO_PARTS):
        raise _refusal(
            _("The workbook holds macros. Save it as XLSX without macros, or as CSV."), "macros"
        )
    # Reading stops at the declared size, so what is checked here is all that can come out.
    unpacked = sum(part.file_size for part in parts)
    swollen = any(
        part.file_size > SMALL_PART_BYTES and part.file_size > MAX_RATIO * part.compress_size
        for part in parts
    )
    if len(parts) > MAX_PARTS or swollen or unpacked > UNPACKED_FACTOR * settings.MAX_UPLOAD_BYTES:
        raise _refusal(
            _("The workbook is too big when unpacked. Save the sheet as CSV."), "file_too_big"
        )
    file.seek(0)


def _read_sheet(sheet: Any, limit: int) -> Table:
    sheet.reset_dimensions()
    header: list[str] | None = None
    rows: list[tuple[int, list[str]]] = []
    for line, cells in _filled_lines(sheet):
        if header is None:
            header = cells
        elif len(rows) <= limit:
            rows.append((line, cells))
        else:
            break
    return Table(header or [], rows)


def _filled_lines(sheet: Any) -> Iterator[tuple[int, list[str]]]:
    for line, values in enumerate(sheet.iter_rows(max_col=MAX_COLUMNS, values_only=True), start=1):
        cells = [_text(value) for value in values]
        while cells and not cells[-1]:
            cells.pop()
        if cells:
            yield line, cells


def _text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, float) and value.is_integer():
        # A telephone number that the spreadsheet took for a number.
        return str(int(value))
    if isinstance(value, datetime | date):
        return value.isoformat()
    return str(value).strip()


def _refusal(message: Any, code: str = "unreadable_file") -> UnreadableTable:
    return UnreadableTable(message, field="file", code=code)
