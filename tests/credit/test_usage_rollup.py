"""Sums of calls: the same whether, when and how often they were made."""

import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import partial
from io import StringIO

import pytest
from django.core.management import call_command
from django.db import connection, transaction

from credit.call_rows import CallRow
from credit.calls import charge_calls
from credit.figures import Level, totals
from credit.models import Call, Rate, UsageDay, UsageLate, UsageMember, UsageRolled
from credit.rollup import roll_up_days
from credit.usage import By, Within, booked_later, started_earlier, usage_by, usage_total
from credit.usage_rollup import DAYS_AT_ONCE, rebuild_usage, roll_up_usage
from credit.verification import verify_ledger
from members.actors import Actor
from members.details import update_member
from members.lists import create_list
from members.models import Company, Member, MemberPlacement
from tests.conftest import credit_company, give, make_member
from tests.credit.test_races import at_once
from tests.credit.usage_kit import Facts, told

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)
FIRST, LAST = date(2026, 1, 1), date(2026, 12, 31)
FRANCE, BRITAIN = "+33142278186", "+442071838750"


@pytest.fixture(autouse=True)
def _deck(request: pytest.FixtureRequest) -> None:
    """0.6 a minute."""
    real = "transaction" in request.keywords["django_db"].kwargs
    request.getfixturevalue("transactional_db" if real else "db")
    for prefix, country, kind in (("33", "FR", "landline"), ("44", "GB", "mobile")):
        Rate.objects.create(
            prefix=prefix,
            country=country,
            kind=kind,
            price_per_minute=Decimal("0.6"),
            currency="EUR",
            valid_from="2025-01-01",
        )


def later(days: float) -> datetime:
    return NOON + timedelta(days=days)


def call(
    member: Member, seconds: int, now: datetime, *, ago: float = 0, number: str = FRANCE
) -> None:
    """A call at 0.01 a second, started so many days before it is stored."""
    started_at = now - timedelta(days=ago)
    row = CallRow("test", uuid.uuid4().hex, member.pk, number, started_at, seconds)
    company = Company.objects.get(pk=member.company_id)
    assert charge_calls(company, [row], now=now)[0].status == "charged"


def total(company: Company) -> int:
    return usage_total(company, FIRST, LAST).started.calls_count


def everything(company: Company) -> list[object]:
    return [usage_by(company, FIRST, LAST, by=by) for by in By]


@pytest.fixture
def busy(alice: Member, bob: Member) -> Company:
    """Bob has 10 and calls for 3 and 4 on two days, then for 5 of which 2 are missing."""
    credit_company(alice.company, "100", now=NOON)
    give(alice, bob, "10", now=NOON)
    call(bob, 300, NOON)
    call(bob, 400, later(1), ago=1)
    call(bob, 500, later(2), number=BRITAIN)
    return alice.company


def test_a_day_is_summed_an_hour_after_its_end_in_the_companys_zone(busy: Company) -> None:
    # In Paris the 11th begins at 23:00 UTC.
    midnight = datetime(2026, 3, 10, 23, tzinfo=UTC)
    assert roll_up_usage(now=midnight + timedelta(minutes=59)) == 0
    assert roll_up_usage(now=midnight + timedelta(hours=1)) == 1
    assert UsageRolled.objects.get().through == date(2026, 3, 10)


def test_sums_are_the_same_before_between_and_after(busy: Company) -> None:
    before = everything(busy)
    for days in (1, 1.5, 2, 9, 9):
        roll_up_usage(now=later(days))
        assert everything(busy) == before
        assert verify_ledger() == []
    assert UsageRolled.objects.get().through == date(2026, 3, 12)
    row = usage_total(busy, FIRST, LAST)
    assert row.started.all == (3, 1200, 1200, 0, 12, 10, 2)
    assert row.booked_in_span == row.started


