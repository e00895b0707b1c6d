"""Removing, leaving and closing through the API."""

from decimal import Decimal
from typing import Any

import pytest

from members.actors import Actor
from members.models import Company, Member
from members.roles import change_role
from tests.api.conftest import Api, refused
from tests.conftest import credit_company, give, make_member

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _credit(alice: Member, bob: Member) -> None:
    credit_company(alice.company, "20")
    give(alice, bob, "20")


def status(member: Member) -> str:
    return Member.objects.values_list("status", flat=True).get(pk=member.pk)


def test_a_member_is_removed_after_a_look_at_what_it_does(
    alice: Member, bob: Member, api: Api
) -> None:
    client, own = api(alice), api(bob)
    told = client.get(f"members/{bob.pk}/removal").json()
    assert (told["members"], told["balance"], told["tokens_stopped"]) == (1, "20.0000", 1)
    assert status(bob) == "active"
    assert [client.delete(f"members/{bob.pk}").status_code for _turn in range(2)] == [204, 204]
    gone = client.get(f"members/{bob.pk}").json()
    assert (gone["status"], gone["balance"]) == ("removed", "20.0000")
    refused(own.get("me"), 401, "invalid_token")
    body = {"member": bob.pk, "amount": "1"}
    refused(client.post("allocations", body, key="k"), 422, "member_gone")


def test_several_are_suspended_reactivated_and_removed(
    alice: Member, bob: Member, api: Api
) -> None:
    dora = make_member(alice.company, "dora")
    client, body = api(alice), {"members": [bob.pk, dora.pk]}
    answer = client.post("members/suspend", body)
    assert (answer.status_code, answer.json()) == (200, {"changed": 2, "unchanged": 0})
    assert client.post("members/suspend", body).json() == {"changed": 0, "unchanged": 2}
    assert client.post("members/reactivate", body).json() == {"changed": 2, "unchanged": 0}
    assert client.post("members/remove", body).json()["removed"] == 2
    refused(client.post("members/remove", {"members": []}), 422, "min_length")
    refused(client.post("members/suspend", {"members": [alice.pk]}), 422, "last_administrator")


def test_a_member_leaves_and_the_token_stops(alice: Member, bob: Member, api: Api) -> None:
    client = api(bob)
    assert client.get("me/leave").json()["balance"] == "20.0000"
    answer = client.post("me/leave")
    assert (answer.status_code, answer.json()["status"]) == (200, "left")
    refused(client.get("me"), 401, "invalid_token")
    refused(api(alice).post("me/leave"), 422, "last_administrator")
    refused(api(alice, for_company=True).get("me/leave"), 403, "scope_missing")


def test_the_company_is_closed_by_its_exact_name(alice: Member, bob: Member, api: Api) -> None:
    client = api(alice)
    assert client.get("company/close").json()["members_balance"] == "20.0000"
    for wrong in ("acme", "Acme Ltd", ""):
        answer = client.post("company/close", {"confirm": wrong})
        assert answer.status_code == 422
    assert Company.objects.get(pk=alice.company_id).state == "active"
    answer = client.post("company/close", {"confirm": "Acme"})
    assert (answer.status_code, answer.json()["state"]) == (200, "closed")
    refused(client.post("company/close", {"confirm": "Acme"}), 409, "company_closed")
    assert client.get("company").json()["balance"] == "0.0000"


