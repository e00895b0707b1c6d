"""Clicks, retries, time-outs, deaths and events in any order: what was taken is what was credited.

Each story may kill whoever works at any statement to the database or question to the gateway, and
let others do things while a gateway's answer is on its way. At its end everything is swept, and
the gateway's memory, the purchases and the ledger agree. A story is its number: the same again.
``MACHINE_EXAMPLES=1000`` tells that many.
"""

import os
import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection

from billing.auto_purchase import sweep_auto_purchases
from billing.auto_rules import resume_rule, save_rule
from billing.consent import VERSION, Terms
from billing.gateways.base import ChargeStatus, SavedMethod, Way
from billing.inbox import receive_event, sweep_events
from billing.means import NewMethod
from billing.methods import confirm_method, keep_method
from billing.models import PaymentIncident, PaymentMethod, Purchase
from billing.purchases import advance_purchase, buy_credit, cancel_purchase
from billing.reconciliation import advance_open_purchases, compare_days
from credit.accounts import company_balance
from credit.models import Transfer
from credit.requests import OutsideKey
from credit.verification import verify_ledger
from members.actors import Actor
from members.models import Member
from skypemgr.lib.errors import ProductError
from tests.conftest import give, make_member
from tests.fakes.scripted import Died, ScriptedGateway

START = datetime(2026, 11, 10, 9, tzinfo=UTC)
STORIES = int(os.environ.get("MACHINE_EXAMPLES", "12"))
STEPS = 40
Status = Purchase.Status

AMOUNTS = ("5", "20", "75.50")
FIRST_OUTCOMES = (
    ChargeStatus.SUCCEEDED,
    ChargeStatus.DECLINED,
    ChargeStatus.PENDING,
    ChargeStatus.REQUIRES_ACTION,
)
LAST_OUTCOMES = (ChargeStatus.SUCCEEDED, ChargeStatus.SUCCEEDED, ChargeStatus.DECLINED)
FAULTS = ("before", "after", "late", "death", "none")
SECONDS = (5, 60, 600, 3_600, 7 * 3_600, 25 * 3_600)
LATEST_DEATH = 45


@contextmanager
def dying_at(statement: int | None) -> Iterator[None]:
    """Whoever works inside dies before that statement to the database, counted from one."""
    left = statement

    def count(execute: Callable[..., Any], *told: Any) -> Any:
        nonlocal left
        if left is not None:
            left -= 1
            if left == 0:
                left = None
                raise Died
        return execute(*told)

    with connection.execute_wrapper(count):
        yield


