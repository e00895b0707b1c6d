"""Imports of members: what an administrator decides. Its one rule: nothing is created before
the rows were checked. ``members.import_work`` does the work.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import BinaryIO

from django.conf import settings
from django.core.cache import cache
from django.db import transaction
from django.utils.translation import gettext_lazy as _

from members.actors import Actor
from members.audit import record
from members.errors import ImportConflict
from members.import_columns import check_mapping, guess_mapping
from members.models import ImportJob, ImportRow
from members.standing import hold_active_company, require_active_company
from skypemgr.lib.errors import NotFound
from skypemgr.lib.periods import utc_now
from skypemgr.lib.wake import wake
from skypemgr.lib.workbooks import read_upload

State = ImportJob.State


def start_import(
    *, actor: Actor, file: BinaryIO, file_name: str, now: datetime | None = None
) -> ImportJob:
    """The file's rows are stored, its columns guessed; nothing is imported yet.

    Raises UnreadableTable, CompanyNotActive.
    """
    actor.require_administrator()
    require_active_company(actor.company)
    table = read_upload(file, limit=settings.MAX_IMPORT_ROWS)
    return store_rows(
        actor=actor, file_name=file_name, header=table.header, rows=table.rows, now=now
    )


def store_rows(
    *,
    actor: Actor,
    file_name: str,
    header: Sequence[str],
    rows: Sequence[tuple[int, list[str]]],
    now: datetime | None = None,
) -> ImportJob:
    """A job with these rows waits for its columns to be named; the guess is its mapping."""
    actor.require_administrator()
    with transaction.atomic():
        job = ImportJob.objects.create(
            company=actor.company,
            created_by=actor.member,
            file_name=file_name[-255:],
            header=list(header),
            mapping=guess_mapping(header),
            rows_count=len(rows),
            touched_at=now or utc_now(),
        )
        ImportRow.objects.bulk_create(
            (
                ImportRow(company=actor.company, job=job, line=line, cells=cells)
                for line, cells in rows
            ),
            batch_size=2_000,
        )
    return job


def check_rows(
    *,
    actor: Actor,
    job_id: int,
    mapping: Mapping[str, int],
    starts_itself: bool = False,
    all_or_nothing: bool = False,
) -> ImportJob:
    """The columns are named and a worker checks every row; if it ``starts_itself`` it goes on to
    import. Raises InvalidField, ImportConflict when the work has begun.
    """
    actor.require_administrator()
    require_active_company(actor.company)
    with transaction.atomic():
        job = _lock(actor, job_id)
        hold_active_company(actor.company.pk)
        _require(job, State.MAPPING, State.CHECKED)
        check_mapping(mapping, len(job.header))
        job.mapping, job.state = dict(mapping), State.CHECKING
        job.starts_itself, job.all_or_nothing = starts_itself, all_or_nothing
        job.touched_at = utc_now()
        job.save(
            update_fields=["mapping", "state", "starts_itself", "all_or_nothing", "touched_at"]
        )
        if starts_itself:
            record(actor, "import_members", subject=f"import:{job.pk}", rows=job.rows_count)
        wake("import.wanted", job.pk)
    return job


def name_columns_again(*, actor: Actor, job_id: int) -> ImportJob:
    """A checked import waits for its columns again; ImportConflict when it has begun."""
    actor.require_administrator()
    with transaction.atomic():
        job = _lock(actor, job_id)
        _require(job, State.CHECKED)
        job.state = State.MAPPING
        job.save(update_fields=["state"])
    return job


def stop_imports(company_id: int, *, now: datetime) -> None:
    """Inside the verb's transaction: no import of the company goes on; what was imported stays."""
    running = ImportJob.objects.filter(company=company_id).exclude(
        state__in=(State.DONE, State.STOPPED)
    )
    held = running.order_by("pk").select_for_update(no_key=True).values_list("pk", flat=True)
    jobs = ImportJob.objects.filter(pk__in=list(held))
    ended = {"touched_at": now, "finished_at": now}
    jobs.filter(imported_count=0).update(state=State.STOPPED, **ended)
    jobs.filter(imported_count__gt=0).update(state=State.DONE, **ended)


def import_rows(*, actor: Actor, job_id: int, all_or_nothing: bool) -> ImportJob:
    """A worker creates the checked rows' accounts. ``all_or_nothing``: none if one is refused.

    Raises ImportConflict when it was not checked, begun before, or no row is good.
    """
    actor.require_administrator()
    require_active_company(actor.company)
    with transaction.atomic():
        job = _lock(actor, job_id)
        hold_active_company(actor.company.pk)
        _require(job, State.CHECKED)
        if not job.good_count or (all_or_nothing and job.refused_count):
            raise ImportConflict(
                _("Rows are refused: correct the file and upload it again, or skip them."),
                code="rows_refused",
            )
        job.state, job.all_or_nothing, job.touched_at = State.IMPORTING, all_or_nothing, utc_now()
        job.save(update_fields=["state", "all_or_nothing", "touched_at"])
        record(
            actor,
            "import_members",
            subject=f"import:{job.pk}",
            rows=job.rows_count,
            refused=job.refused_count,
            all_or_nothing=all_or_nothing,
        )
        wake("import.wanted", job.pk)
    return job


def discard_import(*, actor: Actor, job_id: int) -> None:
    """An import that has not begun is forgotten with its rows; ImportConflict if it has."""
    actor.require_administrator()
    with transaction.atomic():
        job = _lock(actor, job_id)
        _require(job, State.MAPPING, State.CHECKED)
        job.delete()


def find_import(actor: Actor, job_id: int) -> ImportJob:
    """The company's import; NotFound for another's."""
    found = ImportJob.objects.filter(company=actor.company, pk=job_id).first()
    if found is None:
        raise NotFound(_("There is no such import in your company."))
    return found


def read_progress(job: ImportJob) -> int:
    """How many rows the present step has behind it."""
    if job.state == State.IMPORTING:
        done = job.imported_count
    else:
        done = 0 if job.state == State.CHECKING else job.rows_count
    # What one transaction does is not seen in the table before it ends.
    return max(done, int(cache.get(progress_key(job), 0))) if job.is_at_work else done


def progress_key(job: ImportJob) -> str:
    """Where the cache keeps what a transaction that still runs has done."""
    return f"import:{job.pk}:{job.state}"


def _lock(actor: Actor, job_id: int) -> ImportJob:
    find_import(actor, job_id)
    return ImportJob.objects.select_for_update(no_key=True).get(pk=job_id)


def _require(job: ImportJob, *states: str) -> None:
    if job.state not in states:
        raise ImportConflict(_("This import is at another step by now. Look at it again."))
