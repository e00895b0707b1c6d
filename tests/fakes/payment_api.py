"""The addresses of the payment server under ``/v1/``.

Its one rule: what an address takes and gives is the real one's; tests have addresses of their own.
"""

import re
from collections.abc import Callable
from typing import Any

from tests.fakes import payment_money as money
from tests.fakes import payment_params as params
from tests.fakes import payment_sessions as sessions
from tests.fakes.payment_errors import ApiError, Json, missing
from tests.fakes.payment_events import tell, visible
from tests.fakes.payment_store import Store

EXPANDABLE = {
    "checkout.session": {"payment_intent", "customer"},
    "payment_intent": {"payment_method", "latest_charge", "customer"},
    "charge": {"balance_transaction", "payment_intent", "customer"},
    "balance_transaction": {"source"},
    "payment_method": {"customer"},
}
LISTED = {
    "balance_transaction": "/v1/balance_transactions",
    "charge": "/v1/charges",
    "checkout.session": "/v1/checkout/sessions",
    "event": "/v1/events",
    "payment_intent": "/v1/payment_intents",
}
QUERY = re.compile(r"metadata\[['\"]([^'\"]+)['\"]\]:['\"]([^'\"]*)['\"]")

Answer = Callable[["Api", str, Json], Json]


class Api:
    """Answers requests out of the store; ``base`` is where the server can be reached."""

    def __init__(self, store: Store, base: str) -> None:
        self.store, self.base = store, base

    def answer(self, method: str, path: str, given: Json) -> Json:
        """The body of the answer; ApiError if there is no such address or it refuses."""
        for verb, pattern, spec, answer in ROUTES:
            match = re.fullmatch(pattern, path)
            if match and verb == method:
                checked = params.check(spec, given)
                pk = match.groups()[0] if match.groups() else ""
                return self.expand(answer(self, pk, checked), checked.get("expand", []))
        raise ApiError(f"Unrecognized request URL ({method}: {path}).", status=404)

    def expand(self, one: Json, paths: list[str]) -> Json:
        """What is told outside, with objects in place of their names where that was asked for."""
        shown = visible(one)
        if shown.get("object") in ("list", "search_result"):
            below = [path.removeprefix("data.") for path in paths]
            return {**shown, "data": [self.expand(row, below) for row in shown["data"]]}
        for path in paths:
            head, _, rest = path.partition(".")
            if head not in EXPANDABLE.get(str(shown.get("object")), ()):
                raise ApiError(f"This property cannot be expanded ({path}).", param="expand")
            named = shown[head]
            found = self.store.get(named) if isinstance(named, str) else named
            if found is not None:
                shown[head] = self.expand(found, [rest] if rest else [])
        return shown

    def page(self, kind: str, given: Json, *filters: str) -> Json:
        """Newest first, as many as asked for, after the one that was named."""
        rows = [one for one in self.store.all(kind) if not one.get("deleted")]
        if kind == "checkout.session":
            rows = [sessions.refresh(self.store, one) for one in rows]
        for name in filters:
            if name in given:
                rows = [one for one in rows if one.get(name) == given[name]]
        span: dict[str, int] = given.get("created", {})
        rows = [one for one in rows if _is_within(one["created"], span)]
        if "starting_after" in given:
            names = [one["id"] for one in rows]
            if given["starting_after"] not in names:
                raise missing(kind, given["starting_after"], "starting_after")
            rows = rows[names.index(given["starting_after"]) + 1 :]
        limit = given.get("limit", 10)
        if not 1 <= limit <= 100:
            raise ApiError("This value must be between 1 and 100.", param="limit")
        more = len(rows) > limit
        return {"object": "list", "data": rows[:limit], "has_more": more, "url": LISTED[kind]}


def _is_within(at: int, span: dict[str, int]) -> bool:
    return (
        at >= span.get("gte", at)
        and at <= span.get("lte", at)
        and at > span.get("gt", at - 1)
        and at < span.get("lt", at + 1)
    )


def create_session(api: Api, _pk: str, given: Json) -> Json:
    """POST /v1/checkout/sessions"""
    return sessions.create(api.store, given, api.base)


def show_session(api: Api, pk: str, _given: Json) -> Json:
    """GET /v1/checkout/sessions/ID"""
    return sessions.refresh(api.store, money.find(api.store, "checkout.session", pk))


def expire_session(api: Api, pk: str, _given: Json) -> Json:
    """POST /v1/checkout/sessions/ID/expire"""
    return sessions.expire(api.store, money.find(api.store, "checkout.session", pk))


