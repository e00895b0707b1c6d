"""Statements through the API, by role, and what they never tell of single calls."""

from typing import Any

import pytest
from pytest_django import DjangoAssertNumQueries

from credit.call_rows import CallRow
from credit.calls import charge_calls
from credit.models import Rate
from members.models import Member
from skypemgr.lib.periods import utc_now
from tests.api.conftest import Api, ApiClient, refused
from tests.conftest import credit_company, give

NUMBER = "+33142276830"


@pytest.fixture(autouse=True)
def _busy(alice: Member, bob: Member) -> None:
    """bob got 5 and 1, and called for 1 three times."""
    Rate.objects.create(
        prefix="33", kind="other", price_per_minute=1, currency="EUR", valid_from="2020-01-01"
    )
    credit_company(alice.company, "100")
    give(alice, bob, "5")
    now = utc_now()
    rows = [CallRow("pbx", str(n), bob.pk, NUMBER, now, 60) for n in range(3)]
    charge_calls(bob.company, rows[:2], now=now)
    give(alice, bob, "1")
    charge_calls(bob.company, rows[2:], now=now)


def pages(client: ApiClient, path: str, limit: int) -> list[dict[str, Any]]:
    """All results, following ``next``; then the same following ``previous``."""
    body = client.get(path, limit=limit).json()
    found: list[dict[str, Any]] = body["results"]
    assert body["previous"] is None
    while body["next"]:
        body = client.client.get(body["next"]).json()
        found += body["results"]
    back = body["results"]
    while body["previous"]:
        body = client.client.get(body["previous"]).json()
        back = body["results"] + back
    assert back == found
    return found


@pytest.mark.parametrize("who", ["alice", "fiona"])
@pytest.mark.parametrize("limit", [1, 2, 50])
def test_others_see_one_line_for_the_days_calls(
    api: Api, alice: Member, fiona: Member, bob: Member, who: str, limit: int
) -> None:
    client = api({"alice": alice, "fiona": fiona}[who])
    calls, second, first = pages(client, f"members/{bob.pk}/statement", limit)
    assert calls.keys() == {
        "kind",
        "booked_on",
        "at",
        "amount",
        "balance_before",
        "balance_after",
        "made_by",
        "calls",
    }
    assert (calls["kind"], calls["calls"], calls["at"]) == ("call", 3, None)
    assert (calls["amount"], calls["balance_before"], calls["balance_after"]) == (
        "-3.0000",
        "6.0000",
        "3.0000",
    )
    assert (second["amount"], second["balance_before"]) == ("1.0000", "5.0000")
    assert (first["made_by"], first["calls"], first["balance_before"]) == ("Alice", 0, "0.0000")


def test_the_member_sees_each_own_call_with_its_number(api: Api, bob: Member) -> None:
    rows = pages(api(bob), "me/statement", 2)
    assert [row["amount"] for row in rows] == ["-1.0000", "1.0000", "-1.0000", "-1.0000", "5.0000"]
    assert rows[0]["destination"] == NUMBER
    assert (rows[0]["duration_seconds"], rows[0]["uncollected"], rows[0]["calls"]) == (
        60,
        "0.0000",
        0,
    )
    assert (rows[1]["destination"], rows[1]["uncollected"]) == (None, None)


def test_no_number_reaches_anybody_else(api: Api, alice: Member, bob: Member) -> None:
    for path in (f"members/{bob.pk}/statement", "company/statement", "me/statement"):
        assert NUMBER not in api(alice).get(path).content.decode()


def test_the_companys_statement_tells_who_received(api: Api, alice: Member, bob: Member) -> None:
    second, first, bought = pages(api(alice), "company/statement", 2)
    assert (second["member"], second["amount"], second["balance_after"]) == (
        bob.pk,
        "-1.0000",
        "94.0000",
    )
    assert (first["kind"], first["made_by"]) == ("allocation", "Alice")
    assert (bought["kind"], bought["member"], bought["balance_after"]) == (
        "purchase",
        None,
        "100.0000",
    )


def test_a_member_opens_only_the_own_statement(api: Api, bob: Member) -> None:
    client = api(bob)
    refused(client.get(f"members/{bob.pk}/statement"), 403, "not_allowed")
    refused(client.get("company/statement"), 403, "not_allowed")


def test_another_company_finds_none_of_it(api: Api, charlie: Member, bob: Member) -> None:
    client = api(charlie)
    refused(client.get(f"members/{bob.pk}/statement"), 404, "not_found")
    empty: dict[str, Any] = {"results": [], "next": None, "previous": None}
    assert client.get("company/statement").json() == empty
    assert client.get("me/statement").json() == empty


def test_a_company_token_and_nobody_open_none(api: Api, alice: Member, bob: Member) -> None:
    for path in (f"members/{bob.pk}/statement", "company/statement", "me/statement"):
        refused(api(alice, for_company=True).get(path), 403, "scope_missing")
        refused(api().get(path), 401, "not_authenticated")


@pytest.mark.parametrize("query", [{"cursor": "n99"}, {"cursor": "?"}, {"cursor": "\x00"}])
def test_a_foreign_cursor_is_refused(
    api: Api, alice: Member, bob: Member, query: dict[str, str]
) -> None:
    for path in (f"members/{bob.pk}/statement", "company/statement", "me/statement"):
        response = api(alice).get(path, **query)
        assert response.status_code == 400
        refused(response, 400, response.json()["code"])


@pytest.mark.parametrize("limit", ["0", "x", "-1"])
def test_a_limit_that_is_no_number_is_refused(
    api: Api, alice: Member, bob: Member, limit: str
) -> None:
    refused(api(alice).get(f"members/{bob.pk}/statement", limit=limit), 400, "invalid")


def test_a_longer_statement_needs_no_more_queries(
    api: Api, alice: Member, bob: Member, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    client = api(alice)
    address = f"members/{bob.pk}/statement"
    client.get(address)
    # The token, the member, the purse, the page.
    with django_assert_num_queries(4):
        client.get(address)
    for _ in range(5):
        give(alice, bob, "1")
    with django_assert_num_queries(4):
        assert len(client.get(address).json()["results"]) == 8
