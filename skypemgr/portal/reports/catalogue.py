"""Every report by its name. Its one rule: pages, the API and files read the same one."""

from collections.abc import Callable
from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext as _

from members.models import Company
from skypemgr.lib.errors import NotFound
from skypemgr.portal.reports import allocations, purchases, statement, summary, usage
from skypemgr.portal.reports.base import Filters, Report
from skypemgr.portal.spans import Span


@dataclass(frozen=True, slots=True)
class Entry:
    """A report's title, and how it is read."""

    title: str | Promise
    read: Callable[[Company, Span, Filters], Report]


REPORTS: dict[str, Entry] = {
    "summary": Entry(summary.TITLE, summary.read_summary),
    "purchases": Entry(purchases.TITLE, purchases.read_purchases),
    "allocations": Entry(allocations.TITLE, allocations.read_allocations),
    "usage": Entry(usage.TITLE, usage.read_usage),
    "statement": Entry(statement.TITLE, statement.read_statement),
}


def read_report(name: str, company: Company, span: Span, filters: Filters | None = None) -> Report:
    """The report of that name; NotFound for another name. Its rows are read when asked for."""
    if name not in REPORTS:
        raise NotFound(_("There is no such report."), code="unknown_report")
    return REPORTS[name].read(company, span, filters or Filters())
