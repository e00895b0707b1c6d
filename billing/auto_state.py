"""Where the company's auto-recharge stands. Its one rule: the company's purse is armed exactly
while the rule is on.
"""

from datetime import datetime
from decimal import Decimal

from django.db.models import Q, Sum

from billing.models import AutoPurchaseOutcome, AutoPurchaseRule, Purchase
from billing.models.auto_purchase import PauseReason
from credit.accounts import arm_purse, ensure_accounts
from members.models import Company
from skypemgr.lib.periods import first_of_month, first_of_next_month

State = AutoPurchaseRule.State


def lock_rule(company_id: int) -> AutoPurchaseRule | None:
    """The company's rule, locked until the transaction ends.

    Company and method are read only after the lock: joined to it, they would be as they were
    before the wait, and a rule whose method changed meanwhile would not be found at all.
    """
    return (
        AutoPurchaseRule.objects.select_for_update(no_key=True).filter(company=company_id).first()
    )


def set_state(
    rule: AutoPurchaseRule,
    state: str,
    *,
    because: PauseReason | None = None,
    resumed_at: datetime | None = None,
) -> None:
    """The locked rule is in the state, old declines forgotten; ``because`` says why it pauses,
    ``resumed_at`` when a person switched it on.
    """
    rule.state = state
    rule.paused_because = because or ""
    rule.declined_count = 0
    rule.next_attempt_at = None
    rule.resumed_at = resumed_at or rule.resumed_at
    fields = ["state", "paused_because", "declined_count", "next_attempt_at", "resumed_at"]
    rule.save(update_fields=[*fields, "changed_at"])
    arm_purse(ensure_accounts(rule.company).company, rule.level if state == State.ON else None)


def note_outcome(
    rule: AutoPurchaseRule, outcome: str, *, now: datetime, purchase: Purchase | None = None
) -> None:
    """The locked rule says what came of the last look; the history has a row when it changed."""
    is_new = rule.last_outcome != outcome
    if not is_new and purchase is None:
        return
    rule.last_outcome, rule.last_outcome_at = outcome, now
    if is_new:
        rule.outcome_since = now
        AutoPurchaseOutcome.objects.create(
            company_id=rule.company_id, rule=rule, outcome=outcome, purchase=purchase, at=now
        )
    fields = ["last_outcome", "last_outcome_at", "outcome_since", "changed_at"]
    rule.save(update_fields=fields)


def bought_this_month(company: Company, *, now: datetime) -> Decimal:
    """The net of automatic purchases in the calendar month of the company's zone, also of those
    that are still being paid.
    """
    month = first_of_month(company.day_at(now))
    booked = Q(
        status=Purchase.Status.SUCCEEDED,
        transfer__booked_on__gte=month,
        transfer__booked_on__lt=first_of_next_month(month),
    )
    found = Purchase.objects.filter(
        booked | Q(status__in=Purchase.OPEN), company=company, is_automatic=True
    ).aggregate(total=Sum("amount"))
    return found["total"] or Decimal(0)


def next_month_starts(company: Company, *, now: datetime) -> datetime:
    """When the next calendar month begins in the company's zone."""
    return company.start_of(first_of_next_month(company.day_at(now)))
