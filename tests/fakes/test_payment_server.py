"""The payment server behaves as the real one: as strict, as patient, as forgetful."""

import json
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest
import stripe

from tests.fakes import payment_params as params
from tests.fakes.fixtures import SECRET, payment_process, payment_server
from tests.fakes.payment_client import KEY, PaymentServer

__all__ = ["payment_process", "payment_server"]
PAGE: dict[str, Any] = {
    "mode": "payment",
    "allowed_payment_method_types": ["card"],
    "line_items": [
        {
            "quantity": 1,
            "price_data": {
                "currency": "eur",
                "unit_amount": 6000,
                "product_data": {"name": "Credit"},
            },
        }
    ],
    "success_url": "http://localhost/done",
}


@pytest.fixture
def client(payment_server: PaymentServer) -> stripe.StripeClient:
    return stripe.StripeClient(KEY, base_addresses={"api": payment_server.base})


def page(client: stripe.StripeClient, key: str = "", **changes: Any) -> Any:
    options: stripe.RequestOptions = {"idempotency_key": key} if key else {}
    wanted: Any = {**PAGE, **changes}
    return client.v1.checkout.sessions.create(wanted, options)


def intent(client: stripe.StripeClient, **changes: Any) -> Any:
    wanted: Any = {"amount": 6000, "currency": "eur", **changes}
    return client.v1.payment_intents.create(wanted)


def refused(client: stripe.StripeClient, **changes: Any) -> stripe.InvalidRequestError:
    with pytest.raises(stripe.InvalidRequestError) as caught:
        page(client, **changes)
    return caught.value


def test_the_sdk_speaks_the_version_that_was_checked() -> None:
    assert stripe.api_version == params.VERSION


@pytest.mark.parametrize(
    ("spec", "name", "path"),
    [
        (params.SESSION, "SessionCreateParams", "checkout._session_create_params"),
        (params.INTENT, "PaymentIntentCreateParams", "_payment_intent_create_params"),
        (params.CONFIRM, "PaymentIntentConfirmParams", "_payment_intent_confirm_params"),
        (params.CANCEL, "PaymentIntentCancelParams", "_payment_intent_cancel_params"),
        (params.CUSTOMER, "CustomerCreateParams", "_customer_create_params"),
        (params.REFUND, "RefundCreateParams", "_refund_create_params"),
        (params.SESSIONS, "SessionListParams", "checkout._session_list_params"),
        (params.INTENTS, "PaymentIntentListParams", "_payment_intent_list_params"),
        (params.BALANCE, "BalanceTransactionListParams", "_balance_transaction_list_params"),
        (params.CHARGES, "ChargeListParams", "_charge_list_params"),
    ],
)
def test_nothing_is_taken_that_the_sdk_does_not_know(
    spec: dict[str, Any], name: str, path: str
) -> None:
    module = __import__(f"stripe.params.{path}", fromlist=[name])
    assert set(spec) <= set(getattr(module, name).__annotations__)


@pytest.mark.parametrize(
    ("changes", "code", "param"),
    [
        ({"colour": "red"}, "parameter_unknown", "colour"),
        (
            {"payment_method_types": ["card"]},
            "payment_method_types_no_longer_supported",
            "payment_method_types",
        ),
        ({"success_url": "nowhere"}, "url_invalid", "success_url"),
        ({"locale": "xx"}, None, "locale"),
        ({"customer": "cus_nobody"}, "resource_missing", "customer"),
        ({"customer_email": ""}, "parameter_invalid_empty", "customer_email"),
        ({"expires_at": int(time.time()) + 60}, None, "expires_at"),
        ({"expires_at": int(time.time()) + 48 * 3600}, None, "expires_at"),
        ({"payment_intent_data": {"off_session": True}}, "parameter_unknown", None),
        ({"metadata": {"n" * 41: "x"}}, None, "metadata"),
        ({"expand": ["line_items"]}, None, "expand"),
    ],
)
def test_a_page_with_wrong_words_is_refused(
    client: stripe.StripeClient, changes: dict[str, Any], code: str | None, param: str | None
) -> None:
    error = refused(client, **changes)
    assert error.http_status == 400
    assert code is None or error.code == code
    assert param is None or error.param == param


