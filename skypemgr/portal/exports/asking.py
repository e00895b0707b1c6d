"""Files that somebody asks for: ask, look, cancel, forget. Its one rule: a file is its maker's
alone, and only while the maker's role may read reports.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import IO, NoReturn

from django.core.files.storage import default_storage
from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from members.actors import Actor
from members.audit import record
from members.models import Member
from members.models.people import Role
from skypemgr.lib.errors import Conflict, NotAllowed, NotFound, ProductError
from skypemgr.lib.periods import utc_now
from skypemgr.lib.wake import wake
from skypemgr.portal.exports import work
from skypemgr.portal.exports.archive import count_tables
from skypemgr.portal.models import Export
from skypemgr.portal.reports.base import read_filters
from skypemgr.portal.reports.catalogue import REPORTS, read_report
from skypemgr.portal.spans import find_span

State = Export.State
KEPT = timedelta(days=30)
MOST_OPEN = 5
# What is written while one waits, a second at most; a page is drawn more slowly than a line.
SMALL_ROWS = {"csv": 5_000, "json": 5_000, "xlsx": 3_000, "pdf": 500}
# A PDF is for reading; more rows than these are for a program.
MOST_PDF_ROWS = 20_000
FORMS = tuple(Export.Form.values)


class InvalidExport(ProductError):
    """There is no such file."""

    code = "invalid_export"


class TooManyExports(Conflict):
    """The member's other files are to be ready first."""

    code = "too_many_exports"


def request_export(
    *,
    actor: Actor,
    names: Sequence[str],
    wanted: Mapping[str, str],
    form: str,
    language: str,
    now: datetime | None = None,
) -> Export:
    """The named reports are written to one file, or several in a ZIP: at once if there is little
    to write, else by a worker. ``wanted``: days and filters as in a report's address. Asked for
    again while it is being written, the first one is given.

    Raises NotAllowed, InvalidExport, TooManyExports, and whatever the reports refuse.
    """
    member = require_reader(actor)
    present = now or utc_now()
    if form not in FORMS:
        raise InvalidExport(
            _("Choose CSV, Excel, PDF or JSON."), field="format", code="invalid_format"
        )
    chosen = _known(names)
    span = find_span(actor.company, wanted, now=present)
    filters = read_filters(actor.company, wanted)
    counts = [read_report(name, actor.company, span, filters).count for name in chosen]
    if form == "pdf" and max(counts) > MOST_PDF_ROWS:
        raise InvalidExport(
            _("A PDF holds at most %(count)s rows. Choose CSV or Excel, or fewer days.")
            % {"count": MOST_PDF_ROWS},
            field="format",
            code="too_many_rows",
        )
    export = Export(
        company=actor.company,
        made_by=member,
        reports=chosen,
        span=span.parameters,
        filters=filters.parameters,
        form=form,
        language=language,
        total_count=sum(counts),
    )
    is_small = sum(counts) <= SMALL_ROWS[form]
    asked = _put(export, present, wakes=not is_small)
    if not is_small:
        return asked
    return work.advance_export(asked.pk, tells=False, now=now) or _deleted()


def request_archive(*, actor: Actor, language: str, now: datetime | None = None) -> Export:
    """Everything of the company is written to one ZIP by a worker.

    Raises NotAllowed for anybody but an administrator, TooManyExports.
    """
    actor.require_administrator()
    present = now or utc_now()
    export = Export(
        company=actor.company,
        made_by=require_reader(actor),
        kind=Export.Kind.ARCHIVE,
        form=Export.Form.CSV,
        language=language,
        total_count=count_tables(actor.company, now=present),
    )
    with transaction.atomic():
        asked = _put(export, present, wakes=True)
        if asked is export:
            record(actor, "export_company", subject=f"export:{asked.pk}")
    return asked


def cancel_export(*, actor: Actor, export_id: int) -> Export:
    """The file is not written any more; one that is ready or over stays as it is."""
    export = find_export(actor, export_id)
    stopped = Export.objects.filter(pk=export.pk, state__in=work.OPEN).update(
        state=State.CANCELLED, touched_at=utc_now()
    )
    if stopped:
        work.note_cancelled(export.pk)
    return Export.objects.filter(pk=export.pk).first() or _deleted()


def forget_export(*, actor: Actor, export_id: int) -> None:
    """The file is gone, one that is being written is not written any more."""
    work.delete_exports([cancel_export(actor=actor, export_id=export_id)])


def own_exports(actor: Actor, *, now: datetime | None = None) -> QuerySet[Export]:
    """The actor's own files that are still kept, newest first.

    An archive is no more the maker's who is no administrator any more.
    """
    member = require_reader(actor)
    kept = Export.objects.filter(
        company=actor.company, made_by=member, expires_at__gt=now or utc_now()
    ).order_by("-pk")
    return kept if actor.role == Role.ADMINISTRATOR else kept.exclude(kind=Export.Kind.ARCHIVE)


def find_export(actor: Actor, export_id: int, *, now: datetime | None = None) -> Export:
    """The actor's own file; NotFound for anybody else's, and for one whose time is over."""
    return own_exports(actor, now=now).filter(pk=export_id).first() or _deleted()


def open_file(export: Export) -> IO[bytes]:
    """The file to read; NotFound while there is none, or if the storage has lost it."""
    if export.is_ready:
        try:
            opened: IO[bytes] = default_storage.open(export.stored_as)
            return opened
        except FileNotFoundError:
            pass
    raise NotFound(_("This file is not there. Generate it again."), code="no_file")


def require_reader(actor: Actor) -> Member:
    """The acting member, if the role may read reports; else NotAllowed."""
    actor.require(Role.ADMINISTRATOR, Role.FINANCE)
    if actor.member is None:
        raise NotAllowed(_("Files belong to the member who asks for them."))
    return actor.member


def _deleted() -> NoReturn:
    """There is none, or somebody deleted it just now."""
    raise NotFound(_("There is no such file of yours."), code="unknown_export")


def _known(names: Sequence[str]) -> list[str]:
    """The chosen reports in the order of the tabs, each once."""
    if not names:
        raise InvalidExport(
            _("Choose at least one report."), field="reports", code="no_report_chosen"
        )
    if not set(names) <= set(REPORTS):
        raise InvalidExport(_("There is no such report."), field="reports", code="unknown_report")
    return [name for name in REPORTS if name in names]


def _put(export: Export, now: datetime, *, wakes: bool) -> Export:
    """The row stands there, unless the same one is open already, which is given instead."""
    with transaction.atomic():
        # One after the other, so that two wishes at once are not both the last that is allowed.
        Member.objects.select_for_update(no_key=True).get(pk=export.made_by_id)
        opened = Export.objects.filter(made_by=export.made_by, state__in=work.OPEN)
        same = opened.filter(
            kind=export.kind,
            reports=export.reports,
            span=export.span,
            filters=export.filters,
            form=export.form,
            language=export.language,
        ).first()
        if same is not None:
            return same
        if opened.count() >= MOST_OPEN:
            raise TooManyExports(
                _("%(count)s files of yours are being written. Wait for one, or cancel one.")
                % {"count": MOST_OPEN}
            )
        export.created_at = export.touched_at = now
        export.expires_at = now + KEPT
        export.save()
        if wakes:
            wake("export.wanted", export.pk)
    return export
