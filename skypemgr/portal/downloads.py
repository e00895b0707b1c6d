"""Reports as files. Its one rule: a file holds the same rows and amounts as the page."""

from django.http import HttpResponseBase
from django.utils.translation import gettext as _

from skypemgr.lib.exports import Cell, csv_response, xlsx_response
from skypemgr.portal.reports.base import Report
from skypemgr.portal.spans import Span

FORMATS = ("csv", "xlsx")


def download(
    report: Report, *, span: Span, currency: str, form: str, language: str
) -> HttpResponseBase:
    """The report's rows as ``csv`` or ``xlsx``, the currency in a column of its own."""
    name = f"{report.name}-{span.slug}"
    header: list[Cell] = [*(column.label for column in report.shown_columns), _("Currency")]
    rows = ([*report.shown(row), currency] for row in report.rows())
    if form == "xlsx":
        return xlsx_response(name, header, rows, sheet=str(report.title))
    return csv_response(name, header, rows, language=language)
