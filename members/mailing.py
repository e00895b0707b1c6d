"""Mails that carry notices. Its one rule: a notice is claimed by one job before it is mailed.

No lock is held while the mail server is spoken to: the claim is a time in the row. A job that dies
in between is followed by another after ``CLAIM``; nothing is lost, at worst a mail comes twice.
"""

import logging
from datetime import datetime, timedelta
from smtplib import SMTPException

from django.conf import settings
from django.db.models import Q

from members.addresses import best_email
from members.models import Member, Notice
from members.notice_choices import is_muted
from members.notices import NoticeKind
from members.welcome import welcome_url
from skypemgr.lib.emails import send_templated
from skypemgr.lib.periods import utc_now
from skypemgr.lib.sweeping import OneOfMany

logger = logging.getLogger(__name__)

CLAIM = timedelta(minutes=10)
GIVE_UP_AFTER = timedelta(days=3)
SWEEP_SIZE = 500


def send_notice(notice_id: int, *, now: datetime | None = None) -> bool:
    """The notice was mailed to an active or just removed member with an address; False: nothing
    to do.
    """
    present = now or utc_now()
    claimed = (
        Notice.objects.filter(pk=notice_id).filter(_open(present)).update(mail_claimed_at=present)
    )
    if not claimed:
        return False
    notice = Notice.objects.select_related("company", "member__user").get(pk=notice_id)
    if is_muted(notice.member, notice.kind):
        # It counts as told: it stands behind the bell.
        Notice.objects.filter(pk=notice_id).update(mailed_at=present)
        return False
    address = best_email(notice.member.user)
    if not address:
        return False
    try:
        _mail(notice, address)
    except (SMTPException, OSError) as error:
        logger.error("notice %s not mailed, left to the sweep: %s", notice_id, error)
        return False
    Notice.objects.filter(pk=notice_id).update(mailed_at=utc_now())
    return True


def send_pending_notices(*, now: datetime | None = None) -> int:
    """Every open notice was tried once; gives the number of mails."""
    present = now or utc_now()
    waiting = Notice.objects.filter(_open(present)).order_by("pk").values_list("pk", flat=True)
    return sum(_try(pk, present) for pk in list(waiting[:SWEEP_SIZE]))


def _try(notice_id: int, now: datetime) -> bool:
    with OneOfMany(logger, "notice %s cannot be mailed", notice_id):
        return send_notice(notice_id, now=now)
    return False


def _open(now: datetime) -> Q:
    return (
        Q(mailed_at=None, created_at__gt=now - GIVE_UP_AFTER)
        & (Q(mail_claimed_at=None) | Q(mail_claimed_at__lt=now - CLAIM))
        # Who was removed is told so.
        & (Q(member__status=Member.Status.ACTIVE) | Q(kind=NoticeKind.MEMBER_REMOVED))
    )


def _mail(notice: Notice, address: str) -> None:
    url = notice.data.get("url", "")
    if notice.kind == NoticeKind.WELCOME:
        url = welcome_url(notice.member.user)
    send_templated(
        notice.kind,
        to=address,
        language=notice.member.user.language or notice.company.language,
        context={
            **notice.data,
            "company": notice.company,
            "member": notice.member,
            "url": settings.SITE_URL + url if url.startswith("/") else url or settings.SITE_URL,
        },
    )
