"""The stack as its user meets it: one command, killed and stopped in every way."""

import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import psycopg2
import pytest

from skypemgr.stack.address import PROJECT
from skypemgr.stack.process import free_port

pytestmark = pytest.mark.xdist_group("stack")

START_SECONDS = 120
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


@pytest.fixture
def stack(tmp_path: Path) -> Iterator[Stack]:
    stack = Stack(tmp_path / "var")
    yield stack
    if stack.is_alive():
        stack.send(signal.SIGTERM)


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    stack = Stack(tmp_path_factory.mktemp("stack") / "var").start()
    yield stack
    stack.send(signal.SIGTERM)


def test_one_line_says_where_it_is_ready(running: Stack) -> None:
    assert f"Skype Manager is ready at http://localhost:{running.port}/" in running.said()
    assert running.health() == 200


def test_secrets_are_for_their_owner_only(running: Stack) -> None:
    for name in ("secrets.json", "stack.json"):
        assert (running.folder / name).stat().st_mode & 0o077 == 0


def test_passwords_are_on_no_command_line(running: Stack) -> None:
    secrets = json.loads((running.folder / "secrets.json").read_text())
    lines = "\n".join(running.children().values())
    assert not [name for name, secret in secrets.items() if secret in lines]


def test_a_second_stack_on_the_same_folder_is_refused_in_one_line(running: Stack) -> None:
    second = subprocess.run(
        [sys.executable, "-m", "skypemgr.stack"],
        cwd=PROJECT,
        env=running.environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert second.returncode == 1
    assert len(second.stderr.splitlines()) == 1
    assert f"already runs on {running.folder}" in second.stderr
    assert running.health() == 200


def test_a_command_finds_the_running_database_by_itself(running: Stack) -> None:
    running.sql("CREATE TABLE found_by_command AS SELECT 7 AS number")
    code = "from django.db import connection as c; k = c.cursor()"
    code += "; k.execute('SELECT number FROM found_by_command'); print('number', k.fetchone()[0])"
    answer = subprocess.run(
        [sys.executable, "manage.py", "shell", "-c", code],
        cwd=PROJECT,
        env=running.environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert "number 7" in answer.stdout, answer.stderr


@pytest.mark.parametrize(
    "word",
    ["granian", " worker --pool", " beat --schedule", "watchdog.py"],
)
def test_what_is_killed_starts_again(running: Stack, word: str) -> None:
    [killed] = running.own(word)
    os.kill(killed, signal.SIGKILL)
    await_true(lambda: running.own(word) not in ([], [killed]), 30)
    await_true(lambda: running.health() == 200, 30)


@pytest.mark.parametrize("server", ["bin/postgres", "valkey-server"])
def test_a_killed_server_answers_again_at_the_same_address(running: Stack, server: str) -> None:
    running.sql("CREATE TABLE IF NOT EXISTS kept AS SELECT 1 AS number")
    [killed] = running.own(server)
    os.kill(killed, signal.SIGKILL)
    await_true(lambda: running.own(server) not in ([], [killed]), 30)

    def answers_again() -> bool:
        try:
            return running.sql("SELECT number FROM kept") == [(1,)] and running.health() == 200
        except psycopg2.OperationalError:
            return False

    await_true(answers_again, 60)


def test_killed_it_loses_nothing_starts_again_at_once_and_leaves_nothing(stack: Stack) -> None:
    stack.start()
    stack.sql("CREATE TABLE kept AS SELECT 42 AS number")
    assert len(stack.children()) >= 6
    stack.send(signal.SIGKILL)
    stack.start()
    assert stack.sql("SELECT number FROM kept") == [(42,)]
    stack.send(signal.SIGKILL)
    await_true(lambda: not stack.left(), 20)


def test_a_stop_is_clean_and_leaves_nothing(stack: Stack) -> None:
    stack.start()
    assert stack.send(signal.SIGINT) == 0
    assert stack.left() == {}
    assert stack.said().rstrip().endswith("Stopped.")
    assert not (stack.folder / "stack.json").exists()
    log = (stack.folder / "postgres" / "log").read_text()
    assert "database system is shut down" in log.splitlines()[-1]


def test_a_stop_while_it_still_starts_is_clean(stack: Stack) -> None:
    stack.output.touch()
    with stack.output.open("wb") as output:
        stack.process = subprocess.Popen(
            [sys.executable, "-m", "skypemgr.stack"],
            cwd=PROJECT,
            env=stack.environment,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    await_true(lambda: "Preparing" in stack.said(), 30)
    assert stack.send(signal.SIGTERM) == 0
    assert stack.left() == {}
