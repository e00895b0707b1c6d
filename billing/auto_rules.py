"""The company's auto-purchase rule: what administrators save, switch off and resume.

Its one rule: nobody is charged automatically without a stored consent that names what is charged.
Lock order: rule, purchase, methods, purses.
"""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.db import transaction
from django.urls import reverse
from django.utils.translation import gettext as _

from billing.auto_state import (
    State,
    bought_this_month,
    lock_rule,
    note_outcome,
    set_state,
)
from billing.consent import VERSION, Terms, write_consent
from billing.errors import AmountRefused, ConsentMissing, MethodRemoved, MethodUnsuitable
from billing.means import Means, can_recharge, display_name, saved_method
from billing.methods import list_methods
from billing.models import AutoPurchaseConsent, AutoPurchaseRule, PaymentMethod, Purchase
from billing.models.auto_purchase import Outcome, PauseReason
from billing.prices import check_amount
from billing.switches import explain_stop
from credit.accounts import arm_purse, company_balance, ensure_accounts
from credit.money import checked_amount, require_active
from members.actors import Actor
from members.audit import record
from members.models import Company
from members.notices import NoticeKind, tell_administrators
from members.standing import hold_active_company
from skypemgr.lib.periods import utc_now
from skypemgr.lib.wake import wake


@dataclass(frozen=True)
class RuleStatus:
    """A rule and where it stands: on, off, paused, ``retrying``, ``limit_reached`` or ``stopped``
    by the operator, whose words are in ``stopped``.
    """

    rule: AutoPurchaseRule
    terms: Terms
    state: str
    stopped: str
    bought_this_month: Decimal
    left_this_month: Decimal
    open_purchase: Purchase | None


def terms_of(rule: AutoPurchaseRule) -> Terms:
    """What the rule's consent said."""
    return Terms(rule.level, rule.amount, rule.monthly_limit, rule.target)


def check_terms(terms: Terms, currency: str) -> None:
    """Returns only if the rule could ever buy; AmountRefused else."""
    if (terms.amount is None) == (terms.target is None):
        raise AmountRefused(
            _("Choose: a fixed amount each time, or the balance to bring back to."),
            field="amount",
            code="amount_or_target",
        )
    field = "amount" if terms.target is None else "target"
    try:
        check_amount(terms.most, currency)
    except AmountRefused as error:
        raise AmountRefused(error.message, field=field, code=error.code) from error
    checked_amount(terms.level, field="level")
    checked_amount(terms.monthly_limit, field="monthly_limit")
    if terms.target is not None and terms.target < terms.level:
        raise AmountRefused(
            _("The balance to bring back to must be at least the level below which it is bought."),
            field="target",
            code="target_below_level",
        )
    if terms.monthly_limit < terms.most:
        sentence = _("The monthly limit must be at least the amount bought each time.")
        if terms.target is not None:
            sentence = _("The monthly limit must be at least the balance to bring back to.")
        raise AmountRefused(sentence, field="monthly_limit", code="limit_below_amount")


def store_consent(
    *,
    actor: Actor,
    method: Means,
    terms: Terms,
    version: str,
    purchase: Purchase | None = None,
    now: datetime,
) -> AutoPurchaseConsent:
    """What the member agreed to is stored as shown; ConsentMissing for another text's version,
    MethodUnsuitable for what is not charged at once.
    """
    check_terms(terms, actor.company.currency)
    if not can_recharge(method):
        raise MethodUnsuitable(
            _("Auto-recharge needs a card or PayPal: a direct debit takes days. Choose one."),
            field="method",
        )
    if version != VERSION or actor.member is None:
        raise ConsentMissing(
            _("Please read what auto-recharge does and agree to it."), field="consent"
        )
    return AutoPurchaseConsent.objects.create(
        company=actor.company,
        member=actor.member,
        purchase=purchase,
        method=saved_method(method),
        level=terms.level,
        amount=terms.amount,
        target=terms.target,
        monthly_limit=terms.monthly_limit,
        text_version=version,
        text=write_consent(terms, currency=actor.company.currency, card=display_name(method)),
        created_at=now,
    )


def activate_rule(
    consent: AutoPurchaseConsent, *, now: datetime, paid_with: PaymentMethod | None = None
) -> None:
    """The rule is on with what was agreed to, old declines forgotten, and looked at right away.

    Without a saved method, ``paid_with`` at least, there is nothing to charge and it stays as it
    was, as it does if something newer was agreed to. If the method was removed meanwhile the rule
    pauses and administrators are told, unless one is on that pays with another.
    """
    method = consent.method or paid_with
    if method is None:
        return
    is_gone = not _hold(method)
    known = _hold_rule(consent, method)
    if known.consent_at > consent.created_at:
        return
    if is_gone and known.state == State.ON and known.method_id != method.pk:
        return
    fields = {
        "level": consent.level,
        "amount": consent.amount,
        "target": consent.target,
        "monthly_limit": consent.monthly_limit,
        "method": method,
        "state": State.PAUSED if is_gone else State.ON,
        "paused_because": PauseReason.METHOD_REMOVED if is_gone else "",
        "resumed_at": now,
        "consent_by": consent.member,
        "consent_at": consent.created_at,
        "consent_version": consent.text_version,
        "declined_count": 0,
        "next_attempt_at": None,
        "changed_at": now,
    }
    AutoPurchaseRule.objects.filter(pk=known.pk).update(**fields)
    arm_purse(ensure_accounts(consent.company).company, None if is_gone else consent.level)
    if is_gone:
        tell_of_method_gone(AutoPurchaseRule.objects.get(company=consent.company), now=now)
    else:
        wake("company.debited", consent.company_id)


