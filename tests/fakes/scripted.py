"""A gateway in this process whose every answer a test chooses; its memory outlives any rollback.

It charges once for each idempotency key, as a real one does, tells events that are signed, and can
fail before or after it did what it was asked.
"""

import hashlib
import hmac
import json
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import count
from threading import RLock
from typing import Any

from billing.errors import CardNotAccepted
from billing.gateways.base import (
    BadSignature,
    ChargeRequest,
    ChargeResult,
    ChargeStatus,
    GatewayUnavailable,
    News,
    NewsKind,
    SavedMethod,
    SettledCharge,
    Way,
)
from skypemgr.lib.periods import utc_now

SECRET = b"scripted"
TOLERANCE = timedelta(minutes=5)
SIGNATURE = "Scripted-Signature"


class Died(BaseException):
    """The process ended here."""


@dataclass
class Charge:
    """What the gateway remembers under one key."""

    request: ChargeRequest
    reference: str
    status: ChargeStatus
    decline_code: str = ""
    paid_at: datetime | None = None
    captures: int = 0


@dataclass(frozen=True)
class Letter:
    """An event on its way."""

    body: bytes
    headers: dict[str, str]


@dataclass
class ScriptedGateway:
    """``outcomes`` are those of the next new charges, ``faults`` those of the next questions:
    ``before`` and ``after`` lose the answer, ``death`` ends the asker after it was done; a charge
    that is ``late`` gets no answer and is ``underway`` until it arrives.
    ``meanwhile`` are what others do after it was done and before its answer arrives.
    """

    name: str = "scripted"
    label: str = "Scripted"
    ways: tuple[Way, ...] = (Way.CARD, Way.PAYPAL)
    is_sandbox: bool = False
    asks_number: bool = False
    needs_billing_details: bool = False
    default_card: str = ""
    now: datetime | None = None
    is_down: bool = False
    charges: dict[str, Charge] = field(default_factory=dict)
    outcomes: deque[ChargeStatus] = field(default_factory=deque)
    faults: deque[str] = field(default_factory=deque)
    underway: list[ChargeRequest] = field(default_factory=list)
    meanwhile: deque[Callable[[], None]] = field(default_factory=deque)
    letters: list[Letter] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    lists_days: bool = True
    lock: RLock = field(default_factory=RLock)
    numbers: "count[int]" = field(default_factory=lambda: count(1))

    def clock(self) -> datetime:
        """The gateway's own time."""
        return self.now or utc_now()

    def save_method(self, number: str) -> SavedMethod:
        """Never: cards are typed on the gateway's own page."""
        raise CardNotAccepted("No card numbers here.", field="number")

    def charge(self, request: ChargeRequest) -> ChargeResult:
        """One charge exists under the key."""
        with self.lock:
            if self.faults and self.faults[0] == "late":
                self.faults.popleft()
                self.underway.append(request)
                raise GatewayUnavailable
            self._fail("before", "charge")
            key = request.idempotency_key
            known = self.charges.get(key)
            if known is None:
                is_hosted = not request.method_reference
                usual = ChargeStatus.REQUIRES_ACTION if is_hosted else ChargeStatus.SUCCEEDED
                status = self.outcomes.popleft() if self.outcomes else usual
                known = Charge(request, f"ch_{next(self.numbers)}", ChargeStatus.PENDING)
                self.charges[key] = known
                self._become(key, status)
            else:
                assert known.request.amount in (request.amount, 0), "one key, two amounts"
            answer = self._tell(known)
            self._fail("after")
            return answer

    def fetch(self, idempotency_key: str, *, reference: str = "") -> ChargeResult | None:
        """What became of the charge."""
        with self.lock:
            self._fail("before", "fetch")
            known = self.charges.get(idempotency_key)
            answer = self._tell(known) if known else None
            self._fail("after")
            return answer

    def cancel(self, idempotency_key: str, *, reference: str = "") -> ChargeResult:
        """An unpaid charge is called off for good, also one that was never made."""
        with self.lock:
            self._fail("before", "cancel")
            known = self.charges.get(idempotency_key)
            if known is None:
                nothing = ChargeRequest(
                    idempotency_key=idempotency_key, amount=Decimal(0), currency="EUR"
                )
                known = Charge(nothing, f"ch_{next(self.numbers)}", ChargeStatus.EXPIRED)
                self.charges[idempotency_key] = known
            elif known.status in (ChargeStatus.REQUIRES_ACTION, ChargeStatus.PENDING):
                self._become(idempotency_key, ChargeStatus.EXPIRED)
            answer = self._tell(known)
            self._fail("after")
            return answer

    def detach(self, method_reference: str) -> None:
        """Nothing is kept."""

    def read_event(self, body: bytes, headers: Mapping[str, str]) -> News:
        """What the event says; raises BadSignature."""
        sent_at, _comma, signature = headers.get(SIGNATURE, "").partition(",")
        if not hmac.compare_digest(signature.encode(), sign(sent_at, body).encode()):
            raise BadSignature
        if abs(self.clock() - datetime.fromisoformat(sent_at)) > TOLERANCE:
            raise BadSignature
        told = json.loads(body)
        paid = told.get("amount")
        status = told.get("status", "")
        return News(
            event_id=told["id"],
            kind=NewsKind(told["kind"]),
            text=told["text"],
            idempotency_key=told.get("key", ""),
            reference=told.get("reference", ""),
            amount=None if paid is None else Decimal(paid),
            currency=told.get("currency", ""),
            dispute_state=told.get("dispute_state", ""),
            occurred_at=datetime.fromisoformat(told["occurred_at"]),
            result=ChargeResult(
                status=ChargeStatus(status),
                reference=told.get("reference", ""),
                amount=None if paid is None else Decimal(paid),
                currency=told.get("currency", ""),
                customer_reference=told.get("customer", ""),
            )
            if status
            else None,
        )

    def settled_on(self, day: date) -> list[SettledCharge] | None:
        """The charges paid on the day."""
        with self.lock:
            self._fail("before", "settled_on")
            if not self.lists_days:
                return None
            return [
                SettledCharge(
                    idempotency_key=key,
                    reference=charge.reference,
                    amount=charge.request.amount,
                    currency=charge.request.currency,
                )
                for key, charge in self.charges.items()
                if charge.paid_at and charge.paid_at.astimezone(UTC).date() == day
            ]

    # What happens on the gateway's side.

    def late_wishes_arrive(self) -> None:
        """What was underway is charged, unless its key was used or called off meanwhile."""
        wishes, self.underway, lost, self.faults = self.underway, [], self.faults, deque()
        for wish in wishes:
            self.charge(wish)
        self.faults = lost

    def answer(self, key: str, status: ChargeStatus) -> bool:
        """The payer paid, or was declined, on the gateway's page or late; the first answer only."""
        with self.lock:
            is_open = self.charges[key].status in (
                ChargeStatus.REQUIRES_ACTION,
                ChargeStatus.PENDING,
            )
            if is_open:
                self._become(key, status)
            return is_open

    def write(self, **told: Any) -> Letter:
        """A signed event with these words."""
        body = json.dumps(
            {
                "id": f"evt_{next(self.numbers)}",
                "kind": "charge",
                "text": "charge.changed",
                "occurred_at": self.clock().isoformat(),
                **told,
            }
        ).encode()
        return self.sign(body)

    def sign(self, body: bytes) -> Letter:
        """The body with a signature of now."""
        sent_at = self.clock().isoformat()
        return Letter(body, {SIGNATURE: f"{sent_at},{sign(sent_at, body)}"})

    def captured(self) -> dict[str, Decimal]:
        """What was really taken, by key."""
        return {
            key: charge.request.amount * charge.captures
            for key, charge in self.charges.items()
            if charge.captures
        }

    def _become(self, key: str, status: ChargeStatus) -> None:
        charge = self.charges[key]
        charge.status = status
        if status == ChargeStatus.SUCCEEDED:
            charge.captures += 1
            charge.paid_at = self.clock()
        charge.decline_code = "card_declined" if status == ChargeStatus.DECLINED else ""
        is_paid = status == ChargeStatus.SUCCEEDED
        self.letters.append(
            self.write(
                key=key,
                reference=charge.reference,
                status=status.value,
                amount=str(charge.request.amount) if is_paid else None,
                currency=charge.request.currency if is_paid else "",
            )
        )

    def _tell(self, charge: Charge) -> ChargeResult:
        is_paid = charge.status == ChargeStatus.SUCCEEDED
        is_asking = charge.status == ChargeStatus.REQUIRES_ACTION
        return ChargeResult(
            status=charge.status,
            reference=charge.reference,
            decline_code=charge.decline_code,
            action_url=f"https://pay.example/{charge.reference}" if is_asking else "",
            amount=charge.request.amount if is_paid else None,
            currency=charge.request.currency if is_paid else "",
        )

    def _fail(self, moment: str, question: str = "") -> None:
        if moment == "before":
            self.asked.append(question)
            if self.is_down:
                raise GatewayUnavailable
        elif self.meanwhile:
            self.meanwhile.popleft()()
        if not self.faults or (self.faults[0] in ("before", "late")) != (moment == "before"):
            return
        fault = self.faults.popleft()
        if fault == "death":
            raise Died
        if fault != "none":
            raise GatewayUnavailable


def sign(sent_at: str, body: bytes) -> str:
    """The signature of the body at that time."""
    return hmac.new(SECRET, sent_at.encode() + b"." + body, hashlib.sha256).hexdigest()
