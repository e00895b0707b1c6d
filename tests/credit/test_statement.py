"""Statements: they chain, they hide single calls, and they cost the same at any depth."""

import random
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any

import pytest
from django.db import connection
from pytest_django import DjangoAssertNumQueries

from credit import statement_sql
from credit.accounts import company_balance, ensure_accounts
from credit.call_rows import CallRow
from credit.calls import charge_calls
from credit.ledger import Move, post_transfers
from credit.models import Account, Rate, Transfer
from credit.statement import (
    InvalidCursor,
    Line,
    Statement,
    read_company_statement,
    read_member_statement,
    read_own_statement,
)
from members.models import Company, Member
from tests.conftest import credit_company, give, make_member

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)
Reader = Callable[..., Statement]


class History:
    """Posts movements of bob's purse, newest day last."""

    def __init__(self, company: Company, member: Member) -> None:
        self.company = company
        self.accounts = ensure_accounts(company, [member.pk])
        self.purse = self.accounts.members[member.pk]
        self.count = 0

    def post(self, now: datetime, *words: str) -> None:
        """Each word is a movement: ``+5`` a recharge, ``-1`` a call, ``!2`` an adjustment out."""
        post_transfers(self.company.pk, [self._move(word) for word in words], now=now)

    def _move(self, word: str) -> Move:
        self.count += 1
        kind, source, destination = {
            "+": ("auto_recharge", self.accounts.company, self.purse),
            "-": ("call", self.purse, self.accounts.calls),
            "!": ("adjustment", self.purse, self.accounts.adjustments),
        }[word[0]]
        return Move(kind, source, destination, Decimal(word[1:]), f"test:{self.count}")


@pytest.fixture
def history(acme: Company, bob: Member) -> History:
    credit_company(acme, "1000000", now=NOON - timedelta(days=900))
    return History(acme, bob)


def all_pages(read: Reader, subject: object, limit: int) -> list[Statement]:
    """Every page from the newest to the oldest."""
    pages = [read(subject, limit=limit)]
    while pages[-1].older:
        pages.append(read(subject, cursor=pages[-1].older, limit=limit))
    return pages


def chained(pages: list[Statement]) -> list[Line]:
    """All lines, after checking that they chain within and between the pages."""
    for page in pages:
        assert page.opening + page.incoming - page.outgoing == page.closing
        balance = page.closing
        for line in page.lines:
            assert line.balance_after == balance
            assert line.balance_before == line.balance_after - line.amount >= 0
            balance = line.balance_before
        assert balance == page.opening
    for newer, older in pairwise(pages):
        assert newer.opening == older.closing
    assert pages[-1].opening == 0
    return [line for page in pages for line in page.lines]


def same_way_back(read: Reader, subject: object, limit: int, pages: list[Statement]) -> None:
    """Reading towards the newest gives the same lines in the same chain."""
    lines = [line for page in pages for line in page.lines]
    seen = list(pages[-1].lines)
    cursor = pages[-1].newer
    while cursor:
        page = read(subject, cursor=cursor, limit=limit)
        assert page.opening + page.incoming - page.outgoing == page.closing
        seen = [*page.lines, *seen]
        cursor = page.newer
        if not cursor:
            assert page.closing == pages[0].closing
    assert seen == lines


def test_a_purse_that_was_never_opened_has_an_empty_statement(acme: Company, bob: Member) -> None:
    for page in (
        read_company_statement(acme),
        read_member_statement(bob),
        read_own_statement(bob),
    ):
        assert page == Statement()


def test_others_get_one_line_for_the_calls_of_a_day_whatever_lies_between(
    history: History, bob: Member
) -> None:
    history.post(NOON - timedelta(days=1), "+10", "-1")
    history.post(NOON, "-2", "+5", "-3", "+5", "-0.5")
    lines = chained([read_member_statement(bob)])
    told = [(line.kind, line.amount, line.calls_count, line.balance_after) for line in lines]
    assert told == [
        ("call", Decimal("-5.5"), 3, Decimal("13.5")),
        ("auto_recharge", 5, 0, 19),
        ("auto_recharge", 5, 0, 14),
        ("call", -1, 1, 9),
        ("auto_recharge", 10, 0, 10),
    ]
    assert [line.call for line in lines] == [None] * 5
    assert [line.at is None for line in lines] == [True, False, False, True, False]


