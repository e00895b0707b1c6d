"""Decides whether the company's auto-recharge buys now.

Its one rule: one charge in flight. Under the rule's lock it looks for open purchases first and at
the balance after, so that what just settled is seen in one of the two.
"""

from datetime import datetime
from uuid import uuid4

from django.db import transaction
from django.db.models import Q

from billing.auto_rules import bought_this_month, lock_rule, next_month_starts
from billing.errors import AmountRefused
from billing.models import AutoPurchaseRule, Purchase
from billing.prices import check_amount
from billing.purchases import insert_purchase
from credit.accounts import company_balance
from credit.requests import OutsideKey
from members.models import Company
from skypemgr.lib.periods import utc_now
from skypemgr.lib.wake import wake

State = AutoPurchaseRule.State
Outcome = AutoPurchaseRule.Outcome
SWEPT_AT_ONCE = 1_000


def evaluate_auto_purchase(company_id: int, *, now: datetime | None = None) -> int | None:
    """The id of the purchase that was started, or None if there was no reason to start one.

    The charge itself follows by ``advance_purchase``.
    """
    at = now or utc_now()
    with transaction.atomic():
        rule = lock_rule(company_id)
        if rule is None or not _may_buy(rule, at):
            return None
        if bought_this_month(rule.company, now=at) + rule.amount > rule.monthly_limit:
            rule.next_attempt_at = next_month_starts(rule.company, now=at)
            _note(rule, Outcome.LIMIT_REACHED, at)
            return None
        purchase = insert_purchase(
            company=rule.company,
            amount=rule.amount,
            method=rule.method,
            request=OutsideKey(f"auto:{uuid4()}", ""),
            now=at,
        )
        _note(rule, Outcome.STARTED, at)
        wake("purchase.open", purchase.pk)
    return purchase.pk


def sweep_auto_purchases(*, now: datetime | None = None) -> list[int]:
    """Every company whose rule may buy has been looked at, at most 1,000; returns the ids of the
    purchases started.
    """
    at = now or utc_now()
    company_ids = AutoPurchaseRule.objects.filter(
        Q(next_attempt_at=None) | Q(next_attempt_at__lte=at),
        state=State.ON,
        company__state=Company.State.ACTIVE,
        company__accounts__kind="company",
        company__accounts__is_due=True,
    ).values_list("company_id", flat=True)[:SWEPT_AT_ONCE]
    started = [evaluate_auto_purchase(pk, now=now) for pk in list(company_ids)]
    return [pk for pk in started if pk is not None]


def _may_buy(rule: AutoPurchaseRule, at: datetime) -> bool:
    if rule.state != State.ON or rule.company.state != Company.State.ACTIVE:
        return False
    if rule.next_attempt_at is not None and at < rule.next_attempt_at:
        return False
    if rule.method.removed_at is not None:
        return False
    if Purchase.objects.filter(company=rule.company, status__in=Purchase.OPEN).exists():
        return False
    if company_balance(rule.company) >= rule.level:
        return False
    try:
        check_amount(rule.amount, rule.company.currency)
    except AmountRefused:
        # The installation's limits changed since the rule was saved.
        return False
    return True


def _note(rule: AutoPurchaseRule, outcome: str, at: datetime) -> None:
    rule.last_outcome = outcome
    rule.last_outcome_at = at
    rule.save(update_fields=["next_attempt_at", "last_outcome", "last_outcome_at", "changed_at"])
