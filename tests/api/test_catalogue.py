"""Plans and numbers through the API: in the company's currency, for whoever may, nobody else's."""

from datetime import date, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from billing.models import NumberArea, PhoneNumber, Plan
from members.models import Company, Member
from tests.api.conftest import Api, refused
from tests.billing.features.conftest import (
    free_forwarding,
    french_number,
    give_number,
    make_plan,
    minutes,
    paris,
    rich,
    voicemail,
)

pytestmark = pytest.mark.django_db
__all__ = ["free_forwarding", "french_number", "minutes", "paris", "rich", "voicemail"]
DOORS = ["plans", "plans/voicemail", "numbers/areas", "numbers"]


@pytest.mark.usefixtures("free_forwarding", "french_number", "voicemail")
def test_plans_are_told_with_prices_by_period_and_month(
    api: Api, alice: Member, fiona: Member, minutes: Plan
) -> None:
    rows = api(fiona).get("plans").json()["results"]
    assert [row["kind"] for row in rows] == [
        "number",
        "subscription",
        "voicemail",
        "call_forwarding",
    ]
    (row,) = api(alice).get("plans", kind="subscription").json()["results"]
    assert row == {
        "code": "france-400",
        "kind": "subscription",
        "name": "france-400",
        "country": "",
        "included_minutes": 400,
        "is_unlimited": False,
        "destinations": ["FR"],
        "prefixes": ["33"],
        "is_offered": True,
        "valid_until": None,
        "currency": "EUR",
        "prices": [
            {"months": 1, "price": "5.00", "by_month": "5.00"},
            {"months": 3, "price": "14.00", "by_month": "4.67"},
            {"months": 12, "price": "50.00", "by_month": "4.17"},
        ],
    }
    assert api(alice).get("plans/france-400").json() == row
    refused(api(alice).get("plans", kind="music"), 400, "unknown_kind")
    refused(api(alice).get("plans/unknown"), 404, "not_found")


def test_prices_have_the_decimals_of_the_currency(api: Api, alice: Member, minutes: Plan) -> None:
    minutes.prices.create(currency="JPY", months=3, price=2600)
    minutes.prices.create(currency="TND", months=1, price="20.125")
    for currency, prices in (
        ("JPY", [{"months": 3, "price": "2600", "by_month": "867"}]),
        ("TND", [{"months": 1, "price": "20.125", "by_month": "20.125"}]),
        ("USD", []),
    ):
        Company.objects.filter(pk=alice.company_id).update(currency=currency)
        client = api(Member.objects.get(pk=alice.pk))
        assert client.get("plans/france-400").json()["prices"] == prices
        assert len(client.get("plans").json()["results"]) == bool(prices)


def test_a_withdrawn_plan_is_told_and_not_offered(api: Api, alice: Member) -> None:
    make_plan("old", "voicemail", {1: "2"}, valid_until=date(2024, 1, 1))
    make_plan("next", "voicemail", {1: "2"}, valid_from=date(2200, 1, 1))
    make_plan("now", "voicemail", {1: "2"})
    client = api(alice)
    assert [row["code"] for row in client.get("plans").json()["results"]] == ["now"]
    row = client.get("plans/old").json()
    assert (row["is_offered"], row["valid_until"]) == (False, "2024-01-01")


def test_the_plans_cost_the_same_however_many_there_are(api: Api, alice: Member) -> None:
    client = api(alice)

    def queries() -> int:
        with CaptureQueriesContext(connection) as seen:
            assert client.get("plans", kind="voicemail").status_code == 200
        return len(seen)

    make_plan("first", "voicemail", {1: "2"})
    queries()
    before = queries()
    for number in range(5):
        make_plan(f"more-{number}", "voicemail", {1: "2", 3: "5"})
    assert queries() == before