def test_the_company_is_not_closed_while_it_has_credit(alice: Member, api: Api) -> None:
    credit_company(alice.company, "0.0001")
    client = api(alice)
    told = client.get("company/close").json()
    assert [row["code"] for row in told["refusals"]] == ["company_has_credit"]
    problem = refused(client.post("company/close", {"confirm": "Acme"}), 409, "company_has_credit")
    assert "Allocate it" in problem["detail"]


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "members/{bob}/removal"),
        ("DELETE", "members/{bob}"),
        ("POST", "members/remove"),
        ("POST", "members/suspend"),
        ("POST", "members/reactivate"),
        ("GET", "company/close"),
        ("POST", "company/close"),
    ],
)
def test_only_administrators_of_the_company_may(
    alice: Member,
    bob: Member,
    fiona: Member,
    charlie: Member,
    api: Api,
    method: str,
    path: str,
) -> None:
    change_role(actor=Actor.of_member(alice), member=make_member(alice.company, "x"), role="member")
    body = {"members": [bob.pk]} if "members" in path else {"confirm": "Acme"}
    for member in (bob, fiona):
        answer = api(member).send(method, f"{path.format(bob=bob.pk)}", body)
        assert answer.status_code == 403
    answer = api(charlie).send(method, path.format(bob=bob.pk), body)
    assert answer.status_code in (404, 422) or path == "company/close"
    assert (status(bob), Decimal(20)) == ("active", Decimal(20))
    assert Company.objects.get(pk=alice.company_id).state == "active"


ADDING = [
    ("POST", "members", {"email": "erik@example.com", "name": "Erik"}),
    ("POST", "invitations", {"addresses": ["erik@example.com"]}),
    ("POST", "allocations", {"member": "{bob}", "amount": "1"}),
    ("POST", "allocations", {"all": True, "amount": "1"}),
    (
        "PUT",
        "members/{bob}/auto-recharge",
        {"amount": "1", "threshold": "1", "monthly_limit": "1"},
    ),
    ("POST", "purchases", {"amount": "10", "payment_method": "sandbox"}),
    ("POST", "me/credit-requests", {"amount": "1", "reason": "Calls"}),
    ("POST", "members/import", {"members": [{"email": "erik@example.com", "name": "Erik"}]}),
]
HARMLESS = [
    ("PATCH", "members/{bob}", {"job_title": "Engineer"}, 200),
    ("POST", "lists", {"name": "Former"}, 201),
    ("POST", "members/{bob}/suspend", None, 200),
    ("POST", "members/{bob}/reactivate", None, 200),
    ("POST", "me/tokens", {"name": "export", "scopes": ["read"]}, 201),
    ("POST", "members/remove", {"members": ["{bob}"]}, 200),
    ("GET", "members", None, 200),
    ("GET", "reports/summary", None, 200),
    ("GET", "company/statement", None, 200),
]


def _filled(value: Any, bob: Member) -> Any:
    if isinstance(value, dict):
        return {key: _filled(one, bob) for key, one in value.items()}
    if isinstance(value, list):
        return [_filled(one, bob) for one in value]
    return bob.pk if value == "{bob}" else value


@pytest.mark.parametrize(("method", "path", "body"), ADDING)
def test_in_a_closed_company_every_door_that_adds_has_one_refusal(
    method: str, path: str, body: Any, alice: Member, bob: Member, api: Api
) -> None:
    client = api(alice)
    client.post("company/close", {"confirm": "Acme"})
    answer = client.send(method, path.format(bob=bob.pk), _filled(body, bob), key="k")
    refused(answer, 422, "company_closed")
    assert client.get(f"members/{bob.pk}").json()["balance"] == "20.0000"


@pytest.mark.parametrize(("method", "path", "body", "code"), HARMLESS)
def test_in_a_closed_company_what_adds_nothing_still_works(
    method: str, path: str, body: Any, code: int, alice: Member, bob: Member, api: Api
) -> None:
    client = api(alice)
    client.post("company/close", {"confirm": "Acme"})
    path = path.format(bob=bob.pk)
    answer = client.get(path) if method == "GET" else client.send(method, path, _filled(body, bob))
    assert answer.status_code == code, answer.content


def test_the_phone_system_of_a_closed_company_still_lets_members_spend(
    alice: Member, bob: Member, api: Api
) -> None:
    phones = api(alice, for_company=True)
    api(alice).post("company/close", {"confirm": "Acme"})
    body = {"source": "pbx", "id": "1", "member": bob.pk, "destination": "112"}
    assert phones.post("calls/authorize", body).json()["allowed"] is True
