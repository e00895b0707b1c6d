"""What the payer of a bank transfer is told: where to pay, how much, under which reference.

Its one rule: told once when it is awaited and once more before it expires, to whoever buys.
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal

from django.conf import settings
from django.db import transaction
from django.urls import reverse
from stdnum import iban

from billing.models import BankTransfer, Purchase
from billing.references import group_reference
from members.notices import NoticeKind, tell_administrators, tell_member
from skypemgr.lib.amounts import currency_places, write_typed_amount
from skypemgr.lib.periods import utc_now

REMIND_BEFORE = timedelta(days=7)
REMINDED_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Instructions:
    """Where to pay what. ``amount`` is the total; ``expires_on`` the last day to pay."""

    holder: str
    iban: str
    bic: str
    bank: str
    reference: str
    amount: Decimal
    currency: str
    expires_on: date

    @property
    def exact_amount(self) -> str:
        """The amount with a point, in the currency's own decimals."""
        return f"{self.amount:.{currency_places(self.currency)}f}"

    @property
    def typed_amount(self) -> str:
        """The amount as the reader would type it into the bank's form."""
        return write_typed_amount(self.amount, places=currency_places(self.currency))

    @property
    def shown_iban(self) -> str:
        """The account in groups of four."""
        return iban.format(self.iban)

    @property
    def shown_reference(self) -> str:
        """The reference in groups of four."""
        return group_reference(self.reference)


def find_instructions(purchase: Purchase) -> Instructions | None:
    """How to pay the purchase; None if it is not paid by transfer or awaited no more."""
    if purchase.is_final or not purchase.payment_reference:
        return None
    transfer = BankTransfer.objects.filter(
        payment_reference=purchase.payment_reference, status=BankTransfer.Status.PENDING
    ).first()
    return _instructions(transfer) if transfer else None


def tell_instructions(purchase: Purchase) -> None:
    """Whoever buys is mailed how to pay, once."""
    instructions = find_instructions(purchase)
    if instructions is not None:
        _tell(purchase, instructions, NoticeKind.PURCHASE_TRANSFER)


def remind_transfers(*, now: datetime | None = None) -> int:
    """Whoever has a week left to pay was reminded, once; at most 500; returns how many."""
    at = now or utc_now()
    due = BankTransfer.objects.filter(
        status=BankTransfer.Status.PENDING,
        reminded_at=None,
        pay_by__lte=(at + REMIND_BEFORE).date(),
        pay_by__gte=at.date(),
    )
    ids = list(due.order_by("pay_by", "pk").values_list("pk", flat=True)[:REMINDED_AT_ONCE])
    return sum(_remind(pk, at) for pk in ids)


def _remind(transfer_id: int, now: datetime) -> bool:
    with transaction.atomic():
        transfer = (
            BankTransfer.objects.select_for_update(no_key=True)
            .filter(pk=transfer_id, reminded_at=None, status=BankTransfer.Status.PENDING)
            .first()
        )
        if transfer is None:
            return False
        transfer.reminded_at = now
        transfer.save(update_fields=["reminded_at"])
        purchase = (
            Purchase.objects.select_related("company", "made_by__company")
            .filter(payment_reference=transfer.payment_reference, status__in=Purchase.OPEN)
            .first()
        )
        if purchase is None:
            return False
        _tell(purchase, _instructions(transfer), NoticeKind.PURCHASE_TRANSFER_REMINDER)
    return True


def _instructions(transfer: BankTransfer) -> Instructions:
    return Instructions(
        holder=settings.BANK_HOLDER,
        iban=iban.compact(settings.BANK_IBAN),
        bic=settings.BANK_BIC,
        bank=settings.BANK_NAME,
        reference=transfer.payment_reference,
        amount=transfer.amount,
        currency=transfer.currency,
        expires_on=transfer.pay_by,
    )


def _tell(purchase: Purchase, instructions: Instructions, kind: NoticeKind) -> None:
    facts = {
        "purchase_id": purchase.pk,
        "credit": str(purchase.amount),
        "total": str(instructions.amount),
        "currency": instructions.currency,
        "holder": instructions.holder,
        "iban": instructions.shown_iban,
        "bic": instructions.bic,
        "bank": instructions.bank,
        "reference": instructions.shown_reference,
        "expires_on": instructions.expires_on.isoformat(),
        "url": reverse("purchase", args=[purchase.pk]),
    }
    key = f"purchase:{purchase.pk}:{kind.value}"
    if purchase.made_by is not None and purchase.made_by.status == "active":
        tell_member(purchase.made_by, kind, key=key, **facts)
    else:
        tell_administrators(purchase.company, kind, key=key, **facts)
