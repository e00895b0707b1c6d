"""Figures of dashboard and reports are those of the transfers themselves."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from pytest_django import DjangoAssertNumQueries

from credit.accounts import company_balance
from credit.rollup import roll_up_days
from credit.span_figures import read_live_days
from members.models import Company, Member
from skypemgr.portal.queries import figures, movements, people
from skypemgr.portal.queries.dashboard import read_board
from skypemgr.portal.queries.overview import read_overview
from skypemgr.portal.reports.catalogue import read_report
from skypemgr.portal.scope import Scope
from skypemgr.portal.spans import find_span
from tests.conftest import credit_company, give, make_company
from tests.portal.conftest import NOW, SEPTEMBER, History

Sums = Callable[[Company, str, str], Decimal]


def test_each_months_figures_are_the_sums_of_its_transfers(
    history: History, month_sums: Sums
) -> None:
    overview = read_overview(Scope(history.company), date(2026, 9, 20))
    assert overview.months[0][0] == date(2025, 10, 1)
    assert len(overview.months) == 12
    for first, sums in overview.months:
        name = f"{first:%Y-%m}"
        assert sums.purchased == month_sums(history.company, name, "purchase")
        assert sums.allocated == month_sums(history.company, name, "allocation")
        assert sums.recharged == month_sums(history.company, name, "auto_recharge")
        assert sums.calls == month_sums(history.company, name, "call")
    assert overview.months[-1][1].calls == Decimal("4.90")


def test_figures_are_the_same_once_their_days_are_rolled_up(history: History) -> None:
    before = read_overview(Scope(history.company), date(2026, 9, 20))
    assert roll_up_days(now=NOW) > 0
    assert read_overview(Scope(history.company), date(2026, 9, 20)) == before


def test_all_figures_of_the_company_are_read_with_one_query(
    history: History, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    live = read_live_days(history.company)
    with django_assert_num_queries(1):
        read_overview(Scope(history.company), date(2026, 9, 20), live=live)


def test_opening_plus_in_minus_out_is_closing_and_the_next_months_opening(
    history: History,
) -> None:
    august = figures.read_strip(history.company, date(2026, 8, 1), date(2026, 8, 30))
    september = figures.read_strip(history.company, date(2026, 9, 1), date(2026, 9, 30))
    assert august.opening == 0
    assert (august.incoming, august.outgoing) == (Decimal(500), Decimal("65.5"))
    assert august.closing == september.opening == Decimal("434.5")
    assert september.closing == company_balance(history.company)


def test_a_company_without_a_purse_has_zeros_everywhere(alice: Member) -> None:
    strip = figures.read_strip(alice.company, date(2026, 9, 1), date(2026, 9, 30))
    assert (strip.opening, strip.closing) == (0, 0)
    board = read_board(Scope(alice.company), viewer=alice, now=NOW)
    assert board.people is not None
    assert (board.balance, board.people.balance) == (0, 0)
    assert (board.forecast.until, board.forecast.is_spending) == (None, False)


def test_another_companys_movements_never_count(history: History) -> None:
    other = make_company("Other", "charlie")
    credit_company(other.company, "999", now=SEPTEMBER)
    overview = read_overview(Scope(history.company), date(2026, 9, 20))
    assert overview.months[-1][1].purchased == 100
    assert figures.read_strip(history.company, date(2026, 9, 1), date(2026, 9, 30)).incoming == 100


def test_members_totals_count_who_has_no_credit(history: History) -> None:
    totals = people.read_people(Scope(history.company), NOW.date(), 8)
    assert totals.count == 3
    assert totals.without_credit == 1
    assert totals.balance == Decimal("40") + 10 + Decimal("25.5") + 5 - Decimal("3.25") - Decimal(
        "4.90"
    )


def test_the_feed_tells_calls_as_one_line_a_day(history: History) -> None:
    purse = figures.read_company_purse(history.company)
    feed = movements.read_company_movements(history.company, purse, 20)
    calls = [line for line in feed if line.kind == "call"]
    assert [(line.day, line.count, line.amount) for line in calls] == [
        (date(2026, 9, 3), 5, Decimal("-4.90")),
        (date(2026, 8, 12), 1, Decimal("-3.25")),
    ]
    assert all(not line.member for line in calls)
    assert [line.day for line in feed] == sorted((line.day for line in feed), reverse=True)


def test_an_allocation_to_several_is_one_line_with_their_number(history: History) -> None:
    instant = datetime(2026, 9, 10, 9, tzinfo=UTC)
    for member in (history.bob, history.carol):
        give(history.alice, member, "2", now=instant)
    purse = figures.read_company_purse(history.company)
    newest = movements.read_company_movements(history.company, purse, 20)[0]
    assert (newest.kind, newest.count, newest.amount) == ("allocation", 2, Decimal(-4))
    assert newest.member == ""


def test_the_feed_takes_three_queries_however_long_the_history(
    history: History, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    purse = figures.read_company_purse(history.company)
    live = read_live_days(history.company)
    with django_assert_num_queries(3):
        movements.read_company_movements(history.company, purse, 8, live=live)


def test_a_members_feed_holds_only_the_members_own_movements(history: History) -> None:
    feed = movements.read_member_movements(movements.read_member_purse(history.carol), 20)
    assert [(line.kind, line.amount) for line in feed] == [
        ("auto_recharge", Decimal(5)),
        ("call", Decimal("-0.5")),
        ("allocation", Decimal("25.5")),
    ]


def test_lowest_balances_start_with_members_who_never_had_credit(history: History) -> None:
    lowest = people.read_people(Scope(history.company), NOW.date(), 2).lowest
    assert [(member.name, member.balance) for member in lowest] == [
        ("Alice", Decimal(0)),
        ("Carol", Decimal("30")),
    ]


def test_the_first_steps_are_done_one_after_the_other(alice: Member) -> None:
    assert people.read_progress(alice.company) == people.Progress(False, False, False)
    credit_company(alice.company, "10")
    assert people.read_progress(alice.company) == people.Progress(False, True, False)


@pytest.mark.parametrize(
    ("name", "key", "kinds"),
    [
        ("allocations", "amount", ("allocation", "auto_recharge")),
        ("purchases", "net", ("purchase",)),
    ],
)
def test_a_reports_total_is_the_sum_of_its_rows_and_of_the_transfers(
    history: History, month_sums: Sums, name: str, key: str, kinds: tuple[str, ...]
) -> None:
    report = read_report(name, history.company, find_span(history.company, {}, now=NOW))
    place = [column.key for column in report.columns].index(key)
    rows = list(report.rows())
    expected = sum((month_sums(history.company, "2026-09", kind) for kind in kinds), Decimal(0))
    assert sum(row[place] for row in rows) == report.totals[key] == expected


def test_the_summary_adds_up_to_the_strip(history: History) -> None:
    strip = figures.read_strip(history.company, date(2026, 9, 1), date(2026, 9, 30))
    report = read_report("summary", history.company, find_span(history.company, {}, now=NOW))
    assert report.totals["in"] == strip.incoming
    assert report.totals["out"] == strip.outgoing
