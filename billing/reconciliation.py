"""Our books beside the gateways'.

Its one rule: a gateway is asked about every open purchase until it has an end, and each finished
day is compared charge by charge; what differs goes to an operator, nothing is credited here but by
the gateway's answer to a question about that purchase.
"""

import logging
from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal

from django.db import transaction
from django.db.models import F, Q

from billing.check_times import HEAD_START, next_check
from billing.errors import GatewayNotConfigured
from billing.event_effects import find_charged
from billing.gateways.base import (
    ChargeResult,
    ChargeStatus,
    Gateway,
    GatewayUnavailable,
    SettledCharge,
)
from billing.gateways.registry import list_gateways
from billing.incidents import report
from billing.models import GatewayDay, PaymentIncident, Purchase
from billing.purchases import advance_purchase, idempotency_key
from billing.settlement import apply_result
from skypemgr.lib.periods import utc_now
from skypemgr.lib.sweeping import OneOfMany

logger = logging.getLogger(__name__)

Status = Purchase.Status
SWEPT_AT_ONCE = 500
A_DAY = timedelta(days=1)
# A day is compared when as much time has passed since its end, so that late bookings are in.
GRACE = timedelta(hours=2)
# So far back days are compared that were not, and those with differences again.
DAYS_BACK = 7
AGAIN_AFTER = timedelta(hours=6)

Difference = dict[str, str]


def advance_open_purchases(*, now: datetime | None = None) -> int:
    """The gateways were asked about every open purchase that is due, at most 500, those who wait
    longest first; returns how many.
    """
    at = now or utc_now()
    is_fresh = Q(next_check_at=None) & (
        Q(sent_at__gt=at - HEAD_START) | Q(sent_at=None, created_at__gt=at - HEAD_START)
    )
    due = (
        Purchase.objects.filter(
            Q(next_check_at=None) | Q(next_check_at__lte=at), status__in=Purchase.OPEN
        )
        .exclude(is_fresh)
        .order_by(F("next_check_at").asc(nulls_first=True), "pk")
        .values_list("pk", flat=True)[:SWEPT_AT_ONCE]
    )
    ids = list(due)
    for pk in ids:
        _advance(pk, at)
    return len(ids)


def compare_day(gateway: Gateway, day: date, *, now: datetime | None = None) -> GatewayDay | None:
    """The day (UTC) is compared and what was found stored; None if the gateway cannot list its
    charges. Differences are an incident, once for the day. Raises GatewayUnavailable.
    """
    at = now or utc_now()
    theirs = gateway.settled_on(day)
    if theirs is None:
        return None
    differences = [*_look_for_ours(gateway, theirs, at), *_look_for_theirs(gateway, day, theirs)]
    ours = _ours_of(gateway, day)
    with transaction.atomic():
        row, _is_new = GatewayDay.objects.update_or_create(
            gateway=gateway.name,
            day=day,
            defaults={
                "ours_count": len(ours),
                "theirs_count": len(theirs),
                "ours_sums": _sums((p.currency, p.total) for p in ours),
                "theirs_sums": _sums((c.currency, c.amount) for c in theirs),
                "differences": differences,
                "compared_at": at,
            },
        )
        if differences:
            report(
                PaymentIncident.Kind.TOTALS_DIFFER,
                gateway=gateway.name,
                key=f"totals_differ:{gateway.name}:{day}",
                now=at,
                day=day,
                count=len(differences),
                first=differences[0],
            )
    return row


def compare_days(*, now: datetime | None = None) -> list[GatewayDay]:
    """Each finished day of the last week is compared at each gateway, and again while it differs;
    a gateway that does not answer is asked by the next run.
    """
    at = now or utc_now()
    last = (at - GRACE).astimezone(UTC).date() - A_DAY
    compared = []
    for gateway in list_gateways():
        done = set(
            GatewayDay.objects.filter(gateway=gateway.name, day__gt=last - DAYS_BACK * A_DAY)
            .filter(Q(differences=[]) | Q(compared_at__gt=at - AGAIN_AFTER))
            .values_list("day", flat=True)
        )
        for back in reversed(range(DAYS_BACK)):
            day = last - back * A_DAY
            if day in done:
                continue
            with OneOfMany(logger, "%s of %s could not be compared", day, gateway.name):
                try:
                    row = compare_day(gateway, day, now=at)
                except GatewayUnavailable:
                    logger.warning("%s does not answer; its days are compared later", gateway.name)
                    break
                if row is not None:
                    compared.append(row)
    return compared


