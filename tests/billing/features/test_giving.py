"""Giving features: paid at once from the company's balance, all or nothing."""

from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import partial
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction

from billing.errors import FeatureRefused, NumberNotAvailable, PlanNotOffered
from billing.features.changing import allow_kind
from billing.features.giving import Wish, give_feature, preview_giving
from billing.features.numbers import reserve_numbers, return_numbers, whose_number
from billing.features.periods import add_months, charge_day, grace_end, split_months
from billing.models import NumberArea, PhoneNumber, Plan, Subscription, SubscriptionPeriod
from credit.accounts import company_balance
from credit.allocation import Recipients
from credit.call_rows import CallRow
from credit.calls import charge_calls
from credit.errors import (
    CompanyNotActive,
    IdempotencyConflict,
    MemberGone,
    NotEnoughCredit,
    UnknownMember,
)
from credit.models import Allowance, Rate, Transfer
from credit.requests import OutsideKey
from credit.verification import verify_ledger
from members.actors import Actor
from members.models import AuditEntry, Company, Member
from skypemgr.lib.errors import NotAllowed, ProductError
from tests.billing.features.conftest import NOON, at, give_number, give_plan, make_plan, only
from tests.conftest import make_member
from tests.credit.test_races import at_once

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("day", "months", "anchor", "expected"),
    [
        (date(2026, 1, 31), 1, 31, date(2026, 2, 28)),
        (date(2026, 2, 28), 1, 31, date(2026, 3, 31)),
        (date(2028, 1, 31), 1, 31, date(2028, 2, 29)),
        (date(2028, 2, 29), 12, 29, date(2029, 2, 28)),
        (date(2029, 2, 28), 12, 29, date(2030, 2, 28)),
        (date(2026, 11, 15), 3, 15, date(2027, 2, 15)),
    ],
)
def test_periods_keep_their_anchor_day(day: date, months: int, anchor: int, expected: date) -> None:
    assert add_months(day, months, anchor_day=anchor) == expected


def test_a_period_is_split_into_months_without_gap_or_overlap() -> None:
    months = split_months(date(2026, 1, 31), 3, anchor_day=31)
    assert months == [
        (date(2026, 1, 31), date(2026, 2, 28)),
        (date(2026, 2, 28), date(2026, 3, 31)),
        (date(2026, 3, 31), date(2026, 4, 30)),
    ]


def test_it_is_charged_three_days_before_the_end_and_graced_seven_or_thirty_after() -> None:
    end = date(2026, 2, 28)
    assert charge_day(end, started_on=date(2026, 1, 31)) == date(2026, 2, 25)
    assert grace_end("voicemail", end) == date(2026, 3, 7)
    assert grace_end("number", end) == date(2026, 3, 30)


def test_a_feature_is_paid_and_active_at_once(rich: Member, bob: Member, minutes: Plan) -> None:
    given = give_plan(rich, minutes, bob)
    assert (given.count, given.total, given.company_balance_after) == (1, 5, 95)
    assert company_balance(rich.company) == 95
    feature = only()
    assert (feature.status, feature.started_on, feature.paid_until, feature.charge_on) == (
        "active",
        date(2026, 1, 31),
        date(2026, 2, 28),
        date(2026, 2, 25),
    )
    transfer = Transfer.objects.get(kind="feature")
    assert (transfer.amount, transfer.key) == (5, f"feature:{feature.pk}:2026-01-31")
    assert transfer.actor == rich
    period = SubscriptionPeriod.objects.get()
    assert (period.starts_on, period.ends_on, period.price, period.transfer) == (
        date(2026, 1, 31),
        date(2026, 2, 28),
        5,
        transfer,
    )
    assert AuditEntry.objects.get(verb="give_feature").data["total"] == "5.0000"
    assert verify_ledger() == []


def test_each_month_has_its_minutes_in_the_companys_days(
    rich: Member, bob: Member, minutes: Plan
) -> None:
    give_plan(rich, minutes, bob, months=3)
    rows = Allowance.objects.order_by("starts_at")
    assert [row.seconds_left for row in rows] == [24_000] * 3
    # Midnight in Paris: winter, winter, summer.
    starts = [row.starts_at.isoformat() for row in rows]
    assert starts == [
        "2026-01-30T23:00:00+00:00",
        "2026-02-27T23:00:00+00:00",
        "2026-03-30T22:00:00+00:00",
    ]
    assert [row.ends_at for row in rows][:2] == [row.starts_at for row in rows][1:]


