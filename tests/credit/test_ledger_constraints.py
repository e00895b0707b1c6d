"""What the database refuses past the code, each by its name."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction

from credit.accounts import Accounts, ensure_accounts
from credit.ledger import Move, post_transfers
from credit.models import Account, Transfer
from members.models import Company, Member
from tests.conftest import credit_company

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)


@contextmanager
def refused(name: str) -> Iterator[None]:
    try:
        with transaction.atomic():
            yield
            with connection.cursor() as cursor:
                cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    except IntegrityError as error:
        assert name in str(error)  # noqa: PT017 - a context manager cannot use pytest.raises
    else:
        pytest.fail(f"{name} did not refuse")


@pytest.fixture
def accounts(acme: Company, bob: Member) -> Accounts:
    found = ensure_accounts(acme, [bob.pk])
    credit_company(acme, "100", now=NOON)
    purse = found.members[bob.pk]
    post_transfers(
        acme.pk,
        [
            Move("allocation", found.company, purse, Decimal(20), "a"),
            Move("call", purse, found.calls, Decimal(5), "call:pbx:1"),
        ],
        now=NOON,
    )
    return found


def insert(company: Company, **fields: Any) -> None:
    kinds = dict(Account.objects.values_list("pk", "kind"))
    defaults: dict[str, Any] = {
        "company": company,
        "currency": "EUR",
        "amount": Decimal(1),
        "key": "x",
        "booked_on": NOON.date(),
        "occurred_at": NOON,
        "created_at": NOON,
    }
    row = Transfer(**{**defaults, **fields})
    row.source_kind = fields.get("source_kind", kinds[row.source_id])
    row.destination_kind = fields.get("destination_kind", kinds[row.destination_id])
    if row.source_kind in ("company", "member"):
        row.source_balance_after, row.source_version = Decimal(1), 99
    if row.destination_kind in ("company", "member"):
        row.destination_balance_after, row.destination_version = Decimal(1), 99
    row.save(force_insert=True)


def test_a_purse_below_zero(accounts: Accounts) -> None:
    with refused("account_purse_not_negative"):
        Account.objects.filter(pk=accounts.company).update(balance=Decimal("-0.0001"))


def test_more_held_than_there_is(accounts: Accounts) -> None:
    with refused("account_held_within_balance"):
        Account.objects.filter(pk=accounts.company).update(held=Decimal(81))


def test_a_system_account_with_a_balance(accounts: Accounts) -> None:
    with refused("account_only_purses_carry_balance"):
        Account.objects.filter(pk=accounts.calls).update(balance=Decimal(1))


@pytest.mark.parametrize("amount", ["0", "-1"])
def test_an_amount_that_is_not_positive(acme: Company, accounts: Accounts, amount: str) -> None:
    with refused("transfer_amount_positive"):
        insert(
            acme,
            kind="purchase",
            source_id=accounts.purchases,
            destination_id=accounts.company,
            amount=Decimal(amount),
        )


def test_a_source_that_is_its_destination(acme: Company, accounts: Accounts) -> None:
    with refused("transfer_"):
        insert(acme, kind="adjustment", source_id=accounts.calls, destination_id=accounts.calls)


def test_credit_from_a_member_to_the_company_whatever_it_is_called(
    acme: Company, accounts: Accounts
) -> None:
    purse = next(iter(accounts.members.values()))
    for kind in Transfer.Kind.values:
        with refused("transfer_"):
            insert(acme, kind=kind, source_id=purse, destination_id=accounts.company)


def test_the_reversal_of_an_allocation(acme: Company, accounts: Accounts) -> None:
    purse = next(iter(accounts.members.values()))
    first = Transfer.objects.get(kind="allocation")
    with refused("transfer_kind_moves_where_it_may"):
        insert(
            acme,
            kind="reversal",
            source_id=purse,
            destination_id=accounts.company,
            reverses=first,
        )


def test_a_reversal_dressed_up_as_that_of_another_kind(acme: Company, accounts: Accounts) -> None:
    purse = next(iter(accounts.members.values()))
    first = Transfer.objects.get(kind="allocation")
    with refused("transfer_reversal_of_what_may_be_reversed"):
        insert(
            acme,
            kind="reversal",
            source_id=accounts.calls,
            destination_id=purse,
            reverses=first,
        )


def test_reversals_above_the_reversed_in_sum(acme: Company, accounts: Accounts) -> None:
    purse = next(iter(accounts.members.values()))
    call = Transfer.objects.get(kind="call")

    def reverse(amount: str, key: str) -> Move:
        return Move("reversal", accounts.calls, purse, Decimal(amount), key, reverses=call.pk)

    post_transfers(acme.pk, [reverse("3", "r1")], now=NOON)
    with refused("transfer_reversals_within_amount"):
        post_transfers(acme.pk, [reverse("2.0001", "r2")], now=NOON)
    post_transfers(acme.pk, [reverse("2", "r3")], now=NOON)


def test_a_transfer_between_two_companies(
    acme: Company, accounts: Accounts, charlie: Member
) -> None:
    other = ensure_accounts(charlie.company, [charlie.pk])
    with refused("transfer_destination_of_same_company"):
        insert(
            acme,
            kind="allocation",
            source_id=accounts.company,
            destination_id=other.members[charlie.pk],
        )


def test_a_transfer_from_another_companys_account(
    acme: Company, accounts: Accounts, charlie: Member
) -> None:
    other = ensure_accounts(charlie.company)
    with refused("transfer_source_of_same_company"):
        insert(
            acme,
            kind="purchase",
            source_id=other.purchases,
            destination_id=accounts.company,
        )


def test_a_transfer_in_another_currency(acme: Company, accounts: Accounts) -> None:
    with refused("of_same_company"):
        insert(
            acme,
            kind="purchase",
            source_id=accounts.purchases,
            destination_id=accounts.company,
            currency="USD",
        )


def test_a_key_used_twice(acme: Company, accounts: Accounts) -> None:
    with refused("transfer_key_unique"):
        insert(
            acme,
            kind="purchase",
            source_id=accounts.purchases,
            destination_id=accounts.company,
            key="a",
        )


def test_changing_a_transfer(accounts: Accounts) -> None:
    with refused("transfer_is_never_changed"):
        Transfer.objects.filter(key="a").update(amount=Decimal(1))


def test_deleting_a_transfer(accounts: Accounts) -> None:
    with refused("transfer_is_never_changed"), connection.cursor() as cursor:
        cursor.execute("DELETE FROM credit_transfer WHERE key = 'a'")


def test_a_second_purse_of_a_member(accounts: Accounts, bob: Member) -> None:
    with refused("account_one_per_member"):
        Account.objects.create(company=bob.company, kind="member", member=bob, currency="EUR")


def test_a_purse_of_another_companys_member(
    accounts: Accounts, charlie: Member, bob: Member
) -> None:
    with refused("account_member_of_same_company"):
        Account.objects.create(company=bob.company, kind="member", member=charlie, currency="EUR")