def test_the_member_gets_every_call_with_its_number(
    alice: Member, acme: Company, bob: Member
) -> None:
    Rate.objects.create(
        prefix="33", kind="other", price_per_minute=1, currency="EUR", valid_from="2020-01-01"
    )
    credit_company(acme, "10", now=NOON)
    give(alice, bob, "3", now=NOON)
    rows = [CallRow("pbx", str(n), bob.pk, f"+3314227683{n}", NOON, 120) for n in range(2)]
    charge_calls(acme, rows, now=NOON)
    newest, older, given = chained([read_own_statement(bob)])
    assert newest.call is not None
    assert older.call is not None
    assert (newest.call.destination, newest.call.uncollected) == ("+33142276831", 1)
    assert (older.call.destination, older.call.duration_seconds) == ("+33142276830", 120)
    assert (given.kind, given.made_by, given.call) == ("allocation", "Alice", None)
    (calls, _given) = chained([read_member_statement(bob)])
    assert (calls.calls_count, calls.amount, calls.call) == (2, -3, None)


def test_the_companys_statement_names_who_received(
    alice: Member, acme: Company, bob: Member
) -> None:
    credit_company(acme, "10", now=NOON)
    give(alice, bob, "3", now=NOON)
    given, bought = chained([read_company_statement(acme)])
    assert (given.amount, given.member, given.member_id, given.made_by) == (
        -3,
        "Bob",
        bob.pk,
        "Alice",
    )
    assert (bought.kind, bought.amount, bought.balance_after) == ("purchase", 10, 10)
    assert read_company_statement(acme).closing == company_balance(acme)


def test_balances_are_those_that_the_ledger_wrote(history: History, bob: Member) -> None:
    history.post(NOON, "+10", "-1", "-2", "+1", "!3")
    written = {
        row.id: row.source_balance_after
        if row.source_id == history.purse
        else row.destination_balance_after
        for row in Transfer.objects.filter(key__startswith="test:")
    }
    lines = chained([read_own_statement(bob)])
    assert [line.balance_after for line in lines] == [written[pk] for pk in sorted(written)][::-1]


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("limit", [1, 2, 3, 7])
def test_any_history_chains_over_pages_of_any_size_in_both_directions(
    history: History, bob: Member, seed: int, limit: int
) -> None:
    dice = random.Random(seed)
    expected: list[tuple[date, str, Decimal]] = []
    calls: dict[date, list[Decimal]] = {}
    now = NOON - timedelta(days=40)
    balance = Decimal(0)
    for _ in range(dice.randint(5, 12)):
        now += timedelta(days=dice.choice([1, 1, 2, 9]))
        words = []
        for _ in range(dice.randint(1, 6)):
            kind = dice.choice("+----!") if balance > 20 else "+"
            amount = Decimal(dice.randint(1, 40)) / 8 + (20 if kind == "+" else 0)
            balance += amount if kind == "+" else -amount
            words.append(f"{kind}{amount}")
            if kind == "-":
                calls.setdefault(now.date(), []).append(amount)
            else:
                expected.append((now.date(), kind, amount if kind == "+" else -amount))
        history.post(now, *words)
    pages = all_pages(read_member_statement, bob, limit)
    lines = chained(pages)
    same_way_back(read_member_statement, bob, limit, pages)
    assert pages[0].closing == balance
    told = {line.day: (line.calls_count, line.amount) for line in lines if line.calls_count}
    assert told == {day: (len(amounts), -sum(amounts)) for day, amounts in calls.items()}
    others = [(line.day, line.amount) for line in lines if not line.calls_count]
    assert others == [(day, amount) for day, _kind, amount in reversed(expected)]
    assert [line.day for line in lines] == sorted((line.day for line in lines), reverse=True)
    own = all_pages(read_own_statement, bob, limit)
    assert len(chained(own)) == history.count
    same_way_back(read_own_statement, bob, limit, own)


def test_what_is_booked_meanwhile_moves_no_line_of_an_older_page(
    history: History, bob: Member
) -> None:
    history.post(NOON - timedelta(days=1), "+9", "-1")
    history.post(NOON, "+1", "-1", "+2", "-2", "+3")
    first = read_member_statement(bob, limit=2)
    before = read_member_statement(bob, cursor=first.older, limit=9)
    history.post(NOON, "-4", "+4")
    history.post(NOON + timedelta(days=1), "-1", "+4")
    after = read_member_statement(bob, cursor=first.older, limit=9)
    assert (after.lines, after.opening, after.closing) == (
        before.lines,
        before.opening,
        before.closing,
    )
    back = read_member_statement(bob, cursor=after.newer, limit=99)
    assert back.closing == read_member_statement(bob).closing
    assert chained([back, after])


