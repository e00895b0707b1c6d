"""The jobs about people. Its one rule: two lines each, the work is elsewhere."""

from celery import shared_task

from members import delivery, import_work, mailing, sessions


@shared_task(name="members.send_notice")
def send_notice(notice_id: int) -> None:
    """The notice was mailed, unless it was already."""
    mailing.send_notice(notice_id)


@shared_task(name="members.send_invitation")
def send_invitation(invitation_id: int) -> None:
    """The invitation was sent, unless it was already."""
    delivery.send_invitation(invitation_id)


@shared_task(name="members.send_pending_notices")
def send_pending_notices() -> None:
    """Every notice and invitation whose message got lost was mailed."""
    mailing.send_pending_notices()
    delivery.send_pending_invitations()


@shared_task(name="members.advance_import")
def advance_import(job_id: int) -> None:
    """The import was checked or carried out, unless it was already."""
    import_work.advance_import(job_id)


@shared_task(name="members.resume_imports")
def resume_imports() -> None:
    """Every import whose job got lost was taken up; rows of old ones were forgotten."""
    import_work.resume_imports()


@shared_task(name="members.forget_sessions")
def forget_sessions() -> None:
    """What was known of browsers that are signed in no more is gone."""
    sessions.forget_sessions()
