"""What happens to money at the payment server: intents, charges, refunds, disputes.

Its one rule: an intent is paid by at most one charge, and every change tells its event.
"""

from typing import Any

from tests.fakes.payment_cards import (
    AUTHENTICATES,
    CARDS,
    DECLINES,
    OWN_CODES,
    WORDS,
    fingerprint,
)
from tests.fakes.payment_errors import ApiError, Json, missing
from tests.fakes.payment_events import tell, visible
from tests.fakes.payment_store import Store

CONFIRMABLE = ("requires_payment_method", "requires_confirmation", "requires_action")
CURRENCIES_OF = {
    "sepa_debit": frozenset({"eur"}),
    "paypal": frozenset(
        "eur usd gbp chf sek nok dkk pln czk cad aud nzd hkd sgd".split()  # noqa: SIM905
    ),
}


def find(store: Store, kind: str, pk: str, param: str = "id") -> Json:
    """The object of the kind; ApiError if there is none."""
    one = store.get(pk)
    if one is None or one["object"] != kind or one.get("deleted"):
        raise missing(kind.rpartition(".")[2], pk, param)
    return one


def takes(way: str, currency: str) -> bool:
    """Whether the way to pay knows the currency."""
    return way not in CURRENCIES_OF or currency in CURRENCIES_OF[way]


def make_method(
    store: Store, way: str, *, number: str = "", email: str = "", iban: str = ""
) -> Json:
    """A payment method, not attached to anybody yet."""
    details: Json
    if way == "card":
        card = CARDS.get(number.replace(" ", ""))
        if card is None:
            raise ApiError("Your card number is incorrect.", status=402, kind="card_error")
        details = {
            "brand": card.brand,
            "country": "FR",
            "exp_month": 1 if card.code == "expired_card" else 12,
            "exp_year": 2024 if card.code == "expired_card" else 2034,
            "fingerprint": fingerprint(card.number),
            "funding": "credit",
            "last4": card.number[-4:],
        }
        secret = card.number
    elif way == "paypal":
        secret = email or "payer@example.com"
        details = {"payer_email": secret, "payer_id": fingerprint(secret).upper()[:13]}
    else:
        secret = (iban or "DE89370400440532013000").replace(" ", "")
        details = {
            "bank_code": secret[4:12],
            "country": secret[:2],
            "fingerprint": fingerprint(secret),
            "last4": secret[-4:],
        }
    return store.put(
        {
            "id": store.new_id("pm"),
            "object": "payment_method",
            "allow_redisplay": "unspecified",
            "billing_details": {"email": email or None, "name": None, "phone": None},
            "created": store.now(),
            "customer": None,
            "livemode": False,
            "metadata": {},
            "type": way,
            way: details,
            "_secret": secret,
            "_was_attached": False,
        }
    )


def attach(store: Store, method: Json, customer: str) -> None:
    """The method belongs to the customer and may be charged again."""
    if method["_was_attached"] and method["customer"] is None:
        raise ApiError(
            "The payment method you provided has already been detached from a customer and cannot "
            "be used again.",
            param="payment_method",
        )
    method["customer"], method["_was_attached"] = customer, True
    store.put(method)
    tell(store, "payment_method.attached", method)


def make_intent(store: Store, **fields: Any) -> Json:
    """An intent that waits for a payment method."""
    pk = store.new_id("pi")
    intent = {
        "id": pk,
        "object": "payment_intent",
        "amount": 0,
        "amount_received": 0,
        "canceled_at": None,
        "cancellation_reason": None,
        "capture_method": "automatic_async",
        "client_secret": f"{pk}_secret_{store.new_id('s')[2:]}",
        "confirmation_method": "automatic",
        "created": store.now(),
        "currency": "eur",
        "customer": None,
        "description": None,
        "last_payment_error": None,
        "latest_charge": None,
        "livemode": False,
        "metadata": {},
        "next_action": None,
        "payment_method": None,
        "payment_method_types": ["card"],
        "receipt_email": None,
        "setup_future_usage": None,
        "status": "requires_payment_method",
        **fields,
    }
    store.put(intent)
    tell(store, "payment_intent.created", intent)
    return intent


