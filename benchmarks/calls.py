"""Calls through the batch verb, a thousand at a time, and the same over HTTP through granian."""

import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from decimal import Decimal
from typing import Any

from benchmarks.figures import Figure, at_least, best_rates
from benchmarks.people import House
from credit.allocation import Recipients, allocate
from credit.call_rows import CallRow
from credit.calls import charge_calls
from credit.models import Rate
from credit.requests import OutsideKey
from members.models import Company
from members.tokens import issue_token
from skypemgr.lib.periods import utc_now
from skypemgr.stack.process import free_port

SET = 1000
NUMBERS = ("+33142278186", "+33612345678", "+442071838750", "+4915112345678")


def prepare(house: House) -> None:
    """A deck, and credit for everybody."""
    for prefix in ("33", "331", "336", "44", "4420", "49", "4915"):
        Rate.objects.create(
            prefix=prefix,
            kind="other",
            price_per_minute=Decimal("0.018"),
            currency="EUR",
            valid_from="2020-01-01",
        )
    allocate(
        actor=house.actor,
        amount=Decimal(10_000),
        recipients=Recipients(all_members=True),
        request=OutsideKey.of_form(str(uuid.uuid4()), None),
    )


def reported(house: House) -> list[dict[str, Any]]:
    """A thousand calls that were never told before."""
    members, name = list(house.accounts.members), uuid.uuid4().hex
    started_at = (utc_now() - timedelta(hours=1)).isoformat()
    return [
        {
            "source": "bench",
            "id": f"{name}-{number}",
            "member": members[number % len(members)],
            "destination": NUMBERS[number % len(NUMBERS)],
            "started_at": started_at,
            "duration_seconds": 30 + number % 300,
        }
        for number in range(SET)
    ]


@contextmanager
def web() -> Iterator[str]:
    """The address of a web server as the stack runs it, with one process."""
    port = free_port()
    command = ["-m", "granian", "--interface", "wsgi", "--host", "127.0.0.1", "--port", str(port)]
    command += ["--workers", "1", "--blocking-threads", "2", "--no-ws", "--log-level", "warning"]
    process = subprocess.Popen(
        [sys.executable, *command, "skypemgr.wsgi:application"], env=dict(os.environ)
    )
    address = f"http://127.0.0.1:{port}"
    try:
        for _try in range(300):
            try:
                with urllib.request.urlopen(f"{address}/healthz", timeout=5):  # noqa: S310
                    break
            except OSError:
                time.sleep(0.1)
        yield address
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(20)


def measure(house: House) -> Iterator[Figure]:
    """Through the verb, then over HTTP."""
    prepare(house)
    company = Company.objects.get(pk=house.company.pk)

    def by_verb() -> int:
        results = charge_calls(company, [CallRow(**row) for row in reported(house)])
        assert all(result.status == "charged" for result in results)
        return len(results)

    by_verb()
    (verb,) = best_rates(by_verb)
    yield at_least("calls through the batch verb, 1,000 a call", verb, 6000)
    _token, secret = issue_token(actor=house.actor, name="bench", scopes=["calls"])
    with web() as address:

        def by_http() -> int:
            request = urllib.request.Request(  # noqa: S310 - our own server on loopback
                f"{address}/api/v1/calls",
                json.dumps({"calls": reported(house)}).encode(),
                {"Authorization": f"Bearer {secret}", "Content-Type": "application/json"},
            )
            with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310
                results = json.load(answer)["results"]
            assert all(result["status"] == "charged" for result in results)
            return len(results)

        by_http()
        (http,) = best_rates(by_http)
    yield Figure("the same over HTTP through granian", f"{http:,.0f}/s")
    yield at_least("over HTTP against the verb", http / verb, 0.7, "")