def test_calls_use_the_given_minutes(rich: Member, bob: Member, minutes: Plan) -> None:
    Rate.objects.create(
        prefix="33", kind="other", price_per_minute=1, currency="EUR", valid_from="2025-01-01"
    )
    give_plan(rich, minutes, bob)
    call = CallRow("pbx", "1", bob.pk, "+33142278186", NOON, 60)
    (result,) = charge_calls(rich.company, [call], now=NOON)
    assert (result.status, result.price) == ("charged", 0)


def test_several_members_are_one_posting(
    rich: Member, bob: Member, fiona: Member, voicemail: Plan
) -> None:
    given = give_plan(rich, voicemail, bob, fiona)
    assert (given.count, given.total) == (2, 4)
    assert company_balance(rich.company) == 96
    assert verify_ledger() == []


def test_what_is_free_moves_nothing(rich: Member, bob: Member, free_forwarding: Plan) -> None:
    give_plan(rich, free_forwarding, bob)
    assert not Transfer.objects.filter(kind="feature").exists()
    assert SubscriptionPeriod.objects.get().transfer is None


def test_the_preview_says_what_will_be_left(
    rich: Member, bob: Member, fiona: Member, voicemail: Plan
) -> None:
    wish = Wish(voicemail, 3, Recipients(member_ids=(bob.pk, fiona.pk)))
    told = preview_giving(actor=Actor.of_member(fiona), wish=wish, now=NOON)
    assert (told.count, told.price, told.total) == (2, 6, 12)
    assert (told.company_balance, told.company_balance_after) == (100, 88)
    assert not Subscription.objects.exists()


def test_not_enough_credit_for_all_gives_nothing_to_anybody(
    rich: Member, bob: Member, fiona: Member, minutes: Plan
) -> None:
    give_plan(rich, minutes, bob, months=12)
    with pytest.raises(NotEnoughCredit):
        give_plan(rich, minutes, bob, fiona, months=12)
    assert Subscription.objects.count() == 1
    assert company_balance(rich.company) == 50
    assert verify_ledger() == []


def test_the_same_request_gives_once(rich: Member, bob: Member, minutes: Plan) -> None:
    first, again = (give_plan(rich, minutes, bob, key="one") for _twice in range(2))
    assert first == again
    assert Subscription.objects.count() == 1
    with pytest.raises(IdempotencyConflict):
        give_plan(rich, minutes, bob, months=3, key="one")


@pytest.mark.parametrize("who", ["bob", "fiona"])
def test_only_administrators_give(
    request: pytest.FixtureRequest, rich: Member, minutes: Plan, who: str
) -> None:
    member: Member = request.getfixturevalue(who)
    with pytest.raises(NotAllowed):
        give_plan(member, minutes, member)
    assert not Subscription.objects.exists()


def test_nobody_elses_member_is_given_anything(
    rich: Member, charlie: Member, minutes: Plan
) -> None:
    with pytest.raises(UnknownMember):
        give_plan(rich, minutes, charlie)


def test_whoever_is_gone_is_given_nothing(rich: Member, bob: Member, minutes: Plan) -> None:
    Member.objects.filter(pk=bob.pk).update(status="removed")
    with pytest.raises(MemberGone):
        give_plan(rich, minutes, bob)


@pytest.mark.parametrize("state", ["frozen", "closed"])
def test_a_company_that_is_not_active_gives_nothing(
    rich: Member, bob: Member, minutes: Plan, state: str
) -> None:
    Company.objects.filter(pk=rich.company_id).update(state=state)
    rich.company.refresh_from_db()
    with pytest.raises(CompanyNotActive):
        give_plan(rich, minutes, bob)