def confirm(
    store: Store, intent: Json, method: Json, *, is_away: bool, return_url: str, base: str
) -> Json:
    """The method was charged, or its bank is to be asked; ApiError when it was declined."""
    if intent["status"] not in CONFIRMABLE:
        raise ApiError(
            f"This PaymentIntent's status is {intent['status']}, so it cannot be confirmed.",
            code="payment_intent_unexpected_state",
            payment_intent=visible(intent),
        )
    intent["payment_method"], intent["last_payment_error"] = method["id"], None
    intent["next_action"], intent["_return_url"] = None, return_url
    if method["type"] == "sepa_debit":
        intent["status"] = "processing"
        charge(store, intent, method, "pending")
        store.put(intent)
        tell(store, "payment_intent.processing", intent)
        return intent
    ordered = store.fact("next_decline")
    if ordered:
        store.set_fact("next_decline", "")
        return decline(store, intent, method, ordered)
    answer = _bank(method, is_away=is_away)
    if answer == AUTHENTICATES and is_away:
        return decline(store, intent, method, "authentication_required")
    if answer == DECLINES:
        return decline(store, intent, method, CARDS[method["_secret"]].code)
    if answer == AUTHENTICATES:
        page = "paypal" if method["type"] == "paypal" else "3ds"
        intent["status"] = "requires_action"
        intent["next_action"] = {
            "type": "redirect_to_url",
            "redirect_to_url": {"return_url": return_url, "url": f"{base}/{page}/{intent['id']}"},
        }
        store.put(intent)
        tell(store, "payment_intent.requires_action", intent)
        return intent
    return succeed(store, intent, method)


def _bank(method: Json, *, is_away: bool) -> str:
    if method["type"] == "paypal":
        return "succeeds" if is_away else AUTHENTICATES
    card = CARDS[method["_secret"]]
    return card.away if is_away else card.here


def answer_action(store: Store, intent: Json, *, approved: bool) -> Json:
    """The payer answered the bank or PayPal, the first answer only."""
    if intent["status"] != "requires_action":
        return intent
    method = find(store, "payment_method", intent["payment_method"])
    intent["next_action"] = None
    if not approved:
        return decline(store, intent, method, "payment_intent_authentication_failure", raises=False)
    card = CARDS.get(method["_secret"])
    if card is not None and card.after:
        return decline(store, intent, method, card.after, raises=False)
    return succeed(store, intent, method)


def succeed(store: Store, intent: Json, method: Json) -> Json:
    """The intent is paid, and the method kept if that was asked for."""
    intent["status"], intent["amount_received"] = "succeeded", intent["amount"]
    intent["next_action"] = None
    pending = store.get(intent["latest_charge"] or "")
    if pending is not None and pending["status"] == "pending":
        pending.update(status="succeeded", paid=True)
        _book(store, pending, "payment")
        tell(store, "charge.succeeded", pending)
    else:
        charge(store, intent, method, "succeeded")
    keep(store, intent, method)
    store.put(intent)
    tell(store, "payment_intent.succeeded", intent)
    return intent


def keep(store: Store, intent: Json, method: Json) -> None:
    """The method belongs to the intent's customer if it is to be used again."""
    if intent["setup_future_usage"] and intent["customer"] and method["customer"] is None:
        attach(store, method, intent["customer"])


def decline(store: Store, intent: Json, method: Json, code: str, *, raises: bool = True) -> Json:
    """The intent waits for another method; ApiError as the answer if wanted."""
    failed = charge(store, intent, method, "failed", code=code)
    own = code in OWN_CODES or code.startswith(("authentication_", "payment_intent_", "bank_"))
    error: Json = {
        "type": "invalid_request_error" if code.startswith("payment_intent_") else "card_error",
        "code": code if own or method["type"] != "card" else "card_declined",
        "message": WORDS.get(code, WORDS["generic_decline"]),
        "charge": failed["id"],
        "payment_method": visible(method),
    }
    if not code.startswith("payment_intent_"):
        error["decline_code"] = code
    intent.update(
        status="requires_payment_method",
        payment_method=None,
        next_action=None,
        last_payment_error=error,
    )
    store.put(intent)
    tell(store, "payment_intent.payment_failed", intent)
    if not raises:
        return intent
    message, kind, error_code = error["message"], error["type"], error["code"]
    more: Json = {name: error.get(name) for name in ("charge", "decline_code", "payment_method")}
    raise ApiError(
        message,
        status=402,
        kind=kind,
        code=error_code,
        keeps=True,
        **more,
        payment_intent=visible(intent),
    )


