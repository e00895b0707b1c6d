"""Everything that moves credit, in any order, against a model in plain Python.

After each step the database says what the model says, and the ledger verifies.
``MACHINE_EXAMPLES=1000`` tries that many stories, each time others.
"""

import os
import uuid
from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from django.db import transaction
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from credit.allocation import Recipients, allocate
from credit.call_rows import CallRow
from credit.calls import charge_calls
from credit.errors import CompanyNotActive, NotEnoughCredit
from credit.holds import authorize_call, expire_holds, release_hold, settle_call
from credit.models import Account, Call, Hold, Rate, RechargeRule, Transfer
from credit.requests import OutsideKey
from credit.rules import RuleTerms, save_rules, switch_off_rule
from credit.standing import reactivate_member, suspend_member
from credit.sweeps import resume_rules, serve_waiting_rules, sweep_due_purses
from credit.verification import verify_ledger
from members.actors import Actor
from members.models import Company, Member
from members.zones import change_time_zone
from tests.conftest import credit_company, make_member
from tests.credit.model import Model, Price, Purse, Result, Wish

START = datetime(2026, 1, 30, 9, tzinfo=UTC)
PRICES = {"33": Price("0.6"), "44": Price("0.0175", fee="0.039", minimum=30, increment=6)}
ZONES = ("Europe/Paris", "Pacific/Auckland", "Pacific/Honolulu")
EXAMPLES = int(os.environ.get("MACHINE_EXAMPLES", "0"))

people = st.integers(0, 2)
crowds = st.sets(people, min_size=1)
amounts = st.sampled_from(["0.0001", "0.5", "1", "3.3333", "7", "20"]).map(Decimal)
numbers = st.sampled_from(["+33142278186", "+442071838750", "+33612345678", "+999123456", "112"])
durations = st.sampled_from([0, 1, 29, 31, 60, 73, 100, 301, 600, 3600])
names = st.integers(1, 12).map(lambda number: ("pbx", str(number)))
terms = st.tuples(
    st.sampled_from(["0.5", "2", "5"]).map(Decimal),
    st.sampled_from(["0.5", "1", "5", "9"]).map(Decimal),
    st.sampled_from(["1", "3.3", "12", "40"]).map(Decimal),
)
calls = st.tuples(names, people, numbers, durations)


@dataclass(frozen=True)
class World:
    """Who is there before each story."""

    administrator: Member
    members: tuple[Member, ...]

    @property
    def company(self) -> Company:
        return self.administrator.company