@pytest.mark.parametrize("state", ["frozen", "closed"])
def test_a_company_that_is_not_active_keeps_no_numbers(
    rich: Member, paris: NumberArea, state: str
) -> None:
    Company.objects.filter(pk=rich.company_id).update(state=state)
    rich.company.refresh_from_db()
    with pytest.raises(ProductError, match=state):
        reserve_numbers(actor=Actor.of_member(rich), area=paris, count=1, now=NOON)
    assert not PhoneNumber.objects.filter(state="reserved").exists()


@pytest.mark.parametrize(
    ("fields", "months", "code"),
    [
        ({"valid_until": date(2026, 1, 31)}, 1, "plan_withdrawn"),
        ({"valid_from": date(2026, 2, 1)}, 1, "plan_withdrawn"),
        ({}, 3, "no_price_in_currency"),
        ({"currency": "USD"}, 1, "no_price_in_currency"),
    ],
)
def test_a_plan_without_a_price_today_is_refused(
    rich: Member, bob: Member, fields: dict[str, Any], months: int, code: str
) -> None:
    plan = make_plan("odd", "voicemail", {1: "2"}, **fields)
    with pytest.raises(PlanNotOffered) as refusal:
        give_plan(rich, plan, bob, months=months)
    assert refusal.value.code == code


def test_a_period_that_is_not_sold_is_refused(rich: Member, bob: Member, minutes: Plan) -> None:
    with pytest.raises(FeatureRefused) as refusal:
        give_plan(rich, minutes, bob, months=2)
    assert (refusal.value.code, refusal.value.field) == ("invalid_period", "months")


def test_a_second_voicemail_is_refused_a_second_subscription_is_not(
    rich: Member, bob: Member, minutes: Plan, voicemail: Plan
) -> None:
    for plan in (minutes, minutes, voicemail):
        give_plan(rich, plan, bob)
    with pytest.raises(FeatureRefused) as refusal:
        give_plan(rich, voicemail, bob)
    assert refusal.value.code == "feature_already_there"


def test_a_forbidden_kind_is_refused_until_it_is_allowed_again(
    rich: Member, bob: Member, voicemail: Plan
) -> None:
    allow = partial(allow_kind, actor=Actor.of_member(rich), member_id=bob.pk, kind="voicemail")
    for _twice in range(2):
        allow(is_allowed=False)
    with pytest.raises(FeatureRefused) as refusal:
        give_plan(rich, voicemail, bob)
    assert refusal.value.code == "feature_not_allowed"
    allow(is_allowed=True)
    give_plan(rich, voicemail, bob)
    assert AuditEntry.objects.filter(verb="allow_feature").count() == 2


def test_a_number_is_reserved_given_and_found_again(
    rich: Member, bob: Member, french_number: Plan, paris: NumberArea
) -> None:
    feature = give_number(rich, french_number, paris, bob)
    assert feature.number is not None
    assert feature.number.e164 == "+33180000000"
    assert PhoneNumber.objects.get(e164="+33180000000").state == "assigned"
    found = whose_number("+33180000000")
    assert found is not None
    assert found.member == bob
    assert whose_number("+33180000000", company=rich.company) is not None
    assert whose_number("+33180000001") is None


def test_a_number_must_be_reserved_for_the_company_and_in_time(
    rich: Member, bob: Member, charlie: Member, french_number: Plan, paris: NumberArea
) -> None:
    (theirs,) = reserve_numbers(actor=Actor.of_member(charlie), area=paris, count=1, now=NOON)
    (ours,) = reserve_numbers(actor=Actor.of_member(rich), area=paris, count=1, now=NOON)
    late = NOON + timedelta(minutes=15)
    for number, now in ((theirs, NOON), (ours, late)):
        with pytest.raises(NumberNotAvailable) as refusal:
            give_plan(rich, french_number, bob, numbers=(number.pk,), now=now)
        assert refusal.value.code == "number_not_reserved"
    with pytest.raises(FeatureRefused):
        give_plan(rich, french_number, bob)
    assert return_numbers(now=late) == 2


def test_choosing_again_frees_what_was_chosen_before(rich: Member, paris: NumberArea) -> None:
    reserve = partial(reserve_numbers, actor=Actor.of_member(rich), area=paris, now=NOON)
    reserve(count=5)
    reserve(count=5)
    with pytest.raises(NumberNotAvailable) as refusal:
        reserve(count=6)
    assert refusal.value.code == "no_numbers_left"
    assert PhoneNumber.objects.filter(state="reserved").count() == 5


