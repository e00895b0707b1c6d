"""The table's filters: alone, together, and carried along."""

import random
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import combinations
from urllib.parse import parse_qs, urlsplit

import pytest
from django.test import Client

from credit.accounts import balances, company_balance
from credit.generating import generate_members
from credit.member_filters import MemberFilters
from credit.models import DailyTotal
from credit.queries.members import read_members
from credit.rules import describe_rules, switch_off_rule
from members.actors import Actor
from members.models import Member
from skypemgr.lib.periods import first_of_month, utc_now
from tests.conftest import ClientOf, credit_company, give, make_member
from tests.credit_pages.conftest import post_call, query_count, words_of
from tests.credit_pages.test_members_table import names_of, put_in_list, set_rule

Crowd = dict[str, Member]


@pytest.fixture
def crowd(rich: Member) -> Crowd:
    """Five members who differ: by rule state, balance and day of joining."""
    people = {name: make_member(rich.company, name) for name in ("ann", "ben", "cid", "dan", "eve")}
    credit_company(rich.company, "1000")
    give(rich, people["ann"], "20")
    give(rich, people["ben"], "3")
    set_rule(rich, people["ann"])
    set_rule(rich, people["cid"], limit="10")
    set_rule(rich, people["dan"])
    switch_off_rule(actor=Actor.of_member(rich), member_id=people["dan"].pk)
    for number, member in enumerate(people.values(), start=1):
        joined_at = datetime(2026, 3, number, 12, tzinfo=UTC)
        Member.objects.filter(pk=member.pk).update(joined_at=joined_at)
    return people


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("?rule=on", ["Ann"]),
        ("?rule=suspended", ["Cid"]),
        ("?rule=off", ["Dan"]),
        ("?rule=none", ["Alice", "Ben", "Eve"]),
        ("?rule=waiting", []),
        ("?below=5", ["Alice", "Ben", "Eve"]),
        ("?below=3,01", ["Alice", "Ben", "Eve"]),
        ("?below=3", ["Alice", "Eve"]),
        ("?role=administrator", ["Alice"]),
        ("?role=member&below=10.5", ["Ben", "Cid", "Dan", "Eve"]),
        ("?joined_from=2026-03-02&joined_to=2026-03-04", ["Ben", "Cid", "Dan"]),
        ("?joined_from=2026-03-03&rule=off", ["Dan"]),
        ("?joined_to=2026-03-01", ["Ann"]),
        ("?q=e&below=5&rule=none&role=member", ["Ben", "Eve"]),
    ],
)
def test_each_filter_leaves_whom_it_names(
    desk: Client, crowd: Crowd, query: str, expected: list[str]
) -> None:
    assert names_of(desk, query) == expected


def test_a_rule_that_waits_for_the_company_is_found_by_its_state_and_by_its_level(
    desk: Client, rich: Member, bob: Member
) -> None:
    give(rich, rich, str(company_balance(rich.company)))
    set_rule(rich, bob)
    assert names_of(desk, "?rule=waiting") == ["Bob"]
    assert names_of(desk, "?due=1") == ["Bob"]
    assert names_of(desk, "?rule=on") == []


