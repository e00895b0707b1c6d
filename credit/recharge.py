"""Evaluates auto-recharge rules. Its one rule: the month's total is read from the ledger's daily
totals under the purse's lock, so late and repeated evaluations change nothing.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from django.db import connection
from django.db.models import F

from credit.accounts import purse_of_company
from credit.ledger import Move, Posting, Purse, atomically
from credit.models import RechargeOutcome, RechargeRule, Transfer
from credit.models.recharge import Outcome
from credit.money import ZERO
from credit.recharge_plan import Plan, plan_recharge
from members.models import Company, Member
from members.notices import NoticeKind, tell_administrators
from skypemgr.lib.arrays import Among
from skypemgr.lib.periods import first_of_month, first_of_next_month

MONTH_TOTALS = """
SELECT account_id, date_trunc('month', day)::date, sum(incoming)
  FROM credit_dailytotal
 WHERE account_id = ANY(%s::bigint[]) AND kind = 'auto_recharge' AND day >= %s
 GROUP BY 1, 2
"""
ARM = """
UPDATE credit_account account
   SET recharge_below = armed.below, recharge_resumes_on = armed.resumes_on
  FROM unnest(%s::bigint[], %s::numeric[], %s::date[]) AS armed (id, below, resumes_on)
 WHERE account.id = armed.id
"""


STORE_OUTCOMES = """
UPDATE credit_rechargerule rule
   SET last_outcome = found.outcome, last_outcome_at = found.at, outcome_since = found.since,
       waiting_since = found.waiting_since, blocked_at_version = found.version
  FROM unnest(
    %s::bigint[], %s::text[], %s::timestamptz[], %s::timestamptz[], %s::timestamptz[], %s::bigint[]
  ) AS found (id, outcome, at, since, waiting_since, version)
 WHERE rule.id = found.id
"""


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What evaluating one rule did. ``paid`` in the company's currency, 0 when nothing moved."""

    rule_id: int
    outcome: str
    paid: Decimal


def month_totals(account_ids: Sequence[int], since: date) -> dict[tuple[int, date], Decimal]:
    """What auto-recharges added to each purse by first day of month, from that month on."""
    with connection.cursor() as cursor:
        cursor.execute(MONTH_TOTALS, [list(account_ids), first_of_month(since)])
        return {(pk, month): total for pk, month, total in cursor.fetchall()}


class Recharger:
    """Applies rules over an open posting that holds their purses and the company's.

    ``rules`` maps account id to locked rule. ``apply`` decides in memory; ``save`` stores what was
    decided once the posting is written.
    """

    def __init__(
        self, posting: Posting, company_account: int, rules: dict[int, RechargeRule]
    ) -> None:
        self.posting = posting
        self.company = posting.purses[company_account]
        self.rules = rules
        self.evaluations: list[Evaluation] = []
        self._totals = month_totals(list(rules), posting.today) if rules else {}
        self._armed: set[int] = set()
        self._changed: dict[int, RechargeRule] = {}
        self._history: list[RechargeOutcome] = []

    def recharged_in(self, account: int, day: date) -> Decimal:
        """What auto-recharges added in the month of that day, this posting included."""
        return self._totals.get((account, first_of_month(day)), ZERO)

    def apply(self, account: int) -> Evaluation:
        """The rule of the purse has been evaluated: what is due and payable is in the posting."""
        rule, purse = self.rules[account], self.posting.purses[account]
        day = self.posting.booked_on(self.company.id, account)
        left = rule.monthly_limit - self.recharged_in(account, day)
        plan = plan_recharge(
            balance=purse.balance,
            threshold=rule.threshold,
            amount=rule.amount,
            limit_left=left,
            company_available=self.company.available,
        )
        if plan.paid:
            self._pay(account, plan.paid, day)
        suspended = left - plan.paid <= 0
        self._arm(purse, rule.threshold, first_of_next_month(day) if suspended else None)
        evaluation = Evaluation(rule.pk, _outcome(plan), plan.paid)
        self._note(rule, evaluation)
        self.evaluations.append(evaluation)
        return evaluation

    def _pay(self, account: int, amount: Decimal, day: date) -> None:
        purse = self.posting.purses[account]
        self.posting.transfer(
            Move(
                kind=Transfer.Kind.AUTO_RECHARGE,
                source=self.company.id,
                destination=account,
                amount=amount,
                key=f"recharge:{account}:{purse.version}",
            )
        )
        month = (account, first_of_month(day))
        self._totals[month] = self._totals.get(month, ZERO) + amount

    def _arm(self, purse: Purse, below: Decimal, resumes_on: date | None) -> None:
        if (purse.recharge_below, purse.recharge_resumes_on) != (below, resumes_on):
            purse.recharge_below, purse.recharge_resumes_on = below, resumes_on
            self._armed.add(purse.id)

    def _note(self, rule: RechargeRule, evaluation: Evaluation) -> None:
        now, outcome = self.posting.now, evaluation.outcome
        if outcome == Outcome.NOT_DUE and rule.last_outcome not in (
            "",
            Outcome.COMPANY_CREDIT_TOO_LOW,
        ):
            return
        if outcome != rule.last_outcome:
            rule.outcome_since = now
            self._history.append(
                RechargeOutcome(
                    company_id=rule.company_id,
                    rule=rule,
                    outcome=outcome,
                    amount=evaluation.paid,
                    at=now,
                )
            )
        rule.last_outcome, rule.last_outcome_at = outcome, now
        blocked = outcome == Outcome.COMPANY_CREDIT_TOO_LOW
        rule.waiting_since = (rule.waiting_since or now) if blocked else None
        self._changed[rule.pk] = rule

    def save(self) -> None:
        """Arms, outcomes and waits are stored; administrators are told of a lack of credit."""
        blocked = False
        for rule in self._changed.values():
            waiting = rule.waiting_since is not None
            rule.blocked_at_version = self.company.version if waiting else None
            blocked = blocked or waiting
        if self._armed:
            store_arms([self.posting.purses[pk] for pk in sorted(self._armed)])
        if self._changed:
            store_outcomes(list(self._changed.values()))
        if self._history:
            RechargeOutcome.objects.bulk_create(self._history, batch_size=1000)
        if blocked:
            tell_of_low_credit(self.posting.company_id, self.company.id)


