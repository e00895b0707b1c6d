"""Calls reported through the API: row by row, once each."""

from datetime import date
from decimal import Decimal

import pytest

from credit.models import Call, Rate
from members.models import Member
from tests.api.conftest import Api, refused
from tests.conftest import credit_company, give

STARTED = "2026-01-05T09:15:00+01:00"
FIELDS = {"source", "id", "status", "price", "collected", "uncollected", "code"}


@pytest.fixture(autouse=True)
def _deck(db: None) -> None:
    Rate.objects.create(
        prefix="33",
        country="FR",
        kind="landline",
        price_per_minute=Decimal("0.0300"),
        connection_fee=Decimal("0.1000"),
        currency="EUR",
        increment_seconds=60,
        valid_from=date(2020, 1, 1),
    )


def row(member: object, **fields: object) -> dict[str, object]:
    return {
        "source": "pbx",
        "id": "1",
        "member": member,
        "destination": "+33142278900",
        "started_at": STARTED,
        "duration_seconds": 61,
        **fields,
    }


@pytest.mark.parametrize("way", ["administrator", "company"])
def test_a_call_is_charged_once_by_id_or_user_name(
    api: Api, alice: Member, bob: Member, way: str
) -> None:
    credit_company(alice.company, "10")
    give(alice, bob, "1")
    client = api(alice, for_company=way == "company")
    first = client.post("calls", {"calls": [row(bob.pk)]})
    assert first.status_code == 200, first.content
    (result,) = first.json()["results"]
    assert result.keys() == FIELDS
    assert result == {
        "source": "pbx",
        "id": "1",
        "status": "charged",
        "price": "0.1600",
        "collected": "0.1600",
        "uncollected": "0.0000",
        "code": "",
    }
    (again,) = client.post("calls", {"calls": [row("bob")]}).json()["results"]
    assert (again["status"], again["collected"]) == ("already_there", "0.1600")
    assert Call.objects.count() == 1
    assert api(alice).get(f"members/{bob.pk}").json()["balance"] == "0.8400"


BAD_ROWS: list[tuple[dict[str, object], str]] = [
    ({"member": 10**30}, "unknown_member"),
    ({"member": "nobody"}, "unknown_member"),
    ({"member": "a\x00b"}, "unknown_member"),
    ({"member": None}, "unknown_member"),
    ({"member": [1]}, "unknown_member"),
    ({"member": {"id": 1}}, "unknown_member"),
    ({"member": 1.5}, "unknown_member"),
    ({"destination": "call me"}, "malformed_number"),
    ({"destination": 33142278900}, "malformed_number"),
    ({"destination": "+33\x00142278900"}, "malformed_number"),
    ({"destination": "+3314227890012345678901234567890"}, "malformed_number"),
    ({"destination": "+4915112345678"}, "no_rate"),
    ({"started_at": "yesterday"}, "invalid_date"),
    ({"started_at": 1767600000}, "invalid_date"),
    ({"started_at": "2026-02-30T00:00:00Z"}, "invalid_date"),
    ({"started_at": "0001-01-01T00:00:00+14:00"}, "invalid_date"),
    ({"started_at": "2999-01-01T00:00:00Z"}, "in_future"),
    ({"duration_seconds": -1}, "invalid_duration"),
    ({"duration_seconds": 1.5}, "invalid_duration"),
    ({"duration_seconds": 10**30}, "invalid_duration"),
    ({"duration_seconds": True}, "invalid_duration"),
    ({"id": ""}, "missing_id"),
    ({"id": "a:b"}, "missing_id"),
    ({"id": "a\x00"}, "missing_id"),
    ({"id": ["x"]}, "missing_id"),
    ({"source": None}, "missing_id"),
    ({"source": "x" * 500}, "missing_id"),
]


def test_each_row_is_judged_alone_and_answered_in_order(
    api: Api, alice: Member, bob: Member
) -> None:
    rows = [row(bob.pk, id="first")]
    for number, (change, _code) in enumerate(BAD_ROWS):
        rows.append({**row(bob.pk, id=f"bad{number}"), **change})
    rows += [{}, row(bob.pk, id="last", vendor="ignored")]
    response = api(alice).post("calls", {"calls": rows})
    assert response.status_code == 200, response.content
    results = response.json()["results"]
    expected = ["", *(code for _change, code in BAD_ROWS), "missing_id", ""]
    assert [result["code"] for result in results] == expected
    assert {result["status"] for result in results[1:-1]} == {"refused"}
    assert list(Call.objects.order_by("pk").values_list("external_id", flat=True)) == [
        "first",
        "last",
    ]


def test_the_same_id_with_another_content_is_a_conflict(
    api: Api, alice: Member, bob: Member
) -> None:
    client = api(alice)
    client.post("calls", {"calls": [row(bob.pk)]})
    (result,) = client.post("calls", {"calls": [row(bob.pk, duration_seconds=5)]}).json()["results"]
    assert (result["status"], result["code"]) == ("refused", "call_conflict")


def test_another_companys_member_is_unknown(api: Api, charlie: Member, bob: Member) -> None:
    response = api(charlie).post("calls", {"calls": [row(bob.pk), row("bob", id="2")]})
    assert [result["code"] for result in response.json()["results"]] == ["unknown_member"] * 2
    assert not Call.objects.exists()


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({}, "required"),
        ([], "invalid"),
        ({"calls": None}, "null"),
        ({"calls": {}}, "not_a_list"),
        ({"calls": "x"}, "not_a_list"),
        ({"calls": [1]}, "not_a_dict"),
        ({"calls": [None]}, "null"),
        ({"calls": [[]]}, "not_a_dict"),
        ({"calls": [], "more": 1}, "unknown_field"),
        ({"calls": [{}] * 10_001}, "max_length"),
    ],
)
def test_a_body_of_another_shape_charges_nothing(
    api: Api, alice: Member, body: object, code: str
) -> None:
    refused(api(alice).post("calls", body), 422, code)
    assert not Call.objects.exists()


def test_an_empty_report_is_answered_empty(api: Api, alice: Member) -> None:
    assert api(alice).post("calls", {"calls": []}).json() == {"results": []}
