"""Sets members' auto-recharge rules and says how they stand. Its one rule: saving evaluates at
once; editing, switching off and on never refreshes the month's total.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from django.db.models import F
from django.utils.translation import gettext_lazy as _

from credit.accounts import Accounts, ensure_accounts
from credit.allocation import Recipients, recipients_query
from credit.errors import MemberGone, NobodyChosen, UnknownMember
from credit.ledger import Posting, atomically
from credit.models import Account, RechargeRule
from credit.money import ZERO, checked_amount, require_active, require_active_state
from credit.recharge import Evaluation, Recharger, month_totals
from members.actors import Actor
from members.audit import record
from members.models import Member
from members.standing import hold_active_company
from skypemgr.lib.periods import first_of_month, first_of_next_month, utc_now


@dataclass(frozen=True, slots=True)
class RuleTerms:
    """The three amounts of a rule, each > 0, in the company's currency."""

    amount: Decimal
    threshold: Decimal
    monthly_limit: Decimal

    def checked(self) -> "RuleTerms":
        """The same with exactly 4 decimals; InvalidAmount naming the field else."""
        return RuleTerms(
            checked_amount(self.amount, field="amount"),
            checked_amount(self.threshold, field="threshold"),
            checked_amount(self.monthly_limit, field="monthly_limit"),
        )

    @property
    def is_cut(self) -> bool:
        """Whether the limit cuts even the first recharge: accepted, with a warning."""
        return self.amount > self.monthly_limit


@dataclass(frozen=True, slots=True)
class SavedRules:
    """What saving did. ``recharged`` is the sum that moved at once."""

    count: int
    is_cut: bool
    evaluations: list[Evaluation]

    @property
    def recharged(self) -> Decimal:
        """The sum that the evaluation moved, in the company's currency."""
        return sum((evaluation.paid for evaluation in self.evaluations), ZERO)


@dataclass(frozen=True, slots=True)
class RuleStatus:
    """How a rule stands. ``state``: on, waiting (for company credit), suspended, off."""

    rule: RechargeRule
    state: str
    recharged_this_month: Decimal
    left_this_month: Decimal
    resumes_on: date
    last_outcome: str


def save_rules(
    *,
    actor: Actor,
    recipients: Recipients,
    terms: RuleTerms,
    now: datetime | None = None,
) -> SavedRules:
    """The members have the rule, switched on and evaluated; all or none.

    Suspended members' rules are stored and wait for their return. Raises NotAllowed,
    CompanyNotActive, InvalidAmount, UnknownMember, MemberGone, NobodyChosen.
    """
    actor.require_administrator()
    require_active(actor.company)
    checked = terms.checked()
    instant = now or utc_now()

    def work() -> SavedRules:
        # Held until the end: nobody is suspended between the look and the arming of the purse.
        chosen = recipients_query(actor, recipients).order_by("pk")
        members = list(chosen.select_for_update(of=("self",), no_key=True))
        members = _those_still_there(members, recipients)
        # Opened before the company is held: opening needs it for itself alone.
        accounts = ensure_accounts(actor.company, [member.pk for member in members])
        hold_active_company(actor.company.pk)
        _store(actor, members, checked)
        evaluations = _arm_and_evaluate(actor, members, accounts, instant)
        record(
            actor,
            "save_rules",
            about=[member.pk for member in members],
            amount=checked.amount,
            threshold=checked.threshold,
            monthly_limit=checked.monthly_limit,
            members_count=len(members),
        )
        return SavedRules(len(members), checked.is_cut, evaluations)

    return atomically(work)


def _those_still_there(members: Sequence[Member], recipients: Recipients) -> list[Member]:
    """The locked members; MemberGone if one that was named went while the lock was waited for."""
    there = [member for member in members if member.is_present]
    for member in members:
        if not member.is_present and member.pk in recipients.member_ids:
            raise MemberGone(
                _("%(name)s is no longer in the company.") % {"name": member.name},
                field="members",
            )
    if not there:
        raise NobodyChosen(_("Choose at least one member."), field="members")
    return there