def test_areas_tell_rules_and_whether_a_number_is_left(
    api: Api, alice: Member, fiona: Member, paris: NumberArea
) -> None:
    NumberArea.objects.filter(pk=paris.pk).update(note_en="Live there.", note_fr="Y habiter.")
    NumberArea.objects.create(country="GB", code="20", name="London")
    rows = api(fiona).get("numbers/areas").json()["results"]
    assert [(row["country"], row["has_free"]) for row in rows] == [("FR", True), ("GB", False)]
    (row,) = api(alice, language="fr").get("numbers/areas", country="fr").json()["results"]
    assert row == {
        "id": paris.pk,
        "country": "FR",
        "code": "1",
        "name": "Paris",
        "note": "Y habiter.",
        "has_free": True,
    }
    page = api(alice).get("numbers/areas", limit=1).json()
    assert page["next"]
    assert api(alice).get("numbers/areas", country="QQ").json()["results"] == []


def test_numbers_are_kept_for_fifteen_minutes_and_nobody_gets_them_twice(
    api: Api, alice: Member, charlie: Member, paris: NumberArea
) -> None:
    answer = api(alice).post("numbers/reserve", {"area": paris.pk, "count": 3})
    assert answer.status_code == 201, answer.content
    body = answer.json()
    assert [row["number"] for row in body["numbers"]] == [f"+3318000000{end}" for end in range(3)]
    kept = PhoneNumber.objects.get(pk=body["numbers"][0]["id"])
    assert kept.reserved_until is not None
    assert kept.reserved_until - timezone.now() <= timedelta(minutes=15)
    other = api(charlie).post("numbers/reserve", {"area": paris.pk})
    assert [row["number"] for row in other.json()["numbers"]] == ["+33180000003"]
    refused(
        api(charlie).post("numbers/reserve", {"area": paris.pk, "count": 3}),
        422,
        "no_numbers_left",
    )
    assert PhoneNumber.objects.filter(reserved_for=charlie.company).count() == 1


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"area": 987654}, "unknown_area"),
        ({"area": 2**63 - 1}, "unknown_area"),
        ({"area": "x"}, "invalid"),
        ({}, "required"),
        ({"area": 1, "count": 0}, "min_value"),
        ({"area": 1, "count": 1001}, "max_value"),
        ({"area": 1, "counts": 1}, "unknown_field"),
    ],
)
def test_a_wish_for_numbers_that_makes_no_sense_is_refused(
    api: Api, alice: Member, body: dict[str, object], code: str
) -> None:
    refused(api(alice).post("numbers/reserve", body), 422, code)


def test_numbers_are_those_of_the_company(
    api: Api,
    rich: Member,
    bob: Member,
    fiona: Member,
    charlie: Member,
    french_number: Plan,
    paris: NumberArea,
) -> None:
    first = give_number(rich, french_number, paris, rich)
    second = give_number(rich, french_number, paris, bob)
    rows = api(fiona).get("numbers").json()["results"]
    assert [row["subscription"] for row in rows] == [first.pk, second.pk]
    assert rows[1] == {
        "number": "+33180000001",
        "country": "FR",
        "area": "Paris",
        "member": bob.pk,
        "member_name": bob.name,
        "subscription": second.pk,
        "plan": "number-fr",
        "months": 1,
        "status": "active",
        "renews": True,
        "paid_until": "2026-02-28",
    }
    (only,) = api(rich).get("numbers", member=bob.pk).json()["results"]
    assert only["member"] == bob.pk
    assert api(charlie).get("numbers").json()["results"] == []
    refused(api(charlie).get("numbers", member=bob.pk), 404, "not_found")
    refused(api(rich).get("numbers", member="x"), 400, "invalid")
    assert api(rich).get("numbers", limit=1).json()["next"]


@pytest.mark.usefixtures("voicemail")
def test_members_and_company_tokens_see_no_plans_and_reserve_nothing(
    api: Api, alice: Member, bob: Member, fiona: Member, paris: NumberArea
) -> None:
    for path in DOORS:
        assert api(fiona).get(path).status_code == 200
        refused(api(bob).get(path), 403, "not_allowed")
        refused(api(alice, for_company=True).get(path), 403, "scope_missing")
        refused(api().get(path), 401, "not_authenticated")
    for member in (bob, fiona):
        refused(api(member).post("numbers/reserve", {"area": paris.pk}), 403, "not_allowed")
    assert not PhoneNumber.objects.exclude(state="free").exists()
