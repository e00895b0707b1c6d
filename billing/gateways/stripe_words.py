"""What Stripe's objects say, in our words. Its one rule: nothing here asks Stripe; the same object
always says the same.
"""

from calendar import monthrange
from datetime import UTC, date, datetime
from typing import Any

from billing.gateways.base import (
    ChargeResult,
    ChargeStatus,
    News,
    NewsKind,
    SavedMethod,
    Way,
)
from billing.gateways.stripe_money import to_major

Json = dict[str, Any]

# Under this name Stripe's objects carry the key of the purchase.
KEY = "purchase"
AUTHENTICATION_REQUIRED = "authentication_required"
OUR_CODES = {
    "generic_decline": "card_declined",
    "payment_intent_authentication_failure": "authentication_failed",
    "payment_intent_payment_attempt_failed": "payment_refused",
}
_BRANDS = {
    "amex": "American Express",
    "cartes_bancaires": "Cartes Bancaires",
    "diners": "Diners Club",
    "discover": "Discover",
    "jcb": "JCB",
    "mastercard": "Mastercard",
    "unionpay": "UnionPay",
    "visa": "Visa",
}
LONGEST_CODE = 40


def tell_session(session: Json) -> ChargeResult:
    """What a checkout session says; its intent, if any, must be there in full.

    A try that failed on the page is no end: the payer may try again as long as the page is open.
    """
    if session["status"] == "open":
        return ChargeResult(
            status=ChargeStatus.REQUIRES_ACTION,
            reference=session["id"],
            action_url=session["url"] or "",
            expires_at=_moment(session["expires_at"]),
        )
    if session["status"] == "expired":
        return ChargeResult(status=ChargeStatus.EXPIRED, reference=session["id"])
    if isinstance(session["payment_intent"], dict):
        return tell_intent(session["payment_intent"])
    return ChargeResult(status=ChargeStatus.PENDING, reference=session["id"])


def tell_intent(intent: Json) -> ChargeResult:
    """What a payment intent says that is not behind an open page."""
    status, reference = intent["status"], intent["id"]
    customer = _name(intent.get("customer"))
    if status == "succeeded":
        currency = intent["currency"].upper()
        return ChargeResult(
            status=ChargeStatus.SUCCEEDED,
            reference=reference,
            amount=to_major(intent["amount_received"], currency),
            currency=currency,
            customer_reference=customer,
            saved=_saved(intent),
        )
    if status == "requires_action":
        action = intent.get("next_action") or {}
        return ChargeResult(
            status=ChargeStatus.REQUIRES_ACTION,
            reference=reference,
            action_url=(action.get("redirect_to_url") or {}).get("url") or "",
        )
    if status == "requires_payment_method" and intent.get("last_payment_error"):
        return ChargeResult(
            status=ChargeStatus.DECLINED, reference=reference, decline_code=decline_code(intent)
        )
    if status == "canceled":
        return ChargeResult(status=ChargeStatus.EXPIRED, reference=reference)
    return ChargeResult(
        status=ChargeStatus.PENDING, reference=reference, customer_reference=customer
    )


def wants_authentication(intent: Json) -> bool:
    """Whether a charge without the payer failed only because the bank wants to hear from them."""
    error = intent.get("last_payment_error") or {}
    return intent["status"] == "requires_payment_method" and AUTHENTICATION_REQUIRED in (
        error.get("code"),
        error.get("decline_code"),
    )


def decline_code(intent: Json) -> str:
    """Why the last try failed, in our codes where there is one, else in Stripe's."""
    error: Json = intent.get("last_payment_error") or {}
    charge = intent.get("latest_charge")
    failure = charge.get("failure_code") if isinstance(charge, dict) else ""
    code = error.get("decline_code") or error.get("code") or failure or "card_declined"
    return OUR_CODES.get(code, str(code))[:LONGEST_CODE]


