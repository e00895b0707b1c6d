"""Bank transfers as a gateway: the payer is told where to pay, and money counts once the bank's
statement or the operator says that it arrived.

Its one rule: the row of the awaited transfer decides, under its lock, between paid and expired;
what it says is final. Every write is a transaction of its own.
"""

from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta

from django.conf import settings
from django.db import transaction
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from billing.errors import CardNotAccepted
from billing.gateways.base import (
    BadSignature,
    ChargeRequest,
    ChargeResult,
    ChargeStatus,
    News,
    SavedMethod,
    SettledCharge,
    Way,
)
from billing.models import BankTransfer
from skypemgr.lib.periods import utc_now

Status = BankTransfer.Status


class TransferGateway:
    """The account at the bank."""

    name = "transfer"
    label: str | Promise = gettext_lazy("Bank transfer")
    ways = (Way.TRANSFER,)
    is_sandbox = False
    asks_number = False
    needs_billing_details = True
    default_card = ""

    def save_method(self, number: str) -> SavedMethod:
        """Never: nothing can be charged again by itself."""
        raise CardNotAccepted(_("A bank transfer cannot be saved as a card."), field="number")

    def charge(self, request: ChargeRequest) -> ChargeResult:
        """The transfer is awaited under its reference, from now or from before."""
        pay_by = utc_now().date() + timedelta(days=settings.TRANSFER_DAYS)
        with transaction.atomic():
            transfer, _is_new = BankTransfer.objects.get_or_create(
                idempotency_key=request.idempotency_key,
                defaults={
                    "payment_reference": request.payment_reference,
                    "amount": request.amount,
                    "currency": request.currency,
                    "pay_by": pay_by,
                    "closes_at": closing_of(pay_by),
                },
            )
        return _tell(transfer)

    def fetch(self, idempotency_key: str, *, reference: str = "") -> ChargeResult | None:
        """What became of it; one that waited too long has expired from now on."""
        BankTransfer.objects.filter(
            idempotency_key=idempotency_key, status=Status.PENDING, closes_at__lte=utc_now()
        ).update(status=Status.EXPIRED)
        transfer = BankTransfer.objects.filter(idempotency_key=idempotency_key).first()
        return _tell(transfer) if transfer else None

    def cancel(self, idempotency_key: str, *, reference: str = "") -> ChargeResult:
        """It is awaited no more, unless it was already received, which the result says."""
        BankTransfer.objects.filter(idempotency_key=idempotency_key, status=Status.PENDING).update(
            status=Status.EXPIRED
        )
        transfer = BankTransfer.objects.filter(idempotency_key=idempotency_key).first()
        return _tell(transfer) if transfer else ChargeResult(status=ChargeStatus.EXPIRED)

    def detach(self, method_reference: str) -> None:
        """Nothing is kept of the payer."""

    def read_event(self, body: bytes, headers: Mapping[str, str]) -> News:
        """A bank sends no events here, so each one is forged."""
        raise BadSignature

    def settled_on(self, day: date) -> list[SettledCharge]:
        """The transfers that were counted as received on the day (UTC)."""
        start = datetime.combine(day, time.min, tzinfo=UTC)
        paid = BankTransfer.objects.filter(
            status=Status.SUCCEEDED, settled_at__gte=start, settled_at__lt=start + timedelta(days=1)
        )
        return [
            SettledCharge(
                idempotency_key=transfer.idempotency_key,
                reference=transfer.payment_reference,
                amount=transfer.amount,
                currency=transfer.currency,
            )
            for transfer in paid.order_by("pk")
        ]


def closing_of(pay_by: date) -> datetime:
    """Until when a transfer that was to be paid by that day is waited for."""
    last = pay_by + timedelta(days=settings.TRANSFER_GRACE_DAYS + 1)
    return datetime.combine(last, time.min, tzinfo=UTC)


def _tell(transfer: BankTransfer) -> ChargeResult:
    # The operator may have taken a little less, or more, as full: the purchase is paid with this.
    is_paid = transfer.status == Status.SUCCEEDED
    return ChargeResult(
        status=ChargeStatus(transfer.status),
        reference=transfer.payment_reference,
        expires_at=transfer.closes_at if transfer.status == Status.PENDING else None,
        amount=transfer.amount if is_paid else None,
        currency=transfer.currency if is_paid else "",
    )
