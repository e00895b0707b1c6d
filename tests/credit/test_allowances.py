"""Included minutes: taken before credit, the soonest end first, by every door alike."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import partial
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pytest_django import DjangoCaptureOnCommitCallbacks

from credit.accounts import balances
from credit.allowances import Wanted, open_allowances
from credit.call_batch import CallResult
from credit.call_rows import CallRow
from credit.calls import charge_calls
from credit.holds import Authorization, authorize_call, expire_holds, release_hold, settle_call
from credit.models import Allowance, AllowanceUse, Call, Hold, Rate
from credit.verification import verify_ledger
from members.models import Company, Member
from skypemgr.lib import live
from tests.conftest import credit_company, give
from tests.credit.test_races import at_once

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)
LATER = NOON + timedelta(days=400)
PARIS, MOBILE, FREE = "+33142278186", "+33612345678", "+33800123456"


@pytest.fixture(autouse=True)
def _decks(db: None) -> None:
    """0.6 a minute in steps of 6 seconds with a fee of 0.1 and a minimum of 30 seconds; mobiles
    0.9 by the second; toll-free numbers cost nothing.
    """
    rows = (("33", "0.6", "0.1", 30, 6), ("336", "0.9", "0", 0, 1), ("33800", "0", "0", 0, 1))
    for prefix, price, fee, least, step in rows:
        Rate.objects.create(
            prefix=prefix,
            kind="other",
            price_per_minute=Decimal(price),
            connection_fee=Decimal(fee),
            minimum_seconds=least,
            increment_seconds=step,
            currency="EUR",
            valid_from="2025-01-01",
        )


@pytest.fixture(autouse=True)
def _purse(alice: Member, bob: Member) -> None:
    """bob has 5, the company 95."""
    credit_company(alice.company, "100", now=NOON)
    give(alice, bob, "5", now=NOON)


def include(
    member: Member, seconds: int, *prefixes: str, ends_at: datetime = LATER, **fields: Any
) -> Allowance:
    wanted = Wanted(
        member_id=member.pk,
        prefixes=prefixes or ("33",),
        seconds=seconds,
        starts_at=fields.get("starts_at", NOON - timedelta(days=30)),
        ends_at=ends_at,
    )
    (allowance,) = open_allowances(member.company, [wanted], now=NOON)
    return allowance


def row(number: int | str, seconds: int, destination: str = PARIS, **fields: Any) -> CallRow:
    started = fields.get("started_at", "2026-03-10T10:00:00Z")
    return CallRow("pbx", str(number), "bob", destination, started, seconds)


def charge(company: Company, *rows: CallRow) -> list[CallResult]:
    return charge_calls(company, rows, now=NOON)


def ask(company: Company, number: int, destination: str = PARIS) -> Authorization:
    return authorize_call(
        company, source="pbx", id=str(number), member="bob", destination=destination, now=NOON
    )


def left(*allowances: Allowance) -> list[tuple[int, int]]:
    """Seconds left and held of each."""
    return [
        Allowance.objects.values_list("seconds_left", "seconds_held").get(pk=each.pk)
        for each in allowances
    ]


def purse(member: Member) -> tuple[Decimal, Decimal]:
    """Balance and held."""
    found = balances(member.company_id, [member.pk])[member.pk]
    return found.balance, found.held


def test_a_call_within_the_included_minutes_costs_nothing(acme: Company, bob: Member) -> None:
    allowance = include(bob, 600)
    (result,) = charge(acme, row(1, 61))
    assert (result.status, result.price, result.collected) == ("charged", 0, 0)
    call = Call.objects.get()
    assert (call.billed_seconds, call.included_seconds, call.transfer) == (66, 66, None)
    assert left(allowance) == [(534, 0)]
    assert purse(bob) == (Decimal(5), 0)
    assert verify_ledger() == []


def test_only_the_rest_is_priced_with_its_fee_but_not_raised_to_the_minimum(
    acme: Company, bob: Member
) -> None:
    include(bob, 54)
    (result,) = charge(acme, row(1, 60))
    # Six of sixty billed seconds are paid, below the minimum of thirty: 0.1 + 6 x 0.01.
    assert result.price == Decimal("0.16")
    assert purse(bob)[0] == Decimal("4.84")


def test_the_minimum_is_billed_before_minutes_are_taken(acme: Company, bob: Member) -> None:
    allowance = include(bob, 600)
    charge(acme, row(1, 1))
    assert left(allowance) == [(570, 0)]


def test_the_allowance_that_ends_soonest_goes_first_and_a_call_may_use_several(
    acme: Company, bob: Member
) -> None:
    late = include(bob, 60)
    soon = include(bob, 60, ends_at=NOON + timedelta(days=2))
    charge(acme, row(1, 90))
    assert left(soon, late) == [(0, 0), (30, 0)]
    uses = AllowanceUse.objects.order_by("allowance").values_list("allowance", "seconds")
    assert list(uses) == [(late.pk, 30), (soon.pk, 60)]
    assert verify_ledger() == []


@pytest.mark.parametrize(
    "allowance",
    [
        {"prefixes": ("34", "336")},
        {"prefixes": ("33",), "starts_at": NOON},
        {"prefixes": ("33",), "ends_at": NOON - timedelta(hours=2)},
    ],
    ids=["another destination", "not begun when the call began", "over when the call began"],
)
def test_an_allowance_for_something_else_is_left_alone(
    acme: Company, bob: Member, allowance: dict[str, Any]
) -> None:
    other = include(bob, 600, *allowance.pop("prefixes"), **allowance)
    (result,) = charge(acme, row(1, 60))
    assert result.collected == Decimal("0.7")
    assert left(other) == [(600, 0)]


def test_a_late_record_uses_the_minutes_of_the_period_in_which_the_call_began(
    acme: Company, bob: Member
) -> None:
    over = include(bob, 600, ends_at=NOON - timedelta(hours=1))
    charge(acme, row(1, 60))
    assert left(over) == [(540, 0)]


def test_nobody_elses_minutes_are_taken(acme: Company, alice: Member, bob: Member) -> None:
    hers = include(alice, 600)
    charge(acme, row(1, 60))
    assert left(hers) == [(600, 0)]


def test_free_and_emergency_calls_spend_no_minutes(acme: Company, bob: Member) -> None:
    allowance = include(bob, 600)
    results = charge(acme, row(1, 60, FREE), row(2, 60, "112"))
    assert [result.status for result in results] == ["charged", "charged"]
    assert left(allowance) == [(600, 0)]


def test_a_call_reported_twice_takes_its_minutes_once(acme: Company, bob: Member) -> None:
    allowance = include(bob, 600)
    first, again = charge(acme, row(1, 60), row(1, 60))
    assert (first.status, again.status) == ("charged", "already_there")
    charge(acme, row(1, 60))
    assert left(allowance) == [(540, 0)]


def test_a_hold_sets_minutes_aside_before_credit(acme: Company, bob: Member) -> None:
    allowance = include(bob, 600)
    answer = ask(acme, 1)
    # Ten included minutes, and (5 - 0.1) / 0.01 seconds in steps of six.
    assert (answer.allowed, answer.max_seconds) == (True, 600 + 486)
    assert left(allowance) == [(600, 600)]
    assert purse(bob) == (Decimal(5), Decimal("4.96"))
    assert verify_ledger() == []


def test_with_minutes_alone_a_call_may_start_without_credit(acme: Company, bob: Member) -> None:
    include(bob, 100)
    charge(acme, row("all", 3600, MOBILE))
    give_back = include(bob, 62)
    answer = ask(acme, 1)
    assert (answer.allowed, answer.max_seconds, answer.amount) == (True, 60, 0)
    assert left(give_back) == [(62, 60)]


def test_minutes_that_do_not_cover_the_least_billing_let_no_call_start(
    acme: Company, bob: Member
) -> None:
    charge(acme, row("all", 3600, MOBILE))
    include(bob, 29)
    answer = ask(acme, 1)
    assert (answer.allowed, answer.code) == (False, "not_enough_credit")


def test_two_calls_in_progress_never_share_a_second(acme: Company, bob: Member) -> None:
    allowance = include(bob, 6000)
    first, second = ask(acme, 1), ask(acme, 2)
    assert (first.max_seconds, second.max_seconds) == (3600, 2400 + 486)
    assert left(allowance) == [(6000, 6000)]
    for answer, seconds in ((second, 2400), (first, 3600)):
        assert answer.hold_id is not None
        result = settle_call(
            acme, answer.hold_id, started_at=NOON, duration_seconds=seconds, now=NOON
        )
        assert result.price == 0
    assert left(allowance) == [(0, 0)]
    assert verify_ledger() == []


def test_a_settled_call_uses_what_it_set_aside_and_gives_the_rest_back(
    acme: Company, bob: Member
) -> None:
    allowance = include(bob, 600)
    answer = ask(acme, 1)
    assert answer.hold_id is not None
    result = settle_call(acme, answer.hold_id, started_at=NOON, duration_seconds=66, now=NOON)
    assert (result.status, result.price) == ("charged", 0)
    assert left(allowance) == [(534, 0)]
    assert purse(bob) == (Decimal(5), 0)
    assert verify_ledger() == []


@pytest.mark.parametrize("end", ["release", "expire"])
def test_a_call_that_ends_otherwise_gives_its_minutes_back(
    acme: Company, bob: Member, end: str
) -> None:
    allowance = include(bob, 600)
    answer = ask(acme, 1)
    assert answer.hold_id is not None
    for _twice in range(2):
        if end == "release":
            release_hold(acme, answer.hold_id, now=NOON)
        else:
            expire_holds(now=NOON + timedelta(hours=3))
    assert left(allowance) == [(600, 0)]
    assert verify_ledger() == []


def test_a_call_settled_after_its_hold_expired_still_uses_minutes(
    acme: Company, bob: Member
) -> None:
    allowance = include(bob, 600)
    answer = ask(acme, 1)
    assert answer.hold_id is not None
    late = NOON + timedelta(hours=3)
    expire_holds(now=late)
    settle_call(acme, answer.hold_id, started_at=NOON, duration_seconds=60, now=late)
    assert left(allowance) == [(540, 0)]
    assert verify_ledger() == []


def test_a_refused_call_sets_nothing_aside(acme: Company, bob: Member) -> None:
    allowance = include(bob, 600)
    bob.status = Member.Status.SUSPENDED
    bob.save(update_fields=["status"])
    assert ask(acme, 1).code == "member_suspended"
    assert left(allowance) == [(600, 0)]


def test_allowances_are_locked_before_the_purse_in_a_few_statements(
    acme: Company, bob: Member, django_assert_max_num_queries: Any
) -> None:
    for _each in range(20):
        include(bob, 30)
    with django_assert_max_num_queries(20) as few:
        charge(acme, row(1, 90, MOBILE), row(2, 540))
    with django_assert_max_num_queries(len(few)):
        charge(acme, *(row(f"n{number}", 60) for number in range(30)))


@pytest.mark.parametrize(
    "columns",
    [{"seconds_left": 601}, {"seconds_left": 5, "seconds_held": 6}],
    ids=["more than there was", "held that is not left"],
)
def test_the_database_refuses_impossible_minutes(bob: Member, columns: dict[str, int]) -> None:
    allowance = include(bob, 600)
    with pytest.raises(IntegrityError, match="allowance_left_within_total"), transaction.atomic():
        Allowance.objects.filter(pk=allowance.pk).update(**columns)


def test_the_database_refuses_minutes_of_another_companys_member(
    bob: Member, charlie: Member
) -> None:
    allowance = include(bob, 600)
    with (
        pytest.raises(IntegrityError, match="allowance_member_of_same_company"),
        transaction.atomic(),
    ):
        Allowance.objects.filter(pk=allowance.pk).update(member=charlie)


@pytest.mark.parametrize(
    ("spoil", "check"),
    [
        ("UPDATE credit_allowance SET seconds_left = seconds_left - 1", "allowance left"),
        ("UPDATE credit_allowance SET seconds_held = 1", "allowance held"),
        ("UPDATE credit_call SET included_seconds = 1", "call included"),
    ],
)
def test_the_verification_finds_a_difference(
    acme: Company, bob: Member, spoil: str, check: str
) -> None:
    include(bob, 600)
    charge(acme, row(1, 60))
    with transaction.get_connection().cursor() as cursor:
        cursor.execute(spoil)
    assert [difference.check for difference in verify_ledger()] == [check]


@dataclass
class Left:
    """An allowance as the slow reckoning keeps it."""

    prefix: str
    ends_at: datetime
    seconds: int


def slowly(rows: list[tuple[str, int]], minutes: list[Left], money: Decimal) -> list[Decimal]:
    """What each call takes from the purse, second by second."""
    taken = []
    for destination, seconds in rows:
        is_mobile = destination == MOBILE
        billed = seconds if is_mobile else -(-max(seconds, 30) // 6) * 6
        billed = billed if seconds else 0
        paid = 0
        for _second in range(billed):
            usable = [
                each for each in minutes if each.seconds and destination[1:].startswith(each.prefix)
            ]
            if usable:
                min(usable, key=lambda each: each.ends_at).seconds -= 1
            else:
                paid += 1
        price = Decimal(paid) * (Decimal("0.015") if is_mobile else Decimal("0.01"))
        price += Decimal("0.1") if paid and not is_mobile else 0
        collected = min(price, money)
        money -= collected
        taken.append(collected)
    return taken


@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    rows=st.lists(
        st.tuples(st.sampled_from([PARIS, MOBILE]), st.integers(0, 400)), min_size=1, max_size=6
    ),
    minutes=st.lists(
        st.tuples(st.sampled_from(["33", "336", "331"]), st.integers(1, 500), st.integers(1, 9)),
        max_size=4,
        unique_by=lambda each: each[2],
    ),
    data=st.data(),
)
def test_a_batch_its_calls_one_by_one_and_calls_in_progress_all_cost_the_same(
    acme: Company,
    bob: Member,
    rows: list[tuple[str, int]],
    minutes: list[tuple[str, int, int]],
    data: st.DataObject,
) -> None:
    expected = slowly(
        rows,
        [Left(prefix, NOON + timedelta(days=days), left) for prefix, left, days in minutes],
        Decimal(5),
    )
    for door in ("batch", "singles", "holds"):
        with transaction.atomic():
            for prefix, seconds, days in minutes:
                include(bob, seconds, prefix, ends_at=NOON + timedelta(days=days))
            calls = [row(number, seconds, to) for number, (to, seconds) in enumerate(rows)]
            taken = []
            if door == "batch":
                taken = [result.collected for result in charge(acme, *calls)]
            for number, (call, (to, seconds)) in enumerate(zip(calls, rows, strict=True)):
                if door == "singles":
                    taken += [charge(acme, call)[0].collected]
                elif door == "holds":
                    hold = ask(acme, number, to).hold_id
                    result = (
                        settle_call(acme, hold, started_at=NOON, duration_seconds=seconds, now=NOON)
                        if hold
                        else charge(acme, call)[0]
                    )
                    taken += [result.collected]
            assert taken == expected, door
            assert verify_ledger() == []
            transaction.set_rollback(True)


@pytest.mark.django_db(transaction=True)
def test_calls_reported_at_once_take_each_second_once(acme: Company, bob: Member) -> None:
    allowance = include(bob, 600)
    works = [partial(charge, acme, row(number, 60)) for number in range(20)]
    outcomes = at_once(works)
    assert not [each for each in outcomes if isinstance(each, Exception)]
    assert left(allowance) == [(0, 0)]
    assert Call.objects.filter(included_seconds=60).count() == 10
    assert purse(bob)[0] == 0
    assert verify_ledger() == []


@pytest.mark.django_db(transaction=True)
def test_calls_that_ask_at_once_never_set_a_second_aside_twice(acme: Company, bob: Member) -> None:
    allowance = include(bob, 9000)
    answers = at_once([partial(ask, acme, number) for number in range(8)])
    held = sum(answer.max_seconds for answer in answers if isinstance(answer, Authorization))
    assert left(allowance) == [(9000, 9000)]
    assert held == 9000 + 486
    assert Hold.objects.count() == 3
    assert verify_ledger() == []


def test_a_call_that_costs_nothing_is_news_to_open_pages_and_its_repetition_is_none(
    acme: Company,
    bob: Member,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    include(bob, 600)
    seen = [live.version(acme.pk)]
    for _time in range(2):
        with django_capture_on_commit_callbacks(execute=True):
            charge(acme, row(1, 60))
        seen.append(live.version(acme.pk))
    assert Call.objects.get(member=bob).price == 0
    assert seen[0] != seen[1] == seen[2]
