"""Acme with credit, and what tests of its pages look at."""

import re
import uuid
from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from html import unescape

import pytest
from django.db import connection
from django.http import HttpResponseBase
from django.test import Client
from django.test.utils import CaptureQueriesContext

from credit.accounts import balances, company_balance, ensure_accounts
from credit.ledger import Move, post_transfers
from credit.models import Account, Transfer
from members.models import Company, Member
from skypemgr.lib.periods import utc_now
from tests.conftest import ClientOf, credit_company, make_member

BAD_AMOUNTS = [
    ("", "Enter an amount."),
    ("0", "The amount must be above 0."),
    ("-5", "The amount must be above 0."),
    ("1.00001", "Use at most 4 decimals."),
    ("1.500", "Do you mean 1500 or 1.50? Write one of the two."),
    ("1e21", "This is not an amount. Use digits only, for example 12.50."),
    ("1000000000000000000000", "This amount is too large."),
    ("ten", "This is not an amount. Use digits only, for example 12.50."),
    ("\u0661\u0662", "Write the amount with the digits 0 to 9, for example 12.50."),
]


def balance_of(member: Member) -> Decimal:
    """The member's balance as the ledger has it."""
    return balances(member.company_id, [member.pk])[member.pk].balance


def words_of(response: HttpResponseBase) -> str:
    """The page's text as a reader sees it, without marks."""
    content: str = response.content.decode()  # type: ignore[attr-defined]
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", content)).split())


def post_call(member: Member, amount: str, *, now: datetime | None = None) -> None:
    """The member's balance is lower by a call, made now unless told."""
    accounts = ensure_accounts(member.company, [member.pk])
    key = f"call:test:{uuid.uuid4()}"
    move = Move("call", accounts.members[member.pk], accounts.calls, Decimal(amount), key)
    post_transfers(member.company_id, [move], now=now or utc_now())


def query_count(client: Client, address: str) -> int:
    """How many queries the page needs once the session is warm."""
    client.get(address)
    with CaptureQueriesContext(connection) as queries:
        assert client.get(address).status_code == 200
    return len(queries)


def moved(company: Company) -> tuple[int, Decimal, int]:
    """What would differ if anything had moved: transfers, the company's balance, purses."""
    return (
        Transfer.objects.filter(company=company).count(),
        company_balance(company),
        Account.objects.filter(company=company).count(),
    )


@pytest.fixture
def rich(alice: Member) -> Member:
    """alice, whose company has 200."""
    credit_company(alice.company, "200")
    return alice


@pytest.fixture
def desk(client_of: ClientOf, rich: Member) -> Client:
    """alice's desk."""
    return client_of(rich)


@pytest.fixture
def team(acme: Company) -> Callable[[int], list[Member]]:
    """So many more members of Acme."""

    def make(count: int) -> list[Member]:
        return [make_member(acme, f"member{number:03}") for number in range(count)]

    return make
