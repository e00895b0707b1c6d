"""How people go: removed by an administrator, or by themselves.

Its one rule: nothing is added any more and nothing is taken away. The place ends, with rule, tokens
and requests, in one transaction; login, purse and statement stay. Lock order: requests, members,
company, features, rules, purses.
"""

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.db.models import Count, Max, Q, Sum
from django.utils.translation import gettext_lazy as _

from billing.features.changing import end_renewals
from billing.methods import note_people_gone
from billing.models import Subscription
from credit.credit_requests import end_requests, hold_requests
from credit.ledger import atomically
from credit.models import Account, CreditRequest, RechargeRule
from credit.money import ZERO
from credit.standing import disarm_rules
from members.actors import Actor
from members.audit import record
from members.errors import InvalidField, MemberGone
from members.models import ApiToken, Member
from members.models.people import Role
from members.notices import NoticeKind, tell_administrators, tell_members
from members.suspension import StatusChange, change_status
from members.tokens import stop_tokens
from skypemgr.lib import live
from skypemgr.lib.errors import NotAllowed
from skypemgr.lib.periods import utc_now

Status = Member.Status
PRESENT = (Status.ACTIVE, Status.SUSPENDED)
MOST_NUMBERS = 20


@dataclass(frozen=True, slots=True)
class Removed:
    """How many went, and how many were gone already; what ended with their places."""

    count: int
    unchanged_count: int
    rules_count: int
    requests_count: int
    tokens_count: int
    features_count: int


@dataclass(frozen=True, slots=True)
class HeldNumber:
    """A number that can be handed on before: the feature that holds it, in E.164."""

    feature_id: int
    e164: str


@dataclass(frozen=True, slots=True)
class LeavingPreview:
    """What will happen if these people go; nothing is reserved. Amounts in the company's currency.

    ``balance`` stays with them, ``held`` of it is set aside for calls in progress;
    ``calls_tokens_count`` of the tokens report calls of a phone system. ``features_count`` run out
    and are not renewed, the last on the day ``features_until``; ``numbers`` (at most 20) can be
    handed on before. ``blocked_by`` is the code with which the verb would refuse now, empty if it
    would not.
    """

    count: int
    unchanged_count: int
    balance: Decimal
    held: Decimal
    rules_count: int
    requests_count: int
    tokens_count: int
    calls_tokens_count: int
    administrators_count: int
    features_count: int
    features_until: date | None
    numbers: tuple[HeldNumber, ...]
    blocked_by: str


def remove_members(
    *, actor: Actor, member_ids: Collection[int], now: datetime | None = None
) -> Removed:
    """The members are removed: they keep login, purse and statement, nothing is added any more;
    their rules, requests and tokens end. All of them or none, in a fixed number of statements; who
    is gone already is counted.

    Raises NotAllowed, InvalidField (``unknown_member``, ``nobody_chosen``, ``yourself``),
    LastAdministrator.
    """
    actor.require_administrator()
    if not member_ids:
        raise InvalidField(_("Choose at least one member."), field="members", code="nobody_chosen")
    instant = now or utc_now()

    def work() -> Removed:
        removed, change = _end_places(actor, member_ids, Status.REMOVED, instant)
        ids = change.changed_ids
        if actor.member is not None and actor.member.pk in ids:
            raise InvalidField(
                _("You cannot remove yourself. Leave the company on the page My account."),
                field="members",
                code="yourself",
            )
        if not ids:
            return removed
        if len(ids) == 1:
            record(actor, "remove_member", subject=f"member:{ids[0]}", **_ended(removed))
        else:
            ended = _ended(removed)
            record(actor, "remove_members", about=ids, members_count=removed.count, **ended)
        tell_members(
            actor.company,
            ids,
            NoticeKind.MEMBER_REMOVED,
            key=f"member_removed:{instant.isoformat()}",
            url="/me/",
        )
        return removed

    return atomically(work)


def leave_company(*, actor: Actor, now: datetime | None = None) -> Member:
    """The acting member has left, as if removed; the administrators are told. Harmless when gone.

    Raises NotAllowed for a token of the company or the system, LastAdministrator.
    """
    member = actor.member
    if member is None:
        raise NotAllowed(_("Only a member can leave the company."))
    instant = now or utc_now()

    def work() -> Member:
        removed, change = _end_places(actor, [member.pk], Status.LEFT, instant)
        (left,) = [*change.changed, *change.unchanged]
        if change.changed:
            record(actor, "leave_company", subject=f"member:{left.pk}", **_ended(removed))
            tell_administrators(
                actor.company,
                NoticeKind.MEMBER_LEFT,
                key=f"member_left:{left.pk}",
                name=left.name,
                url=f"/members/{left.pk}/",
            )
        return left

    return atomically(work)


