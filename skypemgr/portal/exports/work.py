"""What is done to write a file. Its one rule: only the last worker that took an export up may
finish it, so that one that was lost or cancelled leaves nothing behind.

All rows are read in one snapshot of the database. So a worker says in the cache how far it is; if
the cache forgets, at worst a file is written twice and one of the two thrown away.
"""

import logging
import tempfile
import time
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import IO

from billiard.exceptions import SoftTimeLimitExceeded
from django.core.cache import cache
from django.core.files import File
from django.core.files.storage import default_storage
from django.db import transaction
from django.utils import translation

from members.models import Member
from members.models.people import Role
from members.notices import NoticeKind, tell_member
from skypemgr.lib.copying import one_snapshot
from skypemgr.lib.errors import ProductError
from skypemgr.lib.periods import utc_now
from skypemgr.portal.exports.archive import write_archive
from skypemgr.portal.exports.files import Tick, write_reports
from skypemgr.portal.models import Export

logger = logging.getLogger(__name__)

State = Export.State
OPEN = (State.WAITING, State.RUNNING)
READERS = (Role.ADMINISTRATOR, Role.FINANCE)
STALE = timedelta(minutes=2)
HEARTBEAT_SECONDS = 120
NOTED_EVERY_SECONDS = 0.5
TRIES = 3
SWEPT_AT_ONCE = 200
SWEEP_SECONDS = 30


class _Stopped(Exception):
    """It was cancelled, or another worker goes on with it."""


def advance_export(
    export_id: int, *, tells: bool = True, now: datetime | None = None
) -> Export | None:
    """The export is ready, or failed; one that is over or in other hands is left alone. None for
    one that was deleted meanwhile.
    """
    export = _claim(export_id, now or utc_now())
    if export is not None:
        try:
            _write(export, tells=tells)
        except _Stopped:
            _delete_files(export)
        except ProductError as error:
            _fail(export, error.code)
        except SoftTimeLimitExceeded:
            _fail(export, "took_too_long")
        except Exception:
            logger.exception("export %s cannot be written", export.pk)
            _fail(export, "error")
    return Export.objects.filter(pk=export_id).first()


def resume_exports(*, now: datetime | None = None) -> int:
    """Exports whose message or worker was lost were taken up, those whose time is over deleted
    with their files; gives the number taken up. Once it has lasted a while, the next sweep goes on:
    each file is to have a job's whole time.
    """
    present, began_at = now or utc_now(), time.monotonic()
    delete_exports(Export.objects.filter(expires_at__lte=present)[:SWEPT_AT_ONCE])
    waiting = Export.objects.filter(state__in=OPEN, touched_at__lt=present - STALE).order_by("pk")
    count = 0
    for export in waiting[:SWEPT_AT_ONCE]:
        if count and time.monotonic() - began_at > SWEEP_SECONDS:
            break
        if not _is_alive(export):
            advance_export(export.pk, now=now)
            count += 1
    return count


def delete_exports(exports: Iterable[Export]) -> None:
    """The exports and their files are gone."""
    for export in exports:
        _delete_files(export)
        export.delete()


def read_progress(export: Export) -> int:
    """How many rows are written."""
    if export.state != State.RUNNING:
        return export.total_count if export.is_ready else 0
    return min(int(cache.get(_key(export), 0)), export.total_count)


def note_cancelled(export_id: int) -> None:
    """Whoever writes it stops at the next rows."""
    cache.set(_stop_key(export_id), True, HEARTBEAT_SECONDS)


def _claim(export_id: int, now: datetime) -> Export | None:
    with transaction.atomic():
        export = Export.objects.select_for_update(no_key=True).filter(pk=export_id).first()
        is_lost = export is not None and export.touched_at < now - STALE and not _is_alive(export)
        if export is None or not (
            export.state == State.WAITING or (export.state == State.RUNNING and is_lost)
        ):
            return None
        export.state = State.RUNNING if export.attempt < TRIES else State.FAILED
        export.failure = "" if export.attempt < TRIES else "worker_lost"
        export.attempt += 1
        export.touched_at = now
        export.save(update_fields=["state", "failure", "attempt", "touched_at"])
        cache.set(_key(export), 0, HEARTBEAT_SECONDS)
    if export.state == State.RUNNING:
        return export
    _delete_files(export)
    return None


def _write(export: Export, *, tells: bool) -> None:
    _require_reader(export)
    tick = _ticker(export)
    with tempfile.TemporaryFile() as file, translation.override(export.language):
        with one_snapshot():
            written = _content(export, file, tick)
        size = file.tell()
        file.seek(0)
        _delete_files(export)
        stored_as = default_storage.save(_place(export, export.attempt), File(file))
    with transaction.atomic():
        held = Export.objects.select_for_update(no_key=True).filter(pk=export.pk).first()
        if held is None or held.state != State.RUNNING or held.attempt != export.attempt:
            raise _Stopped
        held.state = State.READY
        held.stored_as, held.file_name, held.size_bytes = stored_as, written, size
        held.done_count = held.total_count
        held.touched_at = held.ready_at = utc_now()
        held.save(
            update_fields=[
                *("state", "stored_as", "file_name", "size_bytes", "done_count"),
                *("touched_at", "ready_at"),
            ]
        )
        if tells:
            tell_member(
                held.made_by,
                NoticeKind.EXPORT_READY,
                key=f"export:{held.pk}",
                file=written,
                url=f"/reports/exports/{held.pk}/",
            )


def _content(export: Export, file: IO[bytes], tick: Tick) -> str:
    if export.kind == Export.Kind.ARCHIVE:
        return write_archive(export, file, tick)
    return write_reports(export, file, tick)


def _require_reader(export: Export) -> None:
    """The maker may have lost the role since: then there is nothing to write."""
    member = export.made_by
    roles = (Role.ADMINISTRATOR,) if export.kind == Export.Kind.ARCHIVE else READERS
    if member.status != Member.Status.ACTIVE or member.role not in roles:
        raise _Refused


class _Refused(ProductError):
    """The maker may not read reports any more."""

    code = "not_allowed"

    def __init__(self) -> None:
        super().__init__(self.code)


def _ticker(export: Export) -> Tick:
    """Says now and then how many rows are written, and looks whether to stop."""
    noted_at, done = time.monotonic(), 0

    def tick(count: int) -> None:
        nonlocal noted_at, done
        done += count
        if time.monotonic() - noted_at < NOTED_EVERY_SECONDS:
            return
        noted_at = time.monotonic()
        cache.set(_key(export), done, HEARTBEAT_SECONDS)
        if cache.get(_stop_key(export.pk)):
            raise _Stopped

    return tick


def _fail(export: Export, code: str) -> None:
    Export.objects.filter(pk=export.pk, state=State.RUNNING, attempt=export.attempt).update(
        state=State.FAILED, failure=code[:40], touched_at=utc_now()
    )
    _delete_files(export)


def _delete_files(export: Export) -> None:
    """What its workers stored so far is gone, also what one left that was lost half-way."""
    if export.stored_as:
        default_storage.delete(export.stored_as)
    for attempt in range(1, export.attempt + 1):
        default_storage.delete(_place(export, attempt))


def _place(export: Export, attempt: int) -> str:
    return f"exports/{export.company_id}/{export.pk}-{attempt}"


def _is_alive(export: Export) -> bool:
    return export.state == State.RUNNING and cache.get(_key(export)) is not None


def _key(export: Export) -> str:
    return f"export:{export.pk}:{export.attempt}"


def _stop_key(export_id: int) -> str:
    return f"export:{export_id}:stop"
