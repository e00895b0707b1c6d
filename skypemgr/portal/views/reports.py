"""What the months were. Its one rule: opening + in − out = closing, on every report."""

from typing import Any

from django.core.paginator import Paginator
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import get_language
from django.views.decorators.http import require_safe

from members.access import MemberRequest, readers_only
from skypemgr.lib.errors import NotFound, ProductError
from skypemgr.lib.periods import utc_now
from skypemgr.portal.downloads import FORMATS, download
from skypemgr.portal.queries import figures, reports

ROWS_SHOWN = 100
TABS = ("summary", "purchases", "allocations", "usage")


@require_safe
@readers_only
def show_reports(request: MemberRequest) -> HttpResponse:
    """Leads to the summary of the current month."""
    return redirect("report", name=TABS[0])


@require_safe
@readers_only
def show_report(request: MemberRequest, name: str) -> HttpResponse:
    """One report of one month; a month that cannot be shown is said in a sentence."""
    company = request.member.company
    try:
        month = reports.find_month(company, request.GET.get("month", ""), utc_now())
    except ProductError as error:
        return _refused(request, name, error)
    report = reports.read_report(name, company, month.first)
    page = Paginator(report.found, ROWS_SHOWN).get_page(request.GET.get("page"))
    rows = [_cells(report, row) for row in page.object_list]
    context: dict[str, Any] = {
        "company": company,
        "currency": company.currency,
        "report": report,
        "month": month,
        "strip": figures.read_strip(company, month.first),
        "page": page,
        "rows": rows,
        "totals": [
            {"form": column.form, "value": report.totals.get(column.key)}
            for column in report.shown_columns
        ],
        "tabs": _tabs(name, f"?month={month.first:%Y-%m}"),
        "by_list": reports.read_by_list(company, month.first) if name == "summary" else [],
    }
    return render(request, "portal/report.html", context)


@require_safe
@readers_only
def export_report(request: MemberRequest, name: str) -> HttpResponseBase:
    """The whole report of the month as a file, in the form ``?format=`` (csv or xlsx)."""
    company = request.member.company
    form = request.GET.get("format", "csv")
    try:
        month = reports.find_month(company, request.GET.get("month", ""), utc_now())
        report = reports.read_report(name, company, month.first)
    except ProductError as error:
        return _refused(request, name, error)
    return download(
        report,
        month=month.first,
        currency=company.currency,
        form=form if form in FORMATS else "csv",
        language=get_language() or "en",
    )


def _refused(request: MemberRequest, name: str, error: ProductError) -> HttpResponse:
    if name not in TABS:
        raise NotFound(error.message)
    context = {"sentence": str(error), "tabs": _tabs(name, "")}
    return render(request, "portal/report_refused.html", context, status=error.status)


def _cells(report: reports.Report, row: Any) -> list[dict[str, Any]]:
    return [
        {"form": column.form, "value": value}
        for column, value in zip(report.shown_columns, report.shown(row), strict=True)
    ]


def _tabs(name: str, query: str) -> list[dict[str, Any]]:
    return [
        {
            "url": reverse("report", args=(tab,)) + query,
            "label": reports.TITLES[tab],
            "active": tab == name,
        }
        for tab in TABS
    ]