def _outcome(plan: Plan) -> str:
    if plan.is_unpaid:
        return Outcome.COMPANY_CREDIT_TOO_LOW
    if plan.is_cut_by_limit:
        return Outcome.LIMIT_REACHED
    return Outcome.RECHARGED if plan.paid else Outcome.NOT_DUE


def store_arms(purses: Sequence[Purse]) -> None:
    """The purses' levels and resume days are stored as they stand in memory."""
    with connection.cursor() as cursor:
        cursor.execute(
            ARM,
            [
                [purse.id for purse in purses],
                [purse.recharge_below for purse in purses],
                [purse.recharge_resumes_on for purse in purses],
            ],
        )


def store_outcomes(rules: Sequence[RechargeRule]) -> None:
    """What was found for these rules is stored as it stands in memory."""
    with connection.cursor() as cursor:
        cursor.execute(
            STORE_OUTCOMES,
            [
                [rule.pk for rule in rules],
                [rule.last_outcome for rule in rules],
                [rule.last_outcome_at for rule in rules],
                [rule.outcome_since for rule in rules],
                [rule.waiting_since for rule in rules],
                [rule.blocked_at_version for rule in rules],
            ],
        )


def tell_of_low_credit(company_id: int, company_account: int) -> None:
    """Administrators know that rules wait; once, until the company is next credited."""
    last_credit = (
        Transfer.objects.filter(destination_id=company_account, destination_version__isnull=False)
        .order_by("-destination_version")
        .values_list("destination_version", flat=True)
        .first()
    )
    tell_administrators(
        Company.objects.get(pk=company_id),
        NoticeKind.RECHARGE_BLOCKED,
        key=f"recharge_blocked:{last_credit or 0}",
    )


def lock_rules(
    company_id: int, account_ids: Iterable[int], *, skip_locked: bool = False
) -> dict[int, RechargeRule]:
    """The rules that are on of active members, by account, locked in order of member;
    ``skip_locked``: but for those that somebody else holds."""
    rules = (
        RechargeRule.objects.filter(
            Among("member__accounts", account_ids),
            company_id=company_id,
            is_on=True,
            member__status=Member.Status.ACTIVE,
        )
        .annotate(account_id=F("member__accounts__id"))
        .order_by("member_id")
        .select_for_update(of=("self",), no_key=True, skip_locked=skip_locked)
    )
    return {rule.account_id: rule for rule in rules}


def evaluate_purses(
    company_id: int, account_ids: Sequence[int], *, now: datetime, skip_locked: bool = False
) -> list[Evaluation]:
    """The rules of the named purses have been evaluated, oldest wait first, in one posting.

    A frozen or closed company, a rule that is off and a member who is not active: nothing.
    """

    def work() -> list[Evaluation]:
        rules = lock_rules(company_id, account_ids, skip_locked=skip_locked)
        company = purse_of_company(company_id).values_list("pk", flat=True).first()
        if not rules or company is None:
            return []
        posting = Posting.open(company_id, (company, *rules), keys=(), now=now)
        if posting.company_state != Company.State.ACTIVE:
            return []
        recharger = Recharger(posting, company, rules)
        for account in sorted(rules, key=lambda pk: _place(rules[pk])):
            # A wait is over as well once the balance was brought up by an allocation.
            is_waiting = rules[account].waiting_since is not None
            if is_waiting or posting.purses[account].is_due(posting.today):
                recharger.apply(account)
        posting.write()
        recharger.save()
        return recharger.evaluations

    return atomically(work)


def _place(rule: RechargeRule) -> tuple[bool, float, int]:
    """Those who wait come first, the oldest wait first."""
    waiting = rule.waiting_since
    return (waiting is None, waiting.timestamp() if waiting else 0.0, rule.pk)
