"""Purchases through Stripe from the button to the ledger, whatever happens to the answers and the
events on their way: charged once, credited once.
"""

import json
import random
import time
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.test import Client

from billing.gateways.base import Way
from billing.inbox import sweep_events
from billing.means import NewMethod
from billing.methods import list_methods
from billing.models import GatewayEvent, PaymentIncident, PaymentMethod, Purchase
from billing.purchases import advance_purchase, buy_credit, create_purchase
from billing.reconciliation import compare_day
from billing.settlement import apply_result
from credit.accounts import company_balance
from credit.verification import verify_ledger
from members.actors import Actor
from members.models import Company, Member
from skypemgr.lib.periods import utc_now
from tests.billing.conftest import a_request, run, terms
from tests.billing.stripe_world import ASKING, gateway, paid, wish
from tests.fakes.fixtures import SECRET
from tests.fakes.payment_client import PaymentServer
from tests.fakes.payment_events import sign

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("payment_server")]


@pytest.fixture(autouse=True)
def _address(alice: Member) -> None:
    Company.objects.filter(pk=alice.company_id).update(
        address_line_1="1 rue de la Paix", postcode="75002", city="Paris", siren="552100554"
    )


def buy(alice: Member, means: Any = None, **more: Any) -> Purchase:
    return buy_credit(
        actor=Actor.of_member(alice),
        amount=Decimal(50),
        method=means or NewMethod("stripe", Way.CARD),
        request=a_request(),
        **more,
    )


def bring(server: PaymentServer, seed: int | None = None, times: int = 1) -> None:
    """All events of the gateway arrive, shuffled by the seed, each so many times."""
    events = server.objects("event") * times
    if seed is not None:
        random.Random(seed).shuffle(events)
    client = Client()
    for event in events:
        body = json.dumps(event)
        answer = client.post(
            "/payments/stripe/events/",
            body,
            content_type="application/json",
            headers={"stripe-signature": sign(body, SECRET, int(time.time()))},
        )
        assert answer.status_code == 200


def assert_credited_once(alice: Member, server: PaymentServer) -> None:
    """What was charged is what was credited, with VAT on top."""
    total = sum(one.total for one in Purchase.objects.filter(status="succeeded"))
    net = sum(one.amount for one in Purchase.objects.filter(status="succeeded"))
    assert sum(paid(server)) == total * 100
    assert company_balance(alice.company) == net
    assert verify_ledger() == []


@pytest.mark.parametrize("seed", range(4))
def test_events_in_any_order_and_number_credit_once(
    alice: Member, payment_server: PaymentServer, seed: int
) -> None:
    purchase = buy(alice)
    payment_server.press(purchase.action_url, number="4000000000009995")
    payment_server.pay(purchase.action_url)
    bring(payment_server, seed, times=3)
    sweep_events()
    purchase.refresh_from_db()
    assert purchase.status == "succeeded"
    assert purchase.method == PaymentMethod.objects.get()
    assert_credited_once(alice, payment_server)
    assert not PaymentIncident.objects.exists()


def test_who_never_comes_back_is_credited_by_the_event_alone(
    alice: Member, payment_server: PaymentServer
) -> None:
    purchase = buy(alice)
    payment_server.pay(purchase.action_url)
    bring(payment_server)
    sweep_events()
    assert_credited_once(alice, payment_server)
    assert len(list_methods(alice.company)) == 1


def test_a_lost_answer_is_found_and_the_saved_card_charged_once(
    alice: Member, payment_server: PaymentServer
) -> None:
    first = buy(alice)
    payment_server.pay(first.action_url)
    advance_purchase(first.pk)
    (card,) = list_methods(alice.company)
    payment_server.order("fail", what="lost_after")
    second = buy(alice, card)
    assert second.status == "unknown"
    assert advance_purchase(second.pk).status == "succeeded"
    assert len(paid(payment_server)) == 2
    assert_credited_once(alice, payment_server)


def test_what_never_arrived_is_sent_again_and_charged_once(
    alice: Member, payment_server: PaymentServer
) -> None:
    payment_server.order("fail", what="lost_before")
    purchase = buy(alice)
    assert purchase.status == "unknown"
    purchase = advance_purchase(purchase.pk)
    assert purchase.status == "requires_action"
    payment_server.pay(purchase.action_url)
    assert advance_purchase(purchase.pk).status == "succeeded"
    assert_credited_once(alice, payment_server)


def test_a_debit_is_credited_when_the_bank_paid_and_known_by_its_own_name(
    alice: Member, payment_server: PaymentServer
) -> None:
    first = buy(alice, NewMethod("stripe", Way.SEPA_DEBIT))
    payment_server.pay(first.action_url)
    first = advance_purchase(first.pk)
    assert (first.status, company_balance(alice.company)) == ("pending", 0)
    payment_server.order("settle", intent=first.gateway_reference)
    assert advance_purchase(first.pk).status == "succeeded"
    (account,) = list_methods(alice.company)
    second = buy(alice, account)
    assert second.status == "pending"
    assert second.gateway_reference.startswith("pi_")
    payment_server.order("settle", intent=second.gateway_reference)
    bring(payment_server, seed=1, times=2)
    sweep_events()
    assert_credited_once(alice, payment_server)