def _advance(pk: int, at: datetime) -> None:
    # Set first: a purchase that cannot be asked about must wait its time like any other.
    purchase = Purchase.objects.get(pk=pk)
    mine = Purchase.objects.filter(pk=pk, status__in=Purchase.OPEN)
    mine.update(next_check_at=next_check(purchase, at), checks_count=F("checks_count") + 1)
    advanced = None
    with OneOfMany(logger, "purchase %s could not be advanced", pk):
        try:
            advanced = advance_purchase(pk, now=at)
        except GatewayNotConfigured:
            logger.warning("purchase %s waits for a gateway that is not configured", pk)
    if advanced is not None:
        # What the answer changed (when it was sent, until when it can be paid) changes the time.
        mine.update(next_check_at=next_check(advanced, at))


def _look_for_ours(gateway: Gateway, theirs: list[SettledCharge], at: datetime) -> list[Difference]:
    """The charges of theirs that are not a purchase of ours, paid with the same amount."""
    found = (_compare_charge(gateway, charge, at) for charge in theirs)
    return [difference for difference in found if difference is not None]


def _compare_charge(gateway: Gateway, charge: SettledCharge, at: datetime) -> Difference | None:
    purchase = find_charged(gateway.name, key=charge.idempotency_key, reference=charge.reference)
    told = f"{charge.amount} {charge.currency}"
    if purchase is None:
        return _difference("unknown_purchase", charge.idempotency_key or charge.reference, "", told)
    if not purchase.is_final:
        # Its proof was lost on the way here: the gateway is asked about it now.
        _advance(purchase.pk, at)
        purchase = Purchase.objects.select_related("company").get(pk=purchase.pk)
    ours = f"{purchase.total} {purchase.currency}"
    if purchase.status in (Status.DECLINED, Status.EXPIRED):
        apply_result(purchase.pk, _as_result(charge), now=at)
        return _difference("paid_after_end", idempotency_key(purchase), purchase.status, told)
    if purchase.status != Status.SUCCEEDED:
        return _difference("not_credited", idempotency_key(purchase), purchase.status, told)
    if (purchase.total, purchase.currency) != (charge.amount, charge.currency):
        return _difference("amount_differs", idempotency_key(purchase), ours, told)
    return None


def _as_result(charge: SettledCharge) -> ChargeResult:
    return ChargeResult(
        status=ChargeStatus.SUCCEEDED,
        reference=charge.reference,
        amount=charge.amount,
        currency=charge.currency,
    )


def _look_for_theirs(gateway: Gateway, day: date, theirs: list[SettledCharge]) -> list[Difference]:
    """Our purchases of the day that the gateway did not count, on it or the days beside it, and
    does not call paid when asked.
    """
    ours = _ours_of(gateway, day)
    missing = _without(ours, theirs)
    for other in (day - A_DAY, day + A_DAY):
        missing = missing and _without(missing, gateway.settled_on(other) or [])
    return [
        _difference(
            "not_at_gateway", idempotency_key(purchase), f"{purchase.total} {purchase.currency}", ""
        )
        for purchase in missing
        if not _is_paid_there(gateway, purchase)
    ]


def _without(purchases: list[Purchase], charges: list[SettledCharge]) -> list[Purchase]:
    keys = {charge.idempotency_key for charge in charges if charge.idempotency_key}
    references = {charge.reference for charge in charges if not charge.idempotency_key}
    return [
        purchase
        for purchase in purchases
        if idempotency_key(purchase) not in keys
        and (not purchase.gateway_reference or purchase.gateway_reference not in references)
    ]


def _is_paid_there(gateway: Gateway, purchase: Purchase) -> bool:
    """What we heard of days later stands on another day there; so it is asked about by name."""
    answer = gateway.fetch(idempotency_key(purchase), reference=purchase.gateway_reference)
    if answer is None or answer.status != ChargeStatus.SUCCEEDED:
        return False
    return answer.amount in (None, purchase.total) and answer.currency in ("", purchase.currency)


def _ours_of(gateway: Gateway, day: date) -> list[Purchase]:
    start = datetime.combine(day, time.min, tzinfo=UTC)
    return list(
        Purchase.objects.filter(
            gateway=gateway.name,
            status=Status.SUCCEEDED,
            settled_at__gte=start,
            settled_at__lt=start + A_DAY,
        ).order_by("pk")
    )


def _sums(amounts: Iterable[tuple[str, Decimal]]) -> dict[str, str]:
    sums: dict[str, Decimal] = {}
    for currency, amount in amounts:
        sums[currency] = sums.get(currency, Decimal(0)) + amount
    return {currency: str(total.normalize() + 0) for currency, total in sorted(sums.items())}


def _difference(what: str, key: str, ours: str, theirs: str) -> Difference:
    return {"what": what, "key": key, "ours": ours, "theirs": theirs}