def create_intent(api: Api, _pk: str, given: Json) -> Json:
    """POST /v1/payment_intents"""
    for name in ("amount", "currency"):
        if name not in given:
            raise ApiError(f"Missing required param: {name}.", code="parameter_missing", param=name)
    params.check_money(given["amount"], given["currency"], "amount")
    if not given.get("confirm"):
        for name in ("off_session", "return_url", "error_on_requires_action"):
            if name in given:
                raise ApiError(
                    f"The parameter `{name}` cannot be passed when creating a PaymentIntent unless "
                    "`confirm` is set to true.",
                    param=name,
                )
    if "customer" in given:
        money.find(api.store, "customer", given["customer"], "customer")
    allowed = given.get("allowed_payment_method_types", list(params.TYPES))
    ways = [way for way in allowed if money.takes(way, given["currency"])]
    method = _usable_method(api, given, given.get("customer"), ways)
    names = ("amount", "currency", "customer", "description", "metadata", "setup_future_usage")
    intent = money.make_intent(
        api.store,
        payment_method_types=ways,
        receipt_email=given.get("receipt_email"),
        **{name: given[name] for name in names if name in given},
    )
    if not given.get("confirm"):
        return intent
    return _confirm(api, intent, method, given)


def confirm_intent(api: Api, pk: str, given: Json) -> Json:
    """POST /v1/payment_intents/ID/confirm"""
    intent = money.find(api.store, "payment_intent", pk)
    method = _usable_method(api, given, intent["customer"], intent["payment_method_types"])
    return _confirm(api, intent, method, given)


def _usable_method(api: Api, given: Json, customer: str | None, ways: list[str]) -> Json | None:
    if "payment_method" not in given:
        return None
    name = given["payment_method"]
    method = money.find(api.store, "payment_method", name, "payment_method")
    if method["customer"] is not None and method["customer"] != customer:
        raise ApiError(
            "The PaymentMethod you provided belongs to a Customer. Please include the Customer in "
            "the `customer` parameter on the PaymentIntent.",
            param="payment_method",
        )
    if method["customer"] is None and method["_was_attached"]:
        raise ApiError(
            "The provided PaymentMethod was previously used with a PaymentIntent without Customer "
            "attachment, or was detached from a Customer, and may not be used again. To use a "
            "PaymentMethod multiple times, you must attach it to a Customer first.",
            param="payment_method",
        )
    if method["type"] not in ways:
        raise ApiError(
            f"The PaymentMethod provided ({method['type']}) is not allowed for this PaymentIntent.",
            code="payment_intent_invalid_parameter",
            param="payment_method",
        )
    return method


def _confirm(api: Api, intent: Json, method: Json | None, given: Json) -> Json:
    if method is None:
        raise ApiError(
            "You cannot confirm this PaymentIntent because it's missing a payment method.",
            code="payment_intent_unexpected_state",
        )
    is_away = bool(given.get("off_session"))
    if not is_away and "return_url" not in given:
        raise ApiError(
            "This PaymentIntent is configured to accept payment methods enabled in your Dashboard. "
            "Because some of these payment methods might redirect your customer off of your page, "
            "you must provide a `return_url`.",
            param="return_url",
        )
    return money.confirm(
        api.store,
        intent,
        method,
        is_away=is_away,
        return_url=given.get("return_url", ""),
        base=api.base,
    )


def show(kind: str) -> Answer:
    """GET of one object."""

    def answer(api: Api, pk: str, _given: Json) -> Json:
        return money.find(api.store, kind, pk)

    return answer


def listing(kind: str, *filters: str) -> Answer:
    """GET of a list."""

    def answer(api: Api, _pk: str, given: Json) -> Json:
        return api.page(kind, given, *filters)

    return answer


def cancel_intent(api: Api, pk: str, given: Json) -> Json:
    """POST /v1/payment_intents/ID/cancel"""
    intent = money.find(api.store, "payment_intent", pk)
    if intent.get("_session"):
        raise ApiError(
            "You cannot cancel this PaymentIntent because it belongs to a Checkout Session. Expire "
            "the Checkout Session instead.",
            code="payment_intent_unexpected_state",
        )
    return money.cancel(api.store, intent, given.get("cancellation_reason"))


