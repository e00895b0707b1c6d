"""What follows from a gateway's word about a purchase.

Its one rule: applied under the purchase's lock, all in one transaction, so that a purchase is
credited once however often and by whomever the word is brought. Lock order: rule, purchase, method,
purses.
"""

from datetime import datetime, timedelta

from django.db import transaction
from django.urls import reverse

from billing.auto_outcomes import note_authentication, note_failure, note_payment
from billing.auto_rules import activate_rule
from billing.auto_state import lock_rule
from billing.gateways.base import ChargeResult, ChargeStatus, Way
from billing.incidents import Kind, report
from billing.invoice_facts import freeze
from billing.links import authentication_link
from billing.methods import confirm_method, keep_customer, keep_method
from billing.models import (
    AutoPurchaseConsent,
    AutoPurchaseRule,
    GatewayCustomer,
    PaymentEvent,
    Purchase,
)
from billing.transfers import tell_instructions
from credit.accounts import ensure_accounts
from credit.ledger import Move, post_transfers
from credit.models import Transfer
from members.notices import NoticeKind, tell_administrators, tell_member
from skypemgr.lib import live

Status = Purchase.Status
AUTHENTICATE_WITHIN = timedelta(hours=24)


def lock_purchase(purchase_id: int) -> tuple[Purchase, AutoPurchaseRule | None]:
    """The purchase and its company's rule, locked in this order: rule, purchase."""
    company_id = Purchase.objects.values_list("company_id", flat=True).get(pk=purchase_id)
    rule = lock_rule(company_id)
    purchase = (
        Purchase.objects.select_for_update(no_key=True, of=("self",))
        .select_related("company", "method", "made_by__company")
        .get(pk=purchase_id)
    )
    return purchase, rule


def apply_result(
    purchase_id: int, result: ChargeResult, *, now: datetime, is_first: bool = False
) -> Purchase:
    """The purchase is as the gateway says, with everything that follows; a final one stays.

    ``is_first``: the answer to the first question, whose asker sees it on the page.
    """
    with transaction.atomic():
        purchase, rule = lock_purchase(purchase_id)
        purchase.checked_at = now
        purchase.save(update_fields=["checked_at"])
        if purchase.way == Way.TRANSFER and result.status == ChargeStatus.PENDING:
            tell_instructions(purchase)
        if purchase.status == result.status:
            if not purchase.is_final:
                _note_place(purchase, result)
            return purchase
        if purchase.is_final:
            if result.status == ChargeStatus.SUCCEEDED:
                # Money was taken and the credit is missing: a person decides.
                _report(Kind.PAID_AFTER_END, purchase, result, now)
            return purchase
        if result.status == ChargeStatus.SUCCEEDED and _differs(purchase, result, now):
            return purchase
        if result.status == ChargeStatus.UNKNOWN and purchase.status != Status.PENDING:
            return purchase
        _take_over(purchase, result, now)
        if purchase.status == Status.SUCCEEDED:
            _settle(purchase, rule, now)
        elif purchase.status in (Status.DECLINED, Status.EXPIRED):
            _fail(purchase, rule, now, is_first)
        elif purchase.status == Status.REQUIRES_ACTION and purchase.is_automatic:
            _ask_for_authentication(purchase, rule, now)
    return purchase


def _note_place(purchase: Purchase, result: ChargeResult) -> None:
    """The state is the same, but the gateway may have named the charge or moved its page."""
    purchase.gateway_reference = result.reference or purchase.gateway_reference
    purchase.action_url = result.action_url or purchase.action_url
    purchase.save(update_fields=["gateway_reference", "action_url"])


def _take_over(purchase: Purchase, result: ChargeResult, now: datetime) -> None:
    """The event is written and the purchase says what it says; a success is credited first, since
    the database knows no paid purchase without its transfer."""
    PaymentEvent.objects.create(
        company=purchase.company,
        purchase=purchase,
        status=result.status,
        data={"reference": result.reference, "decline_code": result.decline_code},
        created_at=now,
    )
    # Without credit nothing moves, but what needs attention does.
    live.bump(purchase.company_id)
    purchase.status = result.status
    purchase.gateway_reference = result.reference or purchase.gateway_reference
    purchase.decline_code = result.decline_code
    purchase.action_url = result.action_url
    purchase.action_expires_at = None
    if result.status == ChargeStatus.REQUIRES_ACTION:
        purchase.action_expires_at = result.expires_at or now + AUTHENTICATE_WITHIN
    if result.customer_reference and not is_anothers(purchase, result.customer_reference):
        keep_customer(purchase.company, purchase.gateway, result.customer_reference)
    if purchase.is_final:
        purchase.settled_at = now
    if result.status == ChargeStatus.SUCCEEDED:
        # Opens purses, for which the company's row is taken, before a method is.
        ensure_accounts(purchase.company)
        _keep_method(purchase, result, now)
        if purchase.method is not None:
            confirm_method(purchase.method, now=now)
        purchase.invoice_facts = freeze(purchase, now=now)
        purchase.transfer = _credit(purchase, now)
    purchase.save(
        update_fields=[
            "status",
            "gateway_reference",
            "decline_code",
            "action_url",
            "action_expires_at",
            "settled_at",
            "transfer",
            "method",
            "method_label",
            "invoice_facts",
        ]
    )