@pytest.mark.parametrize(
    ("change", "kind"),
    [({"amount_received": 5900}, "amount_differs"), ({"currency": "usd"}, "currency_differs")],
)
def test_other_money_than_expected_is_not_credited(
    alice: Member, payment_server: PaymentServer, change: dict[str, Any], kind: str
) -> None:
    purchase = buy(alice)
    payment_server.pay(purchase.action_url)
    (intent,) = payment_server.objects("payment_intent")
    payment_server.order("alter", pk=intent["id"], **change)
    advance_purchase(purchase.pk)
    advance_purchase(purchase.pk)
    assert company_balance(alice.company) == 0
    assert [incident.kind for incident in PaymentIncident.objects.all()] == [kind]


def test_an_event_for_a_purchase_that_is_not_there_is_told_to_an_operator(
    alice: Member, payment_server: PaymentServer
) -> None:
    page = gateway.charge(wish("purchase:999999"))
    payment_server.pay(page.action_url)
    bring(payment_server, times=2)
    sweep_events()
    assert {incident.kind for incident in PaymentIncident.objects.all()} == {"unknown_purchase"}
    assert company_balance(alice.company) == 0


def test_refund_and_dispute_stand_beside_the_purchase_and_change_no_credit(
    alice: Member, payment_server: PaymentServer
) -> None:
    purchase = buy(alice)
    payment_server.pay(purchase.action_url)
    purchase = advance_purchase(purchase.pk)
    payment_server.order("refund", intent=purchase.gateway_reference, amount=1000)
    payment_server.order("dispute", intent=purchase.gateway_reference)
    bring(payment_server, seed=3, times=2)
    sweep_events()
    purchase.refresh_from_db()
    assert (purchase.refunded_amount, purchase.dispute_state) == (10, "open")
    assert company_balance(alice.company) == 50
    assert {incident.kind for incident in PaymentIncident.objects.all()} == {"refund", "dispute"}


def test_auto_recharge_with_a_bank_that_asks_sends_a_page_and_charges_once(
    alice: Member, payment_server: PaymentServer
) -> None:
    now = utc_now()
    first = buy(alice, auto_purchase=terms(level="60", amount="50", limit="500"))
    _status, bank = payment_server.press(first.action_url, number=ASKING)
    payment_server.press(bank, answer="approve")
    advance_purchase(first.pk)
    automatic = run(alice, now=now)
    assert automatic is not None
    assert (automatic.is_automatic, automatic.status) == (True, "requires_action")
    assert run(alice, now=now) is None
    place = payment_server.pay(automatic.action_url, answer="approve")
    back = urlsplit(place)
    answer = Client().get(f"{back.path}?{back.query}")
    assert answer.status_code == 200
    automatic.refresh_from_db()
    assert automatic.status == "succeeded"
    assert_credited_once(alice, payment_server)


def test_an_authentication_nobody_gave_is_called_off_after_a_day(
    alice: Member, payment_server: PaymentServer
) -> None:
    first = buy(alice, auto_purchase=terms(level="60", amount="50", limit="500"))
    _status, bank = payment_server.press(first.action_url, number=ASKING)
    payment_server.press(bank, answer="approve")
    advance_purchase(first.pk)
    automatic = run(alice, now=utc_now())
    assert automatic is not None
    later = utc_now() + timedelta(hours=25)
    assert advance_purchase(automatic.pk, now=later).status == "expired"
    payment_server.press(automatic.action_url, answer="approve")
    assert len(paid(payment_server)) == 1
    assert_credited_once(alice, payment_server)


def test_the_days_of_both_books_agree(alice: Member, payment_server: PaymentServer) -> None:
    purchase = buy(alice)
    payment_server.pay(purchase.action_url)
    advance_purchase(purchase.pk)
    day: datetime = utc_now()
    row = compare_day(gateway, day.date(), now=day + timedelta(days=1))
    assert row is not None
    assert (row.ours_count, row.theirs_count, row.differences) == (1, 1, [])


def test_two_first_payments_at_once_keep_both_methods_chargeable(
    alice: Member, payment_server: PaymentServer
) -> None:
    pages = [buy(alice), buy(alice)]
    for page, number in zip(pages, ("4242424242424242", "5555555555554444"), strict=True):
        payment_server.pay(page.action_url, number=number)
        advance_purchase(page.pk)
    methods = list_methods(alice.company)
    assert len(methods) == len(payment_server.objects("customer")) == 2
    assert [buy(alice, method).status for method in methods] == ["succeeded", "succeeded"]
    assert_credited_once(alice, payment_server)


def test_a_late_success_after_the_end_is_told_and_not_credited(
    alice: Member, payment_server: PaymentServer
) -> None:
    purchase = create_purchase(
        actor=Actor.of_member(alice),
        amount=Decimal(50),
        method=NewMethod("stripe", Way.CARD),
        request=a_request(),
    )
    purchase = advance_purchase(purchase.pk)
    payment_server.pay(purchase.action_url)
    Purchase.objects.filter(pk=purchase.pk).update(status="expired", settled_at=utc_now())
    bring(payment_server, times=2)
    sweep_events()
    result = gateway.fetch(f"purchase:{purchase.pk}")
    assert result is not None
    apply_result(purchase.pk, result, now=utc_now())
    assert company_balance(alice.company) == 0
    assert [one.kind for one in PaymentIncident.objects.all()] == ["paid_after_end"]
    assert not GatewayEvent.objects.filter(processed_at=None).exists()
