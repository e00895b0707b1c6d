"""The stack as its user meets it: one command, killed and stopped in every way."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psycopg2
import pytest

from skypemgr.stack.address import PROJECT
from tests.stack.running import Stack, await_true


@pytest.fixture(scope="module")
def stopped(tmp_path_factory: pytest.TempPathFactory) -> tuple[Stack, int]:
    """A stack that was started for the first time and stopped, and how it ended."""
    stack = Stack(tmp_path_factory.mktemp("stack") / "var").start()
    return stack, stack.send(signal.SIGINT)


def again(stopped: tuple[Stack, int], folder: Path) -> Stack:
    """One that goes on from there, in a folder of its own."""
    before, _code = stopped
    subprocess.run(["cp", "-a", str(before.folder), str(folder)], check=True)
    return Stack(folder)


@pytest.fixture
def stack(stopped: tuple[Stack, int], tmp_path: Path) -> Iterator[Stack]:
    stack = again(stopped, tmp_path / "var")
    yield stack
    if stack.is_alive():
        stack.send(signal.SIGTERM)


@pytest.fixture(scope="module")
def running(
    stopped: tuple[Stack, int], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Stack]:
    stack = again(stopped, tmp_path_factory.mktemp("again") / "var").start()
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


def test_a_stop_is_clean_and_leaves_nothing(stopped: tuple[Stack, int]) -> None:
    stack, code = stopped
    assert code == 0
    assert stack.left() == {}
    assert stack.said().rstrip().endswith("Stopped.")
    assert not (stack.folder / "stack.json").exists()
    log = (stack.folder / "postgres" / "log").read_text()
    assert "database system is shut down" in log.splitlines()[-1]


def test_a_stop_while_it_still_starts_is_clean(tmp_path: Path) -> None:
    stack = Stack(tmp_path / "var")
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
