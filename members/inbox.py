"""What stands behind the bell: one's own notices. Its one rule: nobody reads another's."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db.models import QuerySet
from django.template.exceptions import TemplateDoesNotExist
from django.template.loader import render_to_string

from members.models import Member, Notice
from members.notice_choices import kind_label
from members.notices import NoticeKind
from skypemgr.lib.periods import utc_now

PAGE_SIZE = 30
_ICONS = {
    NoticeKind.RECHARGE_BLOCKED: "alert-triangle",
    NoticeKind.PURCHASE_SUCCEEDED: "circle-check",
    NoticeKind.PURCHASE_DECLINED: "circle-x",
    NoticeKind.PURCHASE_TRANSFER: "building-bank",
    NoticeKind.PURCHASE_TRANSFER_REMINDER: "hourglass",
    NoticeKind.AUTO_PURCHASE_DECLINED: "circle-x",
    NoticeKind.AUTO_PURCHASE_PAUSED: "player-pause",
    NoticeKind.AUTHENTICATION_NEEDED: "shield-check",
    NoticeKind.INVITATION_ACCEPTED: "user-plus",
    NoticeKind.INVITATION_DECLINED: "mail",
    NoticeKind.CREDIT_REQUESTED: "coins",
    NoticeKind.CREDIT_REQUEST_APPROVED: "circle-check",
    NoticeKind.CREDIT_REQUEST_DECLINED: "circle-x",
    NoticeKind.MEMBER_LEFT: "user-minus",
    NoticeKind.MEMBER_REMOVED: "user-minus",
    NoticeKind.LOW_BALANCE: "wallet",
    NoticeKind.EXPORT_READY: "download",
}


@dataclass(frozen=True, slots=True)
class InboxLine:
    """One notice in the reader's language. ``path`` is where it leads; empty: nowhere."""

    id: int
    kind: str
    icon: str
    title: str
    path: str
    at: datetime
    is_read: bool


def own_notices(member: Member) -> QuerySet[Notice]:
    """The member's notices, any order."""
    return Notice.objects.filter(member=member).exclude(kind=NoticeKind.WELCOME)


def read_inbox(
    member: Member, *, before: int | None = None, limit: int = PAGE_SIZE
) -> tuple[list[InboxLine], int | None]:
    """A page of the member's notices, newest first, and where the next one starts. One query."""
    found = own_notices(member)
    if before is not None:
        found = found.filter(pk__lt=before)
    rows = list(found.order_by("-pk")[: limit + 1])
    lines = [tell(notice, member) for notice in rows[:limit]]
    return lines, rows[limit - 1].pk if len(rows) > limit else None


def mark_read(
    member: Member, ids: Iterable[int] | None = None, *, now: datetime | None = None
) -> int:
    """The member's named notices, or all, count as read; how many did not yet."""
    waiting = own_notices(member).filter(read_at=None)
    if ids is not None:
        waiting = waiting.filter(pk__in=list(ids))
    return waiting.update(read_at=now or utc_now())


def tell(notice: Notice, member: Member) -> InboxLine:
    """The notice in words: those of its mail's subject, in the language of the page."""
    values: dict[str, Any] = {"company": member.company, "member": member, **notice.data}
    try:
        subject = str(render_to_string(f"emails/{notice.kind}.subject.txt", values))
    except TemplateDoesNotExist:
        # A kind of an older version: what it was called is better than a page that fails.
        subject = str(kind_label(notice.kind))
    return InboxLine(
        id=notice.pk,
        kind=notice.kind,
        icon=_ICONS.get(notice.kind, "bell"),  # type: ignore[call-overload]
        title=" ".join(subject.split()),
        path=_path(str(notice.data.get("url", ""))),
        at=notice.created_at,
        is_read=notice.read_at is not None,
    )


def _path(url: str) -> str:
    """The address within this site; of anything else, none."""
    path = url.removeprefix(settings.SITE_URL)
    return path if path.startswith("/") and not path.startswith(("//", "/\\")) else ""
