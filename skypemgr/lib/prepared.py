"""Statements that a connection plans once. Its one rule: the same text, the same result, planned or
not; only the time differs.

PostgreSQL keeps a prepared statement for as long as its connection lives, through rollbacks too.
With a pooler that lends a connection for one transaction only, set ``PREPARED_STATEMENTS=0``.
"""

import hashlib
import re
from collections.abc import Mapping
from typing import Any
from weakref import WeakKeyDictionary

from django.conf import settings
from django.db import connection

_PLACE = re.compile(r"%\((\w+)\)s")
# Planned for tables that will have grown: while a table is young the planner would read all of it,
# and a plan lives until the table's statistics are next renewed.
_FOR_LARGE_TABLES = ("enable_seqscan", "enable_hashjoin", "enable_mergejoin", "enable_bitmapscan")
_planned: "WeakKeyDictionary[Any, set[str]]" = WeakKeyDictionary()


class Prepared:
    """A statement with named places, ``%(name)s``; each says its type by a cast or its column."""

    def __init__(self, text: str) -> None:
        self.text = text
        names = list(dict.fromkeys(_PLACE.findall(text)))
        numbers = {name: f"${place}" for place, name in enumerate(names, 1)}
        self.name = f"p_{hashlib.sha256(text.encode()).hexdigest()[:20]}"
        self.body = _PLACE.sub(lambda found: numbers[found[1]], text)
        self.call = _execute(self.name, [f"%({name})s" for name in names])
        self.planning = ";".join(
            (
                f"PREPARE {self.name} AS {self.body}",
                *(f"SET {choice} = off" for choice in _FOR_LARGE_TABLES),
                f"EXPLAIN {_execute(self.name, ['NULL'] * len(names))}",
                *(f"RESET {choice}" for choice in _FOR_LARGE_TABLES),
            )
        )


def _execute(name: str, values: list[str]) -> str:
    return f"EXECUTE {name} ({', '.join(values)})" if values else f"EXECUTE {name}"


Call = tuple[Prepared, Mapping[str, Any]]


def fetch_all(*calls: Call) -> list[tuple[Any, ...]]:
    """All have run, in one round trip; the rows of the last. Values are told apart by name."""
    parameters: dict[str, Any] = {}
    for _statement, values in calls:
        parameters |= values
    if settings.PREPARED_STATEMENTS:
        texts = [statement.call for statement, _values in calls]
    else:
        texts = [statement.text for statement, _values in calls]
    with connection.cursor() as cursor:
        if settings.PREPARED_STATEMENTS:
            _plan([statement for statement, _values in calls])
        cursor.execute(";".join(texts), parameters)
        return list(cursor.fetchall()) if cursor.description else []


def _plan(statements: list[Prepared]) -> None:
    """The connection knows the statements: one round trip more the first time only."""
    driver = connection.connection
    planned = _planned.setdefault(driver, set())
    for statement in statements:
        if statement.name not in planned:
            with connection.wrap_database_errors, driver.cursor() as cursor:
                cursor.execute(statement.planning)
            planned.add(statement.name)
