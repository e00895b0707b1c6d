"""Who has what: all kinds, one kind, one member, oneself."""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal

import pytest
from django.test import Client

from billing.features.changing import allow_kind, cancel_feature, change_feature
from billing.features.queries import read_overview
from billing.features.upcoming import total_upcoming
from billing.models import NumberArea, Plan, Subscription
from members.actors import Actor
from members.lists import create_list
from members.models import Company, Member
from skypemgr.lib.formats import format_date
from skypemgr.lib.periods import utc_now
from tests.billing.features.conftest import give_number, give_plan, make_plan, only
from tests.conftest import ClientOf, credit_company, make_member
from tests.credit_pages.conftest import query_count, words_of

PAGES = ("/features/", "/features/number/", "/features/voicemail/")
TABLE = {"HX-Request": "true", "HX-Target": "features-table"}


@pytest.fixture
def rich(alice: Member) -> Member:
    """alice, with 500 in the company's balance today."""
    credit_company(alice.company, "500")
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


def names_of(client: Client, query: str = "", slug: str = "voicemail") -> list[str]:
    lines = client.get(f"/features/{slug}/{query}").context["lines"]
    return [line.row.member.name for line in lines]


def today_give(alice: Member, plan: Plan, *members: Member, months: int = 1) -> None:
    give_plan(alice, plan, *members, months=months, now=utc_now())


# All kinds


def test_a_first_visit_says_what_to_do(desk: Client, voicemail: Plan) -> None:
    words = words_of(desk.get("/features/"))
    assert "Nobody has a feature yet" in words
    assert "tick members" in words
    assert "from €1.67 a month" in words
    assert "Not offered in EUR today" in words


def test_nothing_offered_in_the_currency_is_said_and_no_button_is_drawn(
    desk: Client, rich: Member
) -> None:
    make_plan("box-usd", "voicemail", {1: "2"}, currency="USD")
    response = desk.get("/features/")
    assert "Nothing has a price in EUR today" in words_of(response)
    assert "/features/voicemail/" not in response.content.decode()


def test_each_kind_tells_who_has_it_what_it_costs_and_what_ends(
    desk: Client, rich: Member, bob: Member, voicemail: Plan, minutes: Plan
) -> None:
    carol = make_member(bob.company, "carol")
    today_give(rich, minutes, bob, months=12)
    today_give(rich, minutes, bob)
    today_give(rich, voicemail, bob, carol)
    cancelled = Subscription.objects.get(member=carol)
    cancel_feature(actor=Actor.of_member(rich), subscription_id=cancelled.pk)
    words = words_of(desk.get("/features/"))
    assert "Subscriptions 1 member 2 in all €9.17 a month" in words
    assert "Voicemail 2 members €2.00 a month" in words
    assert "1 ends" in words


def test_what_renews_this_month_is_the_same_here_and_among_the_renewals(
    rich: Member, bob: Member, voicemail: Plan, minutes: Plan
) -> None:
    today_give(rich, minutes, bob)
    today_give(rich, voicemail, bob, months=3)
    company = rich.company
    today = company.day_at(utc_now())
    for days in (10, 40, 100):
        until = today + timedelta(days=days)
        overview = read_overview(company, today=today, until=until)
        told = total_upcoming(company, until=until)
        assert (overview.due_count, overview.due_total) == (told.count, told.total)
    assert overview.due_total == Decimal(11)


def test_a_plan_withdrawn_before_the_renewal_costs_nothing_more(
    rich: Member, bob: Member, voicemail: Plan
) -> None:
    today_give(rich, voicemail, bob)
    Plan.objects.filter(pk=voicemail.pk).update(valid_until=only().paid_until)
    today = rich.company.day_at(utc_now())
    overview = read_overview(rich.company, today=today, until=today + timedelta(days=60))
    (kind,) = (each for each in overview.kinds if each.features_count)
    assert (kind.ending_count, kind.monthly, kind.due_count) == (1, 0, 0)


