"""What Stripe tells unasked: signed, fresh, and said in our words."""

import json
import time
from decimal import Decimal
from typing import Any

import pytest
from pytest_django import Settings

from billing.gateways.base import BadSignature, ChargeStatus, News, NewsKind, Way
from tests.billing.stripe_world import KEY, POOR, ask_again, gateway, saved, wish
from tests.fakes.fixtures import SECRET
from tests.fakes.payment_client import PaymentServer
from tests.fakes.payment_events import sign


def signed(body: str, *, secret: str = SECRET, age: int = 0) -> News:
    header = sign(body, secret, int(time.time()) - age)
    return gateway.read_event(body.encode(), {"stripe-signature": header})


def told(server: PaymentServer, kind: str) -> News:
    """What the newest event of the type says."""
    event = [one for one in server.objects("event") if one["type"] == kind][-1]
    return signed(json.dumps(event))


def an_event(**about: Any) -> str:
    return json.dumps(
        {
            "id": "evt_1",
            "object": "event",
            "created": int(time.time()),
            "type": "payment_intent.succeeded",
            "data": {
                "object": {
                    "id": "pi_1",
                    "object": "payment_intent",
                    "status": "succeeded",
                    "amount_received": 6000,
                    "currency": "eur",
                    "metadata": {"purchase": KEY},
                    **about,
                }
            },
        }
    )


def test_a_paid_page_is_proof_of_payment(payment_server: PaymentServer) -> None:
    page = gateway.charge(wish())
    payment_server.pay(page.action_url)
    truth = ask_again()
    for kind in ("checkout.session.completed", "payment_intent.succeeded"):
        news = told(payment_server, kind)
        assert (news.kind, news.idempotency_key, news.text) == (NewsKind.CHARGE, KEY, kind)
        assert news.result is not None
        assert news.reference == news.result.reference == truth.reference
        assert (news.result.status, news.result.amount, news.result.currency) == (
            ChargeStatus.SUCCEEDED,
            Decimal("60.00"),
            "EUR",
        )
        assert news.occurred_at is not None


def test_a_debit_completed_unpaid_proves_nothing(payment_server: PaymentServer) -> None:
    page = gateway.charge(wish(way=Way.SEPA_DEBIT))
    payment_server.pay(page.action_url)
    assert told(payment_server, "checkout.session.completed").result is None
    payment_server.order("settle", intent=ask_again().reference)
    later = told(payment_server, "checkout.session.async_payment_succeeded").result
    assert later is not None
    assert later.status == ChargeStatus.SUCCEEDED


def test_a_failed_try_is_only_a_reason_to_ask(payment_server: PaymentServer) -> None:
    page = gateway.charge(wish())
    payment_server.press(page.action_url, number=POOR)
    news = told(payment_server, "payment_intent.payment_failed")
    assert (news.kind, news.idempotency_key, news.result) == (NewsKind.CHARGE, KEY, None)


def test_refunds_tell_the_sum_so_far(payment_server: PaymentServer) -> None:
    paid = gateway.charge(wish(**saved(payment_server)))
    for amount, so_far in ((1000, "10.00"), (500, "15.00"), (None, "60.00")):
        payment_server.order("refund", intent=paid.reference, amount=amount)
        news = told(payment_server, "charge.refunded")
        assert (news.kind, news.idempotency_key) == (NewsKind.REFUND, KEY)
        assert (news.reference, news.amount, news.currency) == (
            paid.reference,
            Decimal(so_far),
            "EUR",
        )


@pytest.mark.parametrize(
    ("status", "state"), [("needs_response", "open"), ("won", "won"), ("lost", "lost")]
)
def test_disputes_tell_how_they_stand(
    payment_server: PaymentServer, status: str, state: str
) -> None:
    paid = gateway.charge(wish(**saved(payment_server)))
    payment_server.order("dispute", intent=paid.reference, status=status)
    kind = "charge.dispute.created" if state == "open" else "charge.dispute.closed"
    news = told(payment_server, kind)
    assert (news.kind, news.reference, news.dispute_state) == (
        NewsKind.DISPUTE,
        paid.reference,
        state,
    )
    assert news.amount == Decimal("60.00")


def test_a_detached_method_is_told_by_its_name(payment_server: PaymentServer) -> None:
    method = saved(payment_server)["method_reference"]
    gateway.detach(method)
    news = told(payment_server, "payment_method.detached")
    assert (news.kind, news.reference) == (NewsKind.METHOD, method)


def test_payments_that_are_nobodys_purchase_are_of_no_concern(
    payment_server: PaymentServer,
) -> None:
    assert signed(an_event(metadata={})).kind == NewsKind.OTHER
    assert signed(an_event(metadata=None)).kind == NewsKind.OTHER


@pytest.mark.parametrize("age", [0, 290])
def test_a_fresh_signature_is_taken(payment_server: PaymentServer, age: int) -> None:
    assert signed(an_event(), age=age).event_id == "evt_1"


def test_a_signature_older_than_five_minutes_is_refused(payment_server: PaymentServer) -> None:
    with pytest.raises(BadSignature):
        signed(an_event(), age=310)


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"stripe-signature": ""},
        {"stripe-signature": "nonsense"},
        {"stripe-signature": "t=1,v1=é"},
        {"stripe-signature": f"t={int(time.time())}"},
        {"other-signature": sign(an_event(), SECRET, int(time.time()))},
    ],
)
def test_what_is_not_signed_is_refused(
    payment_server: PaymentServer, headers: dict[str, str]
) -> None:
    with pytest.raises(BadSignature):
        gateway.read_event(an_event().encode(), headers)


def test_a_changed_body_is_refused(payment_server: PaymentServer) -> None:
    body = an_event()
    header = sign(body, SECRET, int(time.time()))
    with pytest.raises(BadSignature):
        gateway.read_event(body.replace("6000", "9000").encode(), {"Stripe-Signature": header})


@pytest.mark.parametrize("body", ["", "[]", "{}", "null", '{"data": {}}', "é\udcff"])
def test_a_signed_body_that_says_nothing_is_refused(
    payment_server: PaymentServer, body: str
) -> None:
    raw = body.encode("utf-8", "surrogateescape")
    header = sign(body.encode("utf-8", "replace").decode(), SECRET, int(time.time()))
    with pytest.raises(BadSignature):
        gateway.read_event(raw, {"stripe-signature": header})


def test_a_forged_signature_is_refused(payment_server: PaymentServer) -> None:
    with pytest.raises(BadSignature):
        signed(an_event(), secret="whsec_guess")


def test_two_secrets_hold_while_one_replaces_the_other(
    payment_server: PaymentServer, settings: Settings
) -> None:
    settings.STRIPE_WEBHOOK_SECRETS = ["whsec_new", SECRET]
    assert signed(an_event()).idempotency_key == KEY
    assert signed(an_event(), secret="whsec_new").idempotency_key == KEY
    settings.STRIPE_WEBHOOK_SECRETS = []
    with pytest.raises(BadSignature):
        signed(an_event(), secret="")
