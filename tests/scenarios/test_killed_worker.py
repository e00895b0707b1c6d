"""A company's day through the API while its workers are killed hard: nothing is lost, nothing is
there twice."""

import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from skypemgr.stack.address import PROJECT
from tests.stack.running import Stack, await_true

MEMBERS = 12
CALLS = 40


class Door:
    """The API of a running portal."""

    def __init__(self, stack: Stack, token: str) -> None:
        self.address = f"http://127.0.0.1:{stack.port}/api/v1/"
        self.token = token

    def ask(self, method: str, path: str, body: object = None, key: str = "") -> Any:
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}
        if key:
            headers["Idempotency-Key"] = key
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(  # noqa: S310 - our own server on loopback
            self.address + path, data, headers, method=method
        )
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310
                return json.load(answer)
        except urllib.error.HTTPError as error:
            raise AssertionError(f"{method} {path}: {error.code} {error.read()!r}") from error


def manage(stack: Stack, *words: str) -> str:
    done = subprocess.run(
        [sys.executable, "manage.py", *words],
        cwd=PROJECT,
        env=stack.environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture
def stack(tmp_path: Path) -> Iterator[Stack]:
    stack = Stack(tmp_path / "var").start()
    yield stack
    if stack.is_alive():
        stack.send(signal.SIGTERM)


def kill_workers(stack: Stack) -> None:
    for pid, line in stack.children().items():
        if "celery" in line and "worker" in line:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue


def test_members_recharge_once_each_while_workers_are_killed(stack: Stack, tmp_path: Path) -> None:
    made = json.loads(
        manage(
            stack,
            *("create_company", "--name", "Acme", "--currency", "EUR", "--country", "FR"),
            *("--time-zone", "Europe/Paris", "--admin-email", "alice@acme.example"),
            *("--password", "correct horse battery", "--json"),
        )
    )
    rates = tmp_path / "rates.csv"
    rates.write_text("prefix,price_per_minute,currency,valid_from\n33,0.6,EUR,2025-01-01\n")
    manage(stack, "import_rates", str(rates))
    door = Door(stack, made["token"])
    members = [
        door.ask(
            "POST",
            "members",
            {"email": f"m{n}@acme.example", "name": f"Member {n}", "username": f"member{n}"},
        )["id"]
        for n in range(MEMBERS)
    ]
    # Armed while the company is empty: everybody waits for its first credit.
    for member in members:
        door.ask(
            "PUT",
            f"members/{member}/auto-recharge",
            {"amount": "10", "threshold": "5", "monthly_limit": "40"},
        )
    purchase = {"amount": "1000", "payment_method": "sandbox"}
    bought = door.ask("POST", "purchases", purchase, key="first")
    kill_workers(stack)
    assert door.ask("POST", "purchases", purchase, key="first")["id"] == bought["id"]
    await_true(lambda: all(balance(door, member) == 10 for member in members), 90)
    start = datetime.now(UTC) - timedelta(hours=1)
    for turn in range(CALLS // 10):
        rows = [
            {
                "source": "pbx",
                "id": f"{turn}-{n}",
                "member": members[n % MEMBERS],
                "destination": "+33142278186",
                "started_at": start.isoformat(),
                "duration_seconds": 600,
            }
            for n in range(10)
        ]
        first = door.ask("POST", "calls", {"calls": rows})["results"]
        kill_workers(stack)
        again = door.ask("POST", "calls", {"calls": rows})["results"]
        assert {row["status"] for row in again} == {"already_there"}
        assert [row["price"] for row in first] == [row["price"] for row in again]
    time.sleep(3)
    total = sum(balance(door, member) for member in members)
    company = Decimal(door.ask("GET", "company")["balance"])
    assert total + company == 1000 - CALLS * 6
    assert "no difference" in manage(stack, "verify_ledger")


def balance(door: Door, member: int) -> Decimal:
    return Decimal(door.ask("GET", f"members/{member}")["balance"])
