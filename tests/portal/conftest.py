"""A small history of Acme: two months of purchases, allocations, recharges and calls."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal

import pytest
import time_machine

from credit.accounts import ensure_accounts
from credit.ledger import Move, post_transfers
from members.models import Company, Member
from tests.api.conftest import api
from tests.conftest import credit_company, give, make_member

__all__ = ["api"]

AUGUST = datetime(2026, 8, 12, 9, tzinfo=UTC)
SEPTEMBER = datetime(2026, 9, 3, 9, tzinfo=UTC)
NOW = datetime(2026, 9, 20, 9, tzinfo=UTC)


@dataclass(frozen=True)
class History:
    """Acme with what happened; everything is booked before ``now``."""

    company: Company
    alice: Member
    bob: Member
    carol: Member
    now: datetime


def post_call(member: Member, amount: str, key: str, *, now: datetime) -> None:
    """The member's balance is lower by a call, as the rating would book it."""
    accounts = ensure_accounts(member.company, [member.pk])
    move = Move(
        "call", accounts.members[member.pk], accounts.calls, Decimal(amount), f"call:test:{key}"
    )
    post_transfers(member.company_id, [move], now=now)


def post_recharge(member: Member, amount: str, key: str, *, now: datetime) -> None:
    """The member is recharged from the company's purse, as a rule would."""
    accounts = ensure_accounts(member.company, [member.pk])
    move = Move(
        "auto_recharge", accounts.company, accounts.members[member.pk], Decimal(amount), key
    )
    post_transfers(member.company_id, [move], now=now)


@pytest.fixture(autouse=True)
def _at_that_time() -> Iterator[None]:
    """Pages read the clock: it stands at ``NOW``."""
    with time_machine.travel(NOW, tick=True):
        yield


@pytest.fixture
def history(alice: Member, bob: Member) -> History:
    company = alice.company
    carol = make_member(company, "carol")
    credit_company(company, "500", now=AUGUST)
    give(alice, bob, "40", now=AUGUST)
    give(alice, carol, "25.5", now=AUGUST)
    post_call(bob, "3.25", "1", now=AUGUST)
    credit_company(company, "100", now=SEPTEMBER)
    give(alice, bob, "10", now=SEPTEMBER)
    post_recharge(carol, "5", "recharge:test:1", now=SEPTEMBER)
    for number in range(4):
        post_call(bob, "1.10", f"s{number}", now=SEPTEMBER)
    post_call(carol, "0.5", "c", now=SEPTEMBER)
    return History(company=company, alice=alice, bob=bob, carol=carol, now=NOW)


@pytest.fixture
def month_sums() -> Callable[[Company, str, str], Decimal]:
    """Sums of transfers themselves, month by month, to compare figures with."""

    def read(company: Company, month: str, kind: str) -> Decimal:
        rows = company.transfers.filter(kind=kind).values_list("booked_on", "amount")
        return sum((amount for day, amount in rows if f"{day:%Y-%m}" == month), start=Decimal(0))

    return read