def search_intents(api: Api, _pk: str, given: Json) -> Json:
    """GET /v1/payment_intents/search: only what is older than the index is late."""
    match = QUERY.fullmatch(given.get("query", ""))
    if match is None:
        raise ApiError("We were unable to parse your search query.", param="query")
    name, value = match.groups()
    indexed = api.store.now() - int(api.store.fact("search_lag", "0"))
    rows = [
        one
        for one in api.store.all("payment_intent")
        if one["metadata"].get(name) == value and one["created"] <= indexed
    ]
    limit = given.get("limit", 10)
    return {
        "object": "search_result",
        "data": rows[:limit],
        "has_more": len(rows) > limit,
        "next_page": None,
        "url": "/v1/payment_intents/search",
    }


def create_customer(api: Api, _pk: str, given: Json) -> Json:
    """POST /v1/customers"""
    names = ("description", "email", "name")
    customer = {
        "id": api.store.new_id("cus"),
        "object": "customer",
        "created": api.store.now(),
        "livemode": False,
        "metadata": given.get("metadata", {}),
        "preferred_locales": given.get("preferred_locales", []),
        **{name: given.get(name) for name in names},
    }
    api.store.put(customer)
    tell(api.store, "customer.created", customer)
    return customer


def attach_method(api: Api, pk: str, given: Json) -> Json:
    """POST /v1/payment_methods/ID/attach"""
    method = money.find(api.store, "payment_method", pk)
    customer = money.find(api.store, "customer", given.get("customer", ""), "customer")
    money.attach(api.store, method, customer["id"])
    return method


def detach_method(api: Api, pk: str, _given: Json) -> Json:
    """POST /v1/payment_methods/ID/detach"""
    method = money.find(api.store, "payment_method", pk)
    if method["customer"] is None:
        raise ApiError(
            "The payment method you provided is not attached to a customer so detachment is "
            "impossible."
        )
    method["customer"] = None
    api.store.put(method)
    tell(api.store, "payment_method.detached", method)
    return method


def create_refund(api: Api, _pk: str, given: Json) -> Json:
    """POST /v1/refunds"""
    name = given.get("charge", "")
    if "payment_intent" in given:
        intent = money.find(api.store, "payment_intent", given["payment_intent"], "payment_intent")
        name = intent["latest_charge"] or ""
    paid = money.find(api.store, "charge", name, "charge")
    return money.refund(api.store, paid, given.get("amount"), given.get("reason"))


PK = "([A-Za-z0-9_]+)"
ROUTES: tuple[tuple[str, str, dict[str, Any], Answer], ...] = (
    ("POST", "/v1/checkout/sessions", params.SESSION, create_session),
    (
        "GET",
        "/v1/checkout/sessions",
        params.SESSIONS,
        listing("checkout.session", "customer", "payment_intent", "status"),
    ),
    ("POST", f"/v1/checkout/sessions/{PK}/expire", params.EXPAND, expire_session),
    ("GET", f"/v1/checkout/sessions/{PK}", params.EXPAND, show_session),
    ("POST", "/v1/payment_intents", params.INTENT, create_intent),
    ("GET", "/v1/payment_intents", params.INTENTS, listing("payment_intent", "customer")),
    ("GET", "/v1/payment_intents/search", params.SEARCH, search_intents),
    ("POST", f"/v1/payment_intents/{PK}/confirm", params.CONFIRM, confirm_intent),
    ("POST", f"/v1/payment_intents/{PK}/cancel", params.CANCEL, cancel_intent),
    ("GET", f"/v1/payment_intents/{PK}", params.EXPAND, show("payment_intent")),
    ("POST", "/v1/customers", params.CUSTOMER, create_customer),
    ("GET", f"/v1/customers/{PK}", params.EXPAND, show("customer")),
    ("POST", f"/v1/payment_methods/{PK}/attach", params.ATTACH, attach_method),
    ("POST", f"/v1/payment_methods/{PK}/detach", params.EXPAND, detach_method),
    ("GET", f"/v1/payment_methods/{PK}", params.EXPAND, show("payment_method")),
    ("POST", "/v1/refunds", params.REFUND, create_refund),
    ("GET", "/v1/charges", params.CHARGES, listing("charge", "customer", "payment_intent")),
    ("GET", f"/v1/charges/{PK}", params.EXPAND, show("charge")),
    (
        "GET",
        "/v1/balance_transactions",
        params.BALANCE,
        listing("balance_transaction", "currency", "source", "type"),
    ),
    ("GET", "/v1/events", params.EVENTS, listing("event", "type")),
    ("GET", f"/v1/events/{PK}", params.EXPAND, show("event")),
)
