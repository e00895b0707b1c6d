"""The company's auto-purchase rule: what is saved, switched, and what follows from each payment.

Its one rule: the company's purse is armed exactly while the rule is on. Lock order: rule, purchase,
purse.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from django.db import transaction
from django.db.models import Sum
from django.urls import reverse
from django.utils.translation import gettext as _

from billing.consent import VERSION, Terms, write_consent
from billing.declines import HARD_DECLINES
from billing.errors import AmountRefused, ConsentMissing
from billing.methods import method_name
from billing.models import AutoPurchaseConsent, AutoPurchaseRule, PaymentMethod, Purchase
from billing.prices import check_amount
from credit.accounts import arm_purse, ensure_accounts
from credit.money import checked_amount, require_active
from members.actors import Actor
from members.audit import record
from members.models import Company
from members.notices import NoticeKind, tell_administrators
from members.standing import hold_active_company
from skypemgr.lib.periods import (
    first_of_month,
    first_of_next_month,
    utc_now,
)
from skypemgr.lib.wake import wake

RETRY_AFTER = (timedelta(hours=1), timedelta(hours=3), timedelta(hours=7))
State = AutoPurchaseRule.State
Outcome = AutoPurchaseRule.Outcome


@dataclass(frozen=True)
class RuleStatus:
    """A rule and where it stands: on, off, paused, ``retrying`` or ``limit_reached``."""

    rule: AutoPurchaseRule
    state: str
    bought_this_month: Decimal
    left_this_month: Decimal
    open_purchase: Purchase | None


def lock_rule(company_id: int) -> AutoPurchaseRule | None:
    """The company's rule, locked until the transaction ends."""
    return (
        AutoPurchaseRule.objects.select_for_update(no_key=True, of=("self",))
        .select_related("company", "method")
        .filter(company=company_id)
        .first()
    )


def check_terms(terms: Terms, currency: str) -> None:
    """Returns only if the rule could ever buy; AmountRefused else."""
    check_amount(terms.amount, currency)
    checked_amount(terms.level, field="level")
    checked_amount(terms.monthly_limit, field="monthly_limit")
    if terms.monthly_limit < terms.amount:
        raise AmountRefused(
            _("The monthly limit must be at least the amount bought each time."),
            field="monthly_limit",
            code="limit_below_amount",
        )


def store_consent(
    *,
    actor: Actor,
    method: PaymentMethod,
    terms: Terms,
    version: str,
    purchase: Purchase | None = None,
    now: datetime,
) -> AutoPurchaseConsent:
    """What the member agreed to is stored as shown; ConsentMissing for another text's version."""
    check_terms(terms, actor.company.currency)
    if version != VERSION or actor.member is None:
        raise ConsentMissing(
            _("Please read what auto-recharge does and agree to it."), field="consent"
        )
    return AutoPurchaseConsent.objects.create(
        company=actor.company,
        member=actor.member,
        purchase=purchase,
        method=method,
        level=terms.level,
        amount=terms.amount,
        monthly_limit=terms.monthly_limit,
        text_version=version,
        text=write_consent(terms, currency=actor.company.currency, card=method_name(method)),
        created_at=now,
    )


def activate_rule(consent: AutoPurchaseConsent, *, now: datetime) -> None:
    """The rule is on with what was agreed to, old declines forgotten, and looked at right away."""
    fields = {
        "level": consent.level,
        "amount": consent.amount,
        "monthly_limit": consent.monthly_limit,
        "method": consent.method,
        "state": State.ON,
        "consent_by": consent.member,
        "consent_at": consent.created_at,
        "consent_version": consent.text_version,
        "declined_count": 0,
        "next_attempt_at": None,
        "changed_at": now,
    }
    AutoPurchaseRule.objects.bulk_create(
        [AutoPurchaseRule(company=consent.company, **fields)],
        update_conflicts=True,
        unique_fields=["company"],
        update_fields=list(fields),
    )
    arm_purse(ensure_accounts(consent.company).company, consent.level)
    wake("company.debited", consent.company_id)


def save_rule(
    *,
    actor: Actor,
    method: PaymentMethod,
    terms: Terms,
    consent_version: str,
    now: datetime | None = None,
) -> AutoPurchaseRule:
    """The rule is on with these terms and looked at once more; raises AmountRefused,
    ConsentMissing, CompanyNotActive.
    """
    actor.require_administrator()
    require_active(actor.company)
    at = now or utc_now()
    with transaction.atomic():
        lock_rule(actor.company.pk)
        # Opened before the company is held: opening needs it for itself alone.
        ensure_accounts(actor.company)
        hold_active_company(actor.company.pk)
        consent = store_consent(
            actor=actor, method=method, terms=terms, version=consent_version, now=at
        )
        activate_rule(consent, now=at)
        record(
            actor,
            "save_auto_purchase",
            subject=f"payment_method:{method.pk}",
            level=terms.level,
            amount=terms.amount,
            monthly_limit=terms.monthly_limit,
            consent_version=consent_version,
        )
    return AutoPurchaseRule.objects.get(company=actor.company)


def switch_off_rule(*, actor: Actor) -> None:
    """The rule is off; a charge already under way is still finished."""
    actor.require_administrator()
    with transaction.atomic():
        rule = lock_rule(actor.company.pk)
        if rule is None or rule.state == State.OFF:
            return
        _set_state(rule, State.OFF)
        record(actor, "switch_off_auto_purchase")