@pytest.mark.parametrize("left_out", ["mode", "line_items", "success_url"])
def test_a_page_needs_its_words(client: stripe.StripeClient, left_out: str) -> None:
    wanted: Any = {name: value for name, value in PAGE.items() if name != left_out}
    with pytest.raises(stripe.InvalidRequestError, match="Missing required param"):
        client.v1.checkout.sessions.create(wanted)


def test_words_that_exclude_each_other_are_refused(client: stripe.StripeClient) -> None:
    customer = client.v1.customers.create({"email": "a@example.com"})
    for changes in (
        {"customer": customer.id, "customer_email": "a@example.com"},
        {"customer": customer.id, "customer_creation": "always"},
        {"excluded_payment_method_types": ["paypal"]},
    ):
        assert "one of these parameters" in str(refused(client, **changes))


@pytest.mark.parametrize(
    ("amount", "currency", "code"),
    [
        (49, "eur", "amount_too_small"),
        (100_000_000, "eur", "amount_too_large"),
        (12_345, "kwd", "parameter_invalid_integer"),
        (70_050, "isk", "parameter_invalid_integer"),
        (6000, "EUR", None),
        (6000, "xxx", None),
    ],
)
def test_amounts_follow_the_rules_of_their_currency(
    client: stripe.StripeClient, amount: int, currency: str, code: str | None
) -> None:
    with pytest.raises(stripe.InvalidRequestError) as caught:
        intent(client, amount=amount, currency=currency)
    assert caught.value.code == code


def test_an_intent_is_confirmed_only_with_what_that_needs(
    payment_server: PaymentServer, client: stripe.StripeClient
) -> None:
    made = payment_server.order("method")
    method = {"payment_method": made["payment_method"], "customer": made["customer"]}
    for changes in (
        {**method, "off_session": True},
        {**method, "return_url": "http://localhost/"},
        {**method, "confirm": True},
        {"confirm": True, "off_session": True},
        {"payment_method": made["payment_method"], "confirm": True, "off_session": True},
        {**method, "confirm": True, "off_session": True, "payment_method_types": ["card"]},
        {
            **method,
            "confirm": True,
            "off_session": True,
            "allowed_payment_method_types": ["paypal"],
        },
    ):
        with pytest.raises(stripe.InvalidRequestError):
            intent(client, **changes)
    assert payment_server.objects("charge") == []
    assert intent(client, **method, confirm=True, off_session=True).status == "succeeded"


def test_a_decline_leaves_a_charge_and_says_why(
    payment_server: PaymentServer, client: stripe.StripeClient
) -> None:
    made = payment_server.order("method", number="4000000000009995")
    with pytest.raises(stripe.CardError) as caught:
        intent(client, **made, confirm=True, off_session=True)
    assert (caught.value.http_status, caught.value.code) == (402, "card_declined")
    assert caught.value.error is not None
    assert caught.value.error.decline_code == "insufficient_funds"
    (failed,) = payment_server.objects("charge")
    assert (failed["status"], failed["paid"]) == ("failed", False)


def test_a_key_gives_the_first_answer_for_a_day(
    payment_server: PaymentServer, client: stripe.StripeClient
) -> None:
    first = page(client, "k").id
    again = page(client, "k")
    assert again.id == first
    assert again.last_response.headers["Idempotent-Replayed"] == "true"
    with pytest.raises(stripe.IdempotencyError):
        page(client, "k", locale="fr")
    payment_server.order("advance", seconds=24 * 3600 + 1)
    assert page(client, "k").id != first


