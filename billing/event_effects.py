"""What follows from one event of a gateway.

Its one rule: nothing is credited on an event's word while the gateway itself can be asked; refunds
and disputes are written beside the purchase, change no credit and go to an operator.
"""

from datetime import datetime, timedelta
from decimal import Decimal

from django.db import transaction

from billing.gateways.base import ChargeResult, ChargeStatus, GatewayUnavailable, News, NewsKind
from billing.gateways.registry import find_gateway
from billing.incidents import report
from billing.models import GatewayEvent, PaymentIncident, Purchase
from billing.news import unpack_news
from billing.purchases import advance_purchase, idempotency_key
from billing.settlement import apply_result, is_anothers

Kind = PaymentIncident.Kind
Status = Purchase.Status
ABOUT_MONEY = (NewsKind.CHARGE, NewsKind.REFUND, NewsKind.DISPUTE)
KEY_PREFIX = "purchase:"
LONGEST_ID = 18
# A gateway that told of a payment which its own answers do not show yet is asked again soon.
SOON = timedelta(minutes=1)


def follow_news(event: GatewayEvent, news: News, *, now: datetime) -> None:
    """What the event means for its purchase is so; raises when it cannot be told yet."""
    if news.kind not in ABOUT_MONEY:
        return
    purchase = find_charged(event.gateway, key=news.idempotency_key, reference=news.reference)
    if purchase is None:
        report(
            Kind.UNKNOWN_PURCHASE,
            gateway=event.gateway,
            key=f"unknown_purchase:{event.gateway}:{_name(news) or event.event_id}"[:200],
            now=now,
            event=event.event_id,
            text=news.text,
            charge=_name(news),
            amount=_paid(news)[0],
            currency=_paid(news)[1],
        )
        return
    GatewayEvent.objects.filter(pk=event.pk).update(purchase=purchase)
    event.purchase = purchase
    if _contradicts(event, news, purchase, now):
        return
    if news.kind == NewsKind.CHARGE:
        _follow_charge(news, purchase, now)
    else:
        _note_money_back(event, purchase, now)


def find_charged(gateway: str, *, key: str, reference: str = "") -> Purchase | None:
    """The purchase that this gateway was asked to charge under the key, else under its own name
    for the charge. One that was never sent cannot have been charged.
    """
    mine = Purchase.objects.select_related("company").filter(gateway=gateway, sent_at__isnull=False)
    number = key.removeprefix(KEY_PREFIX)
    if key.startswith(KEY_PREFIX) and number.isascii() and number.isdigit():
        return mine.filter(pk=int(number)).first() if len(number) <= LONGEST_ID else None
    return mine.filter(gateway_reference=reference).first() if reference and not key else None


def _contradicts(event: GatewayEvent, news: News, purchase: Purchase, now: datetime) -> bool:
    """Whether the event speaks of other money than the purchase's; then an operator is told."""
    amount, currency = _paid(news)
    customer = news.result.customer_reference if news.result else ""
    is_charge = news.kind == NewsKind.CHARGE
    kind = ""
    if currency and currency != purchase.currency:
        kind = Kind.CURRENCY_DIFFERS
    elif amount is not None and (
        amount != purchase.total if is_charge else not 0 <= amount <= purchase.total
    ):
        kind = Kind.AMOUNT_DIFFERS
    elif customer and is_anothers(purchase, customer):
        kind = Kind.OTHER_COMPANY
    if not kind:
        return False
    place = "" if is_charge else f":{news.kind}:{amount}"
    report(
        kind,
        purchase=purchase,
        key=f"purchase:{purchase.pk}:{kind}{place}",
        now=now,
        event=event.event_id,
        text=news.text,
        expected=f"{purchase.total} {purchase.currency}",
        told=f"{amount} {currency}",
        customer=customer,
        reference=news.reference,
    )
    return True


def _follow_charge(news: News, purchase: Purchase, now: datetime) -> None:
    says_paid = news.result is not None and news.result.status == ChargeStatus.SUCCEEDED
    if purchase.is_final:
        if says_paid and purchase.status != Status.SUCCEEDED:
            _look_at_ended(news, purchase, now)
        return
    purchase = advance_purchase(purchase.pk, now=now)
    if purchase.is_final or not says_paid or news.result is None:
        return
    try:
        _ask(purchase)
    except GatewayUnavailable:
        if news.result.amount is not None and news.result.currency:
            # Nobody answers there just now; the signed word is as good.
            apply_result(purchase.pk, news.result, now=now)
            return
    mine = Purchase.objects.filter(pk=purchase.pk, status__in=Purchase.OPEN)
    mine.update(next_check_at=now + SOON)


def _look_at_ended(news: News, purchase: Purchase, now: datetime) -> None:
    """Whether money was taken for what we call unpaid; the operator is told then."""
    try:
        answer = _ask(purchase)
    except GatewayUnavailable:
        answer = news.result
    if answer is not None:
        apply_result(purchase.pk, answer, now=now)


def _ask(purchase: Purchase) -> ChargeResult | None:
    """The gateway's present word; raises GatewayUnavailable."""
    return find_gateway(purchase.gateway).fetch(
        idempotency_key(purchase), reference=purchase.gateway_reference
    )


def _note_money_back(event: GatewayEvent, purchase: Purchase, now: datetime) -> None:
    """The purchase says what the latest event of the kind says, in whatever order they came."""
    with transaction.atomic():
        locked = Purchase.objects.select_for_update(no_key=True, of=("self",)).get(pk=purchase.pk)
        latest = _latest_news(event, locked)
        if event.kind == NewsKind.REFUND:
            locked.refunded_amount = latest.amount or Decimal(0)
            locked.save(update_fields=["refunded_amount"])
        else:
            locked.disputed_amount = latest.amount or Decimal(0)
            locked.dispute_state = latest.dispute_state or Purchase.Dispute.OPEN
            locked.save(update_fields=["disputed_amount", "dispute_state"])
        told = unpack_news(event.news)
        report(
            Kind.REFUND if event.kind == NewsKind.REFUND else Kind.DISPUTE,
            purchase=purchase,
            key=f"purchase:{purchase.pk}:{event.kind}:{told.dispute_state}:{told.amount}",
            now=now,
            event=event.event_id,
            text=told.text,
            amount=told.amount,
            currency=told.currency,
            state=told.dispute_state,
        )


def _latest_news(event: GatewayEvent, purchase: Purchase) -> News:
    """Of all that was told of this kind and fits the purchase, what happened last there."""
    rows = GatewayEvent.objects.filter(
        gateway=event.gateway, purchase=purchase, kind=event.kind
    ).order_by("pk")
    fitting = [
        (row.occurred_at or row.received_at, news.amount or Decimal(0), row.event_id, news)
        for row, news in ((row, unpack_news(row.news)) for row in rows)
        if news.currency in ("", purchase.currency)
        and (news.amount is None or 0 <= news.amount <= purchase.total)
    ]
    return max(fitting, key=lambda told: told[:3])[3]


def _name(news: News) -> str:
    return news.idempotency_key or news.reference


def _paid(news: News) -> tuple[Decimal | None, str]:
    """The amount and currency that the event speaks of; of an unpaid charge, none."""
    result = news.result
    if news.kind != NewsKind.CHARGE:
        return news.amount, news.currency
    if result is not None and result.status != ChargeStatus.SUCCEEDED:
        return None, ""
    if result is not None and (result.amount is not None or result.currency):
        return result.amount, result.currency
    return news.amount, news.currency