def end_rule(rule: AutoPurchaseRule) -> bool:
    """Inside the verb's transaction: the locked rule is off; whether it was not before."""
    was_on = rule.state != State.OFF
    if was_on:
        _set_state(rule, State.OFF)
    return was_on


def resume_rule(*, actor: Actor) -> None:
    """A paused or waiting rule is on again, declines forgotten, and looked at right away."""
    actor.require_administrator()
    require_active(actor.company)
    with transaction.atomic():
        rule = lock_rule(actor.company.pk)
        if rule is None or rule.state == State.OFF:
            return
        hold_active_company(actor.company.pk)
        _set_state(rule, State.ON)
        record(actor, "resume_auto_purchase")
        wake("company.debited", actor.company.pk)


def bought_this_month(company: Company, *, now: datetime) -> Decimal:
    """The net of automatic purchases booked in the calendar month of the company's zone."""
    month = first_of_month(company.day_at(now))
    found = Purchase.objects.filter(
        company=company,
        is_automatic=True,
        status=Purchase.Status.SUCCEEDED,
        transfer__booked_on__gte=month,
        transfer__booked_on__lt=first_of_next_month(month),
    ).aggregate(total=Sum("amount"))
    return found["total"] or Decimal(0)


def next_month_starts(company: Company, *, now: datetime) -> datetime:
    """When the next calendar month begins in the company's zone."""
    return company.start_of(first_of_next_month(company.day_at(now)))


def describe_rule(company: Company, *, now: datetime | None = None) -> RuleStatus | None:
    """The company's rule and where it stands; None if there never was one."""
    at = now or utc_now()
    rule = AutoPurchaseRule.objects.select_related("method").filter(company=company).first()
    if rule is None:
        return None
    bought = bought_this_month(company, now=at)
    state = str(rule.state)
    if state == State.ON and rule.next_attempt_at and rule.next_attempt_at > at:
        is_limit = rule.last_outcome == Outcome.LIMIT_REACHED
        state = "limit_reached" if is_limit else "retrying"
    flying = Purchase.objects.filter(company=company, status__in=Purchase.OPEN, is_automatic=True)
    return RuleStatus(
        rule=rule,
        state=state,
        bought_this_month=bought,
        left_this_month=max(Decimal(0), rule.monthly_limit - bought),
        open_purchase=flying.first(),
    )


def note_payment(rule: AutoPurchaseRule, purchase: Purchase, *, now: datetime) -> None:
    """A settled purchase, automatic or not, clears declines and ends a pause."""
    if purchase.is_automatic:
        _note(rule, Outcome.PURCHASED, now)
    if rule.state != State.OFF:
        _set_state(rule, State.ON)
        wake("company.debited", rule.company_id)


def note_failure(rule: AutoPurchaseRule, purchase: Purchase, *, now: datetime) -> None:
    """A declined or expired automatic purchase is tried again later, or pauses the rule."""
    is_expired = purchase.status == Purchase.Status.EXPIRED
    was_asked = purchase.events.filter(status=Purchase.Status.REQUIRES_ACTION).exists()
    if is_expired and not was_asked:
        # Called off because of an outage, of ours or of the gateway's: nobody is to blame, and the
        # next look at the rule starts anew.
        return
    _note(rule, Outcome.EXPIRED if is_expired else Outcome.DECLINED, now)
    if rule.state != State.ON or rule.method_id != purchase.method_id:
        return
    count = rule.declined_count + 1
    is_hard = is_expired or purchase.decline_code in HARD_DECLINES
    facts = {
        "total": str(purchase.total),
        "currency": purchase.currency,
        "card": purchase.method_label,
        "decline_code": purchase.decline_code,
        "url": reverse("payment_settings"),
    }
    if is_hard or count > len(RETRY_AFTER):
        _set_state(rule, State.PAUSED)
        kind, key = NoticeKind.AUTO_PURCHASE_PAUSED, f"purchase:{purchase.pk}:paused"
        tell_administrators(rule.company, kind, key=key, **facts)
        return
    rule.declined_count = count
    rule.next_attempt_at = (purchase.sent_at or now) + RETRY_AFTER[count - 1]
    rule.save(update_fields=["declined_count", "next_attempt_at", "changed_at"])
    if count == 1:
        kind, key = NoticeKind.AUTO_PURCHASE_DECLINED, f"purchase:{purchase.pk}:declined"
        tell_administrators(rule.company, kind, key=key, **facts)


def note_authentication(rule: AutoPurchaseRule, *, now: datetime) -> None:
    """The rule says that the bank asks for authentication."""
    _note(rule, Outcome.NEEDS_AUTHENTICATION, now)


def _note(rule: AutoPurchaseRule, outcome: str, now: datetime) -> None:
    rule.last_outcome = outcome
    rule.last_outcome_at = now
    rule.save(update_fields=["last_outcome", "last_outcome_at", "changed_at"])


def _set_state(rule: AutoPurchaseRule, state: str) -> None:
    rule.state = state
    rule.declined_count = 0
    rule.next_attempt_at = None
    rule.save(update_fields=["state", "declined_count", "next_attempt_at", "changed_at"])
    arm_purse(ensure_accounts(rule.company).company, rule.level if state == State.ON else None)
