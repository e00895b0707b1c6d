"""Finished days rolled up: the same figures whether, when and how often it ran."""

import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, transaction
from django.db.models import F
from hypothesis import given, settings
from hypothesis import strategies as st

from credit.accounts import ensure_accounts
from credit.call_rows import CallRow
from credit.calls import charge_calls
from credit.figures import Level, Total, totals
from credit.ledger import Move, post_transfers
from credit.models import DailyTotal, Rate, RolledTotal
from credit.rebuilding import rebuild_totals
from credit.rollup import DAYS_AT_ONCE, roll_up_company, roll_up_days
from credit.verification import verify_ledger
from members.actors import Actor
from members.details import update_member
from members.lists import create_list
from members.models import Company, Member, MemberPlacement
from tests.conftest import credit_company, give, make_company, make_member
from tests.credit.test_races import at_once

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)
FIRST, LAST = date(2026, 1, 1), date(2026, 12, 31)


@pytest.fixture(autouse=True)
def _deck(request: pytest.FixtureRequest) -> None:
    """0.6 a minute."""
    real = "transaction" in request.keywords["django_db"].kwargs
    request.getfixturevalue("transactional_db" if real else "db")
    Rate.objects.create(
        prefix="33",
        kind="other",
        price_per_minute=Decimal("0.6"),
        currency="EUR",
        valid_from="2025-01-01",
    )


def later(days: float) -> datetime:
    return NOON + timedelta(days=days)


def call(member: Member, amount: str, now: datetime) -> None:
    """A call at 0.01 a second."""
    row = CallRow(
        "test", uuid.uuid4().hex, member.pk, "+33142278186", now, int(Decimal(amount) * 100)
    )
    result = charge_calls(member.company, [row], now=now)[0]
    assert result.status == "charged"


def figures(company: Company) -> list[Total]:
    return totals(company, FIRST, LAST, *Level)


def told(company: Company, level: str) -> list[tuple[int | None, str, str, Decimal, Decimal, int]]:
    return [
        (row.list_id, row.cost_centre, row.kind, row.incoming, row.outgoing, row.moves_count)
        for row in totals(company, FIRST, LAST, level)
    ]


def place(member: Member, day: datetime, **fields: object) -> None:
    """The member's place from that day on, nothing known before."""
    first = MemberPlacement.objects.filter(member=member).order_by("valid_from").first()
    if first is not None and first.valid_from > day.date():
        first.delete()
    actor = Actor.system(member.company)
    update_member(actor=actor, member=member, now=day, **fields)


@pytest.fixture
def moved(alice: Member, bob: Member) -> Company:
    """Three days: 100 bought, bob given 10, then 20; calls of 3, 4 and 5."""
    credit_company(alice.company, "100", now=NOON)
    give(alice, bob, "10", now=NOON)
    call(bob, "3", NOON)
    give(alice, bob, "20", now=later(1))
    call(bob, "4", later(1))
    call(bob, "5", later(2))
    return alice.company


def test_only_finished_days_are_rolled(moved: Company) -> None:
    assert roll_up_days(now=later(2)) == 2
    days = RolledTotal.objects.values_list("day", flat=True).distinct().order_by("day")
    assert list(days) == [date(2026, 3, 10), date(2026, 3, 11)]
    assert not DailyTotal.objects.filter(day="2026-03-12", is_rolled=True).exists()
    assert verify_ledger() == []


def test_a_day_is_finished_when_it_is_over_in_the_companys_zone(moved: Company) -> None:
    # In Paris the 11th begins at 23:00 UTC.
    assert roll_up_days(now=datetime(2026, 3, 10, 22, 59, tzinfo=UTC)) == 0
    assert roll_up_days(now=datetime(2026, 3, 10, 23, 0, tzinfo=UTC)) == 1


