"""What was measured. Its one rule: a figure stands beside what it should be."""

import re
import resource
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

STATUS = Path("/proc/self/status")
ROUNDS = 15


@dataclass(frozen=True)
class Figure:
    """``holds`` says whether the target is reached; None without target."""

    subject: str
    value: str
    target: str = ""
    holds: bool | None = None

    @property
    def verdict(self) -> str:
        """In one word."""
        return "" if self.holds is None else "reached" if self.holds else "missed"


def measured(subject: str, value: float, unit: str) -> Figure:
    """A figure without target."""
    return Figure(subject, f"{_text(value)}{unit}")


def at_least(subject: str, value: float, target: float, unit: str = "/s") -> Figure:
    """A figure that should not be lower."""
    return Figure(subject, f"{_text(value)}{unit}", f"≥ {_text(target)}{unit}", value >= target)


def at_most(subject: str, value: float, target: float, unit: str) -> Figure:
    """A figure that should not be higher."""
    return Figure(subject, f"{_text(value)}{unit}", f"≤ {_text(target)}{unit}", value <= target)


def _text(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.2f}"


def best_rates(*works: Callable[[], int], rounds: int = ROUNDS) -> list[float]:
    """Things a second of each work in its quickest round: what other guests of the machine take
    is not the work's. The works take turns, so that all meet the same machine.
    """
    best = [0.0] * len(works)
    for _round in range(rounds):
        for place, work in enumerate(works):
            started = time.perf_counter()
            count = work()
            best[place] = max(best[place], count / (time.perf_counter() - started))
    return best


def plain_loop() -> float:
    """How long this machine takes for ten million additions now, in seconds, at best."""
    return min(seconds(lambda: sum(range(10_000_000))) for _round in range(ROUNDS))


def seconds(work: Callable[[], object]) -> float:
    """How long the work took."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def memory() -> float:
    """The most memory that this process ever had, in MB."""
    # Where the system tells it: what it tells of usage counts the process that started this one.
    if STATUS.exists():
        found = re.search(r"VmHWM:\s+(\d+) kB", STATUS.read_text())
        if found:
            return int(found[1]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
