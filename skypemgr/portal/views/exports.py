"""Files of reports: choose, watch, download. Their one rule: a file has an address of its own, to
be left and found again by its maker alone.
"""

from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from members.access import MemberRequest, administrators_only, readers_only
from members.models import MemberList
from skypemgr.lib.errors import NotAllowed, ProductError
from skypemgr.lib.periods import utc_now
from skypemgr.portal.downloads import download_written
from skypemgr.portal.exports.asking import (
    KEPT,
    cancel_export,
    find_export,
    forget_export,
    own_exports,
    request_archive,
    request_export,
)
from skypemgr.portal.exports.work import read_progress
from skypemgr.portal.forms import (
    KEPT_FILTERS,
    ExportForm,
    first_values,
    kept_filters,
    named_reports,
)
from skypemgr.portal.models import Export
from skypemgr.portal.reports.base import Filters, read_filters
from skypemgr.portal.reports.catalogue import REPORTS
from skypemgr.portal.spans import find_span

ROWS_SHOWN = 30
FAILURES = {
    "worker_lost": gettext_lazy("The work was broken off several times."),
    "took_too_long": gettext_lazy("It took too long. Choose fewer days."),
    "not_allowed": gettext_lazy("Your role does not permit reports any more."),
}


@require_http_methods(["GET", "HEAD", "POST"])
@readers_only
def new_export(request: MemberRequest) -> HttpResponse:
    """Reports to tick, days and format; a file, or several in a ZIP, is generated."""
    company = request.actor.company
    now = utc_now()
    if request.method == "POST":
        form = ExportForm(request.POST, span=find_span(company, {}, now=now))
        if form.is_valid():
            try:
                export = _generate(request, form)
            except NotAllowed:
                raise
            except ProductError as error:
                form.add_error(form.field_of(error.field), str(error))
            else:
                return redirect(f"{reverse('export', args=(export.pk,))}?new=1")
        return _show_form(request, form, status=422)
    query = request.GET.dict()
    try:
        span = find_span(company, query, now=now)
    except ProductError:
        span = find_span(company, {}, now=now)
    return _show_form(request, ExportForm(span=span, initial=first_values(span, query)))


@require_safe
@readers_only
def show_exports(request: MemberRequest) -> HttpResponse:
    """The reader's own files that are still kept."""
    page = Paginator(own_exports(request.actor), ROWS_SHOWN).get_page(request.GET.get("page"))
    rows = [(export, title_of(export)) for export in page]
    values = {"page": page, "rows": rows, "kept_days": KEPT.days}
    return render(request, "portal/exports.html", values)


@require_http_methods(["GET", "HEAD", "POST"])
@readers_only
def show_export(request: MemberRequest, pk: int) -> HttpResponse:
    """How far the file is; when it is ready, the way to it."""
    export = find_export(request.actor, pk)
    if request.method == "POST":
        if request.POST.get("action") == "delete":
            forget_export(actor=request.actor, export_id=pk)
            messages.success(request, _("The file is deleted."))
            return redirect("exports")
        cancelled = cancel_export(actor=request.actor, export_id=pk)
        if cancelled.is_ready:
            messages.info(request, _("The file was ready before it could be cancelled."))
        return redirect("export", pk)
    if request.htmx and not export.is_open:
        # It is over: the whole page is another one now.
        return HttpResponse(headers={"HX-Refresh": "true"})
    values = {
        "export": export,
        "title": title_of(export),
        "done": read_progress(export),
        "starts": export.is_ready and "new" in request.GET,
        "failure": FAILURES.get(export.failure, _("Something went wrong on our side.")),
    }
    part = "#progress" if request.htmx else ""
    return render(request, f"portal/export.html{part}", values)


@require_safe
@readers_only
def download_export(request: MemberRequest, pk: int) -> HttpResponseBase:
    """The file itself."""
    export = find_export(request.actor, pk)
    return download_written(export)


@require_http_methods(["GET", "HEAD", "POST"])
@administrators_only
def archive(request: MemberRequest) -> HttpResponse:
    """Everything of the company is put into one file by a worker."""
    if request.method == "POST":
        try:
            export = request_archive(actor=request.actor, language=get_language() or "en")
        except NotAllowed:
            raise
        except ProductError as error:
            messages.error(request, str(error))
            return redirect("archive")
        return redirect("export", export.pk)
    made = own_exports(request.actor).filter(kind=Export.Kind.ARCHIVE)
    values = {"company": request.actor.company, "made": made[:5], "kept_days": KEPT.days}
    return render(request, "portal/archive.html", values)


def title_of(export: Export) -> str:
    """What the file holds, in a few words."""
    if export.kind == Export.Kind.ARCHIVE:
        return str(Export.Kind.ARCHIVE.label)
    titles = [str(REPORTS[name].title) for name in export.reports if name in REPORTS]
    try:
        days = find_span(export.company, export.span, now=utc_now()).label
    except ProductError:
        days = " ".join(export.span.values())
    return f"{', '.join(titles)} · {days}"


def _generate(request: MemberRequest, form: ExportForm) -> Export:
    names = form.cleaned_data["reports"]
    named = named_reports(request.GET.dict())
    wanted = {**kept_filters(request.POST.dict(), names, named=named), **form.wanted}
    return request_export(
        actor=request.actor,
        names=names,
        wanted=wanted,
        form=form.cleaned_data["format"],
        language=get_language() or "en",
    )


def _show_form(request: MemberRequest, form: ExportForm, *, status: int = 200) -> HttpResponse:
    company = request.actor.company
    given = (request.POST if request.method == "POST" else request.GET).dict()
    filters = {name: given[name] for name in KEPT_FILTERS if given.get(name)}
    try:
        told = read_filters(company, filters)
    except ProductError:
        told, filters = Filters(), {}
    values: dict[str, Any] = {
        "form": form,
        "filters": filters,
        "list": MemberList.objects.filter(company=company, pk=told.list_id or 0).first(),
        "member": company.members.filter(pk=told.member_id or 0).first(),
        "kept_days": KEPT.days,
        "has_files": own_exports(request.actor).exists(),
    }
    return render(request, "portal/export_new.html", values, status=status)
