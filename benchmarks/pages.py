"""Pages as a browser asks for them: their time on the server, from the request to the last byte of
the answer, without the network. Its one rule: pages take turns, so that a busy minute of the
machine is not one page's.
"""

import statistics
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from benchmarks.figures import Figure, at_most, measured, seconds
from members.models import Member

TURNS = 3
ROUNDS_A_TURN = 5
# Milliseconds of the slowest of a kind.
SLOWEST = 100


@dataclass
class Page:
    """What is opened and by whom; ``target`` in milliseconds. What it took is kept in it: ``times``
    in milliseconds, and ``worked``, what both processors did, the page's and the database's.
    """

    subject: str
    client: Client
    address: str
    headers: Mapping[str, str] = field(default_factory=dict)
    target: int | None = None
    queries: int = 0
    worked: float = 0.0
    times: list[float] = field(default_factory=list)

    def open(self) -> None:
        """The answer is here, and as it should be."""
        response = self.client.get(self.address, headers=dict(self.headers))
        assert response.status_code == 200, (self.address, response.status_code)

    def take_turn(self, *, is_cold: bool = False) -> None:
        """Opened once to be warm, then several times with a watch; ``is_cold``: each time with
        nothing remembered.
        """
        self.open()
        before = _processor_seconds()
        for _round in range(ROUNDS_A_TURN):
            if is_cold:
                cache.clear()
            self.times.append(seconds(self.open) * 1000)
        self.worked += (_processor_seconds() - before) * 1000

    def count_queries(self) -> None:
        """How many it takes when it is warm."""
        self.open()
        with CaptureQueriesContext(connection) as queries:
            self.open()
        self.queries = len(queries)

    @property
    def median(self) -> float:
        """The middle one of all rounds."""
        return statistics.median(self.times)

    @property
    def figure(self) -> Figure:
        """The middle one, in how many queries, and how much work it was."""
        worked = self.worked / len(self.times)
        named = f"{self.subject} ({self.queries} queries, processors {worked:.0f} ms)"
        if self.target is None:
            return measured(named, self.median, " ms")
        return at_most(named, self.median, self.target, " ms")


def browser(member: Member) -> Client:
    """The member's, signed in."""
    client = Client(headers={"accept-language": "en", "host": "localhost"})
    client.force_login(member.user, backend="django.contrib.auth.backends.ModelBackend")
    return client


def open_in_turns(pages: Sequence[Page]) -> Iterator[Figure]:
    """Each page's figure, when all have had their turns."""
    for page in pages:
        page.count_queries()
    _take_turns(pages)
    for page in pages:
        yield page.figure


def slowest(client: Client, subject: str, addresses: Sequence[str], *, base: str = "") -> Figure:
    """The slowest of these addresses, each below the base, against the target for all of a kind."""
    pages = [Page(address, client, f"{base}{address}") for address in addresses]
    _take_turns(pages)
    worst = max(pages, key=lambda page: page.median)
    named = f"{subject} (slowest of {len(pages)}: {worst.subject})" if len(pages) > 1 else subject
    return at_most(named, worst.median, SLOWEST, " ms")


def cold_median(client: Client, address: str) -> float:
    """Milliseconds in the middle one of several rounds, in each of which nothing is remembered."""
    page = Page(address, client, address)
    _take_turns([page], is_cold=True)
    return page.median


def _take_turns(pages: Sequence[Page], *, is_cold: bool = False) -> None:
    for _turn in range(TURNS):
        for page in pages:
            page.take_turn(is_cold=is_cold)


def _processor_seconds() -> float:
    """What this process and its connection to a database beside it have worked."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        told = Path(f"/proc/{cursor.fetchone()[0]}/schedstat")
    database = int(told.read_text().split()[0]) / 1e9 if told.exists() else 0.0
    return time.process_time() + database
