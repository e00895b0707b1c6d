"""What a worker does for an import. Its one rule: every step is in the job's rows, so that a worker
that dies loses nothing and a second one does nothing twice.
"""

import logging
from datetime import datetime, timedelta

from django.core.cache import cache
from django.db import IntegrityError, transaction

from members.import_columns import values_of
from members.import_people import create_people
from members.import_verdicts import RowCode, Seen, judge_people, read_person
from members.importing import State, progress_key
from members.models import ImportJob, ImportRow, MemberList
from skypemgr.lib.periods import utc_now
from skypemgr.lib.text import search_key

logger = logging.getLogger(__name__)

CHUNK = 500
CACHE_SECONDS = 600
STALE = timedelta(minutes=2)
KEPT = timedelta(days=30)
TRIES = 3
AT_WORK = (State.CHECKING, State.IMPORTING)


class _Undone(Exception):
    """All or nothing, and one row cannot be imported any more."""


def advance_import(job_id: int) -> ImportJob:
    """The job's present steps are done; a job that has none to do is left alone."""
    job = ImportJob.objects.get(pk=job_id)
    if job.state == State.CHECKING:
        _check(job.pk)
        job.refresh_from_db()
    while job.state == State.IMPORTING:
        _import_next(job.pk)
        job.refresh_from_db()
    return job


def resume_imports(*, now: datetime | None = None) -> int:
    """Imports whose worker was lost were taken up again, the rows of old ones forgotten; gives
    the number taken up.
    """
    present = now or utc_now()
    lost = ImportJob.objects.filter(state__in=AT_WORK, touched_at__lt=present - STALE)
    ids = list(lost.order_by("pk").values_list("pk", flat=True))
    for pk in ids:
        advance_import(pk)
    old = ImportJob.objects.exclude(state__in=AT_WORK).filter(touched_at__lt=present - KEPT)
    ImportRow.objects.filter(job__in=old).delete()
    return len(ids)


def _check(job_id: int) -> None:
    """Every row has its verdict; in one transaction."""
    with transaction.atomic():
        job = ImportJob.objects.select_for_update(no_key=True).get(pk=job_id)
        if job.state != State.CHECKING:
            return
        key = progress_key(job)
        seen, done = Seen(), 0
        lists: dict[str, str] = {}
        rows = list(job.rows.order_by("line"))
        for start in range(0, len(rows), CHUNK):
            part = rows[start : start + CHUNK]
            _judge(job, part, seen, lists)
            ImportRow.objects.bulk_update(part, ["code"])
            done += len(part)
            cache.set(key, done, CACHE_SECONDS)
        known = set(
            MemberList.objects.filter(company_id=job.company_id, archived_at=None).values_list(
                "name_key", flat=True
            )
        )
        job.refused_count = sum(row.code != RowCode.OK for row in rows)
        job.new_lists = [name for name_key, name in sorted(lists.items()) if name_key not in known]
        job.state = _next_state(job)
        job.touched_at = utc_now()
        job.finished_at = job.touched_at if job.state == State.STOPPED else None
        job.save(update_fields=["refused_count", "new_lists", "state", "touched_at", "finished_at"])
    cache.delete(key)


def _judge(job: ImportJob, rows: list[ImportRow], seen: Seen, lists: dict[str, str]) -> None:
    country = job.company.country
    read = [read_person(values_of(row.cells, job.mapping), country) for row in rows]
    people = [found.person for found in read if found.person]
    known = dict(zip(map(id, people), judge_people(job.company, people), strict=True))
    for row, found in zip(rows, read, strict=True):
        code, person = found.code, found.person
        if person:
            code = known[id(person)]
            if code == RowCode.OK:
                code = seen.note(person)
            if code == RowCode.OK and person.list_name:
                lists.setdefault(search_key(person.list_name), person.list_name)
        row.code = code


def _next_state(job: ImportJob) -> str:
    if not job.starts_itself:
        return State.CHECKED
    if job.good_count and not (job.all_or_nothing and job.refused_count):
        return State.IMPORTING
    return State.STOPPED


def _import_next(job_id: int) -> None:
    """The next rows, or with all_or_nothing all of them, have accounts; the last ends the job."""
    for attempt in range(TRIES):
        try:
            with transaction.atomic():
                job = ImportJob.objects.select_for_update(no_key=True).get(pk=job_id)
                if job.state == State.IMPORTING:
                    _import_locked(job)
            return
        except IntegrityError:
            # Somebody signed up with one of the names meanwhile; the next look sees it.
            logger.warning("import %s met a new login, attempt %s", job_id, attempt + 1)
    raise RuntimeError(f"import {job_id} meets new logins again and again")


def _import_locked(job: ImportJob) -> None:
    waiting = job.rows.filter(code=RowCode.OK).order_by("line")
    rows = list(waiting if job.all_or_nothing else waiting[:CHUNK])
    try:
        with transaction.atomic():
            imported = _create(job, rows)
            if job.all_or_nothing and imported < len(rows):
                raise _Undone
    except _Undone:
        imported = 0
    refused = [row for row in rows if row.code != RowCode.IMPORTED]
    ImportRow.objects.bulk_update(refused, ["code"], batch_size=CHUNK)
    job.imported_count += imported
    job.refused_count += len(refused)
    job.touched_at = utc_now()
    if rows and not imported and job.all_or_nothing:
        job.state, job.finished_at = State.STOPPED, job.touched_at
    elif not waiting.exists():
        job.state, job.finished_at = State.DONE, job.touched_at
    job.save(
        update_fields=["imported_count", "refused_count", "state", "touched_at", "finished_at"]
    )


def _create(job: ImportJob, rows: list[ImportRow]) -> int:
    key = progress_key(job)
    imported = 0
    for start in range(0, len(rows), CHUNK):
        imported += create_people(job, rows[start : start + CHUNK])
        cache.set(key, job.imported_count + imported, CACHE_SECONDS)
    return imported
