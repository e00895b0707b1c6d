"""What moved in a month, a year or some days. Its one rule: opening + in − out = closing, on every
report.
"""

from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from credit.closing import closing_of
from members.access import MemberRequest, readers_only
from members.models import Company, Member, MemberList
from skypemgr.lib.errors import NotFound, ProductError
from skypemgr.lib.periods import utc_now
from skypemgr.portal.downloads import FORMATS, TooLargeAtOnce, download
from skypemgr.portal.queries import figures
from skypemgr.portal.reports.base import Column, Filters, Report, Row, Rows, read_filters
from skypemgr.portal.reports.catalogue import REPORTS, read_report
from skypemgr.portal.spans import Kind, Span, find_span

ROWS_SHOWN = 50


@require_safe
@readers_only
def show_reports(request: MemberRequest) -> HttpResponse:
    """Leads to the summary of the current month."""
    return redirect("report", name="summary")


@require_safe
@readers_only
def show_report(request: MemberRequest, name: str) -> HttpResponse:
    """One report of one span; what cannot be shown is said in a sentence."""
    company = request.member.company
    try:
        span, filters = _wanted(request, company)
        report = read_report(name, company, span, filters)
    except ProductError as error:
        return _refused(request, name, error)
    page = Paginator(Rows(report), ROWS_SHOWN).get_page(request.GET.get("page"))
    strip = figures.read_strip(company, span.first, span.last)
    context: dict[str, Any] = {
        "company": company,
        "currency": company.currency,
        "report": report,
        "span": span,
        "closing": closing_of(company, span.first) if span.kind == Kind.MONTH else None,
        "filters": filters,
        "query": urlencode({**span.parameters, **filters.parameters}),
        "filter_query": urlencode(filters.parameters),
        "strip": strip,
        "page": page,
        "rows": [_cells(report, row) for row in page.object_list],
        "heads": [_head(report, column, filters) for column in report.shown_columns],
        "totals": [
            {"form": column.form, "value": report.totals.get(column.key)}
            for column in report.shown_columns
        ],
        "tabs": _tabs(name, span),
        "lists": _lists(company) if report.can_choose_people else [],
        "member": _member(company, filters),
    }
    return render(request, "portal/report.html", context)


@require_safe
@readers_only
def export_report(request: MemberRequest, name: str) -> HttpResponseBase:
    """The whole report as a file, in the form ``?format=`` (csv, xlsx or pdf); one that takes
    longer is left to a worker.
    """
    company = request.member.company
    wanted = request.GET.get("format", "csv")
    form = wanted if wanted in FORMATS else "csv"
    try:
        span, filters = _wanted(request, company)
        report = read_report(name, company, span, filters)
        language = get_language() or "en"
        return download(report, company=company, span=span, form=form, language=language)
    except TooLargeAtOnce as error:
        messages.info(request, str(error))
        query = {**span.parameters, **filters.parameters, "reports": name, "format": form}
        return redirect(f"{reverse('export_new')}?{urlencode(query)}")
    except ProductError as error:
        return _refused(request, name, error)


def _wanted(request: MemberRequest, company: Company) -> tuple[Span, Filters]:
    wanted = request.GET.dict()
    return find_span(company, wanted, now=utc_now()), read_filters(company, wanted)


def _refused(request: MemberRequest, name: str, error: ProductError) -> HttpResponse:
    if name not in REPORTS:
        raise NotFound(error.message)
    context = {"sentence": str(error), "tabs": _tabs(name, None)}
    return render(request, "portal/report_refused.html", context, status=error.status)


def _head(report: Report, column: Column, filters: Filters) -> dict[str, Any]:
    """The head of a column; ``sort`` is empty where the rows cannot be sorted by it."""
    is_sorted = bool(report.sorts) and column.key == (filters.sort or report.sorts[0])
    sort = column.key if column.key in report.sorts else ""
    return {"label": column.label, "form": column.form, "sort": sort, "is_sorted": is_sorted}


def _cells(report: Report, row: Row) -> list[dict[str, Any]]:
    """What stands in the cells of a line, and where they lead."""
    values = dict(zip((column.key for column in report.columns), row, strict=True))
    return [
        {"form": column.form, "value": value, "url": _link(report, column.key, values)}
        for column, value in zip(report.shown_columns, report.shown(row), strict=True)
    ]


def _link(report: Report, key: str, values: dict[str, Any]) -> str:
    if key not in report.links:
        return ""
    page, number = report.links[key]
    return reverse(page, args=(values[number],)) if values[number] else ""


def _lists(company: Company) -> list[tuple[int, str]]:
    return list(
        MemberList.objects.filter(company=company).order_by("name_key").values_list("pk", "name")
    )


def _member(company: Company, filters: Filters) -> Member | None:
    if filters.member_id is None:
        return None
    return Member.objects.filter(company=company, pk=filters.member_id).first()


def _tabs(name: str, span: Span | None) -> list[dict[str, Any]]:
    query = f"?{span.query}" if span else ""
    until = f"?until={span.last}" if span and not span.is_running else ""
    statement = {"url": reverse("company_statement") + until, "label": _("Statement")}
    tabs = [
        {
            "url": reverse("report", args=(tab,)) + query,
            "label": entry.title,
            "active": tab == name,
        }
        for tab, entry in REPORTS.items()
    ]
    return [*tabs, {**statement, "active": False}]
