"""Finished calls: who sees single ones, what is hidden, what is refused, what a call costs."""

import csv
import io
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from credit.call_rows import CallRow
from credit.calls import charge_calls
from credit.models import Allowance, Call, Rate
from credit.queries.calls import Wanted, read_member_calls
from credit.rates import import_rates
from credit.usage_rollup import roll_up_usage
from members.actors import Actor
from members.call_details import set_consent, switch_call_details
from members.models import Member
from tests.conftest import ClientOf, credit_company, give, make_company, make_member
from tests.portal.conftest import NOW
from tests.portal.test_pages import text_of

RATES = Path(__file__).parents[1] / "data" / "rates.csv"
LANDLINE, MOBILE, BRITISH = "+33142278186", "+33612345678", "+442071838750"
DAY = datetime(2026, 9, 18, 9, tzinfo=UTC)
MONTH = Wanted(date(2026, 9, 1), date(2026, 9, 30))
Made = Callable[..., None]


def phone(member: Member, destination: str, at: datetime, *, seconds: int = 60) -> None:
    """The member called, and paid what it cost."""
    row = CallRow("pbx", f"{member.pk}-{at:%d%H%M%S%f}", member.pk, destination, at, seconds)
    assert charge_calls(member.company, [row], now=at + timedelta(hours=1))[0].status == "charged"


@pytest.fixture
def callers(alice: Member, bob: Member) -> tuple[Member, Member, Member]:
    """Alice administers; Bob has called three times and Carol twice on the same day."""
    with RATES.open("rb") as file:
        import_rates(file)
    carol = make_member(alice.company, "carol")
    credit_company(alice.company, "100", now=DAY - timedelta(days=1))
    for member in (bob, carol):
        give(alice, member, "20", now=DAY - timedelta(days=1))
    for minutes, destination in enumerate((LANDLINE, MOBILE, BRITISH)):
        phone(bob, destination, DAY + timedelta(minutes=minutes))
    for minutes in range(2):
        phone(carol, LANDLINE, DAY + timedelta(minutes=10 + minutes))
    return alice, bob, carol


def agree(alice: Member, *members: Member) -> None:
    """The company shows single calls, and these members agree to it."""
    switch_call_details(actor=Actor.of_member(alice), on=True)
    for member in members:
        set_consent(actor=Actor.of_member(member), consents=True)


def page(browser: Client, address: str = "/calls/", status: int = 200) -> str:
    """The words of the page."""
    response = browser.get(address)
    assert response.status_code == status
    return text_of(response.content)


def rows_of(response: Any) -> list[list[str]]:
    """The lines of a CSV."""
    text = b"".join(response.streaming_content).decode("utf-8-sig")
    return list(csv.reader(io.StringIO(text)))


def test_members_see_their_own_calls_with_whole_numbers(
    callers: tuple[Member, ...], client_of: ClientOf
) -> None:
    words = page(client_of(callers[1]))
    assert "+33 1 42 27 81 86" in words
    assert "+44 20 7183 8750" in words
    assert "Carol" not in words


def test_a_member_who_asks_for_another_sees_the_own_calls(
    callers: tuple[Member, ...], client_of: ClientOf, charlie: Member
) -> None:
    _alice, bob, carol = callers
    own = page(client_of(bob))
    for other in (carol, charlie):
        assert page(client_of(bob), f"/calls/?member={other.pk}") == own


@pytest.mark.parametrize("who", ["alice", "fiona"])
def test_without_consent_there_are_days_and_no_single_call(
    callers: tuple[Member, ...], fiona: Member, client_of: ClientOf, who: str
) -> None:
    reader = callers[0] if who == "alice" else fiona
    bob = callers[1]
    for address in ("/calls/", f"/calls/?member={bob.pk}", "/calls/?from=2026-09-18&to=2026-09-18"):
        words = page(client_of(reader), address)
        assert "+33" not in words
        assert "18 September 2026" in words


@pytest.mark.parametrize(("on", "consents"), [(True, False), (False, True), (True, True)])
def test_administrators_see_single_calls_only_with_switch_and_consent(
    callers: tuple[Member, ...], client_of: ClientOf, on: bool, consents: bool
) -> None:
    alice, bob, _carol = callers
    switch_call_details(actor=Actor.of_member(alice), on=on)
    set_consent(actor=Actor.of_member(bob), consents=consents)
    words = page(client_of(alice), f"/calls/?member={bob.pk}")
    assert ("+33 1 42 27 ••••" in words) == (on and consents)
    assert "81 86" not in words


def test_finance_never_sees_single_calls(
    callers: tuple[Member, ...], fiona: Member, client_of: ClientOf
) -> None:
    alice, bob, _carol = callers
    agree(alice, bob)
    for query in (f"member={bob.pk}", "from=2026-09-18&to=2026-09-18"):
        assert "+33" not in page(client_of(fiona), f"/calls/?{query}")
        rows = rows_of(client_of(fiona).get(f"/calls/export/?{query}"))
        assert "+33" not in str(rows)