def _hold_rule(consent: AutoPurchaseConsent, method: PaymentMethod) -> AutoPurchaseRule:
    """The company's rule, locked; one that is off is made first, so that two who agree at the same
    moment wait for each other here."""
    AutoPurchaseRule.objects.bulk_create(
        [
            AutoPurchaseRule(
                company=consent.company,
                level=consent.level,
                amount=consent.amount,
                target=consent.target,
                monthly_limit=consent.monthly_limit,
                method=method,
                consent_by=consent.member,
                consent_at=consent.created_at,
                consent_version=consent.text_version,
            )
        ],
        ignore_conflicts=True,
    )
    return AutoPurchaseRule.objects.select_for_update(no_key=True).get(company=consent.company)


def save_rule(
    *,
    actor: Actor,
    method: PaymentMethod,
    terms: Terms,
    consent_version: str,
    now: datetime | None = None,
) -> AutoPurchaseRule:
    """The rule is on with these terms and looked at once more; raises AmountRefused,
    ConsentMissing, MethodUnsuitable, MethodRemoved, CompanyNotActive.
    """
    actor.require_administrator()
    require_active(actor.company)
    at = now or utc_now()
    with transaction.atomic():
        lock_rule(actor.company.pk)
        # Opened before the company is held: opening needs it for itself alone.
        ensure_accounts(actor.company)
        hold_active_company(actor.company.pk)
        if not _hold(method):
            raise _removed()
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
            target=terms.target,
            monthly_limit=terms.monthly_limit,
            consent_version=consent_version,
        )
    return AutoPurchaseRule.objects.get(company=actor.company)


def switch_off_rule(*, actor: Actor) -> None:
    """The rule is off; a charge already under way is still finished."""
    actor.require_administrator()
    with transaction.atomic():
        rule = lock_rule(actor.company.pk)
        if rule is None or not end_rule(rule):
            return
        record(actor, "switch_off_auto_purchase")


def end_rule(rule: AutoPurchaseRule) -> bool:
    """Inside the verb's transaction: the locked rule is off; whether it was not before."""
    was_on = rule.state != State.OFF
    if was_on:
        set_state(rule, State.OFF)
    return was_on


def resume_rule(*, actor: Actor, now: datetime | None = None) -> None:
    """A paused or waiting rule is on again, declines forgotten, and looked at right away; raises
    MethodRemoved, CompanyNotActive.
    """
    actor.require_administrator()
    require_active(actor.company)
    with transaction.atomic():
        rule = lock_rule(actor.company.pk)
        if rule is None or rule.state == State.OFF:
            return
        hold_active_company(actor.company.pk)
        if rule.method.removed_at is not None:
            raise _removed()
        set_state(rule, State.ON, resumed_at=now or utc_now())
        record(actor, "resume_auto_purchase")
        wake("company.debited", actor.company.pk)


def pause_without_method(rule: AutoPurchaseRule, *, now: datetime) -> None:
    """Inside the verb's transaction: the locked rule waits for another method, and every
    administrator is told which ones there are.
    """
    set_state(rule, State.PAUSED, because=PauseReason.METHOD_REMOVED)
    note_outcome(rule, Outcome.METHOD_REMOVED, now=now)
    tell_of_method_gone(rule, now=now)


def tell_of_method_gone(rule: AutoPurchaseRule, *, now: datetime) -> None:
    """Every administrator knows that auto-recharge has nothing left to charge."""
    others = [one.label for one in list_takers(rule)]
    tell_administrators(
        rule.company,
        NoticeKind.PAYMENT_METHOD_GONE,
        key=f"payment_method_gone:{rule.method_id}:{now.isoformat()}",
        card=rule.method.label,
        others=", ".join(others),
        url=reverse("payment_settings"),
    )


def list_takers(rule: AutoPurchaseRule) -> list[PaymentMethod]:
    """The other saved methods that could pay instead, in the company's order."""
    return [
        method
        for method in list_methods(rule.company)
        if method.can_recharge and method.pk != rule.method_id
    ]


def describe_rule(company: Company, *, now: datetime | None = None) -> RuleStatus | None:
    """The company's rule and where it stands; None if there never was one."""
    at = now or utc_now()
    rule = (
        AutoPurchaseRule.objects.select_related("company", "method", "consent_by")
        .filter(company=company)
        .first()
    )
    if rule is None:
        return None
    bought = bought_this_month(company, now=at)
    stopped = explain_stop(company, automatic=True) if rule.state == State.ON else ""
    flying = Purchase.objects.filter(company=company, status__in=Purchase.OPEN, is_automatic=True)
    return RuleStatus(
        rule=rule,
        terms=terms_of(rule),
        state="stopped" if stopped else _state_of(rule, at),
        stopped=stopped,
        bought_this_month=bought,
        left_this_month=max(Decimal(0), rule.monthly_limit - bought),
        open_purchase=flying.first(),
    )


def _state_of(rule: AutoPurchaseRule, at: datetime) -> str:
    if rule.state != State.ON:
        return str(rule.state)
    if rule.next_attempt_at and rule.next_attempt_at > at:
        is_limit = rule.last_outcome == Outcome.LIMIT_REACHED
        return "limit_reached" if is_limit else "retrying"
    if rule.last_outcome == Outcome.PURCHASE_LIMIT and company_balance(rule.company) < rule.level:
        return "limit_reached"
    return str(rule.state)


def _hold(method: PaymentMethod) -> bool:
    """Inside a transaction: whether the method is still saved; nobody removes it until the end."""
    rows = PaymentMethod.objects.select_for_update(no_key=True)
    return rows.filter(pk=method.pk, removed_at=None).exists()


def _removed() -> MethodRemoved:
    return MethodRemoved(
        _("This payment method was removed. Choose another one."), field="payment_method"
    )