def test_sums_are_the_same_before_between_and_after(moved: Company) -> None:
    before = figures(moved)
    roll_up_days(now=later(1))
    assert figures(moved) == before
    assert roll_up_days(now=later(9)) == 2
    assert roll_up_days(now=later(9)) == 0
    assert figures(moved) == before
    assert told(moved, Level.COMPANY) == [
        (None, "", "allocation", 0, 30, 2),
        (None, "", "purchase", 100, 0, 1),
    ]
    assert told(moved, Level.MEMBERS) == [
        (None, "", "allocation", 30, 0, 2),
        (None, "", "call", 0, 12, 3),
    ]


@pytest.mark.parametrize("is_rolled", [False, True])
def test_lists_and_cost_centres_are_those_of_each_day(
    alice: Member, bob: Member, moved: Company, is_rolled: bool
) -> None:
    sales = create_list(actor=Actor.of_member(alice), name="Sales")
    place(bob, later(1), list=sales, cost_centre="A")
    place(bob, later(2), cost_centre="B")
    MemberPlacement.objects.create(company=moved, member=bob, valid_from=FIRST)
    if is_rolled:
        roll_up_days(now=later(9))
    calls = [row for row in told(moved, Level.LIST) if row[2] == "call"]
    assert calls == [(sales.pk, "", "call", 0, 9, 2), (None, "", "call", 0, 3, 1)]
    calls = [row for row in told(moved, Level.COST_CENTRE) if row[2] == "call"]
    assert calls == [
        (None, "", "call", 0, 3, 1),
        (None, "A", "call", 0, 4, 1),
        (None, "B", "call", 0, 5, 1),
    ]
    assert verify_ledger() == []


def test_moving_to_another_list_leaves_rolled_days_alone(
    alice: Member, bob: Member, moved: Company
) -> None:
    place(bob, NOON, cost_centre="A")
    roll_up_days(now=later(2))
    before = list(RolledTotal.objects.order_by("pk").values())
    place(bob, later(2), cost_centre="B")
    roll_up_days(now=later(9))
    assert list(RolledTotal.objects.order_by("pk").values())[: len(before)] == before
    assert verify_ledger() == []


def test_what_is_booked_into_a_rolled_day_is_counted_at_once_and_rolled_again(
    alice: Member, moved: Company
) -> None:
    """A purse that has not moved since can be booked earlier: a late command, a slow commit."""
    roll_up_days(now=later(9))
    dora = make_member(moved, "dora")
    accounts = ensure_accounts(moved, [dora.pk])
    move = Move("adjustment", accounts.adjustments, accounts.members[dora.pk], Decimal(7), "late")
    post_transfers(moved.pk, [move], now=NOON)
    again = DailyTotal.objects.get(account__member=dora)
    assert again.day == date(2026, 3, 10)
    assert not again.is_rolled
    late = (None, "", "adjustment", Decimal(7), Decimal(0), 1)
    assert late in told(moved, Level.MEMBERS)
    assert verify_ledger() == []
    assert roll_up_days(now=later(9)) == 1
    assert late in told(moved, Level.MEMBERS)
    assert verify_ledger() == []


def test_a_rolled_total_that_changes_is_marked_by_the_posting(
    alice: Member, bob: Member, moved: Company
) -> None:
    roll_up_days(now=later(9))
    call(bob, "1", later(2))
    assert list(DailyTotal.objects.filter(is_rolled=False).values_list("kind", "outgoing")) == [
        ("call", Decimal(6))
    ]
    assert (None, "", "call", 0, 13, 4) in told(moved, Level.MEMBERS)
    assert verify_ledger() == []


def test_companies_are_rolled_apart(moved: Company, charlie: Member) -> None:
    credit_company(charlie.company, "7", now=NOON)
    assert roll_up_company(charlie.company, now=later(9)) == 1
    assert set(RolledTotal.objects.values_list("company", flat=True)) == {charlie.company_id}
    assert told(charlie.company, Level.COMPANY) == [(None, "", "purchase", 7, 0, 1)]
    assert roll_up_days(now=later(9)) == 3


