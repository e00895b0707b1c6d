"""Buying credit: the wish is stored, the gateway is asked, its word is applied.

Its one rule: no gateway is asked while a lock or transaction is open, and each step may be repeated
or missing: ``advance_purchase`` brings any purchase one step further, from wherever it stands.
"""

from datetime import datetime, timedelta
from decimal import Decimal

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from billing.auto_rules import store_consent
from billing.auto_state import lock_rule
from billing.consent import VERSION, Terms
from billing.errors import GatewayNotConfigured, NotCancellable
from billing.gateways.base import (
    ChargeRequest,
    ChargeResult,
    ChargeStatus,
    Gateway,
    GatewayUnavailable,
    Way,
)
from billing.gateways.registry import find_gateway
from billing.limits import check_limits, hold_limits
from billing.links import return_path
from billing.means import Means, paid_with, saved_method, way_of
from billing.methods import customer_of
from billing.models import PaymentEvent, Purchase
from billing.prices import check_amount, price_of
from billing.profile import require_details
from billing.references import make_reference
from billing.settlement import apply_result, lock_purchase
from billing.switches import are_purchases_on, require_purchases_on
from credit.errors import IdempotencyConflict
from credit.money import require_active
from credit.requests import OutsideKey
from members.actors import Actor
from members.audit import record
from members.models import Company
from members.standing import hold_active_company
from skypemgr.lib.periods import utc_now

Status = Purchase.Status
# What was wished but never sent is not charged out of the blue later than this.
SEND_WITHIN = timedelta(hours=1)


def buy_credit(
    *,
    actor: Actor,
    amount: Decimal,
    method: Means,
    request: OutsideKey,
    auto_purchase: Terms | None = None,
    consent_version: str = VERSION,
    now: datetime | None = None,
) -> Purchase:
    """The purchase exists once for this request and the gateway has been asked; see its status.

    ``amount`` is net, in the currency's own decimals; ``method`` a saved one, or a way to pay on
    the gateway's own page, to which the purchase's ``action_url`` then leads. Raises as
    ``create_purchase`` does.
    """
    purchase = create_purchase(
        actor=actor,
        amount=amount,
        method=method,
        request=request,
        auto_purchase=auto_purchase,
        consent_version=consent_version,
        now=now,
    )
    return advance_purchase(purchase.pk, now=now)


def create_purchase(
    *,
    actor: Actor,
    amount: Decimal,
    method: Means,
    request: OutsideKey,
    auto_purchase: Terms | None = None,
    consent_version: str = VERSION,
    now: datetime | None = None,
) -> Purchase:
    """The wish to buy is stored, once for this request; nothing has been charged yet.

    Raises AmountRefused, GatewayNotConfigured, CompanyNotActive, PurchasesStopped,
    BillingDetailsMissing, ConsentMissing, and IdempotencyConflict when the key came with another
    content before.
    """
    actor.require_administrator()
    known = _find_request(actor.company, request)
    if known is not None:
        return known
    company = Company.objects.get(pk=actor.company.pk)
    require_active(company)
    require_purchases_on(company, automatic=False)
    require_details(company, find_gateway(method.gateway))
    check_amount(amount, company.currency)
    at = now or utc_now()
    try:
        with transaction.atomic():
            # Auto-recharge looks for open purchases under this lock.
            lock_rule(actor.company.pk)
            hold_active_company(actor.company.pk)
            hold_limits(company)
            # The same request may have been stored while this one waited for the locks.
            known = _find_request(company, request)
            if known is not None:
                return known
            check_limits(company, paid_with(method), amount, now=at)
            purchase = insert_purchase(
                company=company,
                amount=amount,
                method=method,
                request=request,
                now=at,
                actor=actor,
            )
            if auto_purchase is not None:
                store_consent(
                    actor=actor,
                    method=method,
                    terms=auto_purchase,
                    version=consent_version,
                    purchase=purchase,
                    now=at,
                )
            record(
                actor,
                "create_purchase",
                subject=f"purchase:{purchase.pk}",
                amount=amount,
                total=purchase.total,
                auto_purchase=auto_purchase is not None,
            )
    except IntegrityError:
        known = _find_request(actor.company, request)
        if known is None:
            raise
        return known
    return purchase


def insert_purchase(
    *,
    company: Company,
    amount: Decimal,
    method: Means,
    request: OutsideKey,
    now: datetime,
    actor: Actor | None = None,
) -> Purchase:
    """The row of a purchase and its first event; automatic without an actor."""
    price = price_of(amount, company=company, on=company.day_at(now))
    way, saved = way_of(method), saved_method(method)
    purchase = Purchase.objects.create(
        company=company,
        request_key=request.key,
        content_hash=request.content_hash,
        amount=price.net,
        vat_rate=price.vat_rate,
        vat_reason=price.vat_reason,
        vat_amount=price.vat_amount,
        total=price.total,
        currency=company.currency,
        gateway=method.gateway,
        way=way,
        method=saved,
        method_label=method.label,
        saves_method=saved is None and way != Way.TRANSFER,
        is_automatic=actor is None,
        made_by=actor.member if actor else None,
        created_at=now,
    )
    if way == Way.TRANSFER:
        purchase.payment_reference = make_reference(purchase.pk)
        purchase.save(update_fields=["payment_reference"])
    _tell_event(purchase, now)
    return purchase


