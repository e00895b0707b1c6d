"""Many values for one place of a statement. Its one rule: PostgreSQL reads them as one array, so
that the statement stays the same for one value and for a thousand.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from django.db.models import BooleanField, F, Func, Value


def array(values: Iterable[object]) -> str:
    """An array as PostgreSQL writes it, of values without commas or quotes: numbers, times, our own
    words. Much faster than one by one through the driver.
    """
    # Cheaper than asking each value whether it is None, and none of them is written so.
    return "{" + ",".join(map(str, values)).replace("None", "NULL") + "}"


def padded(values: Sequence[object]) -> str:
    """The same, empty if there is nothing but NULL: ``unnest`` fills it up beside a longer one."""
    return "{}" if values.count(None) == len(values) else array(values)


def texts(values: Iterable[str]) -> str:
    """An array as PostgreSQL writes it, of any texts."""
    wanted = list(values)
    if not wanted:
        return "{}"
    joined = "".join(wanted)
    if "\\" in joined or '"' in joined:
        wanted = [text.replace("\\", "\\\\").replace('"', '\\"') for text in wanted]
    return '{"' + '","'.join(wanted) + '"}'


class Among(Func):
    """A condition: the field, of whole numbers, has one of the values. As ``__in``, but one
    parameter in all: with a thousand values it takes a fraction of the time.
    """

    arity = 2
    arg_joiner = " = ANY("
    output_field = BooleanField()

    def __init__(self, field: str, values: Iterable[object], **extra: Any) -> None:
        super().__init__(
            F(field), Value(array(values)), template="(%(expressions)s::bigint[]))", **extra
        )


class AmongTexts(Among):
    """The same of a field of text."""

    def __init__(self, field: str, values: Iterable[str], **extra: Any) -> None:
        Func.__init__(
            self, F(field), Value(texts(values)), template="(%(expressions)s::text[]))", **extra
        )
