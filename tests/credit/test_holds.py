"""Calls in progress: asked for, settled, released, expired."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import partial
from typing import Any

import pytest

from credit.accounts import balances
from credit.allocation import Recipients
from credit.call_rows import CallRow
from credit.calls import charge_calls
from credit.errors import NotEnoughCredit
from credit.holds import (
    Authorization,
    authorize_call,
    expire_holds,
    release_hold,
    settle_call,
)
from credit.ledger import Move, post_transfers
from credit.models import Account, Hold, Rate
from credit.rules import RuleTerms, save_rules
from credit.verification import verify_ledger
from members.actors import Actor
from members.models import Company, Member
from skypemgr.lib.errors import NotFound
from tests.conftest import credit_company, give
from tests.credit.test_races import at_once

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)
STARTED = "2026-03-10T12:00:00Z"


@pytest.fixture(autouse=True)
def _deck(db: None) -> None:
    """0.6 a minute, in steps of 6 seconds."""
    Rate.objects.create(
        prefix="33",
        kind="other",
        price_per_minute=Decimal("0.6"),
        increment_seconds=6,
        currency="EUR",
        valid_from="2025-01-01",
    )


@pytest.fixture(autouse=True)
def _purse(alice: Member, bob: Member) -> None:
    """bob has 5, the company 95."""
    credit_company(alice.company, "100", now=NOON)
    give(alice, bob, "5", now=NOON)


def ask(company: Company, number: int | str = 1, **fields: Any) -> Authorization:
    wish = {
        "source": "pbx",
        "id": str(number),
        "member": "bob",
        "destination": "+33142278186",
        "now": NOON,
        **fields,
    }
    return authorize_call(company, **wish)


def settle(company: Company, hold: int | None, seconds: int, now: datetime = NOON) -> Any:
    assert hold is not None
    return settle_call(company, hold, started_at=STARTED, duration_seconds=seconds, now=now)


def purse(member: Member) -> tuple[Decimal, Decimal]:
    """Balance and held."""
    found = balances(member.company_id, [member.pk])[member.pk]
    return found.balance, found.held


def test_the_longest_call_that_can_be_paid_is_set_aside(acme: Company, bob: Member) -> None:
    answer = ask(acme)
    assert (answer.allowed, answer.max_seconds, answer.amount) == (True, 498, Decimal("4.98"))
    assert purse(bob) == (5, Decimal("4.98"))


def test_at_most_the_companys_longest_call(acme: Company, bob: Member) -> None:
    acme.max_call_seconds = 60
    assert ask(acme).amount == Decimal("0.6")


def test_held_credit_is_not_for_another_call(acme: Company, bob: Member) -> None:
    ask(acme, 1)
    second = ask(acme, 2)
    assert (second.allowed, second.code) == (False, "not_enough_credit")
    row = CallRow("pbx", "3", "bob", "+33142278186", STARTED, 60)
    assert charge_calls(acme, [row], now=NOON)[0].collected == Decimal("0.02")


def test_settling_charges_the_call_and_gives_the_rest_back(acme: Company, bob: Member) -> None:
    result = settle(acme, ask(acme).hold_id, 60)
    assert (result.status, result.collected) == ("charged", Decimal("0.6"))
    assert purse(bob) == (Decimal("4.4"), 0)
    assert Hold.objects.get().status == "settled"
    assert verify_ledger() == []


def test_settling_again_is_already_there_and_with_another_duration_a_conflict(
    acme: Company, bob: Member
) -> None:
    hold = ask(acme).hold_id
    settle(acme, hold, 60)
    assert settle(acme, hold, 60).status == "already_there"
    assert settle(acme, hold, 61).code == "call_conflict"
    assert purse(bob) == (Decimal("4.4"), 0)


def test_settling_above_the_hold_takes_hold_then_available_and_the_rest_is_uncollected(
    alice: Member, acme: Company, bob: Member
) -> None:
    hold = ask(acme).hold_id
    give(alice, bob, "1", now=NOON)
    result = settle(acme, hold, 660)
    assert (result.price, result.collected, result.uncollected) == (
        Decimal("6.6"),
        Decimal("6"),
        Decimal("0.6"),
    )
    assert purse(bob) == (0, 0)


def test_a_call_reported_in_a_batch_settles_its_hold(acme: Company, bob: Member) -> None:
    ask(acme, 1)
    row = CallRow("pbx", "1", "bob", "+33142278186", STARTED, 60)
    assert charge_calls(acme, [row], now=NOON)[0].collected == Decimal("0.6")
    assert purse(bob) == (Decimal("4.4"), 0)


def test_a_released_hold_gives_all_back_once(acme: Company, bob: Member) -> None:
    hold = ask(acme).hold_id
    assert hold is not None
    assert release_hold(acme, hold, now=NOON)
    assert not release_hold(acme, hold, now=NOON)
    assert purse(bob) == (5, 0)


def test_an_expired_hold_gives_all_back_and_the_call_is_charged_when_it_comes_late(
    acme: Company, bob: Member
) -> None:
    hold = ask(acme).hold_id
    late = NOON + timedelta(seconds=498, minutes=10)
    assert expire_holds(now=late - timedelta(seconds=1)) == 0
    assert expire_holds(now=late) == 1
    assert expire_holds(now=late) == 0
    assert purse(bob) == (5, 0)
    assert settle(acme, hold, 60, now=late).collected == Decimal("0.6")
    assert purse(bob) == (Decimal("4.4"), 0)


def test_asking_again_gives_the_first_answer_and_for_another_number_a_conflict(
    acme: Company, bob: Member
) -> None:
    first = ask(acme)
    assert ask(acme) == first
    assert ask(acme, destination="+33142278187").code == "call_conflict"
    assert purse(bob)[1] == first.amount


def test_a_rule_that_can_refill_the_purse_is_evaluated_before_a_refusal(
    alice: Member, acme: Company, bob: Member
) -> None:
    save_rules(
        actor=Actor.of_member(alice),
        recipients=Recipients(member_ids=(bob.pk,)),
        terms=RuleTerms(Decimal(10), Decimal(5), Decimal(40)),
        now=NOON,
    )
    account = Account.objects.get(member=bob).pk
    calls = Account.objects.get(company=acme, kind="calls").pk
    # A debit that nobody has evaluated yet.
    post_transfers(acme.pk, [Move("call", account, calls, Decimal(5), "call:x:1")], now=NOON)
    answer = ask(acme)
    assert (answer.allowed, purse(bob)[0]) == (True, 10)


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"member": "nobody"}, "unknown_member"),
        ({"destination": "12"}, "malformed_number"),
        ({"destination": "+999123456789"}, "no_rate"),
        ({"id": "a:b"}, "missing_id"),
        ({"id": None}, "missing_id"),
    ],
)
def test_a_question_that_makes_no_sense_has_a_code(
    acme: Company, bob: Member, fields: dict[str, Any], code: str
) -> None:
    answer = ask(acme, **fields)
    assert (answer.allowed, answer.code) == (False, code)
    assert not Hold.objects.exists()


def test_a_suspended_member_is_refused_but_for_emergencies(acme: Company, bob: Member) -> None:
    Member.objects.filter(pk=bob.pk).update(status="suspended")
    assert ask(acme, 1).code == "member_suspended"
    answer = ask(acme, 2, destination="112")
    assert (answer.allowed, answer.amount) == (True, 0)
    assert settle(acme, answer.hold_id, 600).price == 0


def test_another_companys_hold_is_not_found(acme: Company, bob: Member, charlie: Member) -> None:
    hold = ask(acme).hold_id
    with pytest.raises(NotFound):
        settle(charlie.company, hold, 60)
    assert purse(bob)[1] > 0


def test_an_allocation_does_not_touch_what_is_held(
    alice: Member, acme: Company, bob: Member
) -> None:
    answer = ask(acme)
    give(alice, bob, "1", now=NOON)
    assert purse(bob) == (6, answer.amount)
    account = Account.objects.get(member=bob).pk
    calls = Account.objects.get(company=acme, kind="calls").pk
    with pytest.raises(NotEnoughCredit):
        post_transfers(acme.pk, [Move("call", account, calls, Decimal(2), "call:x:1")], now=NOON)


@pytest.mark.django_db(transaction=True)
def test_eight_calls_at_once_never_hold_the_same_credit(acme: Company, bob: Member) -> None:
    acme.max_call_seconds = 120  # 1.2 each: four can be paid, and a short fifth
    answers = at_once([partial(ask, acme, number) for number in range(8)])
    amounts = [answer.amount for answer in answers if isinstance(answer, Authorization)]
    assert sorted(amounts) == [0, 0, 0, Decimal("0.18"), *[Decimal("1.2")] * 4]
    assert purse(bob) == (5, Decimal("4.98"))
    assert verify_ledger() == []


@pytest.mark.django_db(transaction=True)
def test_settling_and_releasing_at_once_end_the_hold_once(acme: Company, bob: Member) -> None:
    hold = ask(acme).hold_id
    assert hold is not None
    at_once(
        [partial(settle, acme, hold, 60), partial(release_hold, acme, hold, now=NOON)] * 4,
    )
    assert purse(bob) == (Decimal("4.4"), 0)
    assert verify_ledger() == []


def test_a_hold_that_cannot_be_ended_keeps_nobody_elses_credit(
    acme: Company, alice: Member, bob: Member
) -> None:
    give(alice, alice, "5", now=NOON)
    ask(acme, 1)
    Account.objects.filter(member=bob).update(held=0)
    ask(acme, 2, member="alice", now=NOON + timedelta(seconds=1))
    assert purse(alice)[1] > 0
    assert expire_holds(now=NOON + timedelta(hours=2)) == 1
    assert purse(alice) == (5, 0)