def test_each_day_is_summed_once(busy: Company) -> None:
    assert roll_up_usage(now=later(9)) == 3
    rows = list(UsageDay.objects.order_by("pk").values())
    assert roll_up_usage(now=later(9)) == 0
    assert list(UsageDay.objects.order_by("pk").values()) == rows


def test_usage_says_where_it_was_booked(busy: Company) -> None:
    roll_up_usage(now=later(1.9))
    day = date(2026, 3, 10)
    row = usage_total(busy, day, day)
    assert (row.started.price, row.booked_in_span.price, row.booked_later.price) == (7, 3, 4)
    outside = booked_later(busy, day, day)
    assert [(each.day, each.measures.price) for each in outside] == [(date(2026, 3, 11), 4)]
    second = date(2026, 3, 11)
    assert usage_by(busy, second, second, by=By.DAY) == []
    earlier = started_earlier(busy, second, second)
    assert [(each.day, each.measures.price) for each in earlier] == [(day, 4)]


@pytest.mark.parametrize("is_rolled", [False, True])
def test_usage_meets_the_movements_of_each_span(busy: Company, is_rolled: bool) -> None:
    if is_rolled:
        roll_up_usage(now=later(9))
    for first, last in ((10, 10), (10, 11), (11, 11), (11, 12), (12, 12), (1, 31)):
        span = (date(2026, 3, first), date(2026, 3, last))
        moved = sum(
            (row.outgoing for row in totals(busy, *span, Level.MEMBERS) if row.kind == "call"),
            Decimal(0),
        )
        usage = usage_total(busy, *span).booked_in_span.collected
        earlier = sum((row.measures.collected for row in started_earlier(busy, *span)), Decimal(0))
        assert usage + earlier == moved


def test_a_call_stored_into_a_summed_day_counts_at_once_and_is_added_once(
    busy: Company, bob: Member
) -> None:
    roll_up_usage(now=later(9))
    dora = make_member(busy, "dora")
    call(dora, 60, NOON)
    assert UsageLate.objects.count() == 1
    assert total(busy) == 4
    assert verify_ledger() == []
    roll_up_usage(now=later(9))
    assert UsageLate.objects.count() == 0
    assert total(busy) == 4
    assert verify_ledger() == []
    roll_up_usage(now=later(9))
    assert total(busy) == 4


def test_a_call_stored_before_all_summed_days_counts_too(busy: Company) -> None:
    roll_up_usage(now=later(9))
    dora = make_member(busy, "dora")
    call(dora, 60, later(-3), ago=40)
    assert UsageLate.objects.count() == 0
    assert total(busy) == 4
    assert roll_up_usage(now=later(9)) == 3
    assert UsageRolled.objects.get().since == date(2026, 3, 7)
    assert total(busy) == 4
    assert verify_ledger() == []


def test_days_without_calls_between_are_passed_over(acme: Company, bob: Member) -> None:
    for days in (0, 5, 70, 290):
        call(bob, 60, later(days))
    assert roll_up_usage(now=later(400)) == 291
    assert total(acme) == 4
    assert verify_ledger() == []


def test_more_days_than_one_transaction_takes_are_all_summed(acme: Company, bob: Member) -> None:
    count = 2 * DAYS_AT_ONCE + 1
    for number in range(count):
        call(bob, 60, later(number))
    assert roll_up_usage(now=later(99)) == count
    assert UsageMember.objects.filter(period="year").get().calls_count == count
    assert verify_ledger() == []


def test_companies_are_summed_apart(busy: Company, charlie: Member) -> None:
    call(charlie, 60, NOON)
    roll_up_usage(now=later(9))
    assert total(busy) == 3
    assert total(charlie.company) == 1
    assert UsageRolled.objects.count() == 2


def test_all_three_at_once_are_told_from_the_calls(busy: Company, bob: Member) -> None:
    within = Within(list_id=0, cost_centre="")
    expected = Facts(busy).usage(FIRST, LAST, By.DESTINATION, within)
    assert len(expected) == 2
    for days in (0, 1.9, 9):
        roll_up_usage(now=later(days))
        assert told(usage_by(busy, FIRST, LAST, by="destination", within=within)) == expected