def charge(store: Store, intent: Json, method: Json, status: str, *, code: str = "") -> Json:
    """One attempt to take the money."""
    way = method["type"]
    one = {
        "id": store.new_id("ch" if way == "card" else "py"),
        "object": "charge",
        "amount": intent["amount"],
        "amount_refunded": 0,
        "balance_transaction": None,
        "captured": status == "succeeded",
        "created": store.now(),
        "currency": intent["currency"],
        "customer": intent["customer"],
        "description": intent["description"],
        "disputed": False,
        "failure_code": code or None,
        "failure_message": WORDS.get(code, WORDS["generic_decline"]) if code else None,
        "livemode": False,
        "metadata": intent["metadata"],
        "paid": status in ("succeeded", "pending"),
        "payment_intent": intent["id"],
        "payment_method": method["id"],
        "payment_method_details": {"type": way, way: method[way]},
        "refunded": False,
        "status": status,
    }
    intent["latest_charge"] = one["id"]
    if status == "succeeded":
        _book(store, one, "charge" if way == "card" else "payment")
    store.put(one)
    tell(store, f"charge.{status}", one)
    return one


def _book(store: Store, one: Json, kind: str) -> None:
    fee = one["amount"] * 15 // 1000 + 25
    row = {
        "id": store.new_id("txn"),
        "object": "balance_transaction",
        "amount": one["amount"],
        "created": store.now(),
        "currency": one["currency"],
        "fee": fee,
        "net": one["amount"] - fee,
        "source": one["id"],
        "status": "pending",
        "type": kind,
    }
    one["balance_transaction"] = store.put(row)["id"]
    store.put(one)


def settle_debit(store: Store, intent: Json, *, code: str = "") -> Json:
    """The bank answered a direct debit, days later: paid, or refused for a reason."""
    if intent["status"] != "processing":
        raise ApiError(f"The intent is {intent['status']}, not processing.")
    method = find(store, "payment_method", intent["payment_method"])
    if not code:
        return succeed(store, intent, method)
    pending = find(store, "charge", intent["latest_charge"])
    pending.update(status="failed", paid=False, failure_code=code)
    store.put(pending)
    return decline(store, intent, method, code, raises=False)


def cancel(store: Store, intent: Json, reason: str | None) -> Json:
    """The intent can never be paid any more."""
    if intent["status"] not in CONFIRMABLE:
        raise ApiError(
            f"You cannot cancel this PaymentIntent because it has a status of {intent['status']}. "
            "Only a PaymentIntent with one of the following statuses may be canceled: "
            "requires_payment_method, requires_capture, requires_confirmation, requires_action, "
            "processing.",
            code="payment_intent_unexpected_state",
            payment_intent=visible(intent),
        )
    intent.update(
        status="canceled", canceled_at=store.now(), cancellation_reason=reason, next_action=None
    )
    store.put(intent)
    tell(store, "payment_intent.canceled", intent)
    return intent


def refund(store: Store, paid: Json, amount: int | None, reason: str | None = None) -> Json:
    """So much of a charge, or all the rest, goes back."""
    rest = paid["amount"] - paid["amount_refunded"]
    amount = rest if amount is None else amount
    if paid["status"] != "succeeded" or amount > rest or amount <= 0:
        raise ApiError(
            f"Charge {paid['id']} has already been refunded.", code="charge_already_refunded"
        )
    one = {
        "id": store.new_id("re"),
        "object": "refund",
        "amount": amount,
        "charge": paid["id"],
        "created": store.now(),
        "currency": paid["currency"],
        "metadata": {},
        "payment_intent": paid["payment_intent"],
        "reason": reason,
        "status": "succeeded",
    }
    store.put(one)
    paid["amount_refunded"] += amount
    paid["refunded"] = paid["amount_refunded"] == paid["amount"]
    store.put(paid)
    tell(store, "refund.created", one)
    tell(store, "charge.refunded", paid)
    return one


def dispute(store: Store, paid: Json, status: str) -> Json:
    """The payer objects to a charge, or the objection is decided: ``won`` or ``lost``."""
    known = next((one for one in store.all("dispute") if one["charge"] == paid["id"]), None)
    one: Json = known or {
        "id": store.new_id("du"),
        "object": "dispute",
        "amount": paid["amount"],
        "charge": paid["id"],
        "created": store.now(),
        "currency": paid["currency"],
        "livemode": False,
        "metadata": {},
        "payment_intent": paid["payment_intent"],
        "reason": "fraudulent",
    }
    one["status"] = status
    store.put(one)
    paid["disputed"] = True
    store.put(paid)
    is_over = status in ("won", "lost")
    tell(store, f"charge.dispute.{'closed' if is_over else 'created'}", one)
    return one
