"""The first page of each report, in one company with a long past among many: its time on the
server, as a browser asks for it.
"""

from collections.abc import Iterator
from datetime import date

from django.test import Client

from benchmarks.figures import Figure, at_most
from benchmarks.pages import median
from members.models import Member, MemberList
from skypemgr.lib.periods import add_months

TARGET = 150
REPORTS = (
    "summary/?",
    "summary/?by=month&",
    "summary/?by=list&",
    "summary/?by=cost_centre&",
    "purchases/?",
    "allocations/?",
    "usage/?",
    "usage/?by=day&",
    "usage/?by=list&",
    "usage/?by=cost_centre&",
    "usage/?by=destination&",
)


def measure(administrator: Member, month: date) -> Iterator[Figure]:
    """Every report of the month, the one before, the year before and twelve months."""
    client = Client(headers={"accept-language": "en", "host": "localhost"})
    client.force_login(administrator.user, backend="django.contrib.auth.backends.ModelBackend")
    chosen = MemberList.objects.filter(company=administrator.company).order_by("pk")[0]
    last = date.fromordinal(add_months(month, 1).toordinal() - 1)
    days = {
        "this month": f"month={month:%Y-%m}",
        "last month": f"month={add_months(month, -1):%Y-%m}",
        "last year": f"year={month.year - 1}",
        "twelve months": f"from={add_months(month, -11)}&to={last}",
    }
    for name, span in days.items():
        for report in (*REPORTS, f"allocations/?list={chosen.pk}&"):
            subject = f"page {report.rstrip('?&')}, {name}"
            yield at_most(subject, median(client, f"/reports/{report}{span}"), TARGET, " ms")
