"""Many at once through Stripe, on real connections: one page, one charge, one credit."""

import json
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from functools import partial
from threading import Barrier

import pytest
from django.db import connection
from django.test import Client

from billing.drafts import Draft
from billing.gateways.base import Way
from billing.inbox import sweep_events
from billing.means import Means, NewMethod
from billing.methods import list_methods
from billing.models import PaymentMethod, Purchase
from billing.purchases import advance_purchase, buy_credit
from credit.accounts import company_balance
from credit.verification import verify_ledger
from members.actors import Actor
from members.models import Company, Member
from tests.billing.conftest import a_request
from tests.billing.stripe_world import paid
from tests.fakes.fixtures import SECRET
from tests.fakes.payment_client import PaymentServer
from tests.fakes.payment_events import sign

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("payment_server")]
CARD = NewMethod("stripe", Way.CARD)


@pytest.fixture(autouse=True)
def _address(alice: Member) -> None:
    Company.objects.filter(pk=alice.company_id).update(
        address_line_1="1 rue de la Paix", postcode="75002", city="Paris", siren="552100554"
    )


def all_at_once(works: list[Callable[[], object]]) -> None:
    """Every work was done, each begun at the same moment on a connection of its own."""
    barrier = Barrier(len(works))

    def run(work: Callable[[], object]) -> None:
        barrier.wait(timeout=60)
        try:
            work()
        finally:
            connection.close()

    with ThreadPoolExecutor(len(works)) as crowd:
        list(crowd.map(run, works))


def press_pay_now(alice: Member, means: Means, count: int) -> None:
    """The button of one form was pressed so many times."""
    draft = Draft.start(alice.company, means=means, amount=Decimal(50), terms=None).sign()

    def press() -> None:
        browser = Client()
        browser.force_login(alice.user, backend="django.contrib.auth.backends.ModelBackend")
        assert browser.post("/buy/check/", {"draft": draft}).status_code == 302

    all_at_once([press] * count)


def pay_first(alice: Member, server: PaymentServer) -> PaymentMethod:
    """The company's saved card, after a first payment of 50."""
    purchase = buy_credit(
        actor=Actor.of_member(alice), amount=Decimal(50), method=CARD, request=a_request()
    )
    server.pay(purchase.action_url)
    advance_purchase(purchase.pk)
    (card,) = list_methods(alice.company)
    return card


def test_fifty_presses_of_pay_now_open_one_page(
    alice: Member, payment_server: PaymentServer
) -> None:
    press_pay_now(alice, CARD, 50)
    purchase = advance_purchase(Purchase.objects.get().pk)
    assert purchase.status == "requires_action"
    assert len(payment_server.objects("checkout.session")) == 1


@pytest.mark.parametrize("what", ["", "lost_after", "lost_before", "unavailable"])
def test_twenty_presses_of_pay_now_charge_the_saved_card_once(
    alice: Member, payment_server: PaymentServer, what: str
) -> None:
    card = pay_first(alice, payment_server)
    if what:
        payment_server.order("fail", what=what, times=3)
    press_pay_now(alice, card, 20)
    purchase = Purchase.objects.latest("pk")
    for _round in range(5):
        advance_purchase(purchase.pk)
    assert Purchase.objects.count() == 2
    assert paid(payment_server) == [6000, 6000]
    assert company_balance(alice.company) == 100
    assert verify_ledger() == []


def test_the_return_the_events_and_the_sweep_at_once_credit_once(
    alice: Member, payment_server: PaymentServer
) -> None:
    purchase = buy_credit(
        actor=Actor.of_member(alice), amount=Decimal(50), method=CARD, request=a_request()
    )
    payment_server.pay(purchase.action_url)
    bodies = [json.dumps(event) for event in payment_server.objects("event")]

    def tell(body: str) -> None:
        answer = Client().post(
            "/payments/stripe/events/",
            body,
            content_type="application/json",
            headers={"stripe-signature": sign(body, SECRET, int(time.time()))},
        )
        assert answer.status_code == 200
        sweep_events()

    works: list[Callable[[], object]] = [lambda: advance_purchase(purchase.pk)] * 5
    works += [partial(tell, body) for body in bodies * 2]
    all_at_once(works)
    sweep_events()
    assert paid(payment_server) == [6000]
    assert company_balance(alice.company) == 50
    assert PaymentMethod.objects.count() == 1
    assert verify_ledger() == []
