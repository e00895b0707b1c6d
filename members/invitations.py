"""Inviting people and their answers.

Its one rule: the link opens the door only to a login that owns the invited address, user name or
number.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy as _

from members.access import find_list
from members.actors import Actor
from members.addresses import hold_name, owns_email, proven_emails
from members.audit import record
from members.errors import (
    AlreadyInCompany,
    InvalidField,
    InvitationForSomebodyElse,
    InvitationNotFound,
)
from members.invitation_links import (
    VALID_FOR,
    hash_token,
    lock_invitation,
    new_token,
    require_open,
    set_answer,
)
from members.joining import add_member
from members.models import Invitation, Member, User
from members.models.people import PRESENT, Role
from members.notices import NoticeKind, tell_administrators
from members.standing import hold_active_company, require_active_company
from members.verdicts import MAX_ENTRIES, Verdict, judge_entries
from skypemgr.lib.periods import utc_now
from skypemgr.lib.wake import wake

Status = Invitation.Status


@dataclass(frozen=True)
class Invited:
    """The invitations that go out, and the verdict on every entry."""

    invitations: list[Invitation]
    verdicts: list[Verdict]

    @property
    def refused(self) -> list[Verdict]:
        """The entries that are not invited."""
        return [verdict for verdict in self.verdicts if not verdict.is_ok]


def invite_members(
    *,
    actor: Actor,
    way: str,
    addresses: list[str],
    list_id: int | None = None,
    role: str = Role.MEMBER,
    language: str | None = None,
    now: datetime | None = None,
) -> Invited:
    """Every entry that can be invited has a pending invitation for 30 days; a job mails it.

    ``way`` is ``email``, ``username`` or ``phone``. Entries that cannot be invited are told in the
    answer; InvalidField when none can, when there are none or more than 500.
    """
    actor.require_administrator()
    require_active_company(actor.company)
    present = now or utc_now()
    _check_wish(way, addresses, role, language)
    member_list = find_list(actor, list_id) if list_id else None
    with transaction.atomic():
        hold_active_company(actor.company.pk)
        # Two administrators inviting the same person at once wait here for each other.
        hold_name("invite", str(actor.company.pk))
        verdicts = judge_entries(company=actor.company, way=way, entries=addresses, now=present)
        wanted = [verdict for verdict in verdicts if verdict.is_ok]
        if not wanted:
            raise InvalidField(
                _("None of these can be invited."), field="addresses", code="nobody_to_invite"
            )
        terms = {
            "role": role,
            "list": member_list,
            "language": language or actor.company.language,
            "invited_by": _inviter(actor),
            "expires_at": present + VALID_FOR,
        }
        invitations = [_open(actor, way, verdict, terms) for verdict in wanted]
        record(
            actor,
            "invite_members",
            way=way,
            invited=len(invitations),
            refused=len(verdicts) - len(wanted),
            list=list_id,
            role=role,
        )
        for invitation in invitations:
            wake("invitation.created", invitation.pk)
    return Invited(invitations=invitations, verdicts=verdicts)


def read_invitation(token: str, *, now: datetime | None = None) -> Invitation:
    """The pending invitation of this link; InvitationNotFound or InvitationGone for any other."""
    invitation = (
        Invitation.objects.select_related("company", "invited_by", "list")
        .filter(token_hash=hash_token(token))
        .first()
    )
    if invitation is None:
        raise InvitationNotFound(_("This link is not valid. Copy it whole from the message."))
    require_open(invitation, now or utc_now())
    return invitation


def waiting_invitations(user: User, *, now: datetime | None = None) -> QuerySet[Invitation]:
    """The open invitations to addresses or names that the login owns, oldest first."""
    owned = Q(way=Invitation.Way.EMAIL, address__in=proven_emails(user))
    if user.username:
        owned |= Q(way=Invitation.Way.USERNAME, address=user.username)
    if user.phone_verified:
        owned |= Q(way=Invitation.Way.PHONE, address=str(user.phone))
    return (
        Invitation.objects.select_related("company", "invited_by")
        .filter(owned, status=Status.PENDING, expires_at__gt=now or utc_now())
        .order_by("pk")
    )


def owns_invitation(user: User, invitation: Invitation) -> bool:
    """Whether the login owns the invited address, user name or number."""
    if invitation.way == Invitation.Way.EMAIL:
        return owns_email(user, invitation.address)
    if invitation.way == Invitation.Way.PHONE:
        return user.phone_verified and str(user.phone) == invitation.address
    return bool(user.username) and user.username == invitation.address


def accept_invitation(*, token: str, user: User, now: datetime | None = None) -> Member:
    """The login has a place in the company, in the invitation's list and role.

    Raises InvitationNotFound, InvitationGone, InvitationForSomebodyElse, AlreadyInCompany,
    CompanyNotActive.
    """
    return _accept(Q(token_hash=hash_token(token)), user, now or utc_now())


def accept_waiting_invitation(*, pk: int, user: User, now: datetime | None = None) -> Member:
    """As accept_invitation, for an invitation that was found by what the login owns."""
    return _accept(Q(pk=pk), user, now or utc_now())


def decline_invitation(*, token: str, now: datetime | None = None) -> Invitation:
    """The invitation is declined and the administrators told; whoever holds the link may."""
    with transaction.atomic():
        return _decline(lock_invitation(Q(token_hash=hash_token(token))), now or utc_now())


def decline_waiting_invitation(*, pk: int, user: User, now: datetime | None = None) -> Invitation:
    """As decline_invitation, for an invitation that was found by what the login owns."""
    with transaction.atomic():
        invitation = lock_invitation(Q(pk=pk))
        _require_owner(user, invitation)
        return _decline(invitation, now or utc_now())


def _check_wish(way: str, addresses: list[str], role: str, language: str | None) -> None:
    if way not in Invitation.Way.values:
        raise InvalidField(_("Choose e-mail address, user name or phone number."), field="way")
    if role not in Role.values:
        raise InvalidField(_("Choose a role from the list."), field="role")
    if language and language not in dict(settings.LANGUAGES):
        raise InvalidField(_("Choose a language from the list."), field="language")
    if not addresses:
        raise InvalidField(_("Enter at least one address or name."), field="addresses")
    if len(addresses) > MAX_ENTRIES:
        raise InvalidField(_("Invite at most 500 people at once."), field="addresses")


def _inviter(actor: Actor) -> Member:
    if actor.member:
        return actor.member
    # A command or the operator invites in the name of the first administrator.
    return Member.objects.filter(
        company=actor.company, role=Role.ADMINISTRATOR, status=Member.Status.ACTIVE
    ).order_by("pk")[0]


def _open(actor: Actor, way: str, verdict: Verdict, terms: Mapping[str, object]) -> Invitation:
    # One that expired is opened again: its row says when. The job that mails it makes the secret,
    # so that it is known to nobody else; until then no link opens it.
    invitation, _created = Invitation.objects.update_or_create(
        company=actor.company,
        way=way,
        address=verdict.address,
        status=Status.PENDING,
        defaults={
            **terms,
            "name": verdict.name,
            "token_hash": hash_token(new_token()),
            "link_shown": False,
            "sent_at": None,
            "claimed_at": None,
        },
    )
    return invitation


def _require_owner(user: User, invitation: Invitation) -> None:
    if not owns_invitation(user, invitation):
        raise InvitationForSomebodyElse(
            _(
                "This invitation is for somebody else."
                " Sign in with the invited address, name or number."
            )
        )


def _accept(which: Q, user: User, now: datetime) -> Member:
    with transaction.atomic():
        invitation = lock_invitation(which)
        _require_owner(user, invitation)
        require_open(invitation, now)
        company = invitation.company
        require_active_company(company)
        place = Member.objects.filter(user=user, status__in=PRESENT).first()
        if place and place.company_id == company.pk:
            raise AlreadyInCompany(
                _("You are already a member of this company."), code="already_member"
            )
        member_list = invitation.list
        member = add_member(
            company=company,
            user=user,
            name=user.name or invitation.name,
            role=invitation.role,
            member_list=member_list if member_list and not member_list.archived_at else None,
        )
        set_answer(invitation, Status.ACCEPTED, now, member)
        record(
            Actor.of_member(member),
            "accept_invitation",
            subject=f"invitation:{invitation.pk}",
            role=member.role,
            list=member.list_id,
        )
        tell_administrators(
            company,
            NoticeKind.INVITATION_ACCEPTED,
            key=f"invitation:{invitation.pk}:accepted",
            name=member.name,
            address=invitation.address,
            url=f"/members/{member.pk}/",
        )
    return member


def _decline(invitation: Invitation, now: datetime) -> Invitation:
    require_open(invitation, now)
    set_answer(invitation, Status.DECLINED, now)
    tell_administrators(
        invitation.company,
        NoticeKind.INVITATION_DECLINED,
        key=f"invitation:{invitation.pk}:declined",
        address=invitation.address,
        url="/members/",
    )
    return invitation
