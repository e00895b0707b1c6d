"""The first page of each report, in one company with a long past among many."""

from collections.abc import Iterator
from datetime import date

from benchmarks.pages import Page, browser
from members.models import Member, MemberList
from skypemgr.lib.periods import add_months

# Milliseconds.
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


def list_pages(administrator: Member, month: date) -> Iterator[Page]:
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
            target = TARGET if name in offered else None
            yield Page(subject, client, f"/reports/{report}{span}", target=target)