def test_renewals_that_the_balance_does_not_cover_are_told(
    client_of: ClientOf, alice: Member, bob: Member, minutes: Plan
) -> None:
    credit_company(alice.company, "5")
    today_give(alice, minutes, bob)
    today = alice.company.day_at(utc_now())
    Subscription.objects.update(charge_on=today)
    assert "€5.00 are missing for this month's renewals" in words_of(
        client_of(alice).get("/features/")
    )


# One kind


def test_a_member_and_their_features_stand_in_one_row(
    desk: Client, rich: Member, bob: Member, french_number: Plan, paris: NumberArea
) -> None:
    given = give_number(rich, french_number, paris, bob, now=utc_now())
    response = desk.get("/features/number/")
    words = words_of(response)
    day = format_date(given.paid_until, today=rich.company.day_at(utc_now()))
    assert "+33 1 80 00 00 00 number-fr" in words
    assert f"Renews on {day}" in words
    assert "€4.00" in words
    assert f'href="/features/{given.pk}/"' in response.content.decode()


def test_what_comes_after_the_period_is_told_when_it_differs(
    desk: Client, rich: Member, bob: Member, minutes: Plan
) -> None:
    today_give(rich, minutes, bob)
    change_feature(actor=Actor.of_member(rich), subscription_id=only().pk, plan=minutes, months=12)
    assert "then 12 months, €50.00 (€4.17 per month)" in words_of(
        desk.get("/features/subscription/")
    )


def test_states_of_features_narrow_the_table(
    desk: Client,
    rich: Member,
    bob: Member,
    voicemail: Plan,
    team: Callable[[int], list[Member]],
) -> None:
    ends, grace, nothing = team(3)
    today_give(rich, voicemail, bob, ends, grace)
    features = {each.member_id: each for each in Subscription.objects.all()}
    cancel_feature(actor=Actor.of_member(rich), subscription_id=features[ends.pk].pk)
    late = features[grace.pk].paid_until + timedelta(days=7)
    Subscription.objects.filter(member=grace).update(status="grace", grace_until=late)
    assert names_of(desk) == ["Alice", "Bob", ends.name, grace.name, nothing.name]
    assert names_of(desk, "?has=yes") == ["Bob", ends.name, grace.name]
    assert names_of(desk, "?has=no") == ["Alice", nothing.name]
    assert names_of(desk, "?state=renews") == ["Bob"]
    assert names_of(desk, "?state=ends") == [ends.name]
    assert names_of(desk, "?state=grace") == [grace.name]
    assert names_of(desk, "?state=changes") == []
    assert names_of(desk, "?q=bob&has=no") == []


def test_search_lists_and_order_hold_as_on_the_members_table(
    desk: Client, rich: Member, bob: Member, voicemail: Plan
) -> None:
    carol = make_member(bob.company, "carol")
    sales = create_list(actor=Actor.of_member(rich), name="Sales")
    Member.objects.filter(pk=carol.pk).update(list=sales)
    today_give(rich, voicemail, bob, months=3)
    today_give(rich, voicemail, carol)
    assert names_of(desk, "?q=car") == ["Carol"]
    assert names_of(desk, f"?list={sales.pk}") == ["Carol"]
    assert names_of(desk, "?sort=-name") == ["Carol", "Bob", "Alice"]
    assert names_of(desk, "?has=yes&sort=until") == ["Carol", "Bob"]
    assert names_of(desk, "?has=yes&sort=-until") == ["Bob", "Carol"]
    assert names_of(desk, "?sort=until") == ["Alice", "Bob", "Carol"]


def test_a_number_finds_who_has_it(
    desk: Client, rich: Member, bob: Member, french_number: Plan, paris: NumberArea
) -> None:
    give_number(rich, french_number, paris, bob, now=utc_now())
    assert names_of(desk, "?q=01 80 00 00 00", slug="number") == ["Bob"]
    assert names_of(desk, "?q=018000000&has=yes", slug="number") == ["Bob"]
    assert names_of(desk, "?q=018000000&has=no", slug="number") == []