def test_the_database_refuses_what_the_code_would_never_write(
    rich: Member, bob: Member, charlie: Member, minutes: Plan
) -> None:
    give_plan(rich, minutes, bob)
    changes: list[tuple[str, dict[str, Any]]] = [
        ("subscription_member_of_same_company", {"member": charlie}),
        ("subscription_ended_or_open", {"status": "ended"}),
        ("subscription_charged_only_if_renewing", {"renews": False}),
        ("subscription_grace_until_a_day", {"status": "grace"}),
        ("subscription_period_valid", {"paid_until": date(2026, 1, 31)}),
        ("subscription_of_number_has_one", {"kind": "number"}),
    ]
    for name, fields in changes:
        with pytest.raises(IntegrityError, match=name), transaction.atomic():
            Subscription.objects.update(**fields)
    with (
        pytest.raises(IntegrityError, match="subscription_period_is_never_changed"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute("UPDATE billing_subscriptionperiod SET price = 1")


@pytest.mark.django_db(transaction=True)
def test_of_the_last_number_two_people_get_one(
    rich: Member, charlie: Member, paris: NumberArea
) -> None:
    actors = [Actor.of_member(rich), Actor.of_member(charlie)]
    outcomes = at_once(
        [partial(reserve_numbers, actor=actor, area=paris, count=3, now=NOON) for actor in actors]
    )
    refused = [each for each in outcomes if isinstance(each, NumberNotAvailable)]
    assert len(refused) == 1
    assert PhoneNumber.objects.filter(state="reserved").count() == 3


@pytest.mark.django_db(transaction=True)
def test_pressing_buy_twice_at_once_gives_once(rich: Member, bob: Member, voicemail: Plan) -> None:
    works = [partial(give_plan, rich, voicemail, bob, key="one") for _twice in range(4)]
    outcomes = at_once(works)
    assert not [each for each in outcomes if isinstance(each, Exception)]
    assert company_balance(rich.company) == 98
    assert Subscription.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_two_who_give_the_same_kind_at_once_give_one(
    rich: Member, bob: Member, voicemail: Plan
) -> None:
    outcomes = at_once([partial(give_plan, rich, voicemail, bob) for _twice in range(4)])
    assert sum(isinstance(each, FeatureRefused) for each in outcomes) == 3
    assert company_balance(rich.company) == 98
    assert verify_ledger() == []


def test_giving_to_many_takes_as_many_statements_as_giving_to_two(
    rich: Member, bob: Member, fiona: Member, voicemail: Plan, django_assert_max_num_queries: Any
) -> None:
    many = [make_member(rich.company, f"person{number}") for number in range(20)]
    with django_assert_max_num_queries(60) as few:
        give_plan(rich, voicemail, bob, fiona)
    with django_assert_max_num_queries(len(few)):
        give_plan(rich, voicemail, *many)


def test_the_day_is_the_companys(rich: Member, bob: Member, voicemail: Plan) -> None:
    late = datetime.fromisoformat("2026-02-28T23:30:00+00:00")
    give_plan(rich, voicemail, bob, now=late)
    assert only().started_on == date(2026, 3, 1)
    assert Decimal(98) == company_balance(rich.company)
    assert at("2026-03-01").date() == only().started_on
    wish = Wish(voicemail, 1, Recipients(member_ids=(rich.pk,)))
    give_feature(
        actor=Actor.of_member(rich), wish=wish, request=OutsideKey.of_form("k", ""), now=late
    )


def test_a_plan_gives_numbers_of_its_own_country_alone(
    rich: Member, bob: Member, french_number: Plan
) -> None:
    """Else a dear number is had for the price of a cheap one."""
    geneva = NumberArea.objects.create(country="CH", code="22", name="Geneva")
    PhoneNumber.objects.create(e164="+41223000000", area=geneva)
    with pytest.raises(NumberNotAvailable) as refusal:
        give_number(rich, french_number, geneva, bob)
    assert (refusal.value.code, refusal.value.field) == ("number_of_other_country", "numbers")
    assert not Subscription.objects.exists()
    assert company_balance(rich.company) == 100
