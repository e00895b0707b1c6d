"""What an administrator does with invitations that wait: send again, revoke, hand over a link.

Its one rule: each of these kills the link that was there before. Only hashes are kept, so a link
can be shown once only, when it is made.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.db import transaction
from django.db.models import Q, QuerySet
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from members.actors import Actor
from members.audit import record
from members.errors import InvitationNotFound
from members.invitation_links import (
    VALID_FOR,
    Status,
    hash_token,
    lock_invitation,
    new_token,
    require_pending,
    set_answer,
)
from members.models import Invitation
from members.standing import hold_active_company, require_active_company
from skypemgr.lib.periods import utc_now
from skypemgr.lib.wake import wake


@dataclass(frozen=True)
class Changed:
    """How many invitations changed, and how many had been answered or revoked before."""

    count: int
    answered_count: int


def resend_invitations(
    *, actor: Actor, invitation_ids: Iterable[int], now: datetime | None = None
) -> Changed:
    """Those of the invitations that wait, expired ones too, go out with new links for 30 days.

    Raises InvitationNotFound if one is not the company's, CompanyNotActive.
    """
    actor.require_administrator()
    require_active_company(actor.company)
    present = now or utc_now()
    with transaction.atomic():
        hold_active_company(actor.company.pk)
        invitations, answered = _lock_waiting(actor, invitation_ids)
        for invitation in invitations:
            _renew(invitation, new_token(), present)
            wake("invitation.created", invitation.pk)
        return _record(actor, "resend_invitations", invitations, answered)


def revoke_invitations(
    *, actor: Actor, invitation_ids: Iterable[int], now: datetime | None = None
) -> Changed:
    """Those of the invitations that wait are revoked: their links are worth nothing any more.

    Raises InvitationNotFound if one is not the company's.
    """
    actor.require_administrator()
    with transaction.atomic():
        invitations, answered = _lock_waiting(actor, invitation_ids)
        for invitation in invitations:
            set_answer(invitation, Status.REVOKED, now or utc_now())
        return _record(actor, "revoke_invitations", invitations, answered)


def end_invitations(company_id: int, *, now: datetime) -> int:
    """Inside the verb's transaction: no link to the company is worth anything; how many waited."""
    waiting = Invitation.objects.filter(company=company_id, status=Status.PENDING).order_by("pk")
    held = list(waiting.select_for_update(no_key=True).values_list("pk", flat=True))
    return Invitation.objects.filter(pk__in=held).update(status=Status.REVOKED, answered_at=now)


def resend_invitation(*, actor: Actor, invitation: Invitation) -> Invitation:
    """As resend_invitations for one; InvitationGone when it was answered or revoked."""
    actor.require_administrator()
    require_pending(invitation)
    resend_invitations(actor=actor, invitation_ids=[invitation.pk])
    return Invitation.objects.get(pk=invitation.pk)


def revoke_invitation(*, actor: Actor, invitation: Invitation) -> None:
    """The pending invitation's link is worth nothing any more; InvitationGone if it was before."""
    actor.require_administrator()
    with transaction.atomic():
        locked = lock_invitation(Q(pk=invitation.pk, company=actor.company))
        require_pending(locked)
        set_answer(locked, Status.REVOKED, utc_now())
        record(actor, "revoke_invitation", subject=f"invitation:{locked.pk}")


def make_link(
    *, actor: Actor, invitation: Invitation, now: datetime | None = None
) -> tuple[Invitation, str]:
    """The pending invitation has a new link for 30 days, which no message carries; gives its
    address. It still opens only to a login that owns the invited address, name or number.

    Raises InvitationGone, CompanyNotActive.
    """
    actor.require_administrator()
    require_active_company(actor.company)
    present = now or utc_now()
    token = new_token()
    with transaction.atomic():
        hold_active_company(actor.company.pk)
        locked = lock_invitation(Q(pk=invitation.pk, company=actor.company))
        require_pending(locked)
        _renew(locked, token, present, shown=True)
        record(actor, "make_link", subject=f"invitation:{locked.pk}")
    return locked, settings.SITE_URL + reverse("invitation", args=[token])


def _lock_waiting(actor: Actor, invitation_ids: Iterable[int]) -> tuple[list[Invitation], int]:
    wanted = set(invitation_ids)
    found: QuerySet[Invitation] = Invitation.objects.filter(company=actor.company, pk__in=wanted)
    locked = list(found.select_for_update(no_key=True).order_by("pk"))
    if len(locked) < len(wanted):
        raise InvitationNotFound(_("There is no such invitation in your company."))
    waiting = [invitation for invitation in locked if invitation.status == Status.PENDING]
    return waiting, len(locked) - len(waiting)


def _renew(invitation: Invitation, token: str, now: datetime, *, shown: bool = False) -> None:
    # Without a time of sending the job that sends it makes a secret of its own.
    invitation.token_hash = hash_token(token)
    invitation.link_shown = shown
    invitation.expires_at = now + VALID_FOR
    invitation.claimed_at = None
    invitation.sent_at = now if shown else None
    invitation.save(
        update_fields=["token_hash", "link_shown", "expires_at", "claimed_at", "sent_at"]
    )


def _record(actor: Actor, verb: str, invitations: list[Invitation], answered: int) -> Changed:
    if invitations:
        record(actor, verb, count=len(invitations), answered=answered)
    return Changed(len(invitations), answered)
