"""Clicks, retries, time-outs, deaths and events in any order: what was taken is what was credited.

Each story may kill whoever works at any statement to the database or question to the gateway, and
let others do things while a gateway's answer is on its way. At its end everything is swept, and
the gateway's memory, the purchases and the ledger agree. ``MACHINE_EXAMPLES=1000`` tries that many
stories, each time others.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection, transaction
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

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
EXAMPLES = int(os.environ.get("MACHINE_EXAMPLES", "0"))
Status = Purchase.Status

amounts = st.sampled_from(["5", "20", "75.50"])
requests = st.integers(0, 4)
first_outcomes = st.sampled_from(
    [
        ChargeStatus.SUCCEEDED,
        ChargeStatus.DECLINED,
        ChargeStatus.PENDING,
        ChargeStatus.REQUIRES_ACTION,
    ]
)
last_outcomes = st.sampled_from([ChargeStatus.SUCCEEDED, ChargeStatus.DECLINED])
faults = st.sampled_from(["before", "after", "late", "death", "none"])
indexes = st.integers(0, 1_000)
deaths = st.one_of(st.none(), st.integers(1, 40))


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


class Machine(RuleBasedStateMachine):
    """One story. The database is as before after it."""

    def __init__(self, alice: Member, bob: Member, gateway: ScriptedGateway) -> None:
        super().__init__()
        self.alice, self.bob, self.gateway = alice, bob, gateway
        self.company, self.actor = alice.company, Actor.of_member(alice)
        self.now = START
        self.spent = Decimal(0)
        gateway.__init__()  # type: ignore[misc]  # its memory is empty at the start of a story
        gateway.now = START
        self.story = transaction.atomic()
        self.story.__enter__()
        self.card = self._keep_card()
        self._save_rule()

    def teardown(self) -> None:
        try:
            self._sweep_up()
            self._agree()
        finally:
            transaction.set_rollback(True)
            self.story.__exit__(None, None, None)

    # --- what people do -------------------------------------------------------------------------

    @rule(number=requests, amount=amounts, is_saved=st.booleans(), death=deaths)
    def click(self, number: int, amount: str, is_saved: bool, death: int | None) -> None:
        self._work(lambda: self._buy(number, amount, is_saved), death)

    @rule(index=indexes, outcome=last_outcomes)
    def payer_answers(self, index: int, outcome: ChargeStatus) -> None:
        keys = list(self.gateway.charges)
        if keys:
            self.gateway.answer(keys[index % len(keys)], outcome)

    @rule(index=indexes, death=deaths)
    def payer_comes_back(self, index: int, death: int | None) -> None:
        self._on_purchase(index, lambda pk: advance_purchase(pk, now=self.now), death)

    @rule(index=indexes, death=deaths)
    def administrator_cancels(self, index: int, death: int | None) -> None:
        def cancel(pk: int) -> None:
            cancel_purchase(actor=self.actor, purchase_id=pk, now=self.now)

        self._on_purchase(index, cancel, death)

    @rule()
    def everything_is_spent(self) -> None:
        balance = company_balance(self.company)
        if balance > 0:
            give(self.alice, self.bob, balance, now=self.now)
            self.spent += balance

    @rule()
    def administrator_resumes(self) -> None:
        self._work(lambda: resume_rule(actor=self.actor, now=self.now), None)

    # --- what the worker does -------------------------------------------------------------------

    @rule(death=deaths)
    def open_purchases_are_swept(self, death: int | None) -> None:
        self._work(lambda: advance_open_purchases(now=self.now), death)

    @rule(death=deaths)
    def auto_recharge_is_swept(self, death: int | None) -> None:
        self._work(lambda: sweep_auto_purchases(now=self.now), death)

    @rule(death=deaths)
    def events_are_swept(self, death: int | None) -> None:
        self._work(lambda: sweep_events(now=self.now), death)

    @rule(death=deaths)
    def days_are_compared(self, death: int | None) -> None:
        self._work(lambda: compare_days(now=self.now), death)

    # --- what happens to them -------------------------------------------------------------------

    @precondition(lambda self: self.gateway.letters)
    @rule(index=indexes, times=st.integers(1, 3), death=deaths)
    def an_event_arrives(self, index: int, times: int, death: int | None) -> None:
        letter = self.gateway.letters[index % len(self.gateway.letters)]
        for _ in range(times):
            again = self.gateway.sign(letter.body)
            self._work(
                lambda told=again: receive_event(  # type: ignore[misc]
                    self.gateway, body=told.body, headers=told.headers, now=self.now
                ),
                death,
            )

    @rule(outcome=first_outcomes)
    def the_next_charge_will(self, outcome: ChargeStatus) -> None:
        self.gateway.outcomes.append(outcome)

    @rule(kinds=st.lists(faults, min_size=1, max_size=3))
    def the_next_answers_get_lost(self, kinds: list[str]) -> None:
        self.gateway.faults.extend(kinds)

    @rule()
    def late_wishes_arrive(self) -> None:
        self.gateway.late_wishes_arrive()

    @rule(index=indexes, outcome=last_outcomes, number=requests, amount=amounts)
    def others_act_while_an_answer_is_on_its_way(
        self, index: int, outcome: ChargeStatus, number: int, amount: str
    ) -> None:
        def act() -> None:
            self.payer_answers(index, outcome)
            self.open_purchases_are_swept(None)
            self.events_are_swept(None)
            self._work(lambda: self._buy(number, amount, True), None)
            self.auto_recharge_is_swept(None)

        self.gateway.meanwhile.append(act)

    @rule(seconds=st.sampled_from([5, 60, 600, 3_600, 7 * 3_600, 25 * 3_600]))
    def time_passes(self, seconds: int) -> None:
        self._wait(timedelta(seconds=seconds))

    @invariant()
    def never_more_is_credited_than_was_taken(self) -> None:
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

    def _work(self, work: Callable[[], object], death: int | None) -> None:
        """Somebody tries, is refused, or dies on the way."""
        try:
            with dying_at(death):
                work()
        except (Died, ProductError):
            return

    def _on_purchase(self, index: int, work: Callable[[int], object], death: int | None) -> None:
        pks = list(Purchase.objects.order_by("pk").values_list("pk", flat=True))
        if pks:
            self._work(lambda: work(pks[index % len(pks)]), death)

    def _buy(self, number: int, amount: str, is_saved: bool) -> None:
        buy_credit(
            actor=self.actor,
            amount=Decimal(amount),
            method=self.card if is_saved else NewMethod("scripted", Way.CARD),
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
def test_any_interleaving_ends_with_each_charge_made_once_and_credited_once(
    alice: Member, scripted: ScriptedGateway
) -> None:
    bob = make_member(alice.company, "bob")

    class Story(Machine):
        def __init__(self) -> None:
            super().__init__(alice, bob, scripted)

    run_state_machine_as_test(
        Story,
        settings=settings(
            max_examples=EXAMPLES or 25,
            stateful_step_count=20,
            derandomize=not EXAMPLES,
            deadline=None,
            database=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
