"""An invitation's link and state. Its one rule: only a pending one changes, under its lock."""

import hashlib
import secrets
from datetime import datetime, timedelta

from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from members.errors import InvitationGone, InvitationNotFound
from members.models import Invitation, Member

VALID_FOR = timedelta(days=30)
Status = Invitation.Status
_ANSWERED = {
    Status.ACCEPTED: _("This invitation was accepted already."),
    Status.DECLINED: _("This invitation was declined. Ask for a new one."),
    Status.REVOKED: _("This invitation was withdrawn. Ask for a new one."),
}


def new_token() -> str:
    """The secret of a link, 256 bits."""
    return secrets.token_urlsafe(32)


def hash_token(token: str) -> str:
    """All that is kept of the secret."""
    return hashlib.sha256(token.encode()).hexdigest()


def lock_invitation(which: Q) -> Invitation:
    """The invitation, locked until the transaction ends; InvitationNotFound."""
    invitation = (
        Invitation.objects.select_for_update(no_key=True, of=("self",))
        .select_related("company", "invited_by", "list")
        .filter(which)
        .first()
    )
    if invitation is None:
        raise InvitationNotFound(_("This link is not valid. Copy it whole from the message."))
    return invitation


def require_pending(invitation: Invitation) -> None:
    """Returns only if nobody answered or revoked it; InvitationGone says what happened."""
    if invitation.status != Status.PENDING:
        status = Status(invitation.status)
        raise InvitationGone(_ANSWERED[status], code=f"invitation_{status.value}")


def require_open(invitation: Invitation, now: datetime) -> None:
    """Returns only if it is pending and young enough to be accepted; else InvitationGone."""
    require_pending(invitation)
    if invitation.expires_at <= now:
        raise InvitationGone(
            _("This invitation is older than 30 days. Ask for a new one."),
            code="invitation_expired",
        )


def set_answer(
    invitation: Invitation, status: Status, now: datetime, member: Member | None = None
) -> None:
    """The locked invitation is answered or revoked; its link is worth nothing any more."""
    invitation.status = status
    invitation.answered_at = now
    invitation.member = member
    invitation.save(update_fields=["status", "answered_at", "member"])