def test_more_days_than_one_transaction_takes_are_all_rolled(acme: Company) -> None:
    count = 2 * DAYS_AT_ONCE + 1
    for number in range(count):
        credit_company(acme, "1", now=later(number))
    assert roll_up_company(acme, now=later(99)) == DAYS_AT_ONCE
    assert roll_up_days(now=later(99)) == count - DAYS_AT_ONCE
    assert sum(row.incoming for row in totals(acme, FIRST, LAST, Level.COMPANY)) == count


def test_months_are_told_apart_and_cut_to_the_days_asked_for(acme: Company) -> None:
    for number in (0, 10, 25, 40):
        credit_company(acme, "1", now=later(number))
    roll_up_days(now=later(30))
    rows = totals(acme, date(2026, 3, 11), date(2026, 4, 18), Level.COMPANY)
    assert [(row.month, row.incoming) for row in rows] == [
        (date(2026, 3, 1), 1),
        (date(2026, 4, 1), 1),
    ]


@pytest.mark.parametrize(
    "wrong",
    [
        "UPDATE credit_rolledtotal SET outgoing = outgoing + 1 WHERE kind = 'call'",
        "DELETE FROM credit_rolledtotal WHERE level = 'list'",
        "UPDATE credit_rolledtotal SET day = day - 300 WHERE kind = 'purchase'",
    ],
)
def test_verify_finds_a_wrong_rolled_total(moved: Company, wrong: str) -> None:
    roll_up_days(now=later(9))
    assert verify_ledger() == []
    with connection.cursor() as cursor:
        cursor.execute(wrong)
    assert {difference.check for difference in verify_ledger()} == {"rolled total"}


def test_verify_tells_the_first_differences_of_each_check_and_says_so(
    moved: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    roll_up_days(now=later(9))
    RolledTotal.objects.update(incoming=F("incoming") + 1)
    assert len(verify_ledger()) > 2
    monkeypatch.setattr("credit.verification.MOST_TOLD", 2)
    monkeypatch.setattr("credit.management.commands.verify_ledger.MOST_TOLD", 2)
    assert len(verify_ledger()) == 2
    told = StringIO()
    with pytest.raises(SystemExit, match="1"):
        call_command("verify_ledger", stderr=told)
    assert told.getvalue().count("rolled total:") == 2
    assert "at most 2 differences" in told.getvalue()


def test_totals_can_be_made_anew_from_the_transfers(moved: Company, charlie: Member) -> None:
    credit_company(charlie.company, "7", now=NOON)
    roll_up_days(now=later(2))
    before = figures(moved)
    DailyTotal.objects.filter(company=moved, kind="call").delete()
    DailyTotal.objects.filter(company=moved).update(incoming=99)
    assert verify_ledger() != []
    rebuild_totals(moved, now=later(2))
    assert verify_ledger() == []
    assert figures(moved) == before
    assert RolledTotal.objects.filter(company=charlie.company).exists()


def test_the_command_makes_every_companys_totals_anew(moved: Company) -> None:
    DailyTotal.objects.all().delete()
    written = StringIO()
    call_command("rebuild_totals", stdout=written)
    assert written.getvalue() == f"company {moved.pk}: 8 daily totals\n"
    assert verify_ledger() == []
    with pytest.raises(CommandError, match="no company 0"):
        call_command("rebuild_totals", "--company", "0")


@contextmanager
def _another_company() -> Iterator[tuple[Member, list[Member]]]:
    with transaction.atomic():
        alice = make_company("Random", "alice")
        yield alice, [make_member(alice.company, name) for name in ("bob", "dora")]
        transaction.set_rollback(True)


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["buy", "give", "call", "place", "roll", "late"]),
        st.integers(0, 1),
        st.sampled_from(["1", "0.5", "2.25"]),
        st.integers(0, 20),
    ),
    max_size=14,
)


