"""What a gateway must be able to do, and in which words it answers.

Its one rule: one idempotency key is one charge, however often it is asked for.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Protocol

from django.db import models
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


class Way(models.TextChoices):
    """How the payer pays, whichever gateway takes it."""

    CARD = "card", _("Card")
    PAYPAL = "paypal", "PayPal"
    SEPA_DEBIT = "sepa_debit", _("SEPA direct debit")
    TRANSFER = "transfer", _("Bank transfer")


class ChargeStatus(StrEnum):
    """What a gateway says about a charge; the values are those of ``Purchase.Status``."""

    PENDING = "pending"
    REQUIRES_ACTION = "requires_action"
    UNKNOWN = "unknown"
    SUCCEEDED = "succeeded"
    DECLINED = "declined"
    EXPIRED = "expired"


@dataclass(frozen=True, kw_only=True)
class ChargeRequest:
    """One wish to be paid. ``amount`` is the total to pay, in the currency's own decimals.

    Without a ``method_reference`` it is a first payment: on the gateway's own page, or by
    transfer under ``payment_reference``. ``is_off_session`` says that nobody is there to answer the
    bank; ``return_url`` is where a payer comes back to.
    """

    idempotency_key: str
    amount: Decimal
    currency: str
    way: Way = Way.CARD
    method_reference: str = ""
    customer_reference: str = ""
    payment_reference: str = ""
    is_off_session: bool = False
    saves_method: bool = False
    return_url: str = ""
    description: str = ""
    language: str = "en"
    email: str = ""


@dataclass(frozen=True, kw_only=True)
class SavedMethod:
    """A way to pay that the gateway keeps; ``fingerprint`` is the same for the same card.

    ``kind`` is a ``Way``; ``expires_on`` the last day on which a card is valid.
    """

    kind: str
    reference: str
    fingerprint: str
    label: str
    expires_on: date | None = None


@dataclass(frozen=True, kw_only=True)
class ChargeResult:
    """What the gateway said. ``action_url`` is where the payer pays or answers the bank, usable
    until ``expires_at``; ``amount`` and ``currency`` are what was paid, where the gateway says so.
    """

    status: ChargeStatus
    reference: str = ""
    decline_code: str = ""
    action_url: str = ""
    expires_at: datetime | None = None
    amount: Decimal | None = None
    currency: str = ""
    customer_reference: str = ""
    saved: SavedMethod | None = None


@dataclass(frozen=True, kw_only=True)
class SettledCharge:
    """One charge that the gateway counts as paid on a day; the total, in the currency."""

    idempotency_key: str
    reference: str
    amount: Decimal
    currency: str


class NewsKind(StrEnum):
    """What an event is about."""

    CHARGE = "charge"
    REFUND = "refund"
    DISPUTE = "dispute"
    METHOD = "method"
    OTHER = "other"


@dataclass(frozen=True, kw_only=True)
class News:
    """One event that a gateway told, its signature verified.

    ``idempotency_key`` is that of the charge it is about, ``reference`` the gateway's own name.
    ``amount`` is what was refunded or is disputed in all so far; ``text`` is the event's own type;
    ``dispute_state`` is ``open``, ``won`` or ``lost`` when it is about a dispute. About a saved
    method ``reference`` is the method's.
    """

    event_id: str
    kind: NewsKind
    text: str
    idempotency_key: str = ""
    reference: str = ""
    result: ChargeResult | None = None
    amount: Decimal | None = None
    currency: str = ""
    dispute_state: str = ""
    occurred_at: datetime | None = None


class GatewayUnavailable(Exception):
    """No answer came: whether a charge was made is not known. An outage is not a decline."""


class BadSignature(Exception):
    """The event was not signed by the gateway, or is too old to be taken for fresh."""


class Gateway(Protocol):
    """A gateway. Every method but ``save_method`` and ``read_event`` may raise
    GatewayUnavailable.
    """

    @property
    def name(self) -> str:
        """How settings and rows call it."""

    @property
    def label(self) -> str | Promise:
        """How people call it."""

    @property
    def ways(self) -> tuple[Way, ...]:
        """The ways to pay that it takes."""

    @property
    def is_sandbox(self) -> bool:
        """Whether it only pretends."""

    @property
    def asks_number(self) -> bool:
        """Whether our own page asks for a (test) card's number; else the gateway's page does."""

    @property
    def needs_billing_details(self) -> bool:
        """Whether the buyer's address and numbers must be known before paying."""

    @property
    def default_card(self) -> str:
        """The card that the gateway's bare name pays with; empty if there is none."""

    def save_method(self, number: str) -> SavedMethod:
        """The card is kept by the gateway; raises CardNotAccepted."""

    def charge(self, request: ChargeRequest) -> ChargeResult:
        """One charge exists under the request's key, made now or before."""

    def fetch(self, idempotency_key: str, *, reference: str = "") -> ChargeResult | None:
        """What became of the charge; None if the gateway never heard of it."""

    def cancel(self, idempotency_key: str, *, reference: str = "") -> ChargeResult:
        """The charge cannot be made any more, unless it already was, which the result says."""

    def detach(self, method_reference: str) -> None:
        """The saved method is forgotten; harmless when it already was."""

    def read_event(self, body: bytes, headers: Mapping[str, str]) -> News:
        """What an incoming event says; raises BadSignature."""

    def settled_on(self, day: date) -> list[SettledCharge] | None:
        """The charges paid on the day (UTC); None if the gateway cannot list them."""