@pytest.mark.parametrize("is_summed", [False, True])
def test_a_day_shows_those_who_agreed_and_the_others_in_one_line(
    callers: tuple[Member, ...], client_of: ClientOf, is_summed: bool
) -> None:
    alice, bob, _carol = callers
    agree(alice, bob)
    if is_summed:
        roll_up_usage(now=NOW)
        assert Call.objects.count() == 5
    address = "/calls/?from=2026-09-18&to=2026-09-18"
    words = page(client_of(alice), address)
    assert words.count("••••") == 3
    assert "Bob" in words
    assert "Carol" not in words
    assert "All others 2 calls" in words
    rows = rows_of(client_of(alice).get(address.replace("/calls/", "/calls/export/")))
    assert len(rows) == 5
    assert rows[-1][3] == "All others"
    assert [row[6] for row in rows[1:]] == ["1", "1", "1", "2"]
    paid = sum(Decimal(row[10]) for row in rows[1:])
    assert paid == sum(Call.objects.values_list("collected", flat=True))


def test_a_call_stored_into_a_summed_day_is_shown(
    callers: tuple[Member, ...], client_of: ClientOf
) -> None:
    alice, bob, _carol = callers
    agree(alice, bob)
    roll_up_usage(now=NOW)
    phone(bob, MOBILE, DAY + timedelta(hours=3))
    words = page(client_of(alice), "/calls/?from=2026-09-18&to=2026-09-18")
    assert words.count("••••") == 4


def test_charlie_sees_nothing_of_another_company(
    callers: tuple[Member, ...], client_of: ClientOf, charlie: Member
) -> None:
    agree(callers[0], callers[1])
    assert "No calls in these days" in page(client_of(charlie))
    page(client_of(charlie), f"/calls/?member={callers[1].pk}", status=404)
    page(client_of(charlie), f"/calls/export/?member={callers[1].pk}", status=404)
    page(client_of(charlie), f"/?member={callers[1].pk}", status=404)


def test_a_removed_member_is_still_named(callers: tuple[Member, ...], client_of: ClientOf) -> None:
    alice, bob, _carol = callers
    Member.objects.filter(pk=bob.pk).update(status="removed", ended_at=NOW)
    assert "Bob" in page(client_of(alice), f"/calls/?member={bob.pk}")
    assert "Bob" in page(client_of(alice), "/")
    assert "Bob" in page(client_of(alice), f"/?member={bob.pk}")
    assert "+33 1 42 27 81 86" in page(client_of(bob), f"/calls/?place={bob.pk}")


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("country=F%27R", 422),
        ("country=%25%25", 422),
        ("uncollected=maybe", 422),
        ("member=1%27%20OR%201=1", 422),
        ("list=%E2%80%AE12", 422),
        ("member=999999999999999999", 404),
        ("list=999999999999999999", 404),
        ("month=2026-13", 422),
        ("month=2099-01", 404),
        ("from=1950-01-01&to=2026-01-01", 422),
        ("list=1&member=1", 422),
    ],
)
def test_what_cannot_be_understood_is_said(
    callers: tuple[Member, ...], client_of: ClientOf, query: str, status: int
) -> None:
    browser = client_of(callers[0])
    assert browser.get(f"/calls/?{query}").status_code == status
    assert browser.get(f"/calls/export/?{query}").status_code == status


@pytest.mark.parametrize("text", ["100%", "O'Brien", "\u202eobo", "_", "\\", "a" * 500, "😀"])
def test_odd_searches_find_nobody_and_break_nothing(
    callers: tuple[Member, ...], client_of: ClientOf, text: str
) -> None:
    for address in ("/", "/calls/"):
        response = client_of(callers[0]).get(address, {"find": text})
        assert response.status_code == 200
        assert "Nobody is called" in text_of(response.content)


def test_a_search_that_finds_one_member_shows_them(
    callers: tuple[Member, ...], client_of: ClientOf
) -> None:
    response = client_of(callers[0]).get("/calls/", {"find": "carol", "month": "2026-09"})
    assert response.status_code == 302
    assert response["Location"] == f"/calls/?month=2026-09&member={callers[2].pk}"


def test_a_member_is_chosen_without_the_country(
    callers: tuple[Member, ...], client_of: ClientOf
) -> None:
    alice, _bob, carol = callers
    desk = client_of(alice)
    found = desk.get("/calls/", {"find": "carol", "month": "2026-09", "country": "FR"})
    assert found["Location"] == f"/calls/?month=2026-09&member={carol.pk}"
    assert "18 September 2026" in page(desk, found["Location"])
    make_member(alice.company, "carole")
    several = desk.get("/calls/", {"find": "carol", "country": "FR"}).content.decode()
    assert f'href="?month=2026-09&amp;member={carol.pk}"' in several


