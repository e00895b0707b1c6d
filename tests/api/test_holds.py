"""Calls in progress through the API: asked for, settled, given back."""

from datetime import date, datetime, timedelta
from decimal import Decimal

import pytest

from credit.models import Call, Hold, Rate
from members.models import Member
from skypemgr.lib.periods import utc_now
from tests.api.conftest import Answer, Api, ApiClient, refused
from tests.conftest import credit_company, give

STARTED = "2026-01-05T09:15:00+01:00"
ASK = {"source": "pbx", "id": "1", "member": "bob", "destination": "+33142278900"}
END = {"started_at": STARTED, "duration_seconds": 60}
REFUSALS = [
    ({"id": None}, "missing_id"),
    ({"id": "a:b"}, "missing_id"),
    ({"id": ["x"]}, "missing_id"),
    ({"source": "x" * 500}, "missing_id"),
    ({"source": "p\x00bx"}, "missing_id"),
    ({"member": "nobody"}, "unknown_member"),
    ({"member": {"id": 1}}, "unknown_member"),
    ({"member": 1.5}, "unknown_member"),
    ({"member": 10**30}, "unknown_member"),
    ({"destination": "call me"}, "malformed_number"),
    ({"destination": 33142278900}, "malformed_number"),
    ({"destination": "+4915112345678"}, "no_rate"),
]
BAD_ENDS = [
    ({"started_at": "yesterday"}, "invalid_date"),
    ({"started_at": None}, "invalid_date"),
    ({"started_at": "2999-01-01T00:00:00Z"}, "in_future"),
    ({"duration_seconds": -1}, "invalid_duration"),
    ({"duration_seconds": 1.5}, "invalid_duration"),
    ({"duration_seconds": [60]}, "invalid_duration"),
]


@pytest.fixture(autouse=True)
def _deck(db: None) -> None:
    """0.6 a minute, in steps of 6 seconds."""
    Rate.objects.create(
        prefix="33",
        kind="other",
        price_per_minute=Decimal("0.6"),
        increment_seconds=6,
        currency="EUR",
        valid_from=date(2020, 1, 1),
    )


@pytest.fixture(autouse=True)
def _purse(alice: Member, bob: Member) -> None:
    """bob has 5."""
    credit_company(alice.company, "100")
    give(alice, bob, "5")


def ask(client: ApiClient, **fields: object) -> Answer:
    response = client.post("calls/authorize", {**ASK, **fields})
    assert response.status_code == 200, response.content
    return response.json()


def purse(client: ApiClient, member: Member) -> tuple[str, str]:
    body = client.get(f"members/{member.pk}").json()
    return body["balance"], body["available"]


@pytest.mark.parametrize("way", ["administrator", "company"])
def test_a_call_is_allowed_as_long_as_it_can_be_paid(
    api: Api, alice: Member, bob: Member, way: str
) -> None:
    client = api(alice, for_company=way == "company")
    answer = ask(client)
    hold = Hold.objects.get()
    assert answer == {"allowed": True, "code": "", "hold": hold.pk, "max_seconds": 498}
    assert ask(client, member=bob.pk) == answer
    assert purse(api(alice), bob) == ("5.0000", "0.0200")


def test_a_settled_call_is_answered_as_a_row_of_calls(api: Api, alice: Member, bob: Member) -> None:
    client = api(alice)
    hold = ask(client)["hold"]
    expected = {
        "source": "pbx",
        "id": "1",
        "status": "charged",
        "price": "0.6000",
        "collected": "0.6000",
        "uncollected": "0.0000",
        "code": "",
    }
    settled = client.post(f"calls/{hold}/settle", END)
    assert (settled.status_code, settled.json()) == (200, expected)
    again = client.post(f"calls/{hold}/settle/", END).json()
    assert again == {**expected, "status": "already_there"}
    other = client.post(f"calls/{hold}/settle", {**END, "duration_seconds": 61}).json()
    assert (other["status"], other["code"]) == ("refused", "call_conflict")
    assert purse(client, bob) == ("4.4000", "4.4000")


