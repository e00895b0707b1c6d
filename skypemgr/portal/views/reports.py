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
from django.views.decorators.http import require_safe

from credit.closing import closing_of
from credit.member_filters import searched
from members.access import MemberRequest, readers_only
from members.models import Company, Member, MemberList
from skypemgr.lib.errors import NotFound, ProductError
from skypemgr.lib.periods import utc_now
from skypemgr.lib.text import search_key, typed_search
from skypemgr.portal.downloads import FORMATS, TooLargeAtOnce, download
from skypemgr.portal.exports.files import Source
from skypemgr.portal.queries import figures
from skypemgr.portal.reports.base import Filters, Report, Rows, read_filters
from skypemgr.portal.reports.catalogue import REPORTS, read_report
from skypemgr.portal.spans import Kind, Span, find_span
from skypemgr.portal.views.report_lines import draw_lines
from skypemgr.portal.views.report_tabs import report_tabs

ROWS_SHOWN = 50
MOST_FOUND = 20


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
    found = _found_people(request, company) if report.can_choose_people else []
    if len(found) == 1:
        return redirect(f"{request.path}?{_narrowed(request, found[0])}")
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
        "lines": draw_lines(
            report,
            list(page.object_list),
            span=span,
            filters=filters,
            currency=company.currency,
            wanted=request.GET,
        ),
        "cuts": _cuts(report, span, filters),
        "tabs": report_tabs(name, span),
        "lists": _lists(company) if report.can_choose_people else [],
        "member": _member(company, filters),
        "person": request.GET.get("person", "").strip(),
        "people": [(each.name, _narrowed(request, each)) for each in found],
        "is_filtered": bool(filters.kind or filters.list_id or filters.member_id),
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
        return download(Source(company, report, span, filters, language), form=form)
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
    context = {"sentence": str(error), "tabs": report_tabs(name, None)}
    return render(request, "portal/report_refused.html", context, status=error.status)


def _cuts(report: Report, span: Span, filters: Filters) -> list[dict[str, Any]]:
    """The ways to cut the report, each with its address; the sort belongs to the present one."""
    kept = {**span.parameters, **filters.parameters}
    kept.pop("sort", None)
    present = filters.by or (report.cuts[0].value if report.cuts else "")
    return [
        {
            "label": cut.label,
            "url": f"?{urlencode({**kept, 'by': cut.value})}",
            "active": cut.value == present,
        }
        for cut in report.cuts
    ]


def _found_people(request: MemberRequest, company: Company) -> list[Member]:
    """The members whom the page is asked to look for, by name or phone; some of them if many."""
    text = typed_search(request.GET.get("person", ""))
    if not search_key(text):
        return []
    found = Member.objects.filter(searched(text), company=company)
    return list(found.only("pk", "name").order_by("name_key", "pk")[:MOST_FOUND])


def _narrowed(request: MemberRequest, member: Member) -> str:
    """The page's parameters with that member chosen."""
    query = request.GET.copy()
    for name in ("person", "page"):
        query.pop(name, None)
    query["member"] = str(member.pk)
    return query.urlencode()


def _lists(company: Company) -> list[tuple[int, str]]:
    return list(
        MemberList.objects.filter(company=company).order_by("name_key").values_list("pk", "name")
    )


def _member(company: Company, filters: Filters) -> Member | None:
    if filters.member_id is None:
        return None
    return Member.objects.filter(company=company, pk=filters.member_id).first()
