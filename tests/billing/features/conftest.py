"""What the tests of features share: plans, stock, credit, and a day."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest

from billing.features.giving import Given, Wish, give_feature
from billing.features.numbers import reserve_numbers
from billing.models import NumberArea, PhoneNumber, Plan, PlanPrice, Subscription
from credit.allocation import Recipients
from credit.requests import OutsideKey
from members.actors import Actor
from members.models import Member
from tests.conftest import credit_company

NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)


def at(day: str, hour: int = 12) -> datetime:
    """An instant of that day."""
    return datetime.fromisoformat(f"{day}T{hour:02}:00:00+00:00")


def make_plan(
    code: str, kind: str, prices: dict[int, str], currency: str = "EUR", **fields: Any
) -> Plan:
    """A plan with its prices by months."""
    plan = Plan.objects.create(
        code=code,
        kind=kind,
        name_en=code,
        name_fr=code,
        valid_from=fields.pop("valid_from", date(2020, 1, 1)),
        **fields,
    )
    PlanPrice.objects.bulk_create(
        PlanPrice(plan=plan, currency=currency, months=months, price=Decimal(price))
        for months, price in prices.items()
    )
    return plan


@pytest.fixture
def minutes(db: None) -> Plan:
    """400 minutes to France a month: 5, 14 or 50."""
    return make_plan(
        "france-400",
        "subscription",
        {1: "5", 3: "14", 12: "50"},
        prefixes=["33"],
        included_seconds=24_000,
    )


@pytest.fixture
def voicemail(db: None) -> Plan:
    """A voicemail box: 2 a month."""
    return make_plan("voicemail", "voicemail", {1: "2", 3: "6", 12: "20"})


@pytest.fixture
def free_forwarding(db: None) -> Plan:
    """Call forwarding that costs nothing."""
    return make_plan("forwarding", "call_forwarding", {1: "0"})


@pytest.fixture
def french_number(db: None) -> Plan:
    """A French number: 4 a month."""
    return make_plan("number-fr", "number", {1: "4", 12: "40"}, country="FR")


@pytest.fixture
def paris(db: None) -> NumberArea:
    """Five numbers in Paris."""
    area = NumberArea.objects.create(country="FR", code="1", name="Paris")
    PhoneNumber.objects.bulk_create(
        PhoneNumber(e164=f"+3318000000{last}", area=area) for last in range(5)
    )
    return area


@pytest.fixture
def rich(alice: Member) -> Member:
    """alice, with 100 in the company's balance."""
    credit_company(alice.company, "100", now=NOON)
    return alice


def give_plan(
    actor: Member,
    plan: Plan,
    *members: Member,
    months: int = 1,
    now: datetime = NOON,
    numbers: tuple[int, ...] = (),
    key: str = "",
) -> Given:
    """The plan is given to the members."""
    wish = Wish(
        plan=plan,
        months=months,
        recipients=Recipients(member_ids=tuple(member.pk for member in members)),
        numbers=numbers,
    )
    return give_feature(
        actor=Actor.of_member(actor),
        wish=wish,
        request=OutsideKey.of_form(key or str(uuid4()), str(wish)),
        now=now,
    )


def give_number(
    actor: Member, plan: Plan, area: NumberArea, member: Member, now: datetime = NOON
) -> Subscription:
    """A number of the area is the member's."""
    (number,) = reserve_numbers(actor=Actor.of_member(actor), area=area, count=1, now=now)
    given = give_plan(actor, plan, member, numbers=(number.pk,), now=now)
    return Subscription.objects.get(pk=given.subscription_ids[0])


def only() -> Subscription:
    """The one feature there is, as it stands."""
    return Subscription.objects.get()