def test_days_are_those_of_the_company(desk: Client, bob: Member) -> None:
    late = datetime(2026, 3, 31, 22, 30, tzinfo=UTC)
    Member.objects.filter(pk=bob.pk).update(joined_at=late)
    assert names_of(desk, "?joined_to=2026-03-31") == []
    assert names_of(desk, "?joined_from=2026-04-01&joined_to=2026-04-01") == ["Bob"]


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ("below=1.500", "Balance below: Do you mean 1500 or 1.50? Write one of the two."),
        ("below=ten", "This is not an amount."),
        ("joined_from=31/03/2026", "Joined from: Write the day like this: 2026-03-31."),
        ("joined_to=0001-01-01", "Joined until: Write the day like this: 2026-03-31."),
        ("joined_from=2026-04-01&joined_to=2026-03-01", "The last day is before the first one."),
        ("role=king", "This filter is not known."),
        ("list=99999999999999999999", "This filter is not known."),
        ("rule=%00", "This filter is not known."),
    ],
)
def test_what_is_not_understood_is_said_and_acts_on_nobody(
    desk: Client, bob: Member, query: str, sentence: str
) -> None:
    response = desk.get(f"/members/?{query}")
    assert response.status_code == 200
    assert sentence in words_of(response)
    assert "are ticked, on every page" not in words_of(desk.get(f"/members/?ticked=every&{query}"))
    for page in ("credit", "auto-recharge", "move", "suspend", "reactivate", "remove"):
        back = desk.get(f"/members/{page}/?every=1&{query}")
        assert back.status_code == 302
        assert back["Location"].startswith("/members/")
    assert desk.get(f"/members/export/?{query}").status_code == 302


def test_filters_stand_in_words_each_with_a_way_out(desk: Client, crowd: Crowd) -> None:
    response = desk.get("/members/?below=5&role=member&joined_from=2026-03-01&sort=-balance")
    words = words_of(response)
    for phrase in ("Role: Member", "Balance below €5.00", "Joined on 1 March 2026 or later"):
        assert phrase in words
    assert "Clear filters" in words
    chips = {chip.words: parse_qs(urlsplit(chip.url).query) for chip in response.context["chips"]}
    assert chips["Role: Member"] == {
        "below": ["5"],
        "joined_from": ["2026-03-01"],
        "sort": ["-balance"],
    }
    assert "Clear filters" not in words_of(desk.get("/members/"))


def test_sorting_and_paging_keep_the_filters(desk: Client, rich: Member) -> None:
    for number in range(55):
        make_member(rich.company, f"m{number:02}")
    response = desk.get("/members/?role=member&below=5&sort=-balance")
    heads = response.context["heads"]
    for head in heads.values():
        query = parse_qs(urlsplit(head.url).query)
        assert (query["role"], query["below"]) == (["member"], ["5"])
    assert parse_qs(urlsplit(heads["balance"].url).query)["sort"] == ["balance"]
    assert (
        'href="?role=member&amp;below=5&amp;sort=-balance&amp;page=2"' in response.content.decode()
    )
    second = names_of(desk, "?role=member&below=5&sort=-balance&page=2")
    assert second == ["M50", "M51", "M52", "M53", "M54"]


def test_spending_activity_and_joining_sort_too(desk: Client, rich: Member, crowd: Crowd) -> None:
    post_call(crowd["ann"], "2")
    post_call(crowd["ben"], "1")
    assert names_of(desk, "?sort=-spent")[:2] == ["Ann", "Ben"]
    assert names_of(desk, "?sort=spent")[-2:] == ["Ben", "Ann"]
    # Who has no purse was never active; those of the same day are in the order of their names.
    assert names_of(desk, "?sort=-activity") == ["Ann", "Ben", "Cid", "Dan", "Alice", "Eve"]
    assert names_of(desk, "?sort=activity") == ["Alice", "Eve", "Ann", "Ben", "Cid", "Dan"]
    assert names_of(desk, "?sort=joined&role=member")[:2] == ["Ann", "Ben"]
    assert names_of(desk, "?sort=-joined&role=member")[0] == "Eve"


def test_spending_of_another_month_is_not_this_months(
    client_of: ClientOf, alice: Member, bob: Member
) -> None:
    desk, then = client_of(alice), utc_now() - timedelta(days=40)
    credit_company(bob.company, "50", now=then)
    give(alice, bob, "10", now=then)
    post_call(bob, "2", now=then)
    row = desk.get("/members/?q=bob").context["page"].rows[0]
    assert row.last_active_on == bob.company.day_at(then)
    assert row.spent == 0
    post_call(bob, "1.25")
    page = desk.get("/members/?q=bob").context
    assert page["page"].rows[0].spent == page["totals"].spent == Decimal("1.25")


