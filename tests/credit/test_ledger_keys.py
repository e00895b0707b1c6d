"""Keys and decisions: each fact once, each decision recorded once."""

import threading
import uuid
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from django.db import connection, connections, transaction
from django.test.utils import CaptureQueriesContext

from credit.accounts import ensure_accounts
from credit.allocation import Recipients, allocate
from credit.errors import IdempotencyConflict, KeyConflict, NotEnoughCredit
from credit.ledger import Move, post_transfers
from credit.models import OutsideRequest, Transfer
from credit.requests import OutsideKey
from credit.rules import RuleTerms, save_rules
from credit.sweeps import serve_waiting_rules
from credit.verification import verify_ledger
from members.actors import Actor
from members.models import AuditEntry, Member
from tests.conftest import credit_company, give, make_member
from tests.credit.test_races import at_once

NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)


@pytest.mark.django_db(transaction=True)
def test_a_key_that_is_posted_while_another_waits_for_the_lock_is_found(
    alice: Member, bob: Member
) -> None:
    credit_company(alice.company, "10")
    accounts = ensure_accounts(alice.company, [bob.pk])
    purse = accounts.members[bob.pk]
    move = Move("allocation", accounts.company, purse, Decimal(1), "allocation:1:1")
    waiting, found = threading.Event(), []

    def second() -> None:
        try:
            # Inside a transaction of its own, nothing is tried again.
            with transaction.atomic():
                waiting.set()
                found.extend(post_transfers(alice.company_id, [move], now=NOON))
        finally:
            connections.close_all()

    thread = threading.Thread(target=second)
    with transaction.atomic():
        post_transfers(alice.company_id, [move], now=NOON)
        thread.start()
        waiting.wait(10)
        thread.join(0.5)  # it waits for the purses
        assert thread.is_alive()
    thread.join(10)
    assert [posted.already for posted in found] == [True]


@pytest.mark.django_db(transaction=True)
def test_a_key_taken_at_once_on_other_purses_is_a_conflict_and_no_failure(
    alice: Member, bob: Member
) -> None:
    dora = make_member(alice.company, "dora")
    credit_company(alice.company, "20")
    accounts = ensure_accounts(alice.company, [bob.pk, dora.pk])
    for member in (bob, dora):
        give(alice, member, "5")
    first = Move("call", accounts.members[bob.pk], accounts.calls, Decimal(1), "call:pbx:1")
    other = Move("call", accounts.members[dora.pk], accounts.calls, Decimal(1), "call:pbx:1")
    outcomes: list[object] = []

    def second() -> None:
        outcomes.extend(at_once([lambda: post_transfers(alice.company_id, [other], now=NOON)]))

    thread = threading.Thread(target=second)
    with transaction.atomic():
        post_transfers(alice.company_id, [first], now=NOON)
        thread.start()
        thread.join(0.5)  # it waits for the key
        assert thread.is_alive()
    thread.join(10)
    assert [type(outcome) for outcome in outcomes] == [KeyConflict]


@pytest.mark.django_db
def test_one_decision_is_one_audit_entry_with_counts(alice: Member, bob: Member) -> None:
    dora = make_member(alice.company, "dora")
    credit_company(alice.company, "20")
    before = AuditEntry.objects.count()
    allocation = allocate(
        actor=Actor.of_member(alice),
        amount=Decimal("1.5"),
        recipients=Recipients(member_ids=(bob.pk, dora.pk)),
        request=OutsideKey.of_form("once", "1.5"),
    )
    entry = AuditEntry.objects.order_by("-pk")[0]
    assert AuditEntry.objects.count() == before + 1
    assert (entry.verb, entry.member, entry.user) == ("allocate", alice, alice.user)
    assert entry.subject == f"allocation:{allocation.id}"
    assert (entry.data["members_count"], Decimal(entry.data["total"])) == (2, 3)


@pytest.mark.django_db
def test_an_allocation_takes_two_round_trips_its_audit_entry_and_answer_included(
    alice: Member, bob: Member
) -> None:
    credit_company(alice.company, "20")
    give(alice, bob, "1")
    entries = AuditEntry.objects.count()
    with CaptureQueriesContext(connection) as queries:
        give(alice, bob, "1")
    sent = [query["sql"] for query in queries if "SAVEPOINT" not in query["sql"]]
    assert len(sent) == 2, sent
    assert AuditEntry.objects.count() == entries + 1
    answer = OutsideRequest.objects.latest("pk").answer
    assert answer is not None
    assert answer["company_balance_after"] == "18.0000"


@pytest.mark.django_db
def test_a_refused_request_leaves_no_row_and_its_key_can_be_used_again(
    alice: Member, bob: Member
) -> None:
    request = OutsideKey.of_form("form", "1")

    def one(amount: str) -> None:
        allocate(
            actor=Actor.of_member(alice),
            amount=Decimal(amount),
            recipients=Recipients(member_ids=(bob.pk,)),
            request=request,
        )

    with pytest.raises(NotEnoughCredit):
        one("1")
    assert not OutsideRequest.objects.exists()
    credit_company(alice.company, "5")
    one("1")
    one("1")
    assert Transfer.objects.filter(kind="allocation").count() == 1
    request = OutsideKey.of_form("form", "2")
    with pytest.raises(IdempotencyConflict):
        one("2")


@pytest.mark.django_db
def test_who_waits_longest_is_served_first_when_not_all_can_be(alice: Member, bob: Member) -> None:
    dora = make_member(alice.company, "dora")
    for minutes, member in enumerate((dora, bob)):
        save_rules(
            actor=Actor.of_member(alice),
            recipients=Recipients(member_ids=(member.pk,)),
            terms=RuleTerms(Decimal(10), Decimal(5), Decimal(40)),
            now=NOON + timedelta(minutes=minutes),
        )
    credit_company(alice.company, "15", now=NOON + timedelta(hours=1))
    assert serve_waiting_rules(alice.company_id, now=NOON + timedelta(hours=1)) == 1
    assert Transfer.objects.get(kind="auto_recharge").destination.member == dora


@pytest.mark.django_db
@pytest.mark.parametrize("size", [10_000, 10_001])
def test_ten_thousand_moves_are_one_posting_and_one_more_is_refused(
    alice: Member, bob: Member, size: int
) -> None:
    credit_company(alice.company, "2", now=NOON)
    accounts = ensure_accounts(alice.company, [bob.pk])
    purse, name = accounts.members[bob.pk], uuid.uuid4()
    amount = Decimal("0.0001")
    moves = [
        Move("allocation", accounts.company, purse, amount, f"{name}:{n}") for n in range(size)
    ]
    if size > 10_000:
        with pytest.raises(Exception, match="10,000"):
            post_transfers(alice.company_id, moves, now=NOON)
        assert not Transfer.objects.filter(kind="allocation").exists()
    else:
        assert len(post_transfers(alice.company_id, moves, now=NOON)) == size
    assert verify_ledger() == []
