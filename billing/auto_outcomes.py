"""What follows for the company's auto-recharge from each payment.

Its one rule: called with the rule locked, in the transaction that brings the gateway's word.
"""

from datetime import datetime, timedelta

from django.urls import reverse

from billing.auto_rules import list_takers
from billing.auto_state import State, note_outcome, set_state
from billing.declines import HARD_DECLINES
from billing.incidents import Kind, report
from billing.models import AutoPurchaseRule, Purchase
from billing.models.auto_purchase import Outcome, PauseReason
from members.notices import NoticeKind, tell_administrators
from skypemgr.lib.wake import wake

RETRY_AFTER = (timedelta(hours=1), timedelta(hours=3), timedelta(hours=7))
MANY_CHARGES = 3
MANY_WITHIN = timedelta(minutes=10)
# These pauses are not about money that did not come: only a person ends them.
ONLY_BY_HAND = (PauseReason.METHOD_REMOVED, PauseReason.MANY_CHARGES)


def note_payment(rule: AutoPurchaseRule, purchase: Purchase, *, now: datetime) -> None:
    """A settled purchase, automatic or not, clears declines and ends a pause after one. The third
    automatic charge within ten minutes stops the rule and alarms administrators and operators.
    """
    if purchase.is_automatic:
        note_outcome(rule, Outcome.PURCHASED, now=now, purchase=purchase)
    if rule.state == State.OFF:
        return
    if purchase.is_automatic and _are_many(rule, purchase, now):
        _stop(rule, purchase, now)
    elif rule.paused_because not in ONLY_BY_HAND:
        set_state(rule, State.ON)
        wake("company.debited", rule.company_id)


def note_failure(rule: AutoPurchaseRule, purchase: Purchase, *, now: datetime) -> None:
    """A declined or expired automatic purchase is tried again later, or pauses the rule."""
    is_expired = purchase.status == Purchase.Status.EXPIRED
    was_asked = purchase.events.filter(status=Purchase.Status.REQUIRES_ACTION).exists()
    if is_expired and not was_asked:
        # Called off because of an outage, of ours or of the gateway's: nobody is to blame, and the
        # next look at the rule starts anew.
        return
    outcome = Outcome.EXPIRED if is_expired else Outcome.DECLINED
    note_outcome(rule, outcome, now=now, purchase=purchase)
    if rule.state != State.ON or rule.method_id != purchase.method_id:
        return
    count = rule.declined_count + 1
    is_hard = is_expired or purchase.decline_code in HARD_DECLINES
    if is_hard or count > len(RETRY_AFTER):
        because = PauseReason.NOT_AUTHENTICATED if is_expired else PauseReason.DECLINED
        set_state(rule, State.PAUSED, because=because)
        _tell(rule, NoticeKind.AUTO_PURCHASE_PAUSED, purchase, f"purchase:{purchase.pk}:paused")
        return
    rule.declined_count = count
    rule.next_attempt_at = (purchase.sent_at or now) + RETRY_AFTER[count - 1]
    rule.save(update_fields=["declined_count", "next_attempt_at", "changed_at"])
    if count == 1:
        kind, key = NoticeKind.AUTO_PURCHASE_DECLINED, f"purchase:{purchase.pk}:declined"
        _tell(rule, kind, purchase, key)


def note_authentication(rule: AutoPurchaseRule, purchase: Purchase, *, now: datetime) -> None:
    """The rule says that the bank asks for authentication."""
    note_outcome(rule, Outcome.NEEDS_AUTHENTICATION, now=now, purchase=purchase)


def _are_many(rule: AutoPurchaseRule, purchase: Purchase, now: datetime) -> bool:
    """Whether this is the third charge within ten minutes since a person switched the rule on."""
    since = (purchase.sent_at or now) - MANY_WITHIN
    if rule.resumed_at is not None:
        since = max(since, rule.resumed_at)
    charges = Purchase.objects.filter(
        company=rule.company_id,
        is_automatic=True,
        status=Purchase.Status.SUCCEEDED,
        sent_at__gte=since,
    )
    return charges.count() >= MANY_CHARGES


def _stop(rule: AutoPurchaseRule, purchase: Purchase, now: datetime) -> None:
    set_state(rule, State.PAUSED, because=PauseReason.MANY_CHARGES)
    note_outcome(rule, Outcome.MANY_CHARGES, now=now)
    report(
        Kind.MANY_CHARGES,
        purchase=purchase,
        key=f"purchase:{purchase.pk}:many_charges",
        now=now,
        charges=MANY_CHARGES,
        minutes=int(MANY_WITHIN.total_seconds() // 60),
    )
    _tell(rule, NoticeKind.AUTO_PURCHASE_PAUSED, purchase, f"purchase:{purchase.pk}:many")


def _tell(rule: AutoPurchaseRule, kind: NoticeKind, purchase: Purchase, key: str) -> None:
    others = list_takers(rule)
    tell_administrators(
        rule.company,
        kind,
        key=key,
        total=str(purchase.total),
        currency=purchase.currency,
        card=rule.method.label,
        decline_code=purchase.decline_code,
        because=rule.paused_because,
        other=others[0].label if others else "",
        url=reverse("payment_settings"),
    )