def test_a_day_of_calls_not_wholly_paid_counts_no_others(
    callers: tuple[Member, ...], client_of: ClientOf
) -> None:
    alice, bob, carol = callers
    agree(alice, bob)
    for member in (bob, carol):
        phone(member, MOBILE, DAY + timedelta(hours=2), seconds=80000)
    unpaid = Call.objects.filter(uncollected__gt=0)
    day = "from=2026-09-18&to=2026-09-18"
    words = page(client_of(alice), f"/calls/?{day}&uncollected=1")
    assert words.count("••••") == unpaid.filter(member=bob).count() == 1
    assert "All others 1 call " in words
    assert "Calls 2 Duration" in words
    rows = rows_of(client_of(alice).get(f"/calls/export/?{day}&uncollected=1"))[1:]
    assert [row[6] for row in rows] == ["1", "1"]
    assert sum(Decimal(row[11]) for row in rows) == sum(
        unpaid.values_list("uncollected", flat=True)
    )


def test_filters_leave_calls_of_a_country_and_those_not_paid(
    callers: tuple[Member, ...], client_of: ClientOf
) -> None:
    bob = callers[1]
    words = page(client_of(bob), "/calls/?country=GB")
    assert "+44" in words
    assert "+33" not in words
    assert "No calls in these days" in page(client_of(bob), "/calls/?uncollected=1")
    days = page(client_of(callers[0]), "/calls/?country=GB")
    assert "18 September 2026" in days


def test_where_one_member_called_is_told_of_whole_months_alone(
    callers: tuple[Member, ...], fiona: Member, client_of: ClientOf, api: Any
) -> None:
    alice, bob, _carol = callers
    finance, desk = client_of(fiona), client_of(alice)
    of_country = f"/calls/?member={bob.pk}&country=GB"
    by_place = f"/reports/usage/?by=destination&member={bob.pk}"
    for client in (finance, desk):
        assert client.get(of_country).status_code == 422
        assert client.get(f"{by_place}&from=2026-09-18&to=2026-09-18").status_code == 422
        assert client.get(f"{by_place}&month=2026-09").status_code == 200
        assert "United Kingdom" not in page(client, f"/calls/?member={bob.pk}")
    refused = api(fiona).get("calls", member=bob.pk, country="GB")
    assert (refused.status_code, refused.json()["code"]) == (422, "invalid_filter")
    agree(alice, bob)
    assert "+44" in page(desk, of_country)
    assert finance.get(of_country).status_code == 422


def test_pages_follow_each_other_without_gap_or_repetition(callers: tuple[Member, ...]) -> None:
    bob = callers[1]
    for number in range(7):
        phone(bob, MOBILE, DAY + timedelta(hours=3, seconds=number))
    expected = list(
        Call.objects.filter(member=bob).order_by("-started_at", "-pk").values_list("pk", flat=True)
    )
    found, cursor, pages = [], "", []
    while True:
        part = read_member_calls(bob, MONTH, cursor=cursor, limit=3)
        found += [line.id for line in part.lines]
        pages.append(part)
        cursor = part.older
        if not cursor:
            break
    assert found == expected
    back = read_member_calls(bob, MONTH, cursor=pages[2].newer, limit=3)
    assert [line.id for line in back.lines] == [line.id for line in pages[1].lines]
    assert pages[0].newer == ""


def test_a_cursor_that_is_none_leads_to_the_first_page(
    callers: tuple[Member, ...], client_of: ClientOf
) -> None:
    for reader in callers[:2]:
        response = client_of(reader).get("/calls/?page=n12'%25")
        assert response.status_code == 302


@pytest.mark.parametrize("query", ["", "?member={bob}", "?from=2026-09-18&to=2026-09-18"])
def test_the_page_takes_as_many_queries_for_many_calls_as_for_few(
    callers: tuple[Member, ...],
    client_of: ClientOf,
    django_assert_num_queries: DjangoAssertNumQueries,
    django_assert_max_num_queries: DjangoAssertNumQueries,
    query: str,
) -> None:
    alice, bob, _carol = callers
    agree(alice, bob)
    browser, address = client_of(alice), f"/calls/{query.format(bob=bob.pk)}"
    browser.get(address)
    with django_assert_max_num_queries(14) as few:
        browser.get(address)
    for number in range(20):
        phone(bob, MOBILE, DAY + timedelta(hours=2, minutes=number))
    with django_assert_num_queries(len(few)):
        browser.get(address)


# --- the API --------------------------------------------------------------------------------------


