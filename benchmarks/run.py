"""Sets Django up, measures each section and writes RESULTS.md."""

import os
import platform
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

import django
from django.core.management import call_command
from django.db import connection

django.setup()

from benchmarks import (  # noqa: E402 - models from now on
    allocations,
    calls,
    features_pages,
    members_page,
    renewals,
    reports,
    sweeps,
    transfers,
)
from benchmarks.figures import Figure, plain_loop  # noqa: E402
from benchmarks.people import analyze, make_house  # noqa: E402
from credit.verification import verify_ledger  # noqa: E402

RESULTS = Path(__file__).with_name("RESULTS.md")
BUSY = (
    "The machine had more to do than it has processors: absolute figures, and ratios between one"
    " and four processes, say little; run it again on a quiet one."
)
SECTIONS = (
    "transfers",
    "allocations",
    "calls",
    "members",
    "features",
    "sweeps",
    "renewals",
    "reports",
)


def main(words: Sequence[str]) -> None:
    """The chosen sections (all by default) are printed; a run of all is stored as it goes."""
    call_command("migrate", verbosity=0)
    chosen = [word for word in words if word in SECTIONS] or list(SECTIONS)
    is_quick = "--quick" in words
    load = os.getloadavg()[0]
    known = machine(load)
    print(known, flush=True)
    lines = ["# Results of the last `make bench`", "", known, ""]
    if is_quick:
        lines += ["With `--quick`: a tenth of the sizes.", ""]
    if load > (os.cpu_count() or 1):
        lines += [BUSY, ""]
    lines += ["| subject | figure | target | |", "|---|---|---|---|"]
    for figure in measure(chosen, 10 if is_quick else 1):
        lines.append(f"| {figure.subject} | {figure.value} | {figure.target} | {figure.verdict} |")
        print(
            f"{figure.subject:64} {figure.value:>12}  {figure.target:10} {figure.verdict}",
            flush=True,
        )
        if len(chosen) == len(SECTIONS):
            RESULTS.write_text("\n".join(lines) + "\n", encoding="utf-8")


def measure(chosen: Sequence[str], divisor: int) -> Iterator[Figure]:
    """The sections one after the other, on one server; the sizes divided."""
    houses = [make_house(f"bench-{number}", 1000) for number in range(4)]
    analyze()
    if "transfers" in chosen:
        yield from transfers.measure(houses[0])
    if "allocations" in chosen:
        pks = [house.company.pk for house in houses]
        yield from allocations.measure(pks, 12 if divisor == 1 else 4)
    if "calls" in chosen:
        yield from calls.measure(houses[1])
    if "members" in chosen:
        yield from members_page.measure(houses[3], 100_000 // divisor)
    if "features" in chosen:
        yield from features_pages.measure(houses[3], 100_000 // divisor, 30_000 // divisor)
    yield verified()
    if "transfers" in chosen:
        yield from transfers.measure_again(houses[2], 5_000_000 // divisor)
    if "sweeps" in chosen:
        yield from sweeps.measure(10_000 // divisor, 1_000_000 // divisor, 10_000 // divisor)
    if "renewals" in chosen:
        yield from renewals.measure(10_000 // divisor, 1_000_000 // divisor, 10_000 // divisor)
    if "reports" in chosen:
        sizes = (200 // divisor, 100_000 // divisor, 10_000_000 // divisor)
        yield from reports.measure(*sizes)
        if "sweeps" not in chosen:
            # The credit of the purses that sweeps are measured with is in no transfer.
            yield verified()


def verified() -> Figure:
    """The ledger holds; AssertionError if it does not."""
    started = time.perf_counter()
    differences = verify_ledger()
    if differences:
        raise AssertionError(differences[:5])
    return Figure("ledger verified, no difference", f"{time.perf_counter() - started:.0f} s")


def machine(load: float) -> str:
    """What it ran on, in one sentence."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('server_version'), current_setting('fsync')")
        version, fsync = cursor.fetchone()
    return (
        f"{datetime.now(UTC):%Y-%m-%d}, {platform.system()} {platform.machine()},"
        f" {os.cpu_count()} processors, Python {platform.python_version()},"
        f" PostgreSQL {version}, fsync {fsync}; load {load:.1f} when it began;"
        f" ten million additions in a loop of Python's own take {plain_loop():.2f} s."
    )
