"""Importing members from a file: upload, columns, verdicts, progress, result.

Their one rule: every step is a page of the job's own address, to be left and found again.
"""

from typing import Any

from django import forms
from django.contrib import messages
from django.core.paginator import Paginator
from django.http import FileResponse, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from members.access import MemberRequest, active_company_only, administrators_only
from members.forms import ImportChoiceForm, ImportColumnsForm, ImportFileForm
from members.import_columns import TEMPLATE
from members.import_verdicts import RowCode
from members.importing import (
    State,
    check_rows,
    discard_import,
    find_import,
    import_rows,
    name_columns_again,
    read_progress,
    start_import,
)
from members.models import ImportJob
from skypemgr.lib.errors import NotFound, ProductError
from skypemgr.lib.exports import Row, csv_response, xlsx_response

SHOWN_JOBS = 10
PAGE_SIZE = 100
GOOD = (RowCode.OK, RowCode.IMPORTED)
EXAMPLE = ("bob@acme.example", "Bob Martin", "bob.martin", "+33 6 12 31 12 65", "", "member")


@administrators_only
@active_company_only
@require_http_methods(["GET", "POST"])
def upload_file(request: MemberRequest) -> HttpResponse:
    """A file to drop, and the imports there were."""
    posted = request.method == "POST"
    form = ImportFileForm(request.POST, request.FILES) if posted else ImportFileForm()
    if posted and form.is_valid():
        file = form.cleaned_data["file"]
        try:
            job = start_import(actor=request.actor, file=file.file, file_name=file.name)
        except ProductError as error:
            form.add_error("file", str(error))
        else:
            return redirect("import", job.pk)
    jobs = ImportJob.objects.filter(company=request.actor.company).select_related("created_by")
    values = {"form": form, "jobs": jobs.order_by("-pk")[:SHOWN_JOBS]}
    return render(request, "members/import.html", values, status=422 if posted else 200)


@administrators_only
@require_http_methods(["GET", "POST"])
def show_import(request: MemberRequest, pk: int) -> HttpResponse:
    """The job at its present step."""
    job = find_import(request.actor, pk)
    if request.method == "POST":
        return _act(request, job)
    if request.htmx:
        return _show_progress(request, job)
    return _show(request, job)


@administrators_only
@require_safe
def download_template(request: MemberRequest, form: str) -> HttpResponseBase:
    """An empty table with the columns' names and one example."""
    example = (*EXAMPLE, "", "")
    return _table("members-template", TEMPLATE, [example], form)


@administrators_only
@require_safe
def download_result(request: MemberRequest, pk: int, form: str) -> HttpResponseBase:
    """The file's rows with what became of each."""
    job = find_import(request.actor, pk)
    header = (_("Line"), _("Result"), _("Code"), *job.header)
    rows = job.rows.order_by("line").values_list("line", "code", "cells")
    table = (
        (line, RowCode(code).label if code else "", code, *cells) for line, code, cells in rows
    )
    return _table(f"import-{job.pk}", header, table, form)


def _table(name: str, header: Row, rows: Any, form: str) -> HttpResponseBase:
    if form == "xlsx":
        answer: FileResponse = xlsx_response(name, header, rows, sheet=_("Members"))
        return answer
    if form != "csv":
        raise NotFound(_("There is no such file."))
    return csv_response(name, header, rows, language=get_language() or "en")


def _act(request: MemberRequest, job: ImportJob) -> HttpResponse:
    action = request.POST.get("action", "")
    form: forms.Form | None = None
    try:
        if action == "discard":
            discard_import(actor=request.actor, job_id=job.pk)
            messages.success(request, _("The file is forgotten; nothing was imported."))
            return redirect("imports")
        if action == "columns":
            name_columns_again(actor=request.actor, job_id=job.pk)
        elif action == "check":
            form = ImportColumnsForm(request.POST, job=job)
            if not form.is_valid():
                return _show(request, job, form)
            check_rows(actor=request.actor, job_id=job.pk, mapping=form.mapping())
        elif action == "import":
            form = ImportChoiceForm(request.POST)
            if not form.is_valid():
                return _show(request, job, form)
            whole = form.cleaned_data["mode"] == "all"
            import_rows(actor=request.actor, job_id=job.pk, all_or_nothing=whole)
    except NotFound:
        raise
    except ProductError as error:
        if form is None:
            messages.error(request, str(error))
            return redirect("import", job.pk)
        form.add_error(error.field if error.field in form.fields else None, str(error))
        job.refresh_from_db()
        return _show(request, job, form)
    return redirect("import", job.pk)


def _show_progress(request: MemberRequest, job: ImportJob) -> HttpResponse:
    if not job.is_at_work:
        # The step is over: the whole page is another one now.
        return HttpResponse(headers={"HX-Refresh": "true"})
    values = {"job": job, "done": read_progress(job)}
    return render(request, "members/import_job.html#progress", values)


def _show(request: MemberRequest, job: ImportJob, form: forms.Form | None = None) -> HttpResponse:
    rows = job.rows.order_by("line")
    values: dict[str, Any] = {"job": job, "done": read_progress(job)}
    if job.state == State.MAPPING:
        fits = isinstance(form, ImportColumnsForm)
        values["form"] = form if fits else ImportColumnsForm(job=job)
        values["sample"] = rows[:3]
    elif not job.is_at_work:
        only_refused = bool(job.refused_count) and request.GET.get("rows") != "all"
        shown = rows.exclude(code__in=GOOD) if only_refused else rows
        page = Paginator(shown.select_related("member"), PAGE_SIZE).get_page(
            request.GET.get("page")
        )
        told = [(row, RowCode(row.code).label if row.code else "") for row in page]
        values |= {"page": page, "told": told, "only_refused": only_refused}
        if job.state == State.CHECKED:
            initial = {"mode": "skip" if job.refused_count else "all"}
            fits = isinstance(form, ImportChoiceForm)
            values["form"] = form if fits else ImportChoiceForm(initial=initial)
    status = 422 if form is not None else 200
    return render(request, "members/import_job.html", values, status=status)
