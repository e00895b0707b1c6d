"""Reads tables that people and machines export as CSV. Its one rule: what cannot be read is refused
with the remedy before the first row is handed out.
"""

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import BinaryIO

from django.utils.translation import gettext_lazy as _

from skypemgr.lib.errors import ProductError

DELIMITERS = ",;\t"
BYTE_ORDER_MARKS = (
    (b"\xef\xbb\xbf", "utf-8-sig"),
    (b"\xff\xfe", "utf-16"),
    (b"\xfe\xff", "utf-16"),
)


class UnreadableTable(ProductError):
    """The file is not a table with the wanted columns."""

    code = "unreadable_file"


@dataclass(frozen=True)
class Table:
    """The cells of the first line, and of each further one that is not empty with its line."""

    header: list[str]
    rows: list[tuple[int, list[str]]]


def read_rows(
    file: BinaryIO, *, columns: Sequence[str], optional: Sequence[str] = (), limit: int
) -> Iterator[tuple[int, dict[str, str]]]:
    """Each row as (line in the file, {column: text without blanks around}).

    Understands UTF-8 with or without a byte order mark, UTF-16 as Excel writes it and Western
    Windows text; comma, semicolon or tab. Column names are compared without case. Raises
    UnreadableTable when a wanted column is missing, there is no row, or there are more than
    ``limit`` (all before a row is handed out).
    """
    table = read_table(file, limit=limit)
    names = [name.lower() for name in table.header]
    missing = [column for column in columns if column not in names]
    if missing:
        raise UnreadableTable(
            _("The first line must name the columns. Missing: %(columns)s.")
            % {"columns": ", ".join(missing)},
            field="file",
            code="missing_columns",
        )
    require_rows(table.rows, limit=limit)
    wanted = {name: names.index(name) for name in (*columns, *optional) if name in names}
    return (
        (line, {name: row[at].strip() if at < len(row) else "" for name, at in wanted.items()})
        for line, row in table.rows
    )


def read_table(file: BinaryIO, *, limit: int) -> Table:
    """The CSV file's cells as they are; UnreadableTable for what is none or has more rows."""
    text = _decode(file.read())
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text))
    try:
        filled = ((reader.line_num, row) for row in reader if any(cell.strip() for cell in row))
        # One more than may be, so that it is noticed without reading millions.
        rows = list(islice(filled, limit + 2))
    except csv.Error as error:
        raise UnreadableTable(
            _("The file is not a readable CSV table near line %(line)s.")
            % {"line": reader.line_num},
            field="file",
        ) from error
    return Table([name.strip() for name in rows[0][1]] if rows else [], rows[1:])


def require_rows(rows: Sequence[object], *, limit: int) -> None:
    """Returns only if there is a row and no more than ``limit``; else UnreadableTable."""
    if not rows:
        raise UnreadableTable(_("The file has no rows."), field="file", code="no_rows")
    if len(rows) > limit:
        raise UnreadableTable(
            _("At most %(limit)s rows can be imported at once. Split the file.") % {"limit": limit},
            field="file",
            code="too_many_rows",
        )


def _decode(content: bytes) -> str:
    encoding = next((name for mark, name in BYTE_ORDER_MARKS if content.startswith(mark)), "utf-8")
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError:
        text = content.decode("cp1252", errors="replace")
    if "\0" in text:
        raise UnreadableTable(_("This is not a CSV file. Save it as CSV first."), field="file")
    return text


def _delimiter(text: str) -> str:
    """The separator that the first line uses most."""
    first_line = text.split("\n", 1)[0]
    return max(DELIMITERS, key=first_line.count)
