"""What members called. Its one rule: calls are one line a member and day; single calls never stand
in a report.
"""

from collections.abc import Sequence

from django.db.models import Count, Sum
from django.utils.translation import gettext_lazy as _

from credit.models import Call
from members.models import Company
from skypemgr.portal.reports.base import ZERO, Column, Filters, Report, Row
from skypemgr.portal.spans import Span

TITLE = _("Usage")
COLUMNS = (
    Column("day", _("Date"), "day"),
    Column("member_id", _("Member"), "id"),
    Column("member", _("Member")),
    Column("list", _("List")),
    Column("calls", _("Calls"), "count"),
    Column("seconds", _("Duration"), "duration"),
    Column("paid", _("Paid"), "money"),
    Column("uncollected", _("Not collected"), "money"),
)


def read_usage(company: Company, span: Span, _filters: Filters) -> Report:
    """The calls booked in the span by member and day."""
    calls = Call.objects.filter(company=company, booked_on__range=(span.first, span.last))
    sums = {
        "calls": Count("pk"),
        "seconds": Sum("billed_seconds", default=0),
        "paid": Sum("collected", default=ZERO),
        "uncollected": Sum("uncollected", default=ZERO),
    }
    rows = (
        calls.values("booked_on", "member_id")
        .annotate(**sums)
        .order_by("booked_on", "member__name_key", "member_id")
        .values_list("booked_on", "member_id", "member__name", "member__list__name", *sums)
    )

    def read(offset: int, limit: int) -> Sequence[Row]:
        return list(rows[offset : offset + limit])

    return Report(
        name="usage",
        title=TITLE,
        columns=COLUMNS,
        count=rows.count(),
        totals=calls.aggregate(**sums),
        read=read,
        links={"member": ("member_statement", "member_id")},
    )