def _store(actor: Actor, members: Sequence[Member], terms: RuleTerms) -> None:
    RechargeRule.objects.bulk_create(
        [
            RechargeRule(
                company_id=actor.company.pk,
                member_id=member.pk,
                amount=terms.amount,
                threshold=terms.threshold,
                monthly_limit=terms.monthly_limit,
                is_on=True,
                changed_at=utc_now(),
            )
            for member in members
        ],
        update_conflicts=True,
        unique_fields=("member",),
        update_fields=("amount", "threshold", "monthly_limit", "is_on", "changed_at"),
        batch_size=1000,
    )


def _arm_and_evaluate(
    actor: Actor, members: Sequence[Member], accounts: Accounts, now: datetime
) -> list[Evaluation]:
    active = {member.pk for member in members if member.status == Member.Status.ACTIVE}
    rules = (
        RechargeRule.objects.filter(member_id__in=active)
        .order_by("member_id")
        .select_for_update(of=("self",), no_key=True)
    )
    by_account = {accounts.members[rule.member_id]: rule for rule in rules}
    posting = Posting.open(actor.company.pk, (accounts.company, *by_account), keys=(), now=now)
    require_active_state(posting.company_state)
    recharger = Recharger(posting, accounts.company, by_account)
    for account in by_account:
        recharger.apply(account)
    posting.write()
    recharger.save()
    return recharger.evaluations


def switch_off_rule(*, actor: Actor, member_id: int) -> None:
    """The member's rule is off and waits for nothing; the month's total stays. Harmless if there
    is none. Raises NotAllowed, UnknownMember.
    """
    actor.require_administrator()
    if not Member.objects.filter(company=actor.company, pk=member_id).exists():
        raise UnknownMember(_("There is no such member in your company."), field="member")

    def work() -> None:
        rule = (
            RechargeRule.objects.filter(member_id=member_id, is_on=True)
            .select_for_update(no_key=True)
            .first()
        )
        if rule is None:
            return
        rule.is_on, rule.waiting_since, rule.blocked_at_version = False, None, None
        rule.save(update_fields=("is_on", "waiting_since", "blocked_at_version", "changed_at"))
        Account.objects.filter(member_id=member_id).update(
            recharge_below=None, recharge_resumes_on=None
        )
        record(actor, "switch_off_rule", subject=f"member:{member_id}")

    atomically(work)


def describe_rules(
    members: Sequence[Member], *, now: datetime | None = None
) -> dict[int, RuleStatus]:
    """How the rules of members of one company stand, by member id. Two queries."""
    if not members:
        return {}
    today = members[0].company.day_at(now or utc_now())
    rules = list(
        RechargeRule.objects.filter(member__in=members).annotate(
            account_id=F("member__accounts__id"),
            resumes_on=F("member__accounts__recharge_resumes_on"),
            balance=F("member__accounts__balance"),
        )
    )
    totals = month_totals([rule.account_id for rule in rules], today)
    return {
        rule.member_id: _status(
            rule,
            totals.get((rule.account_id, first_of_month(today)), ZERO),
            rule.balance,
            rule.resumes_on,
            today,
        )
        for rule in rules
    }


def describe_rule(member: Member, *, now: datetime | None = None) -> RuleStatus | None:
    """How the member's rule stands; None without a rule."""
    return describe_rules([member], now=now).get(member.pk)


def _status(
    rule: RechargeRule,
    recharged: Decimal,
    balance: Decimal,
    resumes_on: date | None,
    today: date,
) -> RuleStatus:
    if not rule.is_on:
        state = "off"
    elif resumes_on is not None and resumes_on > today:
        state = "suspended"
    elif rule.waiting_since is not None and balance < rule.threshold:
        state = "waiting"
    else:
        state = "on"
    return RuleStatus(
        rule=rule,
        state=state,
        recharged_this_month=recharged,
        left_this_month=max(rule.monthly_limit - recharged, ZERO),
        resumes_on=resumes_on or first_of_next_month(today),
        last_outcome=rule.last_outcome,
    )
