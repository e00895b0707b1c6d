"""Long tables as CSV, written by the database itself. Its one rule: what comes out is what
``skypemgr.lib.exports`` would write, only sooner: no cell runs as a formula.
"""

import io
from collections.abc import Callable, Mapping, Sequence
from typing import IO, Any

from django.db import connection

from skypemgr.lib.exports import csv_lines, is_french, separator

BUFFER_BYTES = 256 * 1024
# The database's own numbers for its types.
NUMERIC, DATE = 1700, 1082
TEXTS = frozenset((18, 19, 25, 1042, 1043))
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
    tick: Callable[[int], None] = lambda _count: None,
) -> None:
    """The query's rows, in their order, are in the file; above them its columns' names or the
    ``header``. The query is ours, with named parameters; ``tick`` is called now and then.
    """
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT * FROM ({query}) line LIMIT 0", parameters)  # noqa: S608
        columns = [(column.name, column.type_code) for column in cursor.description]
        names = header or [name for name, _type in columns]
        (head,) = csv_lines(names, [], language=language)
        cells = ", ".join(_form(name, kind, language) for name, kind in columns)
        rows = cursor.mogrify(f"SELECT {cells} FROM ({query}) line", parameters).decode()  # noqa: S608
        with io.BufferedWriter(_Watched(file, tick), BUFFER_BYTES) as buffer:
            buffer.write(head.removesuffix("\r\n").encode() + b"\n")
            cursor.copy_expert(
                f"COPY ({rows}) TO STDOUT (FORMAT csv, ENCODING 'UTF8', "
                f"DELIMITER '{separator(language)}')",
                buffer,
            )


def _form(column: str, kind: int, language: str) -> str:
    """How the database writes a cell of that column."""
    name = connection.ops.quote_name(column)
    if kind in TEXTS:
        return HARMLESS.format(name=name)
    if is_french(language) and kind == NUMERIC:
        return f"replace({name}::text, '.', ',')"
    if is_french(language) and kind == DATE:
        return f"to_char({name}, 'DD/MM/YYYY')"
    return name