def test_who_has_left_stands_among_those_who_have_it(
    desk: Client, rich: Member, bob: Member, voicemail: Plan
) -> None:
    today_give(rich, voicemail, bob)
    Member.objects.filter(pk=bob.pk).update(status="left")
    assert names_of(desk) == ["Alice"]
    assert names_of(desk, "?has=yes") == ["Bob"]
    content = desk.get("/features/voicemail/?has=yes").content.decode()
    assert f'id="tick-{bob.pk}"' not in content


def test_a_filter_that_is_not_understood_means_nobody(
    desk: Client, rich: Member, voicemail: Plan
) -> None:
    response = desk.get("/features/voicemail/?state=late&ticked=every")
    assert "This filter was left out" in words_of(response)
    assert 'name="every"' not in response.content.decode()
    turned = desk.get("/features/voicemail/give/?every=1&state=late")
    assert turned["Location"] == "/features/voicemail/"


def test_all_that_match_are_ticked_with_the_filters_of_the_table(
    desk: Client, rich: Member, bob: Member, voicemail: Plan
) -> None:
    make_member(bob.company, "carol")
    today_give(rich, voicemail, bob)
    content = desk.get("/features/voicemail/?has=no&ticked=every").content.decode()
    assert '<input type="hidden" name="has" value="no">' in content
    words = words_of(desk.get("/features/voicemail/give/period/?every=1&has=no&plan=voicemail"))
    assert "2 members" in words


def test_the_answer_to_a_search_is_the_table_alone(
    desk: Client, rich: Member, voicemail: Plan
) -> None:
    content = desk.get("/features/voicemail/?q=ali", headers=TABLE).content.decode().strip()
    assert content.startswith('<form id="features-table"')
    assert "<html" not in content


def test_of_many_features_of_one_member_five_are_shown(
    desk: Client, rich: Member, bob: Member, minutes: Plan
) -> None:
    for _time in range(7):
        today_give(rich, minutes, bob)
    response = desk.get("/features/subscription/?has=yes")
    (line,) = response.context["lines"]
    assert (len(line.features), line.row.more_count, line.height) == (5, 2, 6)
    assert "7 features" in words_of(response)


def test_a_kind_that_a_member_may_not_have_is_marked_and_not_offered(
    desk: Client, rich: Member, bob: Member, voicemail: Plan
) -> None:
    allow_kind(actor=Actor.of_member(rich), member_id=bob.pk, kind="voicemail", is_allowed=False)
    response = desk.get("/features/voicemail/?q=bob")
    assert "Not allowed" in words_of(response)
    assert f"give/?member={bob.pk}" not in response.content.decode()
    assert "Not allowed" in words_of(desk.get(f"/members/{bob.pk}/features/"))


# One member


def test_the_members_page_tells_every_kind_and_leads_to_what_can_be_done(
    desk: Client, rich: Member, bob: Member, voicemail: Plan, minutes: Plan
) -> None:
    today_give(rich, voicemail, bob)
    feature = only()
    content = desk.get(f"/members/{bob.pk}/features/").content.decode()
    for address in ("", "change/", "cancel/", "settings/"):
        assert f'href="/features/{feature.pk}/{address}"' in content
    assert f'href="/features/subscription/give/?member={bob.pk}"' in content
    # A second one of its kind would do nothing.
    assert f'href="/features/voicemail/give/?member={bob.pk}"' not in content
    cancel_feature(actor=Actor.of_member(rich), subscription_id=feature.pk)
    content = desk.get(f"/members/{bob.pk}/features/").content.decode()
    assert f'href="/features/{feature.pk}/undo/"' in content
    assert "/cancel/" not in content