@pytest.mark.parametrize(
    "cursor",
    ["x", "n", "n-1", "n5.9", "n3", "n4.3", "n99", "p99", "n999999999999999999", "n1.2.3", "n٣"],
)
def test_a_cursor_that_the_statement_never_gave_is_refused(
    history: History, bob: Member, cursor: str
) -> None:
    history.post(NOON - timedelta(days=1), "+9", "-1")
    history.post(NOON, "+1", "-1", "+2")
    with pytest.raises(InvalidCursor):
        read_member_statement(bob, cursor=cursor)


def test_a_purse_that_is_not_there_has_no_cursor(bob: Member) -> None:
    with pytest.raises(InvalidCursor):
        read_own_statement(bob, cursor="n0")


def test_a_page_is_two_queries_however_long_it_is(
    history: History, bob: Member, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    history.post(NOON, *["+1", "-1"] * 60)
    for read in (read_member_statement, read_own_statement):
        for limit in (1, 50, 200):
            with django_assert_num_queries(2):
                read(bob, limit=limit)


# --- cost -----------------------------------------------------------------------------------------


def rows_read(query: str, account: int, edge: tuple[int, int] | None, limit: int) -> int:
    """How many rows the query's plan touched in all, looked at and thrown away included."""
    transfers, days = edge or (None, None)
    parameters = {"account": account, "transfers": transfers, "days": days, "limit": limit}
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) {query}", parameters)
        ((plan,),) = cursor.fetchall()
    return _touched(plan[0]["Plan"])


def _touched(node: dict[str, Any]) -> int:
    inner = sum(_touched(child) for child in node.get("Plans", ()))
    assert not (node["Node Type"] == "Seq Scan" and node["Relation Name"] == "credit_transfer")
    if "Relation Name" not in node and node["Node Type"] != "Sort":
        return inner
    thrown = node.get("Rows Removed by Filter", 0) + node.get("Rows Removed by Index Recheck", 0)
    return inner + int((node["Actual Rows"] + thrown) * node["Actual Loops"])


@pytest.fixture
def long_history(history: History) -> History:
    """4,000 movements over 400 days: each day a recharge and 9 calls."""
    for number in range(400):
        history.post(NOON - timedelta(days=400 - number), "+9", *["-1"] * 9)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE credit_transfer, credit_dailytotal, credit_account")
    return history


def test_a_page_touches_as_many_rows_at_any_depth(long_history: History) -> None:
    limit, purse = 51, long_history.purse
    assert Account.objects.get(pk=purse).version == 4000
    for towards in ("older", "newer"):
        single, by_day = statement_sql.SINGLE[towards], statement_sql.BY_DAY[towards]
        for version in (3500, 2000, 800):
            assert rows_read(single, purse, (version, 0), limit) < 8 * limit
            # Between two days, below a day's recharge, below a day's calls.
            for transfers in (version, version + 1, version + 10):
                assert rows_read(by_day, purse, (transfers, version), limit) < 12 * limit
    assert rows_read(statement_sql.SINGLE["older"], purse, None, limit) < 8 * limit
    assert rows_read(statement_sql.BY_DAY["older"], purse, None, limit) < 12 * limit


def test_the_companys_page_touches_as_many_rows_at_any_depth(acme: Company, bob: Member) -> None:
    credit_company(acme, "100000", now=NOON)
    accounts = ensure_accounts(acme, [bob.pk, make_member(acme, "carol").pk])
    for batch in range(5):
        moves = [
            Move("auto_recharge", accounts.company, purse, Decimal(1), f"test:{batch}:{n}:{purse}")
            for n in range(400)
            for purse in accounts.members.values()
        ]
        post_transfers(acme.pk, moves, now=NOON)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE credit_transfer, credit_account")
    limit = 51
    for version in (3500, 2000, 500):
        for query in statement_sql.SINGLE.values():
            assert rows_read(query, accounts.company, (version, 0), limit) < 8 * limit
