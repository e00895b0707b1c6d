"""The first page of each report, in one company with a long past among many: its time on the
server, as a browser asks for it. Its one rule: beside the time stands what both processors did, the
page's and the database's, and in how many queries.
"""

import statistics
import time
from collections.abc import Iterator, Mapping
from datetime import date
from pathlib import Path

from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from benchmarks.figures import Figure, at_most, seconds
from members.models import Member, MemberList
from skypemgr.lib.periods import add_months

ROUNDS = 9
TARGET = 150
REPORTS = (
    "summary/?",
    "summary/?by=month&",
    "summary/?by=list&",
    "summary/?by=cost_centre&",
    "purchases/?",
    "allocations/?",
    "usage/?",
    "usage/?sort=member&",
    "usage/?by=day&",
    "usage/?by=list&",
    "usage/?by=cost_centre&",
    "usage/?by=destination&",
    "statement/?",
    "statement/?kind=auto_recharge&",
)


def measure(administrator: Member, month: date) -> Iterator[Figure]:
    """Every report of the month, the one before and the year before, as the page offers them; and
    of free days, which cost what they cut: twelve months, and 365 days that begin and end in one.
    """
    client = browser(administrator)
    chosen = MemberList.objects.filter(company=administrator.company).order_by("pk")[0]
    last = date.fromordinal(add_months(month, 1).toordinal() - 1)
    begin, end = add_months(month, -12).replace(day=12), month.replace(day=11)
    offered = {
        "this month": f"month={month:%Y-%m}",
        "last month": f"month={add_months(month, -1):%Y-%m}",
        "last year": f"year={month.year - 1}",
    }
    free = {
        "twelve months": f"from={add_months(month, -11)}&to={last}",
        "365 days": f"from={begin}&to={end}",
    }
    narrowed = (f"allocations/?list={chosen.pk}&", f"usage/?list={chosen.pk}&")
    for name, span in (offered | free).items():
        for report in (*REPORTS, *narrowed):
            subject = f"page {report.rstrip('?&')}, {name}"
            told = page(subject, client, f"/reports/{report}{span}")
            yield told if name in offered else Figure(told.subject, told.value)


def browser(member: Member) -> Client:
    """The member's, signed in."""
    client = Client(headers={"accept-language": "en", "host": "localhost"})
    client.force_login(member.user, backend="django.contrib.auth.backends.ModelBackend")
    return client


def page(
    subject: str, client: Client, address: str, headers: Mapping[str, str] | None = None
) -> Figure:
    """The median of several rounds, from the request to the last byte of the answer."""

    def open_page() -> None:
        response = client.get(address, headers=dict(headers or {}))
        assert response.status_code == 200, (address, response.status_code)

    open_page()
    with CaptureQueriesContext(connection) as queries:
        open_page()
    count = len(queries)
    before = _processor_seconds()
    times = [seconds(open_page) * 1000 for _round in range(ROUNDS)]
    worked = (_processor_seconds() - before) * 1000 / ROUNDS
    named = f"{subject} ({count} queries, processors {worked:.0f} ms)"
    return at_most(named, statistics.median(times), TARGET, " ms")


def _processor_seconds() -> float:
    """What this process and its connection to a database beside it have worked."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        told = Path(f"/proc/{cursor.fetchone()[0]}/schedstat")
    database = int(told.read_text().split()[0]) / 1e9 if told.exists() else 0.0
    return time.process_time() + database