def test_ended_features_stand_apart(
    desk: Client, rich: Member, bob: Member, voicemail: Plan
) -> None:
    today_give(rich, voicemail, bob)
    Subscription.objects.update(status="ended", charge_on=None, renews=False, ended_at=utc_now())
    words = words_of(desk.get(f"/members/{bob.pk}/features/"))
    assert "1 ended feature" in words
    assert "Ended on" in words


# Oneself


def test_members_see_their_own_features_without_prices(
    client_of: ClientOf, rich: Member, bob: Member, minutes: Plan, voicemail: Plan
) -> None:
    today_give(rich, minutes, bob)
    today_give(rich, voicemail, bob)
    box = Subscription.objects.get(kind="voicemail")
    response = client_of(bob).get("/me/")
    words = words_of(response)
    assert "400 of 400 minutes left until" in words
    assert "renews by itself" in words
    assert "€5.00" not in words
    assert f'href="/me/features/{box.pk}/"' in response.content.decode()
    assert "My features" not in words_of(client_of(rich).get("/me/"))


# Who may


@pytest.mark.parametrize("page", PAGES)
def test_finance_reads_and_members_do_not(
    client_of: ClientOf, rich: Member, fiona: Member, bob: Member, voicemail: Plan, page: str
) -> None:
    today_give(rich, voicemail, bob)
    response = client_of(fiona).get(page)
    assert response.status_code == 200
    assert "/give/" not in response.content.decode()
    assert 'name="member"' not in response.content.decode()
    assert client_of(bob).get(page).status_code == 403


def test_finance_reads_a_members_features_without_any_action(
    client_of: ClientOf, rich: Member, fiona: Member, bob: Member, voicemail: Plan
) -> None:
    today_give(rich, voicemail, bob)
    address = f"/members/{bob.pk}/features/"
    content = client_of(fiona).get(address).content.decode()
    assert "voicemail" in content
    for word in ("/cancel/", "/give/", "/settings/payment", "/allowed/"):
        assert word not in content
    assert client_of(bob).get(address).status_code == 403


def test_another_company_sees_nothing_of_it(
    client_of: ClientOf, rich: Member, bob: Member, voicemail: Plan, charlie: Member
) -> None:
    today_give(rich, voicemail, bob)
    client = client_of(charlie)
    assert client.get(f"/members/{bob.pk}/features/").status_code == 404
    assert "Nobody has a feature yet" in words_of(client.get("/features/"))
    assert names_of(client) == ["Charlie"]
    assert names_of(client, "?has=yes") == []
    assert client.get("/features/nonsense/").status_code == 404


# How fast


@pytest.mark.parametrize(
    "page",
    [
        "/features/",
        "/features/voicemail/",
        "/features/voicemail/?has=yes",
        "/features/voicemail/?has=yes&sort=until&q=m",
        "/features/voicemail/?has=no",
    ],
)
def test_the_number_of_queries_does_not_grow(
    desk: Client,
    rich: Member,
    bob: Member,
    voicemail: Plan,
    minutes: Plan,
    team: Callable[[int], list[Member]],
    page: str,
) -> None:
    first = make_member(bob.company, "mia")
    today_give(rich, voicemail, first)
    few = query_count(desk, page)
    today_give(rich, voicemail, bob, *team(20))
    today_give(rich, minutes, bob, months=3)
    assert query_count(desk, page) == few
    assert few <= 20


def test_the_number_of_queries_for_a_member_does_not_grow(
    desk: Client, client_of: ClientOf, rich: Member, bob: Member, minutes: Plan, voicemail: Plan
) -> None:
    own = client_of(bob)
    today_give(rich, minutes, bob)
    few = [query_count(desk, f"/members/{bob.pk}/features/"), query_count(own, "/me/")]
    for _time in range(4):
        today_give(rich, minutes, bob, months=3)
    today_give(rich, voicemail, bob)
    assert [query_count(desk, f"/members/{bob.pk}/features/"), query_count(own, "/me/")] == few
