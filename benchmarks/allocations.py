"""Allocations one by one: in one process, in four on one company, in four on four.

Run as ``python -m benchmarks.allocations COMPANY SECONDS`` it is one of the four, and prints how
many it made in each second. The best second counts: what other guests of the machine take in the
others is not the work's.
"""

import json
import os
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator, Sequence
from decimal import Decimal
from itertools import count

import django

if __name__ == "__main__":
    django.setup()

from benchmarks.figures import Figure, at_least
from credit.accounts import ensure_accounts
from credit.allocation import Recipients, allocate
from credit.requests import OutsideKey
from members.actors import Actor
from members.models import Member
from members.models.people import Role

PROCESSES = 4


def allocate_for(company_id: int, seconds: int) -> list[int]:
    """How many allocations of one member each were made in each of these seconds."""
    members = Member.objects.select_related("company", "user").filter(company=company_id)
    actor = Actor.of_member(members.get(role=Role.ADMINISTRATOR))
    pks = list(members.values_list("pk", flat=True)[:500])
    ensure_accounts(actor.company, pks)
    # The four begin together.
    time.sleep(max(0.0, float(os.environ.get("BENCH_BEGIN", "0")) - time.time()))
    counts, begun = [0] * seconds, time.perf_counter()
    for number in count():
        allocate(
            actor=actor,
            amount=Decimal("0.01"),
            recipients=Recipients(member_ids=(pks[number % len(pks)],)),
            request=OutsideKey.of_form(str(uuid.uuid4()), None),
        )
        second = int(time.perf_counter() - begun)
        if second >= seconds:
            return counts
        counts[second] += 1
    raise AssertionError("never comes to an end")


def rate_of(company_ids: Sequence[int], seconds: int) -> float:
    """Allocations in the best second of one process for each named company (the same may come
    again), all together."""
    begin = {"BENCH_BEGIN": str(time.time() + 4 + len(company_ids))}
    started = [
        subprocess.Popen(
            [sys.executable, "-m", "benchmarks.allocations", str(pk), str(seconds)],
            env={**os.environ, **begin},
            stdout=subprocess.PIPE,
            text=True,
        )
        for pk in company_ids
    ]
    counts = [json.loads(process.communicate()[0]) for process in started]
    return float(max(map(sum, zip(*counts, strict=True))))


def measure(company_ids: Sequence[int], seconds: int) -> Iterator[Figure]:
    """One process, then four on one company and four on four, each in processes of their own."""
    one = rate_of(company_ids[:1], seconds)
    yield at_least("allocate(), one at a time, one process", one, 500)
    same = rate_of([company_ids[0]] * PROCESSES, seconds)
    yield at_least("four processes on one company, against one process", same / one, 0.7, "")
    other = rate_of(company_ids[:PROCESSES], seconds)
    yield at_least("four processes on four companies, against one process", other / one, 1.5, "")


if __name__ == "__main__":
    print(json.dumps(allocate_for(int(sys.argv[1]), int(sys.argv[2]))))
