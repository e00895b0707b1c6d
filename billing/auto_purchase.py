"""Decides whether the company's auto-recharge buys now.

Its one rule: one charge in flight. Under the rule's lock it looks for open purchases first and at
the balance after, so that what just settled is seen in one of the two.
"""

import logging
from datetime import datetime
from decimal import ROUND_UP, Decimal
from uuid import uuid4

from django.db import transaction
from django.db.models import Q

from billing.auto_state import (
    State,
    bought_this_month,
    lock_rule,
    next_month_starts,
    note_outcome,
)
from billing.errors import AmountRefused, PurchasesStopped
from billing.limits import check_limits
from billing.models import AutoPurchaseRule, Purchase
from billing.models.auto_purchase import Outcome
from billing.prices import check_amount, limits_of
from billing.purchases import insert_purchase
from billing.switches import require_purchases_on
from credit.accounts import company_balance
from credit.requests import OutsideKey
from members.models import Company
from skypemgr.lib.amounts import currency_places
from skypemgr.lib.periods import utc_now
from skypemgr.lib.sweeping import OneOfMany
from skypemgr.lib.wake import wake

logger = logging.getLogger(__name__)


def evaluate_auto_purchase(company_id: int, *, now: datetime | None = None) -> int | None:
    """The id of the purchase that was started, or None if there was no reason to start one.

    The charge itself follows by ``advance_purchase``.
    """
    at = now or utc_now()
    with transaction.atomic():
        rule = lock_rule(company_id)
        if rule is None or not _is_waiting(rule, at):
            return None
        balance = company_balance(rule.company)
        if balance >= rule.level:
            return None
        amount = next_amount(rule, balance)
        refusal = _refusal(rule, amount, at)
        if refusal is not None:
            note_outcome(rule, refusal, now=at)
            return None
        purchase = insert_purchase(
            company=rule.company,
            amount=amount,
            method=rule.method,
            request=OutsideKey(f"auto:{uuid4()}", ""),
            now=at,
        )
        note_outcome(rule, Outcome.STARTED, now=at, purchase=purchase)
        wake("purchase.open", purchase.pk)
    return purchase.pk


def next_amount(rule: AutoPurchaseRule, balance: Decimal) -> Decimal:
    """What the rule would buy at that balance, net: its amount, or what is missing to its target,
    rounded up to the currency's decimals and to the smallest amount that is sold.
    """
    currency = rule.company.currency
    if rule.target is None:
        return rule.amount or Decimal(0)
    places = Decimal(1).scaleb(-currency_places(currency))
    missing = (rule.target - balance).quantize(places, rounding=ROUND_UP)
    return max(missing, limits_of(currency).least)


def sweep_auto_purchases(*, now: datetime | None = None) -> list[int]:
    """Every company whose rule may buy has been looked at; returns the ids of the purchases
    started.
    """
    at = now or utc_now()
    company_ids = AutoPurchaseRule.objects.filter(
        Q(next_attempt_at=None) | Q(next_attempt_at__lte=at),
        state=State.ON,
        company__state=Company.State.ACTIVE,
        company__accounts__kind="company",
        company__accounts__is_due=True,
    ).values_list("company_id", flat=True)
    started = [_try(pk, now) for pk in list(company_ids)]
    return [pk for pk in started if pk is not None]


def _try(company_id: int, now: datetime | None) -> int | None:
    with OneOfMany(logger, "auto-recharge of company %s could not be looked at", company_id):
        return evaluate_auto_purchase(company_id, now=now)
    return None


def _is_waiting(rule: AutoPurchaseRule, at: datetime) -> bool:
    """Whether the rule may look at the balance now: on, not told to wait, nothing in flight."""
    if rule.state != State.ON or rule.company.state != Company.State.ACTIVE:
        return False
    if rule.next_attempt_at is not None and at < rule.next_attempt_at:
        return False
    if rule.method.removed_at is not None:
        return False
    return not Purchase.objects.filter(
        company=rule.company, status__in=Purchase.OPEN, way__in=Purchase.BLOCKING_WAYS
    ).exists()


def _refusal(rule: AutoPurchaseRule, amount: Decimal, at: datetime) -> Outcome | None:
    """Why the amount is not bought now. A charge that would pass a limit is not made, never cut."""
    company = rule.company
    try:
        require_purchases_on(company, automatic=True)
        check_amount(amount, company.currency)
    except PurchasesStopped:
        return Outcome.STOPPED
    except AmountRefused:
        # The installation's limits changed since the rule was saved.
        return Outcome.AMOUNT_REFUSED
    if bought_this_month(company, now=at) + amount > rule.monthly_limit:
        rule.next_attempt_at = next_month_starts(company, now=at)
        rule.save(update_fields=["next_attempt_at", "changed_at"])
        return Outcome.LIMIT_REACHED
    try:
        check_limits(company, rule.method, amount, now=at, automatic=True)
    except AmountRefused:
        return Outcome.PURCHASE_LIMIT
    return None