def _differs(purchase: Purchase, result: ChargeResult, now: datetime) -> bool:
    """Whether something else was paid than was to be: nothing is credited then, the state stays,
    and the operator is told once.
    """
    kind: Kind | None = None
    if result.currency and result.currency != purchase.currency:
        kind = Kind.CURRENCY_DIFFERS
    elif result.amount is not None and result.amount != purchase.total:
        kind = Kind.AMOUNT_DIFFERS
    elif result.customer_reference and is_anothers(purchase, result.customer_reference):
        kind = Kind.OTHER_COMPANY
    if kind is None:
        return False
    _report(kind, purchase, result, now)
    return True


def is_anothers(purchase: Purchase, customer: str) -> bool:
    """Whether the gateway's customer is known to be another company."""
    known = GatewayCustomer.objects.filter(gateway=purchase.gateway, reference=customer)
    return known.exclude(company=purchase.company_id).exists()


def _report(kind: Kind, purchase: Purchase, result: ChargeResult, now: datetime) -> None:
    report(
        kind,
        purchase=purchase,
        gateway=purchase.gateway,
        key=f"purchase:{purchase.pk}:{kind}",
        now=now,
        expected=f"{purchase.total} {purchase.currency}",
        paid=f"{result.amount} {result.currency}",
        reference=result.reference,
        customer=result.customer_reference,
        state=purchase.status,
    )


def _keep_method(purchase: Purchase, result: ChargeResult, now: datetime) -> None:
    """What the payer paid with on the gateway's page is the purchase's method, and is offered
    again."""
    if result.saved is None or purchase.method is not None:
        return
    purchase.method = keep_method(
        purchase.company,
        purchase.gateway,
        result.saved,
        member=purchase.made_by,
        now=now,
        customer_reference=result.customer_reference,
    )
    purchase.method_label = purchase.method.label


def _credit(purchase: Purchase, now: datetime) -> Transfer:
    accounts = ensure_accounts(purchase.company)
    move = Move(
        kind=Transfer.Kind.PURCHASE,
        source=accounts.purchases,
        destination=accounts.company,
        amount=purchase.amount,
        key=f"purchase:{purchase.pk}",
        actor_id=purchase.made_by_id,
    )
    (posted,) = post_transfers(purchase.company_id, [move], now=now)
    return Transfer.objects.get(pk=posted.id)


def _settle(purchase: Purchase, rule: AutoPurchaseRule | None, now: datetime) -> None:
    if rule is not None:
        note_payment(rule, purchase, now=now)
    consent = (
        AutoPurchaseConsent.objects.select_related("company", "method", "member")
        .filter(purchase=purchase)
        .first()
    )
    if consent is not None and not _is_older(consent, rule):
        activate_rule(consent, now=now, paid_with=purchase.method)
    if purchase.is_automatic:
        tell_administrators(
            purchase.company,
            NoticeKind.PURCHASE_SUCCEEDED,
            key=f"purchase:{purchase.pk}:succeeded",
            **_facts(purchase),
        )
    elif purchase.made_by is not None:
        tell_member(
            purchase.made_by,
            NoticeKind.PURCHASE_SUCCEEDED,
            key=f"purchase:{purchase.pk}:succeeded",
            **_facts(purchase),
        )


def _is_older(consent: AutoPurchaseConsent, rule: AutoPurchaseRule | None) -> bool:
    """Whether something newer was agreed to while the payment was still open."""
    return rule is not None and rule.consent_at > consent.created_at


def _fail(purchase: Purchase, rule: AutoPurchaseRule | None, now: datetime, is_first: bool) -> None:
    if purchase.is_automatic:
        if rule is not None:
            note_failure(rule, purchase, now=now)
    elif purchase.made_by is not None and not is_first and purchase.status == Status.DECLINED:
        tell_member(
            purchase.made_by,
            NoticeKind.PURCHASE_DECLINED,
            key=f"purchase:{purchase.pk}:declined",
            **_facts(purchase),
        )


def _ask_for_authentication(
    purchase: Purchase, rule: AutoPurchaseRule | None, now: datetime
) -> None:
    if rule is not None:
        note_authentication(rule, purchase, now=now)
    tell_administrators(
        purchase.company,
        NoticeKind.AUTHENTICATION_NEEDED,
        key=f"purchase:{purchase.pk}:authentication",
        **{**_facts(purchase), "url": authentication_link(purchase.pk)},
    )


def _facts(purchase: Purchase) -> dict[str, str | int | bool]:
    return {
        "purchase_id": purchase.pk,
        "amount": str(purchase.amount),
        "vat_rate": str(purchase.vat_rate),
        "vat_reason": purchase.vat_reason,
        "vat_amount": str(purchase.vat_amount),
        "total": str(purchase.total),
        "currency": purchase.currency,
        "card": purchase.method_label,
        "decline_code": purchase.decline_code,
        "is_automatic": purchase.is_automatic,
        "balance_after": str(purchase.transfer.destination_balance_after)
        if purchase.transfer
        else "",
        "url": reverse("purchase", args=[purchase.pk]),
    }
