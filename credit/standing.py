"""Suspends members and takes them back. Its one rule: the member's status and the arming of the
purse change in one transaction, so that no rule runs for somebody suspended.
"""

from datetime import datetime

from credit.accounts import ensure_accounts
from credit.ledger import Posting, atomically
from credit.models import Account, RechargeRule
from credit.recharge import Recharger, store_arms
from members.actors import Actor
from members.audit import record
from members.models import Company, Member
from members.suspension import change_status
from skypemgr.lib import live
from skypemgr.lib.periods import first_of_next_month, utc_now


def suspend_member(*, actor: Actor, member_id: int, now: datetime | None = None) -> Member:
    """The member is suspended: no call may start (emergency numbers may), the rule stops and waits
    for nothing; credit stays and calls already made are charged. Harmless when suspended already.

    Raises NotAllowed, NotFound, MemberGone, LastAdministrator.
    """
    instant = now or utc_now()

    def work() -> Member:
        member, changed = change_status(
            actor=actor, member_id=member_id, status=Member.Status.SUSPENDED
        )
        if changed:
            _disarm(member, instant)
            record(actor, "suspend_member", subject=f"member:{member.pk}")
            live.bump(member.company_id)
        return member

    return atomically(work)


def _disarm(member: Member, now: datetime) -> None:
    rule = RechargeRule.objects.filter(member=member).select_for_update(no_key=True).first()
    if rule is None:
        return
    rule.waiting_since, rule.blocked_at_version = None, None
    rule.save(update_fields=("waiting_since", "blocked_at_version"))
    for account in Account.objects.filter(member=member).values_list("pk", flat=True):
        purse = Posting.open(member.company_id, [account], keys=(), now=now).purses[account]
        purse.recharge_below, purse.recharge_resumes_on = None, None
        store_arms([purse])


def reactivate_member(*, actor: Actor, member_id: int, now: datetime | None = None) -> Member:
    """The member is active again; a rule that is on is armed as the month's total has it and
    evaluated at once (in a company that is not active: armed alone). Harmless when active already.

    Raises NotAllowed, NotFound, MemberGone.
    """
    instant = now or utc_now()

    def work() -> Member:
        member, changed = change_status(
            actor=actor, member_id=member_id, status=Member.Status.ACTIVE
        )
        if changed:
            _arm(member, instant)
            record(actor, "reactivate_member", subject=f"member:{member.pk}")
            live.bump(member.company_id)
        return member

    return atomically(work)


def _arm(member: Member, now: datetime) -> None:
    rules = RechargeRule.objects.filter(member=member, is_on=True)
    rule = rules.select_for_update(no_key=True).first()
    if rule is None:
        return
    accounts = ensure_accounts(member.company, [member.pk])
    account = accounts.members[member.pk]
    posting = Posting.open(member.company_id, (accounts.company, account), keys=(), now=now)
    recharger = Recharger(posting, accounts.company, {account: rule})
    if posting.company_state == Company.State.ACTIVE:
        recharger.apply(account)
        posting.write()
        recharger.save()
        return
    purse, day = posting.purses[account], posting.booked_on(accounts.company, account)
    is_used_up = recharger.recharged_in(account, day) >= rule.monthly_limit
    purse.recharge_below = rule.threshold
    purse.recharge_resumes_on = first_of_next_month(day) if is_used_up else None
    store_arms([purse])
