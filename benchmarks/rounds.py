"""Pages of one company with a long past, opened as a browser asks for them: their time on the
server from the request to the last byte of the answer. Its one rule: all pages take turns, so that
a busy minute of the machine is not one page's; beside the time stands what both processors did, the
page's and the database's, and in how many queries.
"""

import statistics
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from benchmarks.figures import Figure, at_most, seconds
from members.models import Member

TURNS = 3
ROUNDS_A_TURN = 5
TARGET = 150


@dataclass
class Page:
    """What is opened, by whom, and whether it has a target; what it took is kept in it."""

    subject: str
    client: Client
    address: str
    headers: Mapping[str, str] = field(default_factory=dict)
    has_target: bool = True
    queries: int = 0
    worked: float = 0.0
    times: list[float] = field(default_factory=list)

    def open(self) -> None:
        """The answer is here, and as it should be."""
        response = self.client.get(self.address, headers=dict(self.headers))
        assert response.status_code == 200, (self.address, response.status_code)

    def take_turn(self) -> None:
        """Opened once to be warm, then several times with a watch."""
        self.open()
        before = _processor_seconds()
        self.times += [seconds(self.open) * 1000 for _round in range(ROUNDS_A_TURN)]
        self.worked += (_processor_seconds() - before) * 1000

    def count_queries(self) -> None:
        """How many it takes."""
        self.open()
        with CaptureQueriesContext(connection) as queries:
            self.open()
        self.queries = len(queries)

    @property
    def figure(self) -> Figure:
        """The middle one of all rounds."""
        worked = self.worked / len(self.times)
        named = f"{self.subject} ({self.queries} queries, processors {worked:.0f} ms)"
        told = at_most(named, statistics.median(self.times), TARGET, " ms")
        return told if self.has_target else Figure(told.subject, told.value)


def browser(member: Member) -> Client:
    """The member's, signed in."""
    client = Client(headers={"accept-language": "en", "host": "localhost"})
    client.force_login(member.user, backend="django.contrib.auth.backends.ModelBackend")
    return client


def open_in_turns(pages: Sequence[Page]) -> Iterator[Figure]:
    """Each page's figure, when all have had their turns."""
    for page in pages:
        page.count_queries()
    for _turn in range(TURNS):
        for page in pages:
            page.take_turn()
    for page in pages:
        yield page.figure


def _processor_seconds() -> float:
    """What this process and its connection to a database beside it have worked."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        told = Path(f"/proc/{cursor.fetchone()[0]}/schedstat")
    database = int(told.read_text().split()[0]) / 1e9 if told.exists() else 0.0
    return time.process_time() + database
