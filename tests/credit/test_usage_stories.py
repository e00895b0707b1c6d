"""Usage of any history equals a slow, simple recomputation from its calls."""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import product

import pytest
from django.db import transaction
from hypothesis import given, settings
from hypothesis import strategies as st

from credit.accounts import ensure_accounts
from credit.call_rows import CallRow
from credit.calls import charge_calls
from credit.figures import Level, totals
from credit.ledger import Move, post_transfers
from credit.models import Call, Rate, UsageDay, UsageLate, UsageMember, UsageRolled
from credit.usage import (
    EVERYBODY,
    NO_LIST,
    By,
    Measures,
    Within,
    booked_later,
    started_earlier,
    usage_by,
    usage_total,
)
from credit.usage_members import SORTS, usage_of_members
from credit.usage_rollup import roll_up_usage
from credit.verification import verify_ledger
from members.actors import Actor
from members.details import update_member
from members.lists import create_list
from members.models import Company, Member, MemberList, MemberPlacement
from members.zones import change_time_zone
from tests.conftest import credit_company, give, make_company, make_member
from tests.credit.usage_kit import Facts, day_of, measures, told

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 3, 24, 12, tzinfo=UTC)
FIRST, LAST = date(2026, 1, 1), date(2026, 12, 31)
NUMBERS = ("+33142278186", "+33612345678", "+442071838750")
ZONES = ("Pacific/Auckland", "America/New_York", "Asia/Kolkata")
SPANS = (
    (FIRST, LAST),
    (date(2025, 1, 1), LAST),
    (date(2025, 12, 12), date(2026, 11, 30)),
    (date(2025, 12, 12), date(2026, 12, 11)),
    (date(2025, 12, 12), date(2026, 4, 12)),
    (date(2026, 4, 1), LAST),
    (date(2026, 3, 1), date(2026, 3, 31)),
    (date(2026, 4, 1), date(2026, 4, 30)),
    (date(2026, 3, 20), date(2026, 4, 12)),
    (date(2026, 3, 28), date(2026, 3, 28)),
)


@pytest.fixture(autouse=True)
def _deck(db: None) -> None:
    for prefix, country, kind in (("33", "FR", "landline"), ("336", "FR", "mobile")):
        Rate.objects.create(
            prefix=prefix,
            country=country,
            kind=kind,
            price_per_minute=Decimal("0.31"),
            currency="EUR",
            valid_from="2025-01-01",
        )
    Rate.objects.create(
        prefix="44",
        country="GB",
        kind="other",
        price_per_minute=Decimal("1.7"),
        increment_seconds=60,
        currency="EUR",
        valid_from="2025-01-01",
    )


class Story:
    """A company of three members whose calls are stored, moved about and summed."""

    def __init__(self, alice: Member) -> None:
        self.alice = alice
        company = alice.company
        actor = Actor.of_member(alice)
        self.members = [make_member(company, name) for name in ("bob", "dora", "emil")]
        # Made just now, but the story plays before.
        MemberPlacement.objects.filter(company=company).update(valid_from=FIRST)
        self.lists: list[MemberList | None] = [
            None,
            *(create_list(actor=actor, name=name) for name in ("Sales", "Support")),
        ]
        self.now = NOON
        credit_company(company, "100", now=NOON)
        for member in self.members[:2]:
            give(alice, member, "6", now=NOON)
        self.expected: dict[str, date] = {}

    @property
    def company(self) -> Company:
        return Company.objects.get(pk=self.alice.company_id)

    def call(self, who: int, number: int, *, ago: timedelta, now: datetime) -> None:
        name, started_at = uuid.uuid4().hex, now - ago
        member = self.members[who % 3]
        seconds = 7 + 61 * number
        row = CallRow("test", name, member.pk, NUMBERS[number % 3], started_at, seconds)
        assert charge_calls(self.company, [row], now=now)[0].status == "charged"
        call = Call.objects.get(external_id=name)
        day = day_of(self.company.zone_at(now), started_at)
        assert call.started_on == min(day, call.booked_on)

    def step(self, kind: str, who: int, number: int) -> None:
        member = self.members[who % 3]
        if kind == "call":
            self.call(who, number, ago=timedelta(minutes=37 * number), now=self.now)
        elif kind == "reported late":
            self.call(who, number, ago=timedelta(days=number * 3), now=self.now)
        elif kind == "ahead":
            self.call(who, number, ago=timedelta(minutes=-4), now=self.now)
        elif kind == "stored late":
            self.call(who, number, ago=timedelta(hours=number), now=self.now - timedelta(days=who))
        elif kind == "place":
            fields = {"list": self.lists[number % 3], "cost_centre": f"C{who % 2}" if who else ""}
            actor = Actor.of_member(self.alice)
            update_member(actor=actor, member=member, now=self.now, **fields)
        elif kind == "zone":
            actor = Actor.of_member(Member.objects.get(pk=self.alice.pk))
            change_time_zone(actor=actor, zone=ZONES[number % 3], now=self.now)
        elif kind == "correct":
            accounts = ensure_accounts(self.company, [member.pk])
            purse = accounts.members[member.pk]
            move = Move("adjustment", accounts.adjustments, purse, Decimal(1), uuid.uuid4().hex)
            post_transfers(self.company.pk, [move], now=self.now)
        elif kind == "roll":
            roll_up_usage(now=self.now)
        self.now += timedelta(hours=(who * 7 + number * 5) % 60)


@contextmanager
def a_story() -> Iterator[Story]:
    with transaction.atomic():
        yield Story(make_company("Random", "alice"))
        transaction.set_rollback(True)


