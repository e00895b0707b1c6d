"""Many at once, on real connections: one charge, one credit."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from threading import Barrier
from typing import TypeVar
from uuid import uuid4

import pytest
from django.db import connection
from django.test import Client

from billing.auto_purchase import evaluate_auto_purchase
from billing.auto_rules import save_rule
from billing.consent import VERSION
from billing.drafts import Draft
from billing.gateways.base import ChargeStatus
from billing.inbox import sweep_events
from billing.methods import save_card
from billing.models import GatewayEvent, PaymentMethod, Purchase, SandboxCharge
from billing.purchases import advance_purchase, buy_credit
from credit.accounts import company_balance
from credit.models import Transfer
from credit.requests import OutsideKey
from members.actors import Actor
from members.models import Company, Member
from tests.billing.conftest import GOOD, LATE, buy, card_of, five_seconds_pass, terms
from tests.billing.inbox_kit import deliver, key_of, start
from tests.fakes.scripted import ScriptedGateway

pytestmark = pytest.mark.django_db(transaction=True)
CROWD = 20
T = TypeVar("T")


def all_at_once(count: int, work: Callable[[], T]) -> list[T]:
    """The results of ``count`` threads that start together, each on its own connection."""
    barrier = Barrier(count)

    def run(_number: int) -> T:
        barrier.wait(timeout=30)
        try:
            return work()
        finally:
            connection.close()

    with ThreadPoolExecutor(count) as crowd:
        return list(crowd.map(run, range(count)))


def test_fifty_presses_of_pay_now_are_one_charge_and_one_credit(alice: Member) -> None:
    card = card_of(alice)
    draft = Draft.start(alice.company, means=card, amount=Decimal(50), terms=None).sign()

    def press() -> str:
        browser = Client()
        browser.force_login(alice.user, backend="django.contrib.auth.backends.ModelBackend")
        return browser.post("/buy/check/", {"draft": draft})["Location"]

    pages = all_at_once(50, press)
    purchase = Purchase.objects.get()
    assert set(pages) == {f"/purchases/{purchase.pk}/"}
    assert SandboxCharge.objects.count() == 1
    assert Transfer.objects.count() == 1
    assert company_balance(alice.company) == 50


def test_fifty_events_of_one_payment_on_as_many_connections_credit_it_once(
    alice: Member, scripted: ScriptedGateway
) -> None:
    purchase = start(alice)
    scripted.answer(key_of(purchase), ChargeStatus.SUCCEEDED)
    letter = scripted.letters[-1]

    def arrive() -> int:
        status = deliver(letter)
        sweep_events()
        advance_purchase(purchase.pk)
        return status

    assert set(all_at_once(50, arrive)) == {200}
    assert GatewayEvent.objects.count() == 1
    assert Transfer.objects.count() == 1
    assert company_balance(alice.company) == 50


def test_twenty_requests_with_one_key_are_one_purchase(alice: Member) -> None:
    card, request = card_of(alice), OutsideKey.of_form(str(uuid4()), "50")
    actor = Actor.of_member(alice)
    made = all_at_once(
        CROWD,
        lambda: buy_credit(actor=actor, amount=Decimal(50), method=card, request=request).pk,
    )
    assert len(set(made)) == 1
    assert (SandboxCharge.objects.count(), Transfer.objects.count()) == (1, 1)
    assert company_balance(alice.company) == 50


def test_twenty_workers_asking_about_one_purchase_credit_it_once(alice: Member) -> None:
    purchase = buy(alice, number=LATE)
    five_seconds_pass()
    all_at_once(CROWD, lambda: advance_purchase(purchase.pk))
    assert Transfer.objects.count() == 1
    assert company_balance(alice.company) == 50


def test_a_card_typed_in_twenty_windows_is_saved_once(alice: Member) -> None:
    actor = Actor.of_member(alice)
    all_at_once(CROWD, lambda: save_card(actor=actor, gateway="sandbox", number=GOOD))
    assert PaymentMethod.objects.count() == 1


def test_twenty_workers_looking_at_a_rule_start_one_purchase(alice: Member) -> None:
    save_rule(
        actor=Actor.of_member(alice),
        method=card_of(alice),
        terms=terms(),
        consent_version=VERSION,
    )
    started = all_at_once(CROWD, lambda: evaluate_auto_purchase(alice.company_id))
    assert len([pk for pk in started if pk is not None]) == 1
    assert Purchase.objects.count() == 1


def test_buying_by_hand_and_by_rule_at_once_never_deadlocks(alice: Member) -> None:
    actor, card = Actor.of_member(alice), card_of(alice)
    save_rule(actor=actor, method=card, terms=terms(), consent_version=VERSION)

    def both() -> None:
        evaluate_auto_purchase(alice.company_id)
        buy_credit(
            actor=actor,
            amount=Decimal(1),
            method=card,
            request=OutsideKey.of_form(str(uuid4()), "1"),
        )
        for pk in Purchase.objects.exclude(status="succeeded").values_list("pk", flat=True):
            advance_purchase(pk)

    all_at_once(8, both)
    paid = Purchase.objects.filter(status="succeeded")
    assert paid.filter(is_automatic=False).count() == 8
    assert Transfer.objects.count() == paid.count()
    company = Company.objects.get(pk=alice.company_id)
    assert company_balance(company) == sum(purchase.amount for purchase in paid)