def advance_purchase(purchase_id: int, *, now: datetime | None = None) -> Purchase:
    """The purchase is as far as the gateway can say now; a final one is left as it is.

    Never called inside a transaction. Any number of callers at once, and crashes between any two
    steps, lead to one charge and one credit.
    """
    at = now or utc_now()
    purchase = Purchase.objects.select_related("company", "method", "made_by__user").get(
        pk=purchase_id
    )
    if purchase.is_final:
        return purchase
    try:
        gateway = find_gateway(purchase.gateway)
    except GatewayNotConfigured:
        # What was never sent ends in its time all the same.
        if purchase.status == Status.CREATED and purchase.created_at + SEND_WITHIN <= at:
            _claim(purchase_id, now=at)
        raise
    is_first = purchase.status == Status.CREATED and _claim(purchase_id, now=at)
    if is_first:
        purchase.sent_at = at
        return apply_result(purchase_id, _charge(gateway, purchase), now=at, is_first=True)
    purchase = Purchase.objects.select_related("company", "method", "made_by__user").get(
        pk=purchase_id
    )
    if purchase.is_final:
        return purchase
    result = _ask_again(gateway, purchase, now=at)
    return apply_result(purchase_id, result, now=at)


def cancel_purchase(*, actor: Actor, purchase_id: int, now: datetime | None = None) -> Purchase:
    """The purchase has expired, nothing charged, if it only waited for its payer; raises
    NotCancellable else. What was paid meanwhile is credited.
    """
    actor.require_administrator()
    at = now or utc_now()
    purchase = (
        Purchase.objects.select_related("company", "method", "made_by__user")
        .filter(company=actor.company)
        .get(pk=purchase_id)
    )
    waits = purchase.status == Status.REQUIRES_ACTION or (
        purchase.status == Status.PENDING and purchase.way == Way.TRANSFER
    )
    if not waits:
        raise NotCancellable(_("This purchase does not wait for a payment any more."))
    gateway = find_gateway(purchase.gateway)
    try:
        result = gateway.cancel(idempotency_key(purchase), reference=purchase.gateway_reference)
    except GatewayUnavailable as error:
        raise NotCancellable(
            _("The payment provider does not answer. Try again in a few minutes."),
            code="gateway_unavailable",
        ) from error
    with transaction.atomic():
        record(actor, "cancel_purchase", subject=f"purchase:{purchase.pk}")
        return apply_result(purchase.pk, result, now=at)


def _find_request(company: Company, request: OutsideKey) -> Purchase | None:
    known = Purchase.objects.filter(company=company, request_key=request.key).first()
    if known is not None and known.content_hash != request.content_hash:
        raise IdempotencyConflict(
            _("This key was already used for another request. Use a new one.")
        )
    return known


def _claim(purchase_id: int, *, now: datetime) -> bool:
    """Whether the caller is the first who may ask the gateway; what may not be sent any more has
    expired: nothing was charged.
    """
    with transaction.atomic():
        purchase, _rule = lock_purchase(purchase_id)
        if purchase.status != Status.CREATED:
            return False
        is_too_late = purchase.created_at + SEND_WITHIN <= now
        is_stopped = not are_purchases_on(purchase.company, automatic=purchase.is_automatic)
        if is_too_late or is_stopped or purchase.company.state != Company.State.ACTIVE:
            purchase.status = Status.EXPIRED
            purchase.settled_at = now
            purchase.save(update_fields=["status", "settled_at"])
            _tell_event(purchase, now)
            return False
        purchase.status = Status.PENDING
        purchase.sent_at = now
        purchase.save(update_fields=["status", "sent_at"])
        _tell_event(purchase, now)
    return True


def _charge(gateway: Gateway, purchase: Purchase) -> ChargeResult:
    method, payer = purchase.method, purchase.made_by
    request = ChargeRequest(
        idempotency_key=idempotency_key(purchase),
        amount=purchase.total,
        currency=purchase.currency,
        way=Way(purchase.way),
        method_reference=method.reference if method else "",
        customer_reference=(method.customer_reference if method else "")
        or customer_of(purchase.company, purchase.gateway),
        payment_reference=purchase.payment_reference,
        is_off_session=purchase.is_automatic,
        saves_method=purchase.saves_method,
        return_url=f"{settings.SITE_URL}{return_path(purchase)}",
        description=settings.SELLER_NAME,
        language=(payer.user.language if payer else "") or purchase.company.language,
        email=payer.user.email if payer else "",
    )
    try:
        return gateway.charge(request)
    except GatewayUnavailable:
        return ChargeResult(status=ChargeStatus.UNKNOWN)


def _ask_again(gateway: Gateway, purchase: Purchase, *, now: datetime) -> ChargeResult:
    """What became of a charge that was asked for before, perhaps in vain."""
    key = idempotency_key(purchase)
    try:
        result = gateway.fetch(key, reference=purchase.gateway_reference)
        if result is None:
            # Our wish never arrived. The same key again is safe; late, it is called off instead.
            sent_at = purchase.sent_at or purchase.created_at
            is_in_time = now < sent_at + SEND_WITHIN
            is_on = are_purchases_on(purchase.company, automatic=purchase.is_automatic)
            if is_in_time and is_on and purchase.company.state == Company.State.ACTIVE:
                return _charge(gateway, purchase)
            return gateway.cancel(key, reference=purchase.gateway_reference)
        expires_at = purchase.action_expires_at
        is_asking = result.status == ChargeStatus.REQUIRES_ACTION
        if is_asking and expires_at is not None and expires_at <= now:
            return gateway.cancel(key, reference=purchase.gateway_reference)
        return result
    except GatewayUnavailable:
        return ChargeResult(status=ChargeStatus.UNKNOWN)


def idempotency_key(purchase: Purchase) -> str:
    """The name under which the gateway knows the charge."""
    return f"purchase:{purchase.pk}"


def _tell_event(purchase: Purchase, now: datetime) -> None:
    PaymentEvent.objects.create(
        company=purchase.company, purchase=purchase, status=purchase.status, created_at=now
    )
