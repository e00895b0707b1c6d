"""What happens at once, on real connections."""

import re
import uuid
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from decimal import Decimal
from functools import partial
from typing import TypeVar

import pytest
from django.db import IntegrityError, connection, connections

from credit import allocation
from credit.accounts import balances, company_balance, ensure_accounts
from credit.allocation import Recipients, allocate
from credit.call_rows import CallRow
from credit.calls import charge_calls
from credit.errors import NotEnoughCredit
from credit.ledger import Move, post_transfers
from credit.models import Rate, Transfer
from credit.requests import OutsideKey
from credit.rules import RuleTerms, save_rules
from credit.sweeps import sweep_due_purses
from credit.verification import verify_ledger
from members.actors import Actor
from members.models import Member
from skypemgr.lib.prepared import Prepared
from tests.conftest import credit_company, give, make_member

pytestmark = pytest.mark.django_db(transaction=True)
NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)
THREADS = 8
T = TypeVar("T")


def at_once(works: Iterable[Callable[[], T]]) -> list[T | Exception]:
    """Each work on a connection of its own; what it returned or raised."""

    def run(work: Callable[[], T]) -> T | Exception:
        try:
            return work()
        except Exception as error:
            return error
        finally:
            connections.close_all()

    with ThreadPoolExecutor(THREADS) as pool:
        return list(pool.map(run, works))


def test_200_allocations_at_once_from_credit_for_100_make_exactly_100(
    alice: Member, bob: Member
) -> None:
    credit_company(alice.company, "100")
    actor = Actor.of_member(alice)

    def one() -> None:
        allocate(
            actor=actor,
            amount=Decimal(1),
            recipients=Recipients(member_ids=(bob.pk,)),
            request=OutsideKey.of_form(str(uuid.uuid4()), "1"),
        )

    outcomes = at_once([one] * 200)
    refused = [outcome for outcome in outcomes if isinstance(outcome, NotEnoughCredit)]
    assert (len(refused), outcomes.count(None)) == (100, 100)
    assert company_balance(alice.company) == 0
    assert balances(alice.company_id, [bob.pk])[bob.pk].balance == 100
    assert verify_ledger() == []


def test_one_form_sent_twenty_times_at_once_allocates_once(alice: Member, bob: Member) -> None:
    credit_company(alice.company, "100")
    actor, request = Actor.of_member(alice), OutsideKey.of_form("same", "7")

    def one() -> int:
        return allocate(
            actor=actor,
            amount=Decimal(7),
            recipients=Recipients(member_ids=(bob.pk,)),
            request=request,
        ).id

    assert len(set(at_once([one] * 20))) == 1
    assert company_balance(alice.company) == 93


def test_without_the_lock_allocations_at_once_collide(
    alice: Member, bob: Member, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The race is real: take the lock away and the version chain refuses what would be lost."""
    credit_company(alice.company, "100")
    give(alice, bob, "1")
    lock = re.compile(r"ORDER BY id\s+FOR NO KEY UPDATE")
    # Time enough for the others to read the same state.
    unlocked = lock.sub("AND pg_sleep(0.05) IS NOT NULL ORDER BY id", allocation.OPEN_NAMED.text)
    assert unlocked != allocation.OPEN_NAMED.text
    monkeypatch.setattr(allocation, "OPEN_NAMED", Prepared(unlocked))

    outcomes = at_once([lambda: give(alice, bob, "1")] * 8)
    assert any(isinstance(outcome, IntegrityError) for outcome in outcomes)
    assert verify_ledger() == []


def test_the_same_key_at_once_on_other_purses_is_one_transfer(alice: Member, bob: Member) -> None:
    dora = make_member(alice.company, "dora")
    credit_company(alice.company, "10")
    accounts = ensure_accounts(alice.company, [bob.pk, dora.pk])
    give(alice, bob, "5")
    give(alice, dora, "5")

    def one(member: Member) -> None:
        purse = accounts.members[member.pk]
        move = Move("call", purse, accounts.calls, Decimal(1), "call:pbx:1")
        post_transfers(alice.company_id, [move], now=NOON)

    at_once([lambda: one(bob), lambda: one(dora)] * 4)
    assert Transfer.objects.filter(key="call:pbx:1").count() == 1


def test_one_call_reported_by_eight_at_once_is_charged_once(alice: Member, bob: Member) -> None:
    price = Decimal("0.6")
    Rate.objects.create(
        prefix="33", kind="other", price_per_minute=price, currency="EUR", valid_from="2025-01-01"
    )
    credit_company(alice.company, "10")
    give(alice, bob, "5")
    row = CallRow("pbx", "1", "bob", "+33142278186", "2026-03-10T10:00:00Z", 60)

    outcomes = at_once([lambda: charge_calls(alice.company, [row])[0].status] * 8)
    assert sorted(map(str, outcomes)) == ["already_there"] * 7 + ["charged"]
    assert balances(alice.company_id, [bob.pk])[bob.pk].balance == 5 - price


def test_sweeps_at_once_recharge_each_member_once(alice: Member) -> None:
    members = [make_member(alice.company, f"member{n}") for n in range(10)]
    save_rules(
        actor=Actor.of_member(alice),
        recipients=Recipients(member_ids=tuple(member.pk for member in members)),
        terms=RuleTerms(Decimal(10), Decimal(5), Decimal(40)),
        now=NOON,
    )
    credit_company(alice.company, "1000", now=NOON)
    at_once([lambda: sweep_due_purses(now=NOON)] * 6)
    assert Transfer.objects.filter(kind="auto_recharge").count() == 10
    assert verify_ledger() == []


def test_two_bulk_allocations_in_opposite_orders_do_not_deadlock(alice: Member) -> None:
    members = [make_member(alice.company, f"member{n}") for n in range(20)]
    credit_company(alice.company, "1000")
    accounts = ensure_accounts(alice.company, [member.pk for member in members])

    def one(order: int, turn: int) -> None:
        purses = list(accounts.members.values())[::order]
        moves = [
            Move("allocation", accounts.company, purse, Decimal(1), f"{turn}:{purse}")
            for purse in purses
        ]
        post_transfers(alice.company_id, moves, now=NOON)

    outcomes = at_once([partial(one, 1 if n % 2 else -1, n) for n in range(16)])
    assert outcomes == [None] * 16
    assert company_balance(alice.company) == 1000 - 16 * 20
    with connection.cursor() as cursor:
        cursor.execute("SELECT sum(balance) FROM credit_account")
        assert cursor.fetchone()[0] == 1000
