"""What a gateway must be able to do, and in which words it answers.

Its one rule: one idempotency key is one charge, however often it is asked for.
"""

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Protocol

from django.utils.functional import Promise


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

    ``is_off_session`` says that nobody is there to answer the bank.
    """

    idempotency_key: str
    amount: Decimal
    currency: str
    method_reference: str
    is_off_session: bool = False


@dataclass(frozen=True, kw_only=True)
class ChargeResult:
    """What the gateway said. ``action_url`` is where the payer answers the bank."""

    status: ChargeStatus
    reference: str = ""
    decline_code: str = ""
    action_url: str = ""


@dataclass(frozen=True, kw_only=True)
class SavedMethod:
    """A way to pay that the gateway keeps; ``fingerprint`` is the same for the same card."""

    kind: str
    reference: str
    fingerprint: str
    label: str


class GatewayUnavailable(Exception):
    """No answer came: whether a charge was made is not known. An outage is not a decline."""


class Gateway(Protocol):
    """A gateway. Every method but ``save_method`` may raise GatewayUnavailable."""

    @property
    def name(self) -> str:
        """How settings and rows call it."""

    @property
    def label(self) -> str | Promise:
        """How people call it."""

    @property
    def is_sandbox(self) -> bool:
        """Whether it only pretends."""

    @property
    def default_card(self) -> str:
        """The card that the gateway's bare name pays with; empty if there is none."""

    def save_method(self, number: str) -> SavedMethod:
        """The card is kept by the gateway; raises CardNotAccepted."""

    def charge(self, request: ChargeRequest) -> ChargeResult:
        """One charge exists under the request's key, made now or before."""

    def fetch(self, idempotency_key: str) -> ChargeResult | None:
        """What became of the charge; None if the gateway never heard of it."""

    def cancel(self, idempotency_key: str) -> ChargeResult:
        """The charge cannot be made any more, unless it already was, which the result says."""