def preview_removal(actor: Actor, member_ids: Collection[int]) -> LeavingPreview:
    """What ``remove_members`` would do now. A fixed number of queries; raises NotAllowed."""
    actor.require_administrator()
    told = _preview(actor, member_ids)
    is_among = actor.member is not None and actor.member.pk in member_ids
    return replace(told, blocked_by="yourself") if is_among and not told.blocked_by else told


def preview_leaving(actor: Actor) -> LeavingPreview:
    """What ``leave_company`` would do now. Raises NotAllowed, MemberGone."""
    if actor.member is None:
        raise NotAllowed(_("Only a member can leave the company."))
    if not actor.member.is_present:
        raise MemberGone(_("You are no longer in this company."))
    return _preview(actor, [actor.member.pk])


def _end_places(
    actor: Actor, member_ids: Collection[int], status: str, now: datetime
) -> tuple[Removed, StatusChange]:
    company = actor.company
    hold_requests(company.pk, member_ids)
    change = change_status(actor=actor, member_ids=member_ids, status=status, now=now)
    ids = change.changed_ids
    if not ids:
        return Removed(0, len(change.unchanged), 0, 0, 0, 0), change
    is_own_wish = status == Status.LEFT
    # Before the purses are locked, as a renewal does.
    features_count = end_renewals(company.pk, ids)
    removed = Removed(
        count=len(ids),
        unchanged_count=len(change.unchanged),
        rules_count=disarm_rules(company.pk, ids, now, switch_off=True),
        requests_count=end_requests(actor, ids, is_withdrawn=is_own_wish, now=now),
        tokens_count=stop_tokens(ids, now=now),
        features_count=features_count,
    )
    note_people_gone(company, ids, now=now)
    live.bump(company.pk)
    return removed, change


def _ended(removed: Removed) -> dict[str, Any]:
    return {
        "rules_count": removed.rules_count,
        "requests_count": removed.requests_count,
        "tokens_count": removed.tokens_count,
        "features_count": removed.features_count,
    }


def _preview(actor: Actor, member_ids: Collection[int]) -> LeavingPreview:
    company = actor.company
    rows = Member.objects.filter(company=company, pk__in=member_ids).values_list(
        "pk", "role", "status"
    )
    found = list(rows)
    going = [pk for pk, _role, status in found if status in PRESENT]
    administrators = [
        pk for pk, role, status in found if role == Role.ADMINISTRATOR and status == Status.ACTIVE
    ]
    purses = Account.objects.filter(company=company, member_id__in=going).aggregate(
        balance=Sum("balance"), held=Sum("held")
    )
    features = Subscription.objects.filter(
        company=company, member_id__in=going, status__in=Subscription.OPEN
    )
    ending = features.filter(renews=True).aggregate(count=Count("pk"), until=Max("paid_until"))
    held = features.filter(number__isnull=False).order_by("number__e164")
    tokens = ApiToken.objects.filter(member_id__in=going, revoked_at=None).aggregate(
        all=Count("pk"), calls=Count("pk", filter=Q(scopes__contains=[ApiToken.Scope.CALLS]))
    )
    return LeavingPreview(
        count=len(going),
        unchanged_count=len(found) - len(going),
        balance=purses["balance"] or ZERO,
        held=purses["held"] or ZERO,
        rules_count=RechargeRule.objects.filter(member_id__in=going, is_on=True).count(),
        requests_count=CreditRequest.objects.filter(
            company=company, member_id__in=going, status=CreditRequest.Status.OPEN
        ).count(),
        tokens_count=tokens["all"],
        calls_tokens_count=tokens["calls"],
        administrators_count=len(administrators),
        features_count=ending["count"],
        features_until=ending["until"],
        numbers=tuple(
            HeldNumber(pk, e164)
            for pk, e164 in held.values_list("pk", "number__e164")[:MOST_NUMBERS]
        ),
        blocked_by=_blocked_by(actor, going, administrators),
    )


def _blocked_by(actor: Actor, going: list[int], administrators: list[int]) -> str:
    if administrators and actor.company.state != actor.company.State.CLOSED:
        others = Member.objects.filter(
            company=actor.company, role=Role.ADMINISTRATOR, status=Status.ACTIVE
        ).exclude(pk__in=administrators)
        if not others.exists():
            return "last_administrator"
    return ""