def _saved(intent: Json) -> SavedMethod | None:
    method = intent.get("payment_method")
    if not intent.get("setup_future_usage") or not isinstance(method, dict):
        return None
    kind: str = method["type"]
    facts: Json = method.get(kind) or {}
    if kind == Way.CARD:
        return SavedMethod(
            kind=kind,
            reference=method["id"],
            fingerprint=facts.get("fingerprint") or method["id"],
            label=f"{_BRANDS.get(facts['brand'], facts['brand'].title())} •••• {facts['last4']}",
            expires_on=_last_day(facts["exp_year"], facts["exp_month"]),
        )
    if kind == Way.PAYPAL:
        payer = facts.get("payer_id") or method["id"]
        return SavedMethod(
            kind=kind,
            reference=method["id"],
            fingerprint=payer,
            label=facts.get("payer_email") or payer,
        )
    if kind == Way.SEPA_DEBIT:
        return SavedMethod(
            kind=kind,
            reference=method["id"],
            fingerprint=facts.get("fingerprint") or method["id"],
            label=f"{facts.get('country') or ''} •••• {facts.get('last4') or ''}".strip(),
        )
    return None


def read_news(event: Json) -> News:
    """What an event says; one about a payment that is not a purchase's is of no concern here."""
    about: Json = event["data"]["object"]
    what: str = event["type"]
    facts = _facts(what, about)
    return News(
        event_id=event["id"],
        text=what,
        occurred_at=_moment(event["created"]),
        **(facts or {"kind": NewsKind.OTHER}),
    )


def _facts(what: str, about: Json) -> Json | None:
    key = key_of(about)
    currency = str(about.get("currency") or "").upper()
    if what.startswith(("checkout.session.", "payment_intent.")) and key:
        result = _paid(about, key)
        reference = _name(about.get("payment_intent")) or about["id"]
        return {
            "kind": NewsKind.CHARGE,
            "idempotency_key": key,
            "reference": result.reference if result else reference,
            "result": result,
        }
    if what == "charge.refunded" and key:
        return {
            "kind": NewsKind.REFUND,
            "idempotency_key": key,
            "reference": _name(about.get("payment_intent")),
            "amount": to_major(about["amount_refunded"], currency),
            "currency": currency,
        }
    if what.startswith("charge.dispute."):
        return {
            "kind": NewsKind.DISPUTE,
            "idempotency_key": key,
            "reference": _name(about.get("payment_intent")) or _name(about.get("charge")),
            "amount": to_major(about["amount"], currency),
            "currency": currency,
            "dispute_state": _dispute_state(about["status"]),
        }
    if what.startswith("payment_method."):
        return {"kind": NewsKind.METHOD, "reference": about["id"]}
    return None


def _paid(about: Json, key: str) -> ChargeResult | None:
    """The proof of payment that the event carries, if it does."""
    is_session = about["object"] == "checkout.session"
    is_paid = (
        about.get("payment_status") == "paid" if is_session else about["status"] == "succeeded"
    )
    if not is_paid:
        return None
    currency = about["currency"].upper()
    return ChargeResult(
        status=ChargeStatus.SUCCEEDED,
        reference=(_name(about.get("payment_intent")) if is_session else "") or about["id"],
        amount=to_major(about["amount_total" if is_session else "amount_received"], currency),
        currency=currency,
        customer_reference=_name(about.get("customer")),
    )


def key_of(one: Json) -> str:
    """The key of the purchase that an object was made for; empty if it is not ours."""
    return str((one.get("metadata") or {}).get(KEY) or "")


def _dispute_state(status: str) -> str:
    if status in ("won", "warning_closed"):
        return "won"
    return "lost" if status == "lost" else "open"


def _name(one: Any) -> str:
    """The id of something that is there in full or by its id alone."""
    return str(one["id"] if isinstance(one, dict) else one or "")


def _moment(seconds: int | None) -> datetime | None:
    return datetime.fromtimestamp(seconds, UTC) if seconds else None


def _last_day(year: int, month: int) -> date:
    return date(year, month, monthrange(year, month)[1])