def withins(story: Story) -> list[Within]:
    sales = story.lists[1]
    assert sales is not None
    return [
        EVERYBODY,
        Within(list_id=sales.pk),
        Within(list_id=NO_LIST),
        Within(cost_centre="C1"),
        Within(cost_centre=""),
        Within(list_id=sales.pk, cost_centre="C1"),
        Within(member_id=story.members[0].pk),
        Within(member_id=story.members[1].pk, list_id=NO_LIST),
    ]


def check_lists(story: Story) -> None:
    company, facts = story.company, Facts(story.company)
    for first, last in SPANS:
        for within in withins(story):
            for by in By:
                rows = told(usage_by(company, first, last, by=by, within=within))
                assert rows == facts.usage(first, last, by, within), (by, within)


def check_members(story: Story) -> None:
    company, facts = story.company, Facts(story.company)
    for first, last in SPANS:
        for within in withins(story):
            expected = facts.members(first, last, within)
            answer = usage_of_members(company, first, last, within=within)
            rows = {row.member_id: (row.started, row.booked_in_span) for row in answer.rows}
            assert rows == expected, within
            assert answer.count == len(expected)
            assert answer.total == usage_total(company, first, last, within=within)


def check_elsewhere(story: Story) -> None:
    company = story.company
    for first, last in SPANS:
        inside = usage_total(company, first, last).booked_in_span
        later, earlier = booked_later(company, first, last), started_earlier(company, first, last)
        calls = list(Call.objects.filter(company=company))
        assert sum((row.measures for row in later), Measures()) == sum(
            (measures(c) for c in calls if first <= c.started_on <= last < c.booked_on), Measures()
        )
        assert sum((row.measures for row in earlier), Measures()) == sum(
            (measures(c) for c in calls if c.started_on < first <= c.booked_on <= last), Measures()
        )
        moved = totals(company, first, last, Level.MEMBERS)
        spent = sum((row.outgoing for row in moved if row.kind == "call"), Decimal(0))
        before = sum((row.measures.collected for row in earlier), Decimal(0))
        assert inside.collected + before == spent


def check(story: Story) -> None:
    check_lists(story)
    check_members(story)
    check_elsewhere(story)
    assert verify_ledger() == []


STEPS = st.lists(
    st.tuples(
        st.sampled_from(
            [
                *("call", "call", "call", "reported late", "reported late", "ahead"),
                *("stored late", "place", "place", "zone", "correct", "roll", "roll"),
            ]
        ),
        st.integers(0, 5),
        st.integers(0, 12),
    ),
    min_size=4,
    max_size=25,
)


@settings(max_examples=6, deadline=None)
@given(steps=STEPS)
def test_any_history_is_told_as_its_calls_tell_it_summed_or_not(
    steps: list[tuple[str, int, int]],
) -> None:
    with a_story() as story:
        for step in steps:
            story.step(*step)
        check(story)
        roll_up_usage(now=story.now + timedelta(days=9))
        assert not UsageLate.objects.exists()
        check(story)
        for model in (UsageDay, UsageMember, UsageRolled):
            model._default_manager.all().delete()
        check_lists(story)
        check_members(story)


def a_busy_story(story: Story) -> None:
    for number in range(30):
        kind = ("call", "reported late", "place", "call", "roll", "ahead", "stored late")[
            number % 7
        ]
        story.step(kind, number % 5, number % 11)
    story.step("zone", 0, 0)
    for number in range(20):
        story.step(("call", "reported late", "stored late")[number % 3], number % 4, number % 12)


def test_members_are_sorted_and_cut_into_pages(alice: Member) -> None:
    story = Story(alice)
    a_busy_story(story)
    sorts = [f"{sign}{name}" for name in SORTS for sign in ("", "-")]
    for sort, (first, last) in product(sorts, SPANS):
        whole = usage_of_members(story.company, first, last, sort=sort)
        assert whole.count == len(whole.rows)
        pages = [
            usage_of_members(story.company, first, last, sort=sort, page=page, page_size=1).rows
            for page in (1, 2, 3)
        ]
        assert [row for rows in pages for row in rows] == whole.rows
        name = sort.removeprefix("-")
        keys = [
            row.name if name == "name" else dict(zip(SORTS, row.started.all, strict=False))[name]
            for row in whole.rows
        ]
        assert keys == sorted(keys, reverse=sort.startswith("-"))


def test_members_are_searched_and_the_total_is_theirs(alice: Member) -> None:
    story = Story(alice)
    a_busy_story(story)
    whole = usage_of_members(story.company, FIRST, LAST, sort="name")
    for search, names in (("bob", ["Bob"]), ("DORA example", ["Dora"]), ("%", []), ("o", None)):
        found = usage_of_members(story.company, FIRST, LAST, sort="name", search=search)
        if names is not None:
            assert [row.name for row in found.rows] == names
        assert set(found.rows) <= set(whole.rows)
        assert found.total.started == sum((row.started for row in found.rows), Measures())
        assert found.count == len(found.rows)
    with pytest.raises(ValueError, match="unknown sort"):
        usage_of_members(story.company, FIRST, LAST, sort="price; DROP TABLE")


def test_reading_takes_a_fixed_number_of_queries(
    alice: Member, django_assert_num_queries: pytest.FixtureRequest
) -> None:
    story = Story(alice)
    a_busy_story(story)
    company = story.company
    for by in By:
        with django_assert_num_queries(1):  # type: ignore[operator]
            usage_by(company, FIRST, LAST, by=by)
    # Three open and close the wide memory in which members are sorted.
    with django_assert_num_queries(5):  # type: ignore[operator]
        usage_of_members(company, FIRST, LAST, search="bob")
