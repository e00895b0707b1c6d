"""The jobs about people. Its one rule: two lines each, the work is in ``members.mailing``."""

from celery import shared_task

from members import mailing


@shared_task(name="members.send_notice")
def send_notice(notice_id: int) -> None:
    """The notice was mailed, unless it was already."""
    mailing.send_notice(notice_id)


@shared_task(name="members.send_pending_notices")
def send_pending_notices() -> None:
    """Every notice whose message got lost was mailed."""
    mailing.send_pending_notices()