def test_totals_and_rows_are_what_each_member_alone_makes_them(rich: Member) -> None:
    company, now = rich.company, utc_now()
    generate_members(company, Actor.of_member(rich), 60, seed=7, now=now)
    today = company.day_at(now)
    everybody = list(Member.objects.filter(company=company).select_related("company", "user"))
    held = balances(company.pk, [member.pk for member in everybody])
    rules = describe_rules(everybody)
    dice = random.Random(3)
    values = {
        "role": "member",
        "status": dice.choice(["active", "suspended", "gone", "all"]),
        "rule": dice.choice(["on", "suspended", "none"]),
        "below": "8",
        "joined_from": f"{today - timedelta(days=600)}",
        "q": "an",
    }

    def fits(member: Member, chosen: dict[str, str]) -> bool:
        status = chosen.get("status", "")
        groups: dict[str, tuple[str, ...]] = {
            "": ("active", "suspended"),
            "gone": ("removed", "left"),
            "all": ("active", "suspended", "removed", "left"),
        }
        rule = rules.get(member.pk)
        return (
            member.status in groups.get(status, (status,))
            and ("role" not in chosen or member.role == chosen["role"])
            and ("rule" not in chosen or (rule.state if rule else "none") == chosen["rule"])
            and ("below" not in chosen or held[member.pk].balance < Decimal(chosen["below"]))
            and (
                "joined_from" not in chosen
                or f"{company.day_at(member.joined_at)}" >= chosen["joined_from"]
            )
            and ("q" not in chosen or chosen["q"] in member.search_text)
        )

    spent: dict[int | None, Decimal] = {}
    for total in DailyTotal.objects.filter(
        company=company, kind="call", day__gte=first_of_month(today), account__kind="member"
    ).select_related("account"):
        pk = total.account.member_id
        spent[pk] = spent.get(pk, Decimal(0)) + total.outgoing
    for size in range(4):
        for names in combinations(values, size):
            chosen = {name: values[name] for name in names}
            expected = [member for member in everybody if fits(member, chosen)]
            page, totals = read_members(
                company, MemberFilters.of(chosen), sort="-balance", page="1", today=today
            )
            assert totals.count == len(expected), chosen
            assert totals.balance == sum(held[member.pk].balance for member in expected)
            assert totals.spent == sum(spent.get(member.pk, 0) for member in expected)
            shown = [row.balance for row in page.rows]
            assert shown == sorted(shown, reverse=True)


def test_no_filter_costs_a_query_more_for_more_members(desk: Client, rich: Member) -> None:
    sales = put_in_list(rich, "Sales", rich)
    generate_members(rich.company, Actor.of_member(rich), 30, seed=1, now=utc_now())
    queries = (
        "",
        f"list={sales.pk}",
        "q=an",
        "rule=on",
        "below=5",
        "sort=-spent",
        "joined_from=2020-01-01",
    )
    few = [query_count(desk, f"/members/?{query}") for query in queries]
    generate_members(rich.company, Actor.of_member(rich), 40, seed=2, now=utc_now())
    assert [query_count(desk, f"/members/?{query}") for query in queries] == few
    assert max(few) <= 16


def test_the_filters_speak_french(client_of: ClientOf, rich: Member) -> None:
    response = client_of(rich, "fr").get("/members/?below=5,50&role=member")
    assert response.status_code == 200
    assert response.context["filters"].below == Decimal("5.5")
    assert "5,50" in words_of(response)


@pytest.mark.parametrize(
    ("query", "is_open"),
    [
        ("", False),
        ("?q=bob", False),
        ("?sort=-spent", False),
        ("?role=member", True),
        ("?below=x", True),
    ],
)
def test_the_fields_of_filters_stand_open_only_where_one_is_set(
    desk: Client, query: str, is_open: bool
) -> None:
    content = desk.get(f"/members/{query}").content.decode()
    assert ('<details class="filters-fold" open>' in content) is is_open
