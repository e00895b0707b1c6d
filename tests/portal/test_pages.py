"""The portal's pages by role, and what they never show to whom."""

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from urllib.parse import urlencode

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries, DjangoCaptureOnCommitCallbacks, Settings

from credit.closing import close_months
from members.actors import Actor
from members.lists import create_list
from members.models import Member
from skypemgr.lib import live
from skypemgr.lib.periods import utc_now
from tests.conftest import ClientOf, credit_company, give, make_member
from tests.portal.conftest import History, post_call

PAGES = (
    "/",
    "/reports/summary/",
    "/reports/allocations/",
    "/reports/purchases/",
    "/reports/usage/",
)
SHOWN_TO_ALL = ("/me/", "/settings/")


def text_of(content: bytes) -> str:
    """What a page says, without tags."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", content.decode()))


@pytest.mark.parametrize("address", PAGES)
def test_administrators_and_finance_open_it_members_do_not(
    history: History, fiona: Member, client_of: ClientOf, address: str
) -> None:
    assert client_of(history.alice).get(address).status_code == 200
    assert client_of(fiona).get(address).status_code == 200
    refused = client_of(history.bob).get(address)
    if address == "/":
        assert (refused.status_code, refused["Location"]) == (302, "/me/")
    else:
        assert refused.status_code == 403


@pytest.mark.parametrize("address", SHOWN_TO_ALL)
def test_everybody_with_a_place_opens_it(
    history: History, fiona: Member, client_of: ClientOf, address: str
) -> None:
    for member in (history.alice, history.bob, fiona):
        assert client_of(member).get(address).status_code == 200


@pytest.mark.parametrize("address", [*PAGES, *SHOWN_TO_ALL])
def test_signed_out_people_are_led_to_sign_in(db: None, client: Client, address: str) -> None:
    response = client.get(address)
    assert response.status_code == 302
    assert response["Location"].startswith(reverse("account_login"))


@pytest.mark.parametrize("address", PAGES)
def test_another_companys_administrator_sees_none_of_it(
    history: History, charlie: Member, client_of: ClientOf, address: str
) -> None:
    words = text_of(client_of(charlie).get(address).content)
    assert "Bob" not in words
    assert "Acme" not in words
    assert "434.50" not in words


def test_the_dashboard_tells_the_companys_figures(history: History, client_of: ClientOf) -> None:
    words = text_of(client_of(history.alice).get("/").content)
    assert "€519.50" in words
    assert "€72.35" in words
    assert "Buy credit" in words


@pytest.mark.parametrize(
    "query", ["list=x", "member=-1", "list=%00", "member=9999999999999999999", "list=1&list=%27"]
)
def test_what_is_no_list_and_no_member_is_not_found_on_the_dashboard(
    history: History, client_of: ClientOf, query: str
) -> None:
    assert client_of(history.alice).get(f"/?{query}").status_code == 404


@pytest.mark.parametrize("person", ["%00", "a%00b", "%25", "%27", "_"])
def test_an_odd_search_for_people_finds_nobody_in_a_report(
    history: History, client_of: ClientOf, person: str
) -> None:
    address = f"/reports/allocations/?person={person}"
    assert client_of(history.alice).get(address).status_code == 200


def test_finance_sees_no_button_that_moves_credit(
    history: History, fiona: Member, client_of: ClientOf
) -> None:
    page = client_of(fiona).get("/").content.decode()
    assert f'href="{reverse("buy")}"' not in page
    assert f'href="{reverse("invite")}"' not in page


def test_the_dashboard_takes_as_many_queries_for_many_members_as_for_few(
    history: History,
    client_of: ClientOf,
    django_assert_num_queries: DjangoAssertNumQueries,
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    browser = client_of(history.alice)
    browser.get("/")
    with django_assert_max_num_queries(45) as few:
        browser.get("/")
    for number in range(20):
        give(history.alice, make_member(history.company, f"extra{number}"), "1")
    with django_assert_num_queries(len(few)):
        browser.get("/")


def test_a_fragment_holds_the_parts_that_change_and_nothing_else(
    history: History, client_of: ClientOf
) -> None:
    for address, part in (("/", "dashboard-now"), ("/me/", "me-now")):
        fragment = client_of(history.alice).get(address, headers={"HX-Request": "true"})
        content = fragment.content.decode()
        assert f'id="{part}"' in content
        assert "<html" not in content
        assert "hx-swap-oob" in content


def test_a_new_company_sees_its_three_steps_until_they_are_done(
    alice: Member, client_of: ClientOf
) -> None:
    browser = client_of(alice)
    assert "Three steps" in browser.get("/").content.decode()
    credit_company(alice.company, "50")
    give(alice, make_member(alice.company, "bob"), "5")
    assert "Three steps" not in browser.get("/").content.decode()


def test_members_see_their_own_figures_and_nobody_elses(
    history: History, client_of: ClientOf
) -> None:
    words = text_of(client_of(history.bob).get("/me/").content)
    assert "€42.35" in words
    assert "€519.50" not in words
    assert "Carol" not in words
    assert "Alice" in words


def test_what_has_the_focus_keeps_it_when_the_dashboard_is_fetched_again(
    history: History, client_of: ClientOf
) -> None:
    live_part = client_of(history.alice).get("/", headers={"HX-Request": "true"}).content.decode()
    links = re.findall(r"<a ([^>]*)>", live_part)
    ids = [found for link in links for found in re.findall(r' id="([^"]+)"', f" {link}")]
    assert len(set(ids)) == len(links) > 1


def test_the_tables_of_charts_have_heads_and_are_reached_by_keyboard(
    history: History, client_of: ClientOf
) -> None:
    page = client_of(history.alice).get("/").content.decode()
    frames = re.findall(r'<div class="table-frame"([^>]*)>', page)
    assert len(frames) == page.count("<canvas") > 0
    assert all('tabindex="0"' in frame and 'role="region"' in frame for frame in frames)
    assert not re.search(r'<th scope="col"[^>]*>\s*</th>', page)


@pytest.mark.parametrize("name", ["alice", "fiona"])
def test_the_ways_from_the_dashboard_follow_what_was_chosen(
    history: History, fiona: Member, client_of: ClientOf, name: str
) -> None:
    desk = client_of({"alice": history.alice, "fiona": fiona}[name])
    chosen = create_list(actor=Actor.of_member(history.alice), name="Sales")
    of_list = desk.get(f"/?list={chosen.pk}").content.decode()
    assert f'href="/members/?list={chosen.pk}"' in of_list
    assert 'href="/members/"' not in of_list.split("<main")[1]
    of_member = desk.get(f"/?member={history.bob.pk}").content.decode()
    assert f'href="/members/{history.bob.pk}/"' in of_member
    assert ("Manage credit" in of_member) == (name == "alice")


def test_calls_on_the_dashboard_are_a_days_total(history: History, client_of: ClientOf) -> None:
    now = utc_now()
    for number in range(3):
        post_call(history.bob, "1", f"today{number}", now=now)
    words = text_of(client_of(history.alice).get("/").content)
    assert "3 calls" in words
    assert "+33" not in words


def test_an_unchanged_version_answers_204_and_a_new_one_the_balance(
    history: History,
    client_of: ClientOf,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    browser = client_of(history.alice)
    version = live.version(history.company.pk)
    assert browser.get(f"/live/?v={version}").status_code == 204
    with django_capture_on_commit_callbacks(execute=True):
        credit_company(history.company, "10", now=utc_now())
    news = browser.get(f"/live/?v={version}")
    assert news.status_code == 200
    assert news.json() == {"version": live.version(history.company.pk), "balance": "€529.50"}


def test_members_are_told_their_own_balance(history: History, client_of: ClientOf) -> None:
    assert client_of(history.bob).get("/live/?v=x").json()["balance"] == "€42.35"


def test_the_poll_says_unchanged_while_redis_is_away(
    history: History, client_of: ClientOf, settings: Settings
) -> None:
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    assert client_of(history.alice).get("/live/?v=0").status_code == 204


def test_the_poll_refuses_who_is_signed_out(db: None, client: Client) -> None:
    assert client.get("/live/?v=0").status_code == 401


@pytest.mark.parametrize(
    ("month", "status", "sentence"),
    [
        ("2026-13", 422, "That is not a month"),
        ("banana", 422, "That is not a month"),
        ("9999-12", 404, "still to come"),
        ("1999-01", 404, "did not exist"),
    ],
)
def test_a_month_that_cannot_be_shown_is_said_in_a_sentence(
    history: History, client_of: ClientOf, month: str, status: int, sentence: str
) -> None:
    for address in ("/reports/allocations/", "/reports/allocations/export/"):
        response = client_of(history.alice).get(address, {"month": month})
        assert response.status_code == status
        assert sentence in response.content.decode()


def test_an_unknown_report_is_not_found(history: History, client_of: ClientOf) -> None:
    for address in ("/reports/secrets/", "/reports/secrets/export/"):
        assert client_of(history.alice).get(address).status_code == 404


def test_the_file_of_a_report_holds_the_rows_of_the_page(
    history: History, client_of: ClientOf
) -> None:
    response = client_of(history.alice).get("/reports/allocations/export/?month=2026-08")
    lines = b"".join(response).decode("utf-8-sig").splitlines()
    assert lines[0] == (
        "Date,Member,List,Kind,What,Allocated by,Amount,Member's balance after,Currency"
    )
    assert lines[1:] == [
        "2026-08-12,Bob,,Allocation,,Alice,40.0000,40.0000,EUR",
        "2026-08-12,Carol,,Allocation,,Alice,25.5000,25.5000,EUR",
    ]
    assert 'filename="allocations-2026-08.csv"' in response["Content-Disposition"]


def test_french_readers_get_french_separators(history: History, client_of: ClientOf) -> None:
    browser = client_of(history.alice, language="fr")
    response = browser.get("/reports/allocations/export/?month=2026-08")
    assert ";40,0000;" in b"".join(response).decode("utf-8-sig")


def test_workbooks_open(history: History, client_of: ClientOf) -> None:
    response = client_of(history.alice).get("/reports/usage/export/?format=xlsx")
    assert b"".join(response)[:2] == b"PK"


def test_a_report_by_api_is_the_same(
    history: History, api: Callable[..., Client], fiona: Member
) -> None:
    answer = api(fiona).get("reports/allocations", month="2026-08")
    assert answer.status_code == 200
    body = json.loads(answer.content)
    assert (body["opening"], body["incoming"], body["outgoing"], body["closing"]) == (
        "0.0000",
        "500.0000",
        "65.5000",
        "434.5000",
    )
    assert [row["amount"] for row in body["results"]] == ["40.0000", "25.5000"]
    assert body["results"][0]["kind"] == "allocation"
    assert body["results"][0]["member_id"] == history.bob.pk
    assert api(history.bob).get("reports/allocations").status_code == 403


def test_a_report_by_api_comes_page_by_page(history: History, api: Callable[..., Client]) -> None:
    body = json.loads(api(history.alice).get("reports/allocations", year="2026", limit=3).content)
    assert (body["count"], len(body["results"]), body["previous"]) == (4, 3, None)
    assert body["totals"]["amount"] == "80.5000"
    assert "page=2" in body["next"]
    assert "limit=3" in body["next"]
    rest = json.loads(
        api(history.alice).get("reports/allocations", year="2026", limit=3, page=2).content
    )
    assert [row["amount"] for row in rest["results"]] == ["5.0000"]
    assert rest["next"] is None
    assert "page=1" in rest["previous"]
    for wrong in ("0", "-1", "x", "٣", "9" * 10):
        refused = api(history.alice).get("reports/allocations", page=wrong)
        assert refused.status_code == 400
        assert [each["field"] for each in json.loads(refused.content)["errors"]] == ["page"]


def test_closed_months_by_api_hold_what_was_frozen(
    history: History, api: Callable[..., Client], fiona: Member, charlie: Member
) -> None:
    assert json.loads(api(fiona).get("reports/closings").content)["results"] == []
    close_months(now=datetime(2026, 9, 1, 1, tzinfo=UTC))
    close_months(now=datetime(2026, 9, 1, 2, tzinfo=UTC))
    [closed] = json.loads(api(fiona).get("reports/closings").content)["results"]
    assert closed["month"] == "2026-08"
    assert (closed["company_opening"], closed["company_closing"]) == ("0.0000", "434.5000")
    assert len(closed["digest"]) == 64
    assert api(history.bob).get("reports/closings").status_code == 403
    others = json.loads(api(charlie).get("reports/closings").content)["results"]
    assert closed["digest"] not in [each["digest"] for each in others]


@pytest.mark.parametrize("form", ["csv", "xlsx", "pdf"])
def test_a_report_by_api_comes_as_a_file(
    history: History, api: Callable[..., Client], form: str
) -> None:
    answer = api(history.alice).get("reports/purchases", format=form)
    assert answer.status_code == 200
    assert f".{form}" in answer["Content-Disposition"]
    assert b"".join(answer)


@pytest.mark.parametrize(
    ("query", "status", "code"),
    [
        ({"month": "2026-13"}, 422, "invalid_month"),
        ({"month": "9999-01"}, 404, "not_found"),
        ({"format": "doc"}, 422, "invalid_format"),
    ],
)
def test_a_report_by_api_refuses_what_it_cannot_give(
    history: History,
    api: Callable[..., Client],
    query: dict[str, str],
    status: int,
    code: str,
) -> None:
    answer = api(history.alice).get(f"reports/summary?{urlencode(query)}")
    assert (answer.status_code, json.loads(answer.content)["code"]) == (status, code)


def test_every_link_of_the_portals_pages_leads_somewhere(
    history: History, fiona: Member, client_of: ClientOf
) -> None:
    for member in (history.alice, fiona, history.bob):
        browser = client_of(member)
        for address in ("/", "/me/", "/settings/", "/reports/allocations/"):
            page = browser.get(address)
            if page.status_code != 200:
                continue
            for link in set(re.findall(r'href="(/[^"#]*)"', page.content.decode())):
                if link.startswith("/static/"):
                    continue
                led = browser.get(link.replace("&amp;", "&"))
                assert led.status_code in (200, 302), f"{member.name} {address} → {link}"
                assert b"".join(led) or led.status_code == 302


def test_the_shell_costs_no_query_until_it_is_drawn(
    history: History, client_of: ClientOf, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    browser = client_of(history.alice)
    browser.get("/settings/")
    # Session, login, place in the company, balance in the header.
    with django_assert_num_queries(4):
        browser.get("/settings/")


def test_balances_never_differ_between_header_and_page(
    history: History, client_of: ClientOf
) -> None:
    page = client_of(history.alice).get("/").content.decode()
    shown = re.findall(r'data-live="balance">([^<]*)<', page)
    assert len(shown) == 2
    assert len(set(shown)) == 1
    assert Decimal(shown[0].strip("€")) == Decimal("519.50")
