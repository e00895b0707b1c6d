"""Which notices one gets by mail. Its one rule: what concerns money going wrong, or the way into an
account, is always mailed; a kind that nobody named here is too.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from django.db import transaction
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from members.actors import Actor
from members.audit import record
from members.errors import InvalidField
from members.models import Member, MutedNotice
from members.models.people import Role
from members.notices import NoticeKind
from skypemgr.lib.errors import NotAllowed

_READERS = (Role.ADMINISTRATOR, Role.FINANCE)
_ADMINISTRATORS = (Role.ADMINISTRATOR,)
_EVERYBODY = tuple(Role)
# What each kind tells, and who can get it. WELCOME is a link to an account, no news.
_KINDS: dict[NoticeKind, tuple[Promise, tuple[str, ...]]] = {
    NoticeKind.CREDIT_REQUESTED: (_("A member asks for credit"), _ADMINISTRATORS),
    NoticeKind.INVITATION_ACCEPTED: (_("An invitation was accepted"), _ADMINISTRATORS),
    NoticeKind.INVITATION_DECLINED: (_("An invitation was declined"), _ADMINISTRATORS),
    NoticeKind.MEMBER_LEFT: (_("A member has left"), _ADMINISTRATORS),
    NoticeKind.PURCHASE_SUCCEEDED: (_("A payment was received"), _ADMINISTRATORS),
    NoticeKind.CREDIT_REQUEST_APPROVED: (_("My request for credit is granted"), _EVERYBODY),
    NoticeKind.CREDIT_REQUEST_DECLINED: (_("My request for credit is declined"), _EVERYBODY),
    NoticeKind.LOW_BALANCE: (_("The company's balance is low"), _READERS),
    NoticeKind.RECHARGE_BLOCKED: (_("Members wait for a recharge"), _ADMINISTRATORS),
    NoticeKind.PURCHASE_DECLINED: (_("A payment was declined"), _ADMINISTRATORS),
    NoticeKind.PURCHASE_TRANSFER: (_("How to pay by bank transfer"), _ADMINISTRATORS),
    NoticeKind.PURCHASE_TRANSFER_REMINDER: (_("A bank transfer is still awaited"), _ADMINISTRATORS),
    NoticeKind.AUTO_PURCHASE_DECLINED: (
        _("The company's auto-recharge was declined"),
        _ADMINISTRATORS,
    ),
    NoticeKind.AUTO_PURCHASE_PAUSED: (
        _("The company's auto-recharge is paused"),
        _ADMINISTRATORS,
    ),
    NoticeKind.AUTHENTICATION_NEEDED: (_("The bank wants a confirmation"), _ADMINISTRATORS),
    NoticeKind.PAYER_GONE: (_("Somebody whose card is used has gone"), _ADMINISTRATORS),
    NoticeKind.PAYMENT_METHOD_GONE: (
        _("What auto-recharge paid with was removed"),
        _ADMINISTRATORS,
    ),
    NoticeKind.PAYMENT_METHOD_EXPIRES: (_("A saved card expires soon"), _ADMINISTRATORS),
    NoticeKind.RENEWALS_SOON: (_("Features renew soon"), _ADMINISTRATORS),
    NoticeKind.RENEWALS_UNPAID: (_("Features could not be renewed"), _ADMINISTRATORS),
    NoticeKind.PLAN_DISCONTINUED: (_("A plan is not offered any more"), _ADMINISTRATORS),
    NoticeKind.FEATURES_ENDED: (_("Features have ended"), _ADMINISTRATORS),
    NoticeKind.EXPORT_READY: (_("A file is ready to download"), _READERS),
    NoticeKind.COMPANY_CLOSED: (_("The company is closed"), _EVERYBODY),
    NoticeKind.MEMBER_REMOVED: (_("My place in the company has ended"), _EVERYBODY),
}
OPTIONAL = frozenset(
    {
        NoticeKind.CREDIT_REQUESTED,
        NoticeKind.INVITATION_ACCEPTED,
        NoticeKind.INVITATION_DECLINED,
        NoticeKind.MEMBER_LEFT,
        NoticeKind.RENEWALS_SOON,
        NoticeKind.PURCHASE_SUCCEEDED,
        NoticeKind.CREDIT_REQUEST_APPROVED,
        NoticeKind.CREDIT_REQUEST_DECLINED,
        NoticeKind.EXPORT_READY,
    }
)


@dataclass(frozen=True, slots=True)
class NoticeChoice:
    """One kind of notice and whether the member gets it by mail."""

    kind: str
    label: str | Promise
    by_mail: bool
    can_switch: bool


def kind_label(kind: str) -> str | Promise:
    """What notices of the kind tell, in a few words."""
    known = _KINDS.get(kind)  # type: ignore[call-overload]
    return known[0] if known else kind.replace("_", " ").capitalize()


def read_choices(member: Member) -> list[NoticeChoice]:
    """The kinds that somebody of the member's role can get, those that can be switched first."""
    muted = muted_kinds(member)
    choices = [
        NoticeChoice(kind, label, by_mail=kind not in muted, can_switch=kind in OPTIONAL)
        for kind, (label, roles) in _KINDS.items()
        if member.role in roles
    ]
    return sorted(choices, key=lambda choice: not choice.can_switch)


def muted_kinds(member: Member) -> set[str]:
    """The kinds that the member does not want by mail. One query."""
    stored = MutedNotice.objects.filter(member=member).values_list("kind", flat=True)
    return set(stored) & OPTIONAL


def is_muted(member: Member, kind: str) -> bool:
    """Whether the member gets no mail of that kind."""
    return kind in OPTIONAL and MutedNotice.objects.filter(member=member, kind=kind).exists()


def mute_notices(*, actor: Actor, kinds: Iterable[str]) -> Member:
    """The acting member gets no mail of these kinds, of all others again.

    Raises NotAllowed for a token of the company, InvalidField for a kind that is always mailed.
    """
    if actor.member is None:
        raise NotAllowed(_("A token of the company is nobody's."))
    wanted = set(kinds)
    if not wanted <= OPTIONAL:
        raise InvalidField(
            _("Mails about money that goes wrong and about security cannot be switched off."),
            field="off",
        )
    with transaction.atomic():
        member = (
            Member.objects.select_for_update(no_key=True, of=("self",))
            .select_related("company", "user", "list")
            .get(pk=actor.member.pk)
        )
        before = muted_kinds(member)
        if before != wanted:
            MutedNotice.objects.filter(member=member).exclude(kind__in=wanted).delete()
            MutedNotice.objects.bulk_create(
                [
                    MutedNotice(company=member.company, member=member, kind=kind)
                    for kind in sorted(wanted - before)
                ]
            )
            record(actor, "mute_notices", subject=f"member:{member.pk}", off=sorted(wanted))
    return member