def test_a_released_call_gives_its_credit_back_once(api: Api, alice: Member, bob: Member) -> None:
    client = api(alice)
    hold = ask(client)["hold"]
    first = client.post(f"calls/{hold}/release")
    assert (first.status_code, first.json()) == (200, {"released": True})
    assert client.post(f"calls/{hold}/release", {}).json() == {"released": False}
    assert purse(client, bob) == ("5.0000", "5.0000")


def test_a_second_call_does_not_get_the_firsts_credit(api: Api, alice: Member) -> None:
    client = api(alice)
    ask(client)
    assert ask(client, id="2") == {
        "allowed": False,
        "code": "not_enough_credit",
        "hold": None,
        "max_seconds": 0,
    }


@pytest.mark.parametrize(("change", "code"), REFUSALS)
def test_what_a_call_says_wrongly_is_answered_with_a_code(
    api: Api, alice: Member, change: dict[str, object], code: str
) -> None:
    answer = ask(api(alice), **change)
    assert (answer["allowed"], answer["code"]) == (False, code)
    assert not Hold.objects.exists()


@pytest.mark.parametrize(("change", "code"), BAD_ENDS)
def test_a_wrong_end_is_refused_and_the_credit_stays_set_aside(
    api: Api, alice: Member, bob: Member, change: dict[str, object], code: str
) -> None:
    client = api(alice)
    hold = ask(client)["hold"]
    result = client.post(f"calls/{hold}/settle", {**END, **change}).json()
    assert (result["status"], result["code"]) == ("refused", code)
    assert purse(client, bob) == ("5.0000", "0.0200")


@pytest.mark.parametrize(
    ("body", "code"),
    [([], "invalid"), ("x", "invalid"), (None, "null"), ({**ASK, "more": 1}, "unknown_field")],
)
def test_a_body_of_another_shape_is_refused(
    api: Api, alice: Member, body: object, code: str
) -> None:
    client = api(alice)
    refused(client.post("calls/authorize", body), 422, code)
    assert not Hold.objects.exists()
    hold = ask(client)["hold"]
    refused(client.post(f"calls/{hold}/settle", body), 422, code)
    assert not Call.objects.exists()


def test_malformed_json_is_refused(api: Api, alice: Member) -> None:
    refused(api(alice).post("calls/authorize", b"{"), 400, "malformed_json")


def test_another_companys_hold_is_not_found(
    api: Api, alice: Member, bob: Member, charlie: Member
) -> None:
    hold = ask(api(alice))["hold"]
    other = api(charlie)
    refused(other.post(f"calls/{hold}/settle", END), 404, "not_found")
    refused(other.post(f"calls/{hold}/release"), 404, "not_found")
    refused(api(alice).post("calls/999999999999999999/release"), 404, "not_found")
    assert purse(api(alice), bob) == ("5.0000", "0.0200")
    assert ask(other)["code"] == "unknown_member"


@pytest.mark.parametrize("path", ["calls/authorize", "calls/{hold}/settle", "calls/{hold}/release"])
def test_only_phone_systems_open_these_doors(
    api: Api, alice: Member, bob: Member, fiona: Member, path: str
) -> None:
    hold = ask(api(alice))["hold"]
    address = path.format(hold=hold)
    for person in (bob, fiona):
        refused(api(person).post(address, {}), 403, "scope_missing")
    refused(api(alice, scopes=["read", "write"]).post(address, {}), 403, "scope_missing")
    refused(api().post(address, {}), 401, "not_authenticated")
    refused(api(alice).get(address), 405, "method_not_allowed")
    assert purse(api(alice), bob) == ("5.0000", "0.0200")


def test_a_call_settled_after_its_hold_expired_is_charged(
    api: Api, alice: Member, bob: Member
) -> None:
    client = api(alice)
    hold = ask(client)["hold"]
    past: datetime = utc_now() - timedelta(days=1)
    Hold.objects.update(expires_at=past)
    assert client.post(f"calls/{hold}/settle", END).json()["status"] == "charged"
    assert purse(client, bob) == ("4.4000", "4.4000")