def test_an_error_of_the_server_is_repeated_and_a_refusal_is_not(
    payment_server: PaymentServer, client: stripe.StripeClient
) -> None:
    payment_server.order("fail", what="error_500")
    for _try in range(2):
        with pytest.raises(stripe.APIError):
            page(client, "k")
    with pytest.raises(stripe.InvalidRequestError):
        page(client, "other", locale="xx")
    assert page(client, "other").status == "open"


def test_a_key_in_use_is_a_conflict(
    payment_server: PaymentServer, client: stripe.StripeClient
) -> None:
    payment_server.order("fail", what="delay", seconds=2)
    first = threading.Thread(target=page, args=(client, "k"))
    first.start()
    while not payment_server.order("requests"):
        time.sleep(0.05)
    with pytest.raises(stripe.APIError) as caught:
        page(client, "k")
    first.join()
    assert caught.value.http_status == 409
    assert len(payment_server.objects("checkout.session")) == 1


def test_only_the_right_key_and_version_are_answered(payment_server: PaymentServer) -> None:
    base: Any = {"api": payment_server.base}
    with pytest.raises(stripe.AuthenticationError):
        page(stripe.StripeClient("sk_test_other", base_addresses=base))
    with pytest.raises(stripe.InvalidRequestError):
        page(stripe.StripeClient(KEY, base_addresses=base, stripe_version="2020-01-01"))


def test_lists_come_in_pages_newest_first(client: stripe.StripeClient) -> None:
    made = [intent(client).id for _number in range(5)]
    first = client.v1.payment_intents.list({"limit": 2})
    assert [one.id for one in first.data] == made[:2:-1]
    assert first.has_more
    assert [one.id for one in first.auto_paging_iter()] == made[::-1]


class Listener(BaseHTTPRequestHandler):
    """Keeps what it is told; refuses as often as ``refusals`` says."""

    heard: list[dict[str, Any]] = []
    refusals = 0

    def do_POST(self) -> None:
        """Verifies as the portal does."""
        body = self.rfile.read(int(self.headers["Content-Length"]))
        stripe.WebhookSignature.verify_header(
            body, self.headers["Stripe-Signature"], SECRET, tolerance=300
        )
        Listener.refusals -= 1
        taken = Listener.refusals < 0
        if taken:
            Listener.heard.append(json.loads(body))
        self.send_response(200 if taken else 500)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_words: Any) -> None:
        """Silent."""


@pytest.fixture
def listener(payment_server: PaymentServer) -> Iterator[str]:
    Listener.heard, Listener.refusals = [], 0
    server = HTTPServer(("127.0.0.1", 0), Listener)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}/"
    server.shutdown()
    server.server_close()


def heard(count: int) -> list[str]:
    deadline = time.monotonic() + 30
    while len(Listener.heard) < count and time.monotonic() < deadline:
        time.sleep(0.05)
    return [event["type"] for event in Listener.heard]


def test_events_are_signed_brought_and_brought_again_when_refused(
    payment_server: PaymentServer, client: stripe.StripeClient, listener: str
) -> None:
    Listener.refusals = 2
    payment_server.order("webhooks", url=listener, secret=SECRET)
    payment_server.pay(page(client).url)
    assert sorted(heard(4)) == [
        "charge.succeeded",
        "checkout.session.completed",
        "payment_intent.created",
        "payment_intent.succeeded",
    ]


def test_held_events_come_when_told_in_any_order_and_number(
    payment_server: PaymentServer, client: stripe.StripeClient, listener: str
) -> None:
    payment_server.order("webhooks", url=listener, secret=SECRET, held=True)
    payment_server.pay(page(client).url)
    assert Listener.heard == []
    payment_server.order("deliver", order="reversed", times=2)
    names = [event["type"] for event in Listener.heard]
    assert names[0] == "checkout.session.completed"
    assert names.count("payment_intent.succeeded") == 2
    payment_server.order("deliver", everything=True)
    assert len(Listener.heard) == len(names) * 3 // 2
