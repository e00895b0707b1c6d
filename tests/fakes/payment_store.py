"""The memory of the payment server: a SQLite file, so that a hard kill loses nothing.

Its one rule: everything one request does is one transaction.
"""

import json
import secrets
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.fakes.payment_errors import ApiError, Json

SCHEMA = """
CREATE TABLE IF NOT EXISTS objects (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT UNIQUE, kind TEXT, body TEXT);
CREATE INDEX IF NOT EXISTS objects_of_a_kind ON objects (kind, seq);
CREATE TABLE IF NOT EXISTS keys (
    key TEXT PRIMARY KEY, content TEXT, status INTEGER, body TEXT, created INTEGER);
CREATE TABLE IF NOT EXISTS facts (name TEXT PRIMARY KEY, value TEXT);
"""


class Store:
    """Objects by kind, answers by idempotency key, and a clock that tests may put forward."""

    def __init__(self, path: Path | str) -> None:
        self._lock = threading.RLock()
        self._depth = 0
        self._database = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self._database.execute("PRAGMA journal_mode=WAL")
        self._database.execute("PRAGMA synchronous=OFF")
        self._database.executescript(SCHEMA)
        # Whoever was being answered when the server died will never be.
        self._database.execute("DELETE FROM keys WHERE status IS NULL")

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing, one at a time; an ApiError that ``keeps`` is no failure."""
        with self._lock:
            if self._depth:
                yield
                return
            self._database.execute("BEGIN IMMEDIATE")
            self._depth += 1
            try:
                yield
            except ApiError as error:
                self._database.execute("COMMIT" if error.keeps else "ROLLBACK")
                raise
            except BaseException:
                self._database.execute("ROLLBACK")
                raise
            else:
                self._database.execute("COMMIT")
            finally:
                self._depth -= 1

    def now(self) -> int:
        """Seconds since 1970, with what tests have added."""
        return int(time.time()) + int(self.fact("clock", "0"))

    def new_id(self, prefix: str) -> str:
        """A name that was never given before."""
        return f"{prefix}_{secrets.token_hex(12)}"

    def put(self, one: Json) -> Json:
        """The object is stored as it is now."""
        with self._lock:
            self._database.execute(
                "INSERT INTO objects (id, kind, body) VALUES (?, ?, ?)"
                " ON CONFLICT (id) DO UPDATE SET body = excluded.body",
                (one["id"], one["object"], json.dumps(one)),
            )
        return one

    def get(self, pk: str) -> Json | None:
        """The object of that name."""
        with self._lock:
            row = self._database.execute("SELECT body FROM objects WHERE id = ?", (pk,)).fetchone()
        return json.loads(row[0]) if row else None

    def all(self, kind: str) -> list[Json]:
        """Every object of the kind, newest first."""
        with self._lock:
            rows = self._database.execute(
                "SELECT body FROM objects WHERE kind = ? ORDER BY seq DESC", (kind,)
            ).fetchall()
        return [json.loads(row[0]) for row in rows]

    def fact(self, name: str, default: str = "") -> str:
        """A setting of the server."""
        with self._lock:
            row = self._database.execute(
                "SELECT value FROM facts WHERE name = ?", (name,)
            ).fetchone()
        return str(row[0]) if row else default

    def set_fact(self, name: str, value: str) -> None:
        """The setting is this from now on."""
        with self._lock:
            self._database.execute("REPLACE INTO facts VALUES (?, ?)", (name, value))

    def claim_key(self, key: str, content: str, *, lasts: int) -> tuple[int, str] | None:
        """None if the caller is to answer; else the answer given before. ApiError if the key is
        being answered right now or came with another content.
        """
        with self._lock:
            self._database.execute("DELETE FROM keys WHERE created <= ?", (self.now() - lasts,))
            row = self._database.execute(
                "SELECT content, status, body FROM keys WHERE key = ?", (key,)
            ).fetchone()
            if row is None:
                self._database.execute(
                    "INSERT INTO keys VALUES (?, ?, NULL, NULL, ?)", (key, content, self.now())
                )
                return None
        if row[0] != content:
            raise ApiError(
                "Keys for idempotent requests can only be used with the same parameters they were "
                f"first used with. Try using a key other than '{key}' if you meant to execute a "
                "different request.",
                kind="idempotency_error",
            )
        if row[1] is None:
            raise ApiError(
                "There is currently another in-progress request using this Idempotent Key.",
                status=409,
                kind="idempotency_error",
                code="idempotency_key_in_use",
            )
        return int(row[1]), str(row[2])

    def answer_key(self, key: str, status: int, body: str) -> None:
        """The same key is answered the same from now on."""
        with self._lock:
            self._database.execute(
                "UPDATE keys SET status = ?, body = ? WHERE key = ?", (status, body, key)
            )

    def free_key(self, key: str) -> None:
        """The key was never used."""
        with self._lock:
            self._database.execute("DELETE FROM keys WHERE key = ?", (key,))

    def clear(self) -> None:
        """Nothing is remembered."""
        with self._lock:
            for table in ("objects", "keys", "facts"):
                self._database.execute(f"DELETE FROM {table}")  # noqa: S608
