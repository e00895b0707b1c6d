"""A gateway that pretends, for development and tests, with a memory of its own.

Its one rule: what it wrote stays written whatever happens to its caller, as at a real gateway; so
every write is a transaction of its own, and one key is one charge.
"""

from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta

from django.db import transaction
from django.db.models.functions import Coalesce
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from billing.errors import CardNotAccepted
from billing.gateways.base import (
    BadSignature,
    ChargeRequest,
    ChargeResult,
    ChargeStatus,
    GatewayUnavailable,
    News,
    SavedMethod,
    SettledCharge,
    Way,
)
from billing.gateways.cards import CARDS_BY_NUMBER, Behaviour, SandboxCard
from billing.models import SandboxCharge
from skypemgr.lib.periods import utc_now

LATE = timedelta(seconds=5)
REFERENCE_PREFIX = "sandbox_card_"
# While the pretended gateway is down it notes the wish, so that it knows when it is up again.
UNMADE = "unmade"


class SandboxGateway:
    """The pretended gateway; ``docs/sandbox.md`` says which card does what."""

    name = "sandbox"
    label: str | Promise = gettext_lazy("Test card (sandbox)")
    ways = (Way.CARD,)
    is_sandbox = True
    asks_number = True
    needs_billing_details = False
    default_card = "4242424242424242"

    def save_method(self, number: str) -> SavedMethod:
        """The test card is kept; raises CardNotAccepted for any other number."""
        digits = "".join(number.split()).replace("-", "")
        card = CARDS_BY_NUMBER.get(digits)
        if card is None:
            raise CardNotAccepted(
                _("Only the test cards listed on this page are accepted. Never type a real card."),
                field="number",
            )
        return SavedMethod(
            kind=Way.CARD,
            reference=f"{REFERENCE_PREFIX}{card.number}",
            fingerprint=f"sandbox-{card.number}",
            label=f"•••• {card.number[-4:]}",
        )

    def charge(self, request: ChargeRequest) -> ChargeResult:
        """One charge exists under the key; an answer that gets lost raises GatewayUnavailable."""
        card = CARDS_BY_NUMBER[request.method_reference.removeprefix(REFERENCE_PREFIX)]
        behaviour = card.behaves(is_off_session=request.is_off_session)
        status = _first_status(behaviour)
        now = utc_now()
        with transaction.atomic(durable=True):
            charge, is_new = SandboxCharge.objects.get_or_create(
                idempotency_key=request.idempotency_key,
                defaults={
                    "card": card.number,
                    "amount": request.amount,
                    "currency": request.currency,
                    "status": status,
                    "decline_code": card.decline_code if status == ChargeStatus.DECLINED else "",
                    "settles_at": _settles_at(behaviour, now),
                },
            )
            if charge.status == UNMADE and charge.settles_at and charge.settles_at <= now:
                charge.status = ChargeStatus.SUCCEEDED
                charge.save(update_fields=["status"])
        if is_new and behaviour in (Behaviour.TIMES_OUT, Behaviour.IS_DOWN):
            raise GatewayUnavailable
        return self._tell(charge)

    def fetch(self, idempotency_key: str, *, reference: str = "") -> ChargeResult | None:
        """What became of the charge; None if there is none under the key."""
        charge = SandboxCharge.objects.filter(idempotency_key=idempotency_key).first()
        if charge is None:
            return None
        if charge.status == UNMADE and charge.settles_at and charge.settles_at <= utc_now():
            return None
        return self._tell(charge)

    def cancel(self, idempotency_key: str, *, reference: str = "") -> ChargeResult:
        """An unpaid charge is expired for good; also one that was never made."""
        with transaction.atomic(durable=True):
            SandboxCharge.objects.get_or_create(
                idempotency_key=idempotency_key,
                defaults={"amount": 0, "status": ChargeStatus.EXPIRED},
            )
            SandboxCharge.objects.filter(
                idempotency_key=idempotency_key, status__in=(ChargeStatus.REQUIRES_ACTION, UNMADE)
            ).update(status=ChargeStatus.EXPIRED)
        return self._tell(SandboxCharge.objects.get(idempotency_key=idempotency_key))

    def detach(self, method_reference: str) -> None:
        """Nothing to forget: the test cards are everybody's."""

    def read_event(self, body: bytes, headers: Mapping[str, str]) -> News:
        """It sends no events, so each one is forged."""
        raise BadSignature

    def settled_on(self, day: date) -> list[SettledCharge]:
        """The pretended charges that were paid on the day."""
        start = datetime.combine(day, time.min, tzinfo=UTC)
        paid = SandboxCharge.objects.annotate(
            paid_at=Coalesce("answered_at", "settles_at", "created_at")
        ).filter(
            status=ChargeStatus.SUCCEEDED, paid_at__gte=start, paid_at__lt=start + timedelta(days=1)
        )
        return [
            SettledCharge(
                idempotency_key=charge.idempotency_key,
                reference=charge.reference,
                amount=charge.amount,
                currency=charge.currency,
            )
            for charge in paid.order_by("pk")
        ]

    def answer_bank(self, charge: SandboxCharge, *, approved: bool) -> None:
        """The payer's answer is kept, the first one only."""
        with transaction.atomic(durable=True):
            SandboxCharge.objects.filter(pk=charge.pk, status=ChargeStatus.REQUIRES_ACTION).update(
                status=ChargeStatus.SUCCEEDED if approved else ChargeStatus.DECLINED,
                decline_code="" if approved else "authentication_failed",
                answered_at=utc_now(),
            )

    def _tell(self, charge: SandboxCharge) -> ChargeResult:
        card: SandboxCard | None = CARDS_BY_NUMBER.get(charge.card)
        is_early = charge.settles_at is not None and utc_now() < charge.settles_at
        if is_early and card is not None and card.behaviour != Behaviour.SETTLES_LATE:
            raise GatewayUnavailable
        status = ChargeStatus.PENDING if is_early else ChargeStatus(charge.status)
        is_asking = status == ChargeStatus.REQUIRES_ACTION
        address = reverse("sandbox_authenticate", args=[charge.reference])
        return ChargeResult(
            status=status,
            reference=charge.reference,
            decline_code=charge.decline_code,
            action_url=address if is_asking else "",
            amount=charge.amount if status == ChargeStatus.SUCCEEDED else None,
            currency=charge.currency if status == ChargeStatus.SUCCEEDED else "",
        )


def _first_status(behaviour: Behaviour) -> str:
    if behaviour == Behaviour.DECLINES:
        return ChargeStatus.DECLINED
    if behaviour == Behaviour.AUTHENTICATES:
        return ChargeStatus.REQUIRES_ACTION
    return UNMADE if behaviour == Behaviour.IS_DOWN else ChargeStatus.SUCCEEDED


def _settles_at(behaviour: Behaviour, now: datetime) -> datetime | None:
    is_late = behaviour in (Behaviour.SETTLES_LATE, Behaviour.TIMES_OUT, Behaviour.IS_DOWN)
    return now + LATE if is_late else None