class Story:
    """One story, told from its number."""

    def __init__(self, number: int, alice: Member, bob: Member, gateway: ScriptedGateway) -> None:
        self.chance = random.Random(number)
        self.alice, self.bob, self.gateway = alice, bob, gateway
        self.company, self.actor = alice.company, Actor.of_member(alice)
        self.now = gateway.now = START
        self.spent = Decimal(0)
        self.card = self._keep_card()
        self._save_rule()

    def tell(self) -> None:
        """Forty things happen; after each nothing is credited that was not taken."""
        actions = (
            (6, self.click),
            (4, self.payer_answers),
            (3, self.payer_comes_back),
            (1, self.administrator_cancels),
            (2, self.everything_is_spent),
            (1, self.administrator_resumes),
            (5, self.open_purchases_are_swept),
            (3, self.auto_recharge_is_swept),
            (3, self.events_are_swept),
            (1, self.days_are_compared),
            (4, self.an_event_arrives),
            (3, self.the_next_charge_is_chosen),
            (3, self.the_next_answers_get_lost),
            (2, self.gateway.late_wishes_arrive),
            (2, self.others_act_while_an_answer_is_on_its_way),
            (5, self.time_passes),
        )
        weights, verbs = zip(*actions, strict=True)
        for verb in self.chance.choices(verbs, weights, k=STEPS):
            verb()
            self._check_nothing_is_given_away()
        self._sweep_up()
        self._agree()

    # --- what people do -------------------------------------------------------------------------

    def click(self) -> None:
        self._work(self._buy)

    def payer_answers(self) -> None:
        keys = list(self.gateway.charges)
        if keys:
            self.gateway.answer(self.chance.choice(keys), self.chance.choice(LAST_OUTCOMES))

    def payer_comes_back(self) -> None:
        self._on_purchase(lambda pk: advance_purchase(pk, now=self.now))

    def administrator_cancels(self) -> None:
        self._on_purchase(
            lambda pk: cancel_purchase(actor=self.actor, purchase_id=pk, now=self.now)
        )

    def everything_is_spent(self) -> None:
        balance = company_balance(self.company)
        if balance > 0:
            give(self.alice, self.bob, balance, now=self.now)
            self.spent += balance

    def administrator_resumes(self) -> None:
        self._work(lambda: resume_rule(actor=self.actor, now=self.now))

    # --- what the worker does -------------------------------------------------------------------

    def open_purchases_are_swept(self) -> None:
        self._work(lambda: advance_open_purchases(now=self.now))

    def auto_recharge_is_swept(self) -> None:
        self._work(lambda: sweep_auto_purchases(now=self.now))

    def events_are_swept(self) -> None:
        self._work(lambda: sweep_events(now=self.now))

    def days_are_compared(self) -> None:
        self._work(lambda: compare_days(now=self.now))

    # --- what happens to them -------------------------------------------------------------------

    def an_event_arrives(self) -> None:
        if not self.gateway.letters:
            return
        letter = self.gateway.sign(self.chance.choice(self.gateway.letters).body)
        for _ in range(self.chance.randint(1, 3)):
            self._work(
                lambda: receive_event(
                    self.gateway, body=letter.body, headers=letter.headers, now=self.now
                )
            )

    def the_next_charge_is_chosen(self) -> None:
        self.gateway.outcomes.append(self.chance.choice(FIRST_OUTCOMES))

    def the_next_answers_get_lost(self) -> None:
        self.gateway.faults.extend(self.chance.choices(FAULTS, k=self.chance.randint(1, 3)))

    def others_act_while_an_answer_is_on_its_way(self) -> None:
        def act() -> None:
            self.payer_answers()
            self.open_purchases_are_swept()
            self.events_are_swept()
            self.click()
            self.auto_recharge_is_swept()

        self.gateway.meanwhile.append(act)

    def time_passes(self) -> None:
        self._wait(timedelta(seconds=self.chance.choice(SECONDS)))

    def _check_nothing_is_given_away(self) -> None:
        credited = set(
            Transfer.objects.filter(company=self.company, kind="purchase").values_list(
                "key", flat=True
            )
        )
        assert credited <= self.gateway.captured().keys()
        assert all(charge.captures <= 1 for charge in self.gateway.charges.values())

    # --- the end of the story -------------------------------------------------------------------

    def _sweep_up(self) -> None:
        """Nothing fails any more, half of what is open is paid, no event arrives, days go by."""
        self.gateway.faults.clear()
        self.gateway.meanwhile.clear()
        self.gateway.outcomes.clear()
        for place, key in enumerate(list(self.gateway.charges)):
            if place % 2:
                self.gateway.answer(key, ChargeStatus.SUCCEEDED)
            elif self.gateway.charges[key].status == ChargeStatus.PENDING:
                self.gateway.answer(key, ChargeStatus.DECLINED)
        for _ in range(4):
            for hours in (1, 24):
                self._wait(timedelta(hours=hours))
                advance_open_purchases(now=self.now)
                sweep_events(now=self.now)
        # What nobody waits for any more must not be charged.
        self.gateway.late_wishes_arrive()
        for key in list(self.gateway.charges):
            self.gateway.answer(key, ChargeStatus.SUCCEEDED)

    def _agree(self) -> None:
        purchases = Purchase.objects.filter(company=self.company)
        assert not purchases.filter(status__in=Purchase.OPEN).exists()
        paid = {f"purchase:{p.pk}": p for p in purchases.filter(status=Status.SUCCEEDED)}
        taken = self.gateway.captured()
        assert taken == {key: purchase.total for key, purchase in paid.items()}
        credited = Transfer.objects.filter(company=self.company, kind="purchase")
        assert {transfer.key: transfer.amount for transfer in credited} == {
            key: purchase.amount for key, purchase in paid.items()
        }
        net = sum((purchase.amount for purchase in paid.values()), Decimal(0))
        assert company_balance(self.company) + self.spent == net
        assert len(credited) == len(paid)
        assert [row.differences for row in compare_days(now=self.now) if row.differences] == []
        surprises = PaymentIncident.objects.exclude(kind=PaymentIncident.Kind.MANY_CHARGES)
        assert not surprises.exists()
        assert verify_ledger() == []

    # --- helpers --------------------------------------------------------------------------------

    def _work(self, work: Callable[[], object]) -> None:
        """Somebody tries, is refused, or dies on the way."""
        dies = self.chance.random() < 0.4
        try:
            with dying_at(self.chance.randint(1, LATEST_DEATH) if dies else None):
                work()
        except (Died, ProductError):
            return

    def _on_purchase(self, work: Callable[[int], object]) -> None:
        pks = list(Purchase.objects.order_by("pk").values_list("pk", flat=True))
        if pks:
            pk = self.chance.choice(pks)
            self._work(lambda: work(pk))

    def _buy(self) -> None:
        number = self.chance.randint(1, 8)
        buy_credit(
            actor=self.actor,
            amount=Decimal(AMOUNTS[number % len(AMOUNTS)]),
            method=self.card if self.chance.random() < 0.5 else NewMethod("scripted", Way.CARD),
            request=OutsideKey.of_form(f"form-{number}", "the same"),
            now=self.now,
        )

    def _wait(self, time: timedelta) -> None:
        self.now += time
        self.gateway.now = self.now

    def _keep_card(self) -> PaymentMethod:
        saved = SavedMethod(kind=Way.CARD, reference="pm_1", fingerprint="f1", label="•••• 4242")
        card = keep_method(self.company, "scripted", saved, member=self.alice, now=START)
        confirm_method(card, now=START)
        card.refresh_from_db()
        return card

    def _save_rule(self) -> None:
        save_rule(
            actor=self.actor,
            method=self.card,
            terms=Terms(Decimal(10), Decimal(30), Decimal(200)),
            consent_version=VERSION,
            now=START,
        )


@pytest.mark.django_db
@pytest.mark.parametrize("number", range(STORIES))
def test_any_interleaving_ends_with_each_charge_made_once_and_credited_once(
    alice: Member, scripted: ScriptedGateway, number: int
) -> None:
    bob = make_member(alice.company, "bob")
    Story(number, alice, bob, scripted).tell()
