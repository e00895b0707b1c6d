"""Long tables as CSV, written by the database itself. Its one rule: what comes out is what
``skypemgr.lib.exports`` would write, only sooner: no cell runs as a formula.

A query gives instants as timestamps without zone, cut to seconds.
"""

import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import IO, Any

from django.db import connection, transaction

from skypemgr.lib.exports import Row, csv_lines, is_french, separator

BUFFER_BYTES = 256 * 1024
# The database's own numbers for its types.
NUMERIC = 1700
TEXTS = frozenset((18, 19, 25, 1042, 1043))
# How the database writes days and instants by itself: 31/12/2026 23:59:59; 2026-12-31 23:59:59.
FRENCH_DAYS, ISO_DAYS = "SQL, DMY", "ISO, MDY"
# The first sign decides, told by its number: the quickest way for many rows.
FORMULA_STARTS = ", ".join(str(ord(sign)) for sign in "=+-@\t\r\n＝＋－＠")
HARMLESS = (
    "CASE WHEN ascii(ltrim({name}, ' \u00a0')) IN (" + FORMULA_STARTS + ") "
    "THEN chr(39) || {name} ELSE nullif({name}, '') END"
)


class _Watched(io.RawIOBase):
    """Hands on what is written, and tells each time that there was something."""

    def __init__(self, file: IO[bytes], tick: Callable[[int], None]) -> None:
        self._file = file
        self._tick = tick

    def writable(self) -> bool:
        """It is."""
        return True

    def write(self, data: Any) -> int:
        """The data is in the file."""
        self._file.write(bytes(data))
        self._tick(0)
        return len(data)


def copy_csv(
    file: IO[bytes],
    query: str,
    parameters: Mapping[str, Any],
    *,
    language: str = "en",
    header: Sequence[str] | None = None,
    footer: Sequence[Row] = (),
    tick: Callable[[int], None] = lambda _count: None,
) -> None:
    """The query's rows, in their order, are in the file; above them its columns' names or the
    ``header``, below them the rows of the ``footer``. The query is ours, with named parameters;
    ``tick`` is called now and then.
    """
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT * FROM ({query}) line LIMIT 0", parameters)  # noqa: S608
        columns = [(column.name, column.type_code) for column in cursor.description]
        names = header or [name for name, _type in columns]
        head, *foot = csv_lines(names, footer, language=language)
        cells = ", ".join(_form(name, kind, language) for name, kind in columns)
        rows = cursor.mogrify(f"SELECT {cells} FROM ({query}) line", parameters).decode()  # noqa: S608
        with io.BufferedWriter(_Watched(file, tick), BUFFER_BYTES) as buffer:
            buffer.write(_line(head))
            with _days_as_read(cursor, language):
                cursor.copy_expert(
                    f"COPY ({rows}) TO STDOUT (FORMAT csv, ENCODING 'UTF8', "
                    f"DELIMITER '{separator(language)}')",
                    buffer,
                )
            buffer.writelines(_line(row) for row in foot)


@contextmanager
def one_snapshot() -> Iterator[None]:
    """All that is read within is as it stood at one instant; nothing can be written."""
    if connection.in_atomic_block:
        # A transaction that has begun keeps its own way.
        yield
        return
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        yield


@contextmanager
def _days_as_read(cursor: Any, language: str) -> Iterator[None]:
    """The database writes days as they are read in that language; what fails leaves it as it was,
    with the transaction.
    """
    if not is_french(language):
        yield
        return
    with transaction.atomic():
        cursor.execute(f"SET LOCAL DateStyle = '{FRENCH_DAYS}'")
        yield
        cursor.execute(f"SET LOCAL DateStyle = '{ISO_DAYS}'")


def _line(text: str) -> bytes:
    """As the database ends its lines."""
    return text.removesuffix("\r\n").encode() + b"\n"


def _form(column: str, kind: int, language: str) -> str:
    """How the database writes a cell of that column."""
    name = connection.ops.quote_name(column)
    if kind in TEXTS:
        return HARMLESS.format(name=name)
    if is_french(language) and kind == NUMERIC:
        return f"replace({name}::text, '.', ',')"
    return name