class Machine(RuleBasedStateMachine):
    """One story. The database is as before after it."""

    def __init__(self, world: World) -> None:
        super().__init__()
        self.world, self.company = world, world.company
        self.actor = Actor.of_member(world.administrator)
        self.ids = [member.pk for member in world.members]
        self.now = START
        self.model = Model("Europe/Paris", PRICES, {pk: Purse() for pk in self.ids})
        self.story = transaction.atomic()
        self.story.__enter__()

    def teardown(self) -> None:
        transaction.set_rollback(True)
        self.story.__exit__(None, None, None)
        self.company.refresh_from_db()

    def _chosen(self, crowd: set[int]) -> tuple[int, ...]:
        return tuple(self.ids[person] for person in sorted(crowd))

    @initialize(amount=st.sampled_from(["3", "30", "300"]).map(Decimal))
    def begin(self, amount: Decimal) -> None:
        self.purchase(amount)

    @rule(amount=amounts)
    def purchase(self, amount: Decimal) -> None:
        credit_company(self.company, amount, now=self.now)
        self.model.purchase(amount, self.now)

    @rule(hours=st.sampled_from([1, 5, 20, 24 * 9, 24 * 31]))
    def time_passes(self, hours: int) -> None:
        self.now += timedelta(hours=hours)

    @rule(minutes=st.sampled_from([1, 90, 60 * 30]))
    def the_clock_goes_back(self, minutes: int) -> None:
        self.now -= timedelta(minutes=minutes)

    @rule(crowd=crowds, amount=amounts, times=st.integers(1, 2))
    def allocate(self, crowd: set[int], amount: Decimal, times: int) -> None:
        members = self._chosen(crowd)
        is_expected = not self.model.is_frozen and self.model.allocate(members, amount, self.now)
        request = OutsideKey.of_form(str(uuid.uuid4()), str(amount))
        for _time in range(times):
            try:
                allocate(
                    actor=self.actor,
                    amount=amount,
                    recipients=Recipients(member_ids=members),
                    request=request,
                    now=self.now,
                )
            except NotEnoughCredit:
                assert not is_expected
            except CompanyNotActive:
                assert self.model.is_frozen
            else:
                assert is_expected

    @precondition(lambda self: not self.model.is_frozen)
    @rule(crowd=crowds, wished=terms)
    def save_rules(self, crowd: set[int], wished: tuple[Decimal, Decimal, Decimal]) -> None:
        members = self._chosen(crowd)
        recipients = Recipients(member_ids=members)
        save_rules(actor=self.actor, recipients=recipients, terms=RuleTerms(*wished), now=self.now)
        self.model.save_rules(members, wished, self.now)

    @rule(person=people)
    def switch_off(self, person: int) -> None:
        switch_off_rule(actor=self.actor, member_id=self.ids[person])
        self.model.switch_off(self.ids[person])

    @rule()
    def sweep(self) -> None:
        resume_rules(now=self.now)
        sweep_due_purses(now=self.now)
        self.model.resume(self.now)
        self.model.sweep(self.now)

    @rule()
    def serve_waiting(self) -> None:
        serve_waiting_rules(self.company.pk, now=self.now)
        self.model.sweep(self.now, only_waiting=True)

    @rule(is_frozen=st.booleans())
    def freeze_or_thaw(self, is_frozen: bool) -> None:
        self.company.state = Company.State.FROZEN if is_frozen else Company.State.ACTIVE
        self.company.save(update_fields=("state",))
        self.model.is_frozen = is_frozen

    @rule(person=people)
    def suspend(self, person: int) -> None:
        suspend_member(actor=self.actor, member_id=self.ids[person], now=self.now)
        self.model.suspend(self.ids[person])

    @rule(person=people)
    def reactivate(self, person: int) -> None:
        reactivate_member(actor=self.actor, member_id=self.ids[person], now=self.now)
        self.model.reactivate(self.ids[person], self.now)

    @rule(zone=st.sampled_from(ZONES))
    def change_zone(self, zone: str) -> None:
        change_time_zone(actor=self.actor, zone=zone, now=self.now)
        self.company.refresh_from_db()
        self.model.change_zone(zone, self.now)

    @rule(reported=st.lists(calls, min_size=1, max_size=5))
    def charge(self, reported: list[tuple[tuple[str, str], int, str, int]]) -> None:
        """Several at once; the model charges one by one."""
        wishes = [
            Wish(name, self.ids[person], number, self._start(name), seconds)
            for name, person, number, seconds in reported
        ]
        rows = [
            CallRow(*wish.name, wish.member, wish.destination, wish.started_at, wish.seconds)
            for wish in wishes
        ]
        results = charge_calls(self.company, rows, now=self.now)
        found: list[Result] = [
            (result.status, result.collected, result.uncollected, result.code) for result in results
        ]
        assert found == [self.model.charge(wish, self.now) for wish in wishes]

    def _start(self, name: tuple[str, str]) -> datetime:
        """The call's start; a repetition says the same, so that it can be one."""
        known = self.model.calls.get(name)
        return known[0].started_at if known else self.now

    @rule(name=names, person=people, number=numbers)
    def authorize(self, name: tuple[str, str], person: int, number: str) -> None:
        member = self.ids[person]
        answer = authorize_call(
            self.company,
            source=name[0],
            id=name[1],
            member=member,
            destination=number,
            now=self.now,
        )
        found = (answer.code, answer.amount, answer.max_seconds)
        assert found == self.model.authorize(name, member, number, self.now)

    @precondition(lambda self: self.model.holds)
    @rule(data=st.data(), seconds=durations)
    def settle(self, data: st.DataObject, seconds: int) -> None:
        name = data.draw(st.sampled_from(sorted(self.model.holds)))
        held = self.model.holds[name]
        wish = Wish(name, held.member, held.destination, self._start(name), seconds)
        result = settle_call(
            self.company,
            self._hold(name),
            started_at=wish.started_at,
            duration_seconds=seconds,
            now=self.now,
        )
        found = (result.status, result.collected, result.uncollected, result.code)
        assert found == self.model.charge(wish, self.now)

    @precondition(lambda self: self.model.holds)
    @rule(data=st.data())
    def release(self, data: st.DataObject) -> None:
        name = data.draw(st.sampled_from(sorted(self.model.holds)))
        ended = release_hold(self.company, self._hold(name), now=self.now)
        assert ended == self.model.release(name)

    def _hold(self, name: tuple[str, str]) -> int:
        return Hold.objects.get(company=self.company, source=name[0], external_id=name[1]).pk

    @rule()
    def expire(self) -> None:
        assert expire_holds(now=self.now) == self.model.expire(self.now)

    @invariant()
    def the_ledger_verifies(self) -> None:
        assert verify_ledger() == []

    @invariant()
    def every_purse_is_as_in_the_model(self) -> None:
        fields = ("balance", "held", "last_booked_on")
        purses = dict.fromkeys(self.ids, (Decimal(0), Decimal(0), None))
        company = None
        for owner, *row in Account.objects.filter(
            company=self.company, kind__in=("company", "member")
        ).values_list("member_id", *fields):
            if owner is None:
                company = tuple(row)
            elif owner in purses:
                purses[owner] = tuple(row)
        model = self.model
        if company is not None:
            assert company == (model.company.balance, model.company.held, model.company.last_day)
        assert purses == {
            pk: (purse.balance, purse.held, purse.last_day) for pk, purse in model.members.items()
        }

    @invariant()
    def every_month_is_as_in_the_model(self) -> None:
        found: dict[tuple[int, int, int], Decimal] = defaultdict(Decimal)
        rows = Transfer.objects.filter(company=self.company, kind="auto_recharge")
        for member, day, amount in rows.values_list(
            "destination__member_id", "booked_on", "amount"
        ):
            found[member, day.year, day.month] += amount
        assert found == {month: paid for month, paid in self.model.recharged.items() if paid}

    @invariant()
    def every_rule_is_as_in_the_model(self) -> None:
        rows = RechargeRule.objects.filter(company=self.company).values_list(
            "member_id", "is_on", "member__accounts__recharge_resumes_on", "waiting_since"
        )
        assert {pk: tuple(row) for pk, *row in rows} == {
            pk: (rule.is_on, rule.suspended_until, rule.waiting_since)
            for pk, rule in self.model.rules.items()
        }

    @invariant()
    def every_call_and_hold_is_as_in_the_model(self) -> None:
        found: dict[int, Decimal] = defaultdict(Decimal)
        count = 0
        calls = Call.objects.filter(company=self.company).values_list("member_id", "uncollected")
        for member, uncollected in calls:
            found[member] += uncollected
            count += 1
        assert count == len(self.model.calls)
        assert found == {pk: self.model.uncollected[pk] for pk in found}
        holds = Hold.objects.filter(company=self.company)
        assert {
            (source, name): status
            for source, name, status in holds.values_list("source", "external_id", "status")
        } == {name: hold.status for name, hold in self.model.holds.items()}


@pytest.mark.django_db
def test_any_story_ends_as_the_model_says_and_the_ledger_verifies_at_each_step(
    alice: Member,
) -> None:
    for prefix, price in PRICES.items():
        Rate.objects.create(
            prefix=prefix,
            kind="other",
            price_per_minute=Decimal(price.per_minute),
            connection_fee=Decimal(price.fee),
            minimum_seconds=price.minimum,
            increment_seconds=price.increment,
            currency="EUR",
            valid_from="2025-01-01",
        )
    members = tuple(make_member(alice.company, name) for name in ("bob", "dora", "emil"))
    world = World(alice, members)

    class Story(Machine):
        def __init__(self) -> None:
            super().__init__(world)

    run_state_machine_as_test(
        Story,
        settings=settings(
            max_examples=EXAMPLES or 30,
            stateful_step_count=25,
            derandomize=not EXAMPLES,
            deadline=None,
            database=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
