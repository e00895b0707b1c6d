"""The ledger's behaviour: what a posting does, refuses and repeats."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from credit.accounts import company_balance, ensure_accounts
from credit.errors import InvalidAmount, KeyConflict, NotEnoughCredit, UnknownAccount
from credit.ledger import Move, post_transfers
from credit.models import Account, DailyTotal, Transfer
from members.models import Company, Member
from tests.conftest import credit_company, make_member

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)


def allocation(company: Company, member: Member, amount: str, key: str) -> Move:
    accounts = ensure_accounts(company, [member.pk])
    return Move("allocation", accounts.company, accounts.members[member.pk], Decimal(amount), key)


def test_a_posting_moves_the_amount_and_keeps_balances_versions_and_totals(
    acme: Company, bob: Member
) -> None:
    credit_company(acme, "100", now=NOON)
    post_transfers(acme.pk, [allocation(acme, bob, "30.5", "a")], now=NOON)
    transfer = Transfer.objects.get(key="a")
    assert (transfer.source_balance_after, transfer.source_version) == (Decimal("69.5"), 2)
    assert (transfer.destination_balance_after, transfer.destination_version) == (
        Decimal("30.5"),
        1,
    )
    assert company_balance(acme) == Decimal("69.5")
    purse = Account.objects.get(member=bob)
    assert (purse.balance, purse.version) == (Decimal("30.5"), 1)
    total = DailyTotal.objects.get(account=purse)
    assert (total.kind, total.incoming, total.outgoing, total.moves_count) == (
        "allocation",
        Decimal("30.5"),
        0,
        1,
    )


def test_the_same_key_posts_once_and_says_it_was_already_there(acme: Company, bob: Member) -> None:
    credit_company(acme, "100", now=NOON)
    move = allocation(acme, bob, "10", "a")
    first = post_transfers(acme.pk, [move], now=NOON)
    second = post_transfers(acme.pk, [move], now=NOON + timedelta(days=1))
    assert not first[0].already
    assert second[0].already
    assert second[0].id == first[0].id
    assert company_balance(acme) == 90


def test_the_same_key_twice_in_one_posting_moves_once(acme: Company, bob: Member) -> None:
    credit_company(acme, "100", now=NOON)
    move = allocation(acme, bob, "10", "a")
    post_transfers(acme.pk, [move, move], now=NOON)
    assert company_balance(acme) == 90


def test_a_key_with_another_amount_is_a_conflict_and_changes_nothing(
    acme: Company, bob: Member
) -> None:
    credit_company(acme, "100", now=NOON)
    post_transfers(acme.pk, [allocation(acme, bob, "10", "a")], now=NOON)
    with pytest.raises(KeyConflict):
        post_transfers(acme.pk, [allocation(acme, bob, "11", "a")], now=NOON)
    assert company_balance(acme) == 90


def test_a_source_without_funds_in_the_middle_refuses_the_whole_batch_and_is_named(
    acme: Company, bob: Member
) -> None:
    credit_company(acme, "25", now=NOON)
    moves = [allocation(acme, bob, "10", f"m{n}") for n in range(4)]
    with pytest.raises(NotEnoughCredit) as refusal:
        post_transfers(acme.pk, moves, now=NOON)
    assert refusal.value.details["key"] == "m2"
    assert company_balance(acme) == 25
    assert Transfer.objects.filter(kind="allocation").count() == 0


def test_credit_received_in_a_batch_can_be_spent_later_in_the_same_batch(
    acme: Company, bob: Member
) -> None:
    credit_company(acme, "10", now=NOON)
    accounts = ensure_accounts(acme, [bob.pk])
    purse = accounts.members[bob.pk]
    post_transfers(
        acme.pk,
        [
            Move("allocation", accounts.company, purse, Decimal(10), "a"),
            Move("call", purse, accounts.calls, Decimal("0.0219"), "call:pbx:1"),
        ],
        now=NOON,
    )
    assert Account.objects.get(pk=purse).balance == Decimal("9.9781")


def test_a_move_to_another_companys_account_is_refused(acme: Company, charlie: Member) -> None:
    credit_company(acme, "10", now=NOON)
    own, other = ensure_accounts(acme), ensure_accounts(charlie.company, [charlie.pk])
    move = Move("allocation", own.company, other.members[charlie.pk], Decimal(1), "a")
    with pytest.raises(UnknownAccount):
        post_transfers(acme.pk, [move], now=NOON)
    assert company_balance(acme) == 10


@pytest.mark.parametrize("amount", ["0", "-1", "0.00001", "1e21", "NaN", "Infinity"])
def test_an_amount_that_is_none_is_refused(acme: Company, bob: Member, amount: str) -> None:
    credit_company(acme, "10", now=NOON)
    with pytest.raises(InvalidAmount):
        post_transfers(acme.pk, [allocation(acme, bob, amount, "a")], now=NOON)
    assert company_balance(acme) == 10


def test_the_booking_day_is_the_companys_and_never_earlier_than_the_purses_last(
    acme: Company, bob: Member
) -> None:
    late_evening = datetime(2026, 3, 31, 22, 30, tzinfo=UTC)  # 1 April in Paris
    credit_company(acme, "10", now=late_evening)
    before = late_evening - timedelta(days=3)
    post_transfers(acme.pk, [allocation(acme, bob, "1", "a")], now=before)
    days = Transfer.objects.order_by("pk").values_list("booked_on", flat=True)
    assert [day.isoformat() for day in days] == ["2026-04-01", "2026-04-01"]


def test_held_credit_cannot_be_spent(acme: Company, bob: Member) -> None:
    credit_company(acme, "10", now=NOON)
    Account.objects.filter(company=acme, kind="company").update(held=Decimal(8))
    with pytest.raises(NotEnoughCredit):
        post_transfers(acme.pk, [allocation(acme, bob, "3", "a")], now=NOON)


def test_a_posting_takes_three_statements_however_many_moves(acme: Company) -> None:
    credit_company(acme, "1000", now=NOON)
    members = [make_member(acme, f"member{n}") for n in range(5)]
    accounts = ensure_accounts(acme, [member.pk for member in members])
    counts = []
    for size in (1, 500):
        moves = [
            Move(
                "allocation",
                accounts.company,
                accounts.members[members[n % 5].pk],
                Decimal("0.01"),
                f"s{size}-{n}",
            )
            for n in range(size)
        ]
        with CaptureQueriesContext(connection) as queries:
            post_transfers(acme.pk, moves, now=NOON)
        counts.append(sum("SAVEPOINT" not in query["sql"] for query in queries))
    assert counts == [3, 3]
