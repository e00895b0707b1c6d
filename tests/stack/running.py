"""A stack in a folder of its own, started as its user starts it."""

import json
import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import psycopg2

from skypemgr.stack.address import PROJECT
from skypemgr.stack.process import free_port

START_SECONDS = 240
SERVERS_OF_THE_TESTS = ("DATABASE_URL", "REDIS_URL", "SECRET_KEY")


class Stack:
    """A stack in a folder of its own, run as a person would."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()
        inherited = {k: v for k, v in os.environ.items() if k not in SERVERS_OF_THE_TESTS}
        own = {"VAR_DIR": str(folder), "PORT": str(self.port), "DEMO": "0", "WEB_WORKERS": "1"}
        self.environment = inherited | own
        self.output = folder.with_name(folder.name + ".log")
        self.process: subprocess.Popen[bytes] | None = None
        self.seen: set[int] = set()

    def start(self) -> "Stack":
        with self.output.open("wb") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "skypemgr.stack"],
                cwd=PROJECT,
                env=self.environment,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        await_true(lambda: "is ready at" in self.said() or not self.is_alive(), START_SECONDS)
        assert self.is_alive(), self.said()
        self.children()
        return self

    def is_alive(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def said(self) -> str:
        return self.output.read_text(errors="replace")

    def send(self, number: int) -> int:
        self.children()
        assert self.process is not None
        self.process.send_signal(number)
        return self.process.wait(60)

    def children(self) -> dict[int, str]:
        """Every process below the stack by id, with its command line."""
        assert self.process is not None
        rows = processes()
        family = {self.process.pid}
        while found := {pid for pid, (parent, _) in rows.items() if parent in family} - family:
            family |= found
        family.discard(self.process.pid)
        self.seen |= family
        return {pid: rows[pid][1] for pid in family}

    def own(self, word: str) -> list[int]:
        """The processes that the stack itself started and whose command line has the word."""
        assert self.process is not None
        return [
            pid
            for pid, (parent, line) in processes().items()
            if parent == self.process.pid and word in line
        ]

    def left(self) -> dict[int, str]:
        rows = processes()
        return {pid: rows[pid][1] for pid in self.seen if pid in rows}

    def health(self) -> int:
        try:
            with urllib.request.urlopen(
                f"http://127.0.0.1:{self.port}/healthz", timeout=5
            ) as answer:
                return int(answer.status)
        except OSError:
            return 0

    def sql(self, statement: str) -> list[tuple[object, ...]]:
        found = json.loads((self.folder / "stack.json").read_text())
        connection = psycopg2.connect(found["DATABASE_URL"])
        with closing(connection), connection, connection.cursor() as cursor:
            cursor.execute(statement)
            return cursor.fetchall() if cursor.description else []


def processes() -> dict[int, tuple[int, str]]:
    """Parent and command line of every process that still runs."""
    lines = subprocess.run(
        ["ps", "-A", "-ww", "-o", "pid=,ppid=,stat=,args="],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.splitlines()
    fields = [line.split(None, 3) for line in lines]
    return {
        int(pid): (int(parent), line)
        for pid, parent, state, line in (row for row in fields if len(row) == 4)
        if not state.startswith("Z")
    }


def await_true(condition: Callable[[], bool], seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "not in time"
        time.sleep(0.1)
