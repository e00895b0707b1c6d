"""Suspends members and takes them back. Its one rule: the members' status and the arming of their
purses change in one transaction, so that no rule runs for somebody suspended.
"""

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext_lazy as _

from credit.accounts import ensure_accounts
from credit.ledger import PURSE_KINDS, Posting, atomically
from credit.models import Account, RechargeRule
from credit.recharge import Recharger, store_arms
from members.access import find_member
from members.actors import Actor
from members.audit import record
from members.errors import InvalidField, MemberGone
from members.models import Company, Member
from members.suspension import StatusChange, change_status
from skypemgr.lib import live
from skypemgr.lib.periods import first_of_next_month, utc_now

Status = Member.Status
AfterChange = Callable[[Actor, Sequence[Member], datetime], None]


@dataclass(frozen=True, slots=True)
class StandingChanged:
    """How many members stand otherwise now, and how many did already or are gone."""

    count: int
    unchanged_count: int


def suspend_member(*, actor: Actor, member_id: int, now: datetime | None = None) -> Member:
    """The member is suspended: no call may start (emergency numbers may), the rule stops and waits
    for nothing; credit stays and calls already made are charged. Harmless when suspended already.

    Raises NotAllowed, NotFound, MemberGone, LastAdministrator.
    """
    return _change_one(actor, member_id, Status.SUSPENDED, now)


def suspend_members(
    *, actor: Actor, member_ids: Collection[int], now: datetime | None = None
) -> StandingChanged:
    """As ``suspend_member`` for all of them or none, in a fixed number of statements; who is
    suspended or gone already is counted. Raises InvalidField (``unknown_member``,
    ``nobody_chosen``) instead of NotFound and MemberGone.
    """
    return _change_many(actor, member_ids, Status.SUSPENDED, now)


def reactivate_member(*, actor: Actor, member_id: int, now: datetime | None = None) -> Member:
    """The member is active again; a rule that is on is armed as the month's total has it and
    evaluated at once (in a company that is not active: armed alone). Harmless when active already.

    Raises NotAllowed, NotFound, MemberGone.
    """
    return _change_one(actor, member_id, Status.ACTIVE, now)


def reactivate_members(
    *, actor: Actor, member_ids: Collection[int], now: datetime | None = None
) -> StandingChanged:
    """As ``reactivate_member`` for all of them or none; see ``suspend_members``."""
    return _change_many(actor, member_ids, Status.ACTIVE, now)


def _change_one(actor: Actor, member_id: int, status: str, now: datetime | None) -> Member:
    actor.require_administrator()
    find_member(actor, member_id)

    def work() -> Member:
        change = _change(actor, [member_id], status, now or utc_now())
        (member,) = [*change.changed, *change.unchanged]
        if not member.is_present:
            raise MemberGone(_("%(name)s is no longer in the company.") % {"name": member.name})
        return member

    return atomically(work)


def _change_many(
    actor: Actor, member_ids: Collection[int], status: str, now: datetime | None
) -> StandingChanged:
    actor.require_administrator()
    if not member_ids:
        raise InvalidField(_("Choose at least one member."), field="members", code="nobody_chosen")
    change = atomically(lambda: _change(actor, member_ids, status, now or utc_now()))
    return StandingChanged(len(change.changed), len(change.unchanged))


def _change(actor: Actor, member_ids: Iterable[int], status: str, now: datetime) -> StatusChange:
    verb, then = FOLLOWS[status]
    change = change_status(actor=actor, member_ids=member_ids, status=status, now=now)
    if change.changed:
        then(actor, change.changed, now)
        ids = change.changed_ids
        if len(ids) == 1:
            record(actor, f"{verb}_member", subject=f"member:{ids[0]}")
        else:
            record(actor, f"{verb}_members", about=ids, members_count=len(ids))
        live.bump(actor.company.pk)
    return change


def disarm_rules(
    company_id: int, member_ids: Collection[int], now: datetime, *, switch_off: bool = False
) -> int:
    """Inside the verb's transaction: the members' rules wait for nothing and their purses are not
    due; with ``switch_off`` the rules are off for good. How many were on. Locks rules, then purses.
    """
    rules = list(
        RechargeRule.objects.filter(company=company_id, member_id__in=member_ids)
        .order_by("member_id")
        .select_for_update(no_key=True)
    )
    were_on = sum(rule.is_on for rule in rules)
    if rules:
        fields = {"waiting_since": None, "blocked_at_version": None}
        off = {"is_on": False, "changed_at": now} if switch_off else {}
        RechargeRule.objects.filter(pk__in=[rule.pk for rule in rules]).update(**fields, **off)
    accounts = Account.objects.filter(
        company_id=company_id, member_id__in=[rule.member_id for rule in rules]
    )
    wanted = list(accounts.values_list("pk", flat=True)) if rules else []
    if wanted:
        purses = Posting.open(company_id, wanted, keys=(), now=now).purses
        for purse in purses.values():
            purse.recharge_below, purse.recharge_resumes_on = None, None
        store_arms([purses[pk] for pk in sorted(purses)])
    return were_on


def end_rules(company_id: int, now: datetime) -> int:
    """Inside the verb's transaction: every rule of the company is off for good and none of its
    members' purses is due; how many were on. All rules, then all purses stay locked.
    """
    rules = RechargeRule.objects.filter(company=company_id, is_on=True).order_by("member_id")
    on = list(rules.select_for_update(no_key=True).values_list("pk", flat=True))
    RechargeRule.objects.filter(pk__in=on).update(
        is_on=False, waiting_since=None, blocked_at_version=None, changed_at=now
    )
    purses = Account.objects.filter(company=company_id, kind__in=PURSE_KINDS).order_by("pk")
    list(purses.select_for_update(no_key=True).values_list("pk", flat=True))
    armed = Account.objects.filter(company=company_id, kind=Account.Kind.MEMBER)
    armed.exclude(recharge_below=None).update(recharge_below=None, recharge_resumes_on=None)
    return len(on)


def _disarm(actor: Actor, members: Sequence[Member], now: datetime) -> None:
    disarm_rules(actor.company.pk, [member.pk for member in members], now)


def _arm(actor: Actor, members: Sequence[Member], now: datetime) -> None:
    rules = list(
        RechargeRule.objects.filter(member__in=members, is_on=True)
        .order_by("member_id")
        .select_for_update(no_key=True, of=("self",))
    )
    if not rules:
        return
    accounts = ensure_accounts(actor.company, [rule.member_id for rule in rules])
    by_account = {accounts.members[rule.member_id]: rule for rule in rules}
    posting = Posting.open(actor.company.pk, (accounts.company, *by_account), keys=(), now=now)
    recharger = Recharger(posting, accounts.company, by_account)
    if posting.company_state == Company.State.ACTIVE:
        for account in by_account:
            recharger.apply(account)
        posting.write()
        recharger.save()
        return
    for account, rule in by_account.items():
        purse, day = posting.purses[account], posting.booked_on(accounts.company, account)
        is_used_up = recharger.recharged_in(account, day) >= rule.monthly_limit
        purse.recharge_below = rule.threshold
        purse.recharge_resumes_on = first_of_next_month(day) if is_used_up else None
    store_arms([posting.purses[pk] for pk in sorted(by_account)])


# What follows from a new status, and the name under which it is recorded.
FOLLOWS: dict[str, tuple[str, AfterChange]] = {
    Status.SUSPENDED: ("suspend", _disarm),
    Status.ACTIVE: ("reactivate", _arm),
}