@pytest.mark.parametrize(
    "wrong",
    [
        "UPDATE credit_usageday SET price = price + 1, collected = collected + 1",
        "DELETE FROM credit_usageday WHERE level = 'list'",
        "UPDATE credit_usagemember SET booked_month = '2026-05-01' WHERE period = 'month'",
        "UPDATE credit_usagerolled SET through = through + 1",
        "INSERT INTO credit_usagelate SELECT id, company_id FROM credit_call LIMIT 1",
    ],
)
def test_verify_finds_wrong_sums_of_calls(busy: Company, wrong: str) -> None:
    roll_up_usage(now=later(1.9))
    assert verify_ledger() == []
    with connection.cursor() as cursor:
        cursor.execute(wrong)
    found = {difference.check for difference in verify_ledger()}
    assert found
    assert found <= {"usage of a day", "usage of a member"}


def test_sums_of_calls_can_be_made_anew(busy: Company, charlie: Member) -> None:
    call(charlie, 60, NOON)
    roll_up_usage(now=later(9))
    before = everything(busy)
    UsageDay.objects.filter(company=busy).update(calls_count=9)
    UsageMember.objects.filter(company=busy).delete()
    call_command("rebuild_totals", company=busy.pk, stdout=StringIO())
    assert everything(busy) == before
    assert verify_ledger() == []
    assert UsageDay.objects.filter(company=charlie.company).exists()


@pytest.mark.django_db(transaction=True)
def test_a_day_that_is_being_stored_into_is_left_to_the_next_run(
    busy: Company, bob: Member
) -> None:
    dora = make_member(busy, "dora")
    with ThreadPoolExecutor(1) as pool, transaction.atomic():
        call(dora, 60, later(1))
        rolled = pool.submit(at_once, [lambda: roll_up_usage(now=later(9))])
        wait([rolled], timeout=5)
        assert rolled.result() == [1]
    assert total(busy) == 4
    assert verify_ledger() == []
    assert roll_up_usage(now=later(9)) == 2
    assert total(busy) == 4
    assert verify_ledger() == []


@pytest.mark.django_db(transaction=True)
def test_calls_roll_ups_and_rebuilds_at_once_lose_and_double_nothing(
    busy: Company, bob: Member
) -> None:
    members = [make_member(busy, f"m{number}") for number in range(4)]
    works: list[Callable[[], object]] = [
        *(partial(call, member, 60, later(1)) for member in members),
        partial(roll_up_usage, now=later(9)),
        partial(rebuild_usage, busy, now=later(9)),
    ]
    outcomes = at_once(works * 8)
    assert [outcome for outcome in outcomes if isinstance(outcome, Exception)] == []
    assert total(busy) == Call.objects.count() == 35
    assert verify_ledger() == []
    roll_up_usage(now=later(9))
    assert UsageLate.objects.count() == 0
    assert total(busy) == 35
    assert verify_ledger() == []


def test_who_moves_on_the_day_of_joining_keeps_what_was_summed_before(
    busy: Company, alice: Member, bob: Member
) -> None:
    joined = NOON + timedelta(days=20)
    MemberPlacement.objects.filter(member=bob).update(valid_from=joined.date())
    actor = Actor.of_member(alice)
    sales, support = (create_list(actor=actor, name=name) for name in ("Sales", "Support"))
    update_member(actor=actor, member=bob, list=sales, now=joined)
    roll_up_usage(now=later(9))
    roll_up_days(now=later(9))
    update_member(actor=actor, member=bob, list=support, now=joined)
    assert verify_ledger() == []
    calls = {
        found.pk: sum(
            day.started.calls_count
            for day in usage_by(busy, FIRST, LAST, by=By.DAY, within=Within(list_id=found.pk))
        )
        for found in (sales, support)
    }
    assert calls == {sales.pk: 3, support.pk: 0}