def test_programs_read_days_and_the_single_calls_that_may_be_seen(
    callers: tuple[Member, ...], api: Any
) -> None:
    alice, bob, carol = callers
    answer = api(alice).get("calls", month="2026-09").json()
    assert [(row["day"], row["calls"], row["number"]) for row in answer["results"]] == [
        ("2026-09-18", 5, None)
    ]
    agree(alice, bob)
    shown = api(alice).get("calls", member=bob.pk).json()
    assert {row["number"] for row in shown["results"]} == {
        "+33 1 42 27 ••••",
        "+33 6 12 34 ••••",
        "+44 20 7183 ••••",
    }
    hidden = api(alice).get("calls", member=carol.pk).json()
    assert [row["number"] for row in hidden["results"]] == [None]
    assert hidden["total"]["calls"] == 2


def test_programs_of_members_read_their_own_calls_alone(
    callers: tuple[Member, ...], api: Any
) -> None:
    bob = callers[1]
    assert api(bob).get("calls").status_code == 403
    own = api(bob).get("me/calls", limit=2).json()
    assert [row["number"] for row in own["results"]] == ["+44 20 7183 8750", "+33 6 12 34 56 78"]
    assert own["next"]
    assert api(bob).get("me/calls", cursor="x").status_code == 400


def test_programs_get_the_dashboards_figures(
    callers: tuple[Member, ...], api: Any, charlie: Member
) -> None:
    alice, bob, _carol = callers
    answer = api(alice).get("dashboard").json()
    assert answer["balance"] == "60.0000"
    assert answer["periods"][1]["now"]["allocated"] == "40.0000"
    assert answer["periods"][1]["now"]["calls_count"] == 5
    of_bob = api(alice).get("dashboard", member=bob.pk).json()
    assert of_bob["periods"][1]["now"]["calls_count"] == 3
    assert api(charlie).get("dashboard", member=bob.pk).status_code == 404
    assert api(bob).get("dashboard").status_code == 403


# --- what a call costs ----------------------------------------------------------------------------


def test_the_price_said_is_the_price_charged(
    callers: tuple[Member, ...], client_of: ClientOf, api: Any
) -> None:
    bob = callers[1]
    told = api(bob).get("rates/lookup", number="01 42 27 81 86").json()
    charged = Call.objects.get(member=bob, destination=LANDLINE)
    assert told["number"] == LANDLINE
    assert Decimal(told["price_per_minute"]) == charged.price
    words = page(client_of(bob), "/calls/price/?number=0142278186")
    assert "€0.0180" in words
    assert "general" in words


def test_the_companys_own_price_and_included_minutes_are_told(
    callers: tuple[Member, ...], client_of: ClientOf
) -> None:
    _alice, bob, _carol = callers
    Rate.objects.create(
        company=bob.company,
        prefix="331",
        country="FR",
        kind="landline",
        price_per_minute=Decimal("0.01"),
        connection_fee=Decimal("0.05"),
        minimum_seconds=30,
        increment_seconds=10,
        currency="EUR",
        valid_from="2026-01-01",
    )
    Allowance.objects.create(
        company=bob.company,
        member=bob,
        prefixes=["33"],
        starts_at=NOW - timedelta(days=1),
        ends_at=NOW + timedelta(days=9),
        seconds_total=6000,
        seconds_left=5400,
        created_at=NOW,
    )
    words = page(client_of(bob), "/calls/price/?number=%2B33142278186")
    assert "own prices of Acme" in words
    assert "You have 1 h 30 min of included minutes" in words
    assert "€0.05" in words


@pytest.mark.parametrize("number", ["abc", "+33", "'; --", "%", "\u202eabc", "0" * 40])
def test_what_is_no_number_is_said_beside_the_field(
    callers: tuple[Member, ...], client_of: ClientOf, api: Any, number: str
) -> None:
    response = client_of(callers[1]).get("/calls/price/", {"number": number})
    assert response.status_code == 422
    assert 'aria-invalid="true"' in response.content.decode()
    assert api(callers[1]).get("rates/lookup", number=number).status_code == 422


def test_a_number_without_price_is_told_and_an_emergency_is_free(
    callers: tuple[Member, ...], client_of: ClientOf, api: Any
) -> None:
    browser = client_of(callers[1])
    assert "cannot be called" in page(browser, "/calls/price/?number=%2B85221234567")
    assert api(callers[1]).get("rates/lookup", number="+85221234567").status_code == 404
    assert "Free" in page(browser, "/calls/price/?number=112")


def test_another_companys_prices_are_not_told(db: None, client_of: ClientOf) -> None:
    other = make_company("Elsewhere", "zed")
    Rate.objects.create(
        company=make_company("Rich", "rich").company,
        prefix="33",
        country="FR",
        kind="landline",
        price_per_minute=Decimal("0.7"),
        currency="EUR",
        valid_from="2026-01-01",
    )
    assert "cannot be called" in page(client_of(other), "/calls/price/?number=%2B33142278186")
