"""Checkout sessions of the payment server: the hosted page on which a first payment is made.

Its one rule: a session is open, complete or expired; it can be paid only while it is open, and
expire only then.
"""

from typing import Any

from tests.fakes import payment_money as money
from tests.fakes.payment_errors import ApiError, Json
from tests.fakes.payment_events import tell
from tests.fakes.payment_params import TYPES, check_money
from tests.fakes.payment_store import Store

SHORTEST, LONGEST = 30 * 60, 24 * 3600


def create(store: Store, given: Json, base: str) -> Json:
    """A page is open on which the payer can pay."""
    _check(store, given)
    items = [_price(item) for item in given["line_items"]]
    currency = items[0]["currency"]
    amount = sum(item["unit_amount"] * item["quantity"] for item in items)
    check_money(amount, currency, "line_items[0][price_data][unit_amount]")
    allowed = given.get("allowed_payment_method_types", list(TYPES))
    excluded = given.get("excluded_payment_method_types", [])
    ways = [way for way in allowed if way not in excluded and money.takes(way, currency)]
    if not ways:
        raise ApiError(
            "No valid payment method types for this Checkout Session. Please ensure that you have "
            "activated payment methods compatible with your chosen currency in your dashboard."
        )
    now, pk = store.now(), store.new_id("cs_test")
    expires_at = given.get("expires_at", now + LONGEST)
    if not now + SHORTEST - 60 <= expires_at <= now + LONGEST + 60:
        raise ApiError(
            "The `expires_at` timestamp must be at least 30 minutes and at most 24 hours from "
            "Checkout Session creation.",
            param="expires_at",
        )
    session = {
        "id": pk,
        "object": "checkout.session",
        "allowed_payment_method_types": given.get("allowed_payment_method_types"),
        "amount_subtotal": amount,
        "amount_total": amount,
        "cancel_url": given.get("cancel_url"),
        "client_reference_id": given.get("client_reference_id"),
        "created": now,
        "currency": currency,
        "customer": given.get("customer"),
        "customer_creation": None
        if "customer" in given
        else given.get("customer_creation", "if_required"),
        "customer_details": None,
        "customer_email": given.get("customer_email"),
        "expires_at": expires_at,
        "livemode": False,
        "locale": given.get("locale"),
        "metadata": given.get("metadata", {}),
        "mode": "payment",
        "payment_intent": None,
        "payment_method_types": ways,
        "payment_status": "unpaid",
        "status": "open",
        "success_url": given["success_url"],
        "ui_mode": "hosted_page",
        "url": f"{base}/c/pay/{pk}",
        "_description": items[0]["product_data"]["name"],
        "_intent": given.get("payment_intent_data", {}),
    }
    return store.put(session)


def _check(store: Store, given: Json) -> None:
    if given.get("mode") != "payment":
        raise ApiError("Missing required param: mode.", code="parameter_missing", param="mode")
    for name in ("line_items", "success_url"):
        if not given.get(name):
            raise ApiError(f"Missing required param: {name}.", code="parameter_missing", param=name)
    for one, other in (
        ("customer", "customer_email"),
        ("customer", "customer_creation"),
        ("allowed_payment_method_types", "excluded_payment_method_types"),
    ):
        if one in given and other in given:
            raise ApiError(f"You may only specify one of these parameters: {one}, {other}.")
    if "customer" in given:
        money.find(store, "customer", given["customer"], "customer")


def _price(item: Json) -> Json:
    data: Json = item.get("price_data", {})
    for name in ("currency", "product_data", "unit_amount"):
        if name not in data:
            raise ApiError(
                f"Missing required param: line_items[0][price_data][{name}].",
                code="parameter_missing",
                param=f"line_items[0][price_data][{name}]",
            )
    if "name" not in data["product_data"]:
        raise ApiError("Missing required param: line_items[0][price_data][product_data][name].")
    if item.get("quantity", 0) < 1:
        raise ApiError("Quantity is required. Add `quantity` to `line_items[0]`")
    return {**data, "quantity": item["quantity"]}


def refresh(store: Store, session: Json) -> Json:
    """The session, expired if its time has come."""
    if session["status"] == "open" and session["expires_at"] <= store.now():
        return _end(store, session)
    return session


def expire(store: Store, session: Json) -> Json:
    """The page can never be paid on any more."""
    session = refresh(store, session)
    if session["status"] != "open":
        raise ApiError(
            'Only Checkout Sessions with a status in ["open"] can be expired. This Checkout '
            f"Session has a status of `{session['status']}`."
        )
    return _end(store, session)


def _end(store: Store, session: Json) -> Json:
    session.update(status="expired", url=None)
    store.put(session)
    intent = store.get(session["payment_intent"] or "")
    if intent is not None and intent["status"] in money.CONFIRMABLE:
        money.cancel(store, intent, "automatic")
    tell(store, "checkout.session.expired", session)
    return session


def pay(store: Store, session: Json, method: Json, base: str) -> Json:
    """The payer's try to pay on the page; the intent after it. ApiError if it was declined."""
    session = refresh(store, session)
    if session["status"] != "open":
        raise ApiError(f"This Checkout Session is {session['status']}.")
    intent = store.get(session["payment_intent"] or "") or _intent_of(store, session, method)
    session["payment_intent"] = intent["id"]
    store.put(session)
    intent = money.confirm(
        store,
        intent,
        method,
        is_away=False,
        return_url=f"{base}/c/done/{session['id']}",
        base=base,
    )
    return complete(store, intent)


def _intent_of(store: Store, session: Json, method: Json) -> Json:
    wanted: dict[str, Any] = session["_intent"]
    address = method["billing_details"]["email"] or session["customer_email"]
    if session["customer"] is None and session["customer_creation"] == "always":
        customer = {
            "id": store.new_id("cus"),
            "object": "customer",
            "created": store.now(),
            "email": address,
            "livemode": False,
            "metadata": {},
            "name": None,
        }
        store.put(customer)
        tell(store, "customer.created", customer)
        session["customer"] = customer["id"]
    session["customer_details"] = {"email": address, "name": None}
    return money.make_intent(
        store,
        amount=session["amount_total"],
        currency=session["currency"],
        customer=session["customer"],
        description=wanted.get("description"),
        metadata=wanted.get("metadata", {}),
        payment_method_types=session["payment_method_types"],
        setup_future_usage=wanted.get("setup_future_usage"),
        receipt_email=wanted.get("receipt_email"),
        _session=session["id"],
    )


def complete(store: Store, intent: Json) -> Json:
    """The session of an intent says what became of it."""
    session = store.get(intent.get("_session", ""))
    if session is None:
        return intent
    is_paid = intent["status"] == "succeeded"
    if session["status"] == "open" and intent["status"] in ("succeeded", "processing"):
        session.update(status="complete", payment_status="paid" if is_paid else "unpaid", url=None)
        store.put(session)
        tell(store, "checkout.session.completed", session)
    elif session["status"] == "complete" and session["payment_status"] == "unpaid":
        if is_paid:
            session["payment_status"] = "paid"
        store.put(session)
        tell(
            store, f"checkout.session.async_payment_{'succeeded' if is_paid else 'failed'}", session
        )
    return intent