@settings(max_examples=20, deadline=None)
@given(steps=STEPS)
def test_any_story_gives_the_same_figures_rolled_or_not(
    steps: list[tuple[str, int, str, int]],
) -> None:
    with _another_company() as (alice, members):
        company = alice.company
        credit_company(company, "100", now=NOON)
        for member in members:
            place(member, NOON, cost_centre="Z")
            give(alice, member, "30", now=NOON)
        clock = 0
        for step, who, amount, gap in steps:
            clock += gap % 3
            _step(step, members[who], amount, clock, gap)
        assert verify_ledger() == []
        live_and_rolled = figures(company)
        roll_up_days(now=later(clock + 9))
        assert not DailyTotal.objects.filter(company=company, is_rolled=False).exists()
        assert figures(company) == live_and_rolled
        assert verify_ledger() == []
        RolledTotal.objects.filter(company=company).delete()
        DailyTotal.objects.filter(company=company).update(is_rolled=False)
        assert figures(company) == live_and_rolled


def _step(step: str, member: Member, amount: str, clock: int, gap: int) -> None:
    company, now = member.company, later(clock)
    if step == "buy":
        credit_company(company, amount, now=now)
    elif step == "give":
        give(Member.objects.get(company=company, role="administrator"), member, amount, now=now)
    elif step == "call":
        call(member, amount, now)
    elif step == "late":
        call(member, amount, now - timedelta(days=gap))
    elif step == "place":
        place(member, now, cost_centre=f"C{gap % 3}")
    else:
        roll_up_days(now=now)


@pytest.mark.django_db(transaction=True)
def test_several_workers_and_postings_at_once_lose_and_double_nothing(
    alice: Member, bob: Member
) -> None:
    credit_company(alice.company, "100", now=NOON)
    give(alice, bob, "90", now=NOON)
    works = [
        lambda: roll_up_days(now=later(9)),
        lambda: call(bob, "1", NOON),
        lambda: credit_company(alice.company, "1", now=NOON),
    ]
    outcomes = at_once(works * 20)
    assert [outcome for outcome in outcomes if isinstance(outcome, Exception)] == []
    assert (None, "", "call", 0, 20, 20) in told(alice.company, Level.MEMBERS)
    assert verify_ledger() == []
    roll_up_days(now=later(9))
    assert not DailyTotal.objects.filter(is_rolled=False).exists()
    assert (None, "", "call", 0, 20, 20) in told(alice.company, Level.MEMBERS)
    assert verify_ledger() == []


@pytest.mark.django_db(transaction=True)
def test_totals_made_anew_amid_postings_and_roll_ups_are_right(alice: Member, bob: Member) -> None:
    credit_company(alice.company, "100", now=NOON)
    give(alice, bob, "90", now=NOON)
    works = [
        lambda: roll_up_days(now=later(9)),
        lambda: call(bob, "1", NOON),
        lambda: rebuild_totals(alice.company, now=later(9)),
    ]
    outcomes = at_once(works * 10)
    assert [outcome for outcome in outcomes if isinstance(outcome, Exception)] == []
    assert verify_ledger() == []
    assert (None, "", "call", 0, 10, 10) in told(alice.company, Level.MEMBERS)


@pytest.mark.django_db(transaction=True)
def test_a_day_that_is_being_written_is_left_to_the_next_run(alice: Member, bob: Member) -> None:
    """Nor is it waited for: what commits meanwhile would be marked as rolled and not summed."""
    credit_company(alice.company, "100", now=NOON)
    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            credit_company(alice.company, "1", now=NOON)
            rolled = pool.submit(at_once, [lambda: roll_up_days(now=later(9))])
            wait([rolled], timeout=2)
        assert rolled.result() == [0]
    assert verify_ledger() == []
    assert told(alice.company, Level.COMPANY) == [(None, "", "purchase", 101, 0, 2)]
    assert roll_up_days(now=later(9)) == 1
    assert verify_ledger() == []
