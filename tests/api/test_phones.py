"""Phones by the API: set by those whom they concern, read by phone systems alone."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from billing.models import NumberArea, PhoneNumber, PhoneSettings, Subscription
from billing.renewals import end_overdue
from members.models import Member
from tests.api.conftest import Answer, Api, ApiClient, refused
from tests.billing.features.conftest import give_plan
from tests.billing.features.phone_kit import (
    LANDLINE,
    MOBILE,
    answer,
    equip,
    number_of,
    plan_of,
    price_calls,
)
from tests.conftest import make_member

pytestmark = pytest.mark.django_db

VOICEMAIL: dict[str, Any] = {
    "is_on": True,
    "answer_after_seconds": 30,
    "greeting": "name",
    "greeting_language": "fr",
    "greeting_text": "",
    "email": "bob@example.com",
}
FORWARDING: dict[str, Any] = {
    "targets": [
        {"number": MOBILE, "delay_seconds": 10},
        {"number": LANDLINE, "delay_seconds": 20},
    ]
}
DOORS: dict[str, dict[str, Any]] = {
    "voicemail": VOICEMAIL,
    "call-forwarding": FORWARDING,
    "caller-id": {"number": None},
}
PHONE_DOORS = ("phone/settings", "phone/numbers/+33180000000")


@pytest.fixture
def own(alice: Member, bob: Member) -> str:
    """bob has every feature and this number."""
    area = NumberArea.objects.create(country="FR", code="1", name="Paris")
    PhoneNumber.objects.bulk_create(
        PhoneNumber(e164=f"+3318000000{last}", area=area) for last in range(5)
    )
    price_calls("33")
    equip(alice, bob)
    feature = number_of(alice, bob)
    assert feature.number is not None
    return feature.number.e164


def get_all(client: ApiClient, **query: Any) -> list[dict[str, Any]]:
    """Every page."""
    found: list[dict[str, Any]] = []
    page = client.get("phone/settings", **query).json()
    found += page["results"]
    while page["next"]:
        page = follow(client, page["next"]).json()
        found += page["results"]
    return found


def follow(client: ApiClient, address: str) -> Answer:
    return client.client.get(address)


@pytest.mark.parametrize("kind", DOORS)
def test_a_member_and_an_administrator_set_the_same(
    api: Api, alice: Member, bob: Member, own: str, kind: str
) -> None:
    mine, theirs = f"me/{kind}", f"members/{bob.pk}/{kind}"
    body = {"number": own} if kind == "caller-id" else DOORS[kind]
    saved = api(bob).put(mine, body)
    assert saved.status_code == 200, saved.content
    assert saved.json() == {"is_active": True, **body}
    assert api(alice).get(theirs).json() == saved.json()
    assert api(bob).get(mine).json() == saved.json()
    assert api(alice).put(theirs, DOORS[kind]).status_code == 200


@pytest.mark.parametrize("kind", DOORS)
def test_others_neither_read_nor_set(
    api: Api, alice: Member, bob: Member, fiona: Member, charlie: Member, own: str, kind: str
) -> None:
    path, body = f"members/{bob.pk}/{kind}", DOORS[kind]
    for client in (api(fiona), api(bob)):
        refused(client.get(path), 403, "not_allowed")
        refused(client.put(path, body), 403, "not_allowed")
    refused(api(charlie).get(path), 404, "not_found")
    refused(api(charlie).put(path, body), 404, "not_found")
    refused(api(alice, for_company=True).get(path), 403, "scope_missing")
    refused(api(alice, scopes=["read"]).put(path, body), 403, "scope_missing")
    refused(api().get(path), 401, "not_authenticated")
    refused(api(fiona).put(f"me/{kind}", body), 422, "feature_missing")
    assert api(fiona).get(f"me/{kind}").json()["is_active"] is False


@pytest.mark.parametrize(
    ("kind", "body", "code", "field"),
    [
        ("voicemail", {}, "required", "is_on"),
        ("voicemail", {**VOICEMAIL, "answer_after_seconds": 121}, "max_value", None),
        ("voicemail", {**VOICEMAIL, "answer_after_seconds": "x"}, "invalid", None),
        ("voicemail", {**VOICEMAIL, "greeting": "text"}, "invalid_text", "greeting_text"),
        ("voicemail", {**VOICEMAIL, "greeting": "song"}, "invalid_choice", "greeting"),
        ("voicemail", {**VOICEMAIL, "email": "x"}, "invalid_email", "email"),
        ("voicemail", {**VOICEMAIL, "greeting_text": "\x00"}, "null_characters_not_allowed", None),
        ("voicemail", {**VOICEMAIL, "song": 1}, "unknown_field", "song"),
        ("call-forwarding", {}, "required", "targets"),
        ("call-forwarding", {"targets": [{"number": MOBILE}]}, "required", None),
        ("call-forwarding", {"targets": "x"}, "not_a_list", "targets"),
        ("call-forwarding", {"targets": FORWARDING["targets"] * 2}, "max_length", "targets"),
        (
            "call-forwarding",
            {"targets": [FORWARDING["targets"][0], {"number": "112", "delay_seconds": 5}]},
            "emergency_number",
            "targets.1.number",
        ),
        ("caller-id", {}, "required", "number"),
        ("caller-id", {"number": MOBILE}, "not_own_number", "number"),
        ("caller-id", {"number": 5}, "not_own_number", "number"),
    ],
)
def test_wrong_bodies_are_refused_by_field(
    api: Api, bob: Member, own: str, kind: str, body: object, code: str, field: str | None
) -> None:
    before = PhoneSettings.objects.values().get(pk=bob.pk)
    problem = refused(api(bob).put(f"me/{kind}", body), 422, code)
    if field is not None:
        assert problem["errors"][0]["field"] == field
    assert PhoneSettings.objects.values().get(pk=bob.pk) == before


@pytest.mark.parametrize("path", PHONE_DOORS)
def test_only_the_scope_calls_reads_phones(
    api: Api, alice: Member, bob: Member, fiona: Member, charlie: Member, own: str, path: str
) -> None:
    assert api(alice, for_company=True).get(path).status_code == 200
    assert api(alice, scopes=["calls"]).get(path).status_code == 200
    refused(api(alice, scopes=["read", "write"]).get(path), 403, "scope_missing")
    refused(api(bob).get(path), 403, "scope_missing")
    refused(api(fiona).get(path), 403, "scope_missing")
    refused(api().get(path), 401, "not_authenticated")
    other = api(charlie, for_company=True).get(path)
    if path == "phone/settings":
        assert other.json()["results"] == []
    else:
        refused(other, 404, "not_found")


def test_a_number_tells_whose_it_is_and_where_calls_go(
    api: Api, alice: Member, bob: Member, own: str
) -> None:
    api(bob).put("me/call-forwarding", FORWARDING)
    system = api(alice, for_company=True)
    expected = {
        "number": own,
        "member": bob.pk,
        "name": "Bob",
        "username": "bob",
        "call_forwarding": {"is_active": True, **FORWARDING},
    }
    for written in (own, own[1:], own.replace("+", "%2B"), f"{own}/"):
        found = system.client.get(f"/api/v1/phone/numbers/{written}")
        assert found.status_code == 200, written
        told = found.json()
        assert told.pop("voicemail")["is_active"] is True
        assert told == expected
    for wrong in ("+33180000004", "+33612345678", "0", "+", "x", "++33180000000", "9" * 19):
        refused(system.get(f"phone/numbers/{wrong}"), 404, "not_found")


def test_a_number_that_ended_is_nobodys(api: Api, alice: Member, bob: Member, own: str) -> None:
    system = api(alice, for_company=True)
    (before,) = get_all(system)
    Subscription.objects.filter(number__e164=own).update(renews=False, charge_on=None)
    end_overdue(now=datetime(2026, 3, 1, 12, tzinfo=UTC))
    refused(system.get(f"phone/numbers/{own}"), 404, "not_found")
    (after,) = get_all(system, updated_since=before["updated_at"])
    assert (before["numbers"], after["numbers"]) == ([own], [])
    assert get_all(system, updated_since=after["updated_at"]) == []


def test_changes_come_page_by_page_and_one_in_between_comes_at_the_end(
    api: Api, alice: Member, own: str
) -> None:
    people = [make_member(alice.company, f"m{number}") for number in range(5)]
    give_plan(alice, plan_of("voicemail"), *people)
    system = api(alice, for_company=True)
    first = system.get("phone/settings", limit=2).json()
    assert [row["member"] for row in first["results"]][1] == people[0].pk
    assert first["previous"] is None
    answer(alice, people[1])
    rest: list[int] = []
    page = first
    while page["next"]:
        page = follow(system, page["next"]).json()
        rest += [row["member"] for row in page["results"]]
    assert rest == [people[2].pk, people[3].pk, people[4].pk, people[1].pk]
    back: list[int] = []
    while page["previous"]:
        page = follow(system, page["previous"]).json()
        back = [row["member"] for row in page["results"]] + back
    assert page["next"]
    assert back[-1] in (people[3].pk, people[4].pk)
    told = get_all(system)
    stamps = [row["updated_at"] for row in told]
    assert stamps == sorted(stamps)
    assert len({row["member"] for row in told}) == len(told) == 6


def test_updated_since_is_after_that_instant_in_any_zone(
    api: Api, alice: Member, bob: Member, own: str
) -> None:
    system = api(alice, for_company=True)
    (row,) = get_all(system)
    stamp = datetime.fromisoformat(row["updated_at"])
    before = (stamp - timedelta(microseconds=1)).astimezone(UTC)
    for text in (before.isoformat(), before.isoformat().replace("+00:00", "Z"), "2020-01-01T00:00"):
        assert len(get_all(system, updated_since=text)) == 1, text
    plus = system.client.get(f"/api/v1/phone/settings?updated_since={before.isoformat()}")
    assert len(plus.json()["results"]) == 1
    assert get_all(system, updated_since="9999-12-31T23:59:59Z") == []


@pytest.mark.parametrize(
    "query",
    [
        {"updated_since": "yesterday"},
        {"updated_since": "2026-13-01T00:00:00Z"},
        {"updated_since": "9999-12-31T23:59:59-14:00"},
        {"updated_since": "\x00"},
        {"cursor": "x"},
        {"cursor": "bg"},
        {"cursor": "bjk5OTk5OTk5OTk5OTk5OTk5OTk5OTkuMQ"},
        {"cursor": "é"},
        {"limit": "0"},
        {"limit": "-1"},
    ],
)
def test_wrong_questions_are_refused(
    api: Api, alice: Member, own: str, query: dict[str, str]
) -> None:
    response = api(alice, for_company=True).get("phone/settings", **query)
    assert response.status_code == 400
    refused(response, 400, response.json()["code"])


def test_a_page_takes_a_fixed_number_of_queries(api: Api, alice: Member, own: str) -> None:
    system = api(alice, for_company=True)
    with CaptureQueriesContext(connection) as few:
        system.get("phone/settings")
    people = [make_member(alice.company, f"m{number}") for number in range(5)]
    equip(alice, *people)
    with CaptureQueriesContext(connection) as many:
        assert len(system.get("phone/settings").json()["results"]) == 6
    assert len(many) <= len(few)
