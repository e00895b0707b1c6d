"""Members, allocations and rules through the API."""

from decimal import Decimal

import pytest
from django.core import mail

from credit.models import OutsideRequest, RechargeRule, Transfer
from members.models import AuditEntry, Member, User
from tests.api.conftest import Api, refused
from tests.conftest import credit_company, make_member

RULE = {"amount": "10.00", "threshold": "5.00", "monthly_limit": "25.00"}
BAD_AMOUNTS: list[object] = [
    "0",
    "-1",
    "1.00001",
    "1e21",
    "1,50",
    "1 000",
    "١",
    "abc",
    "",
    " 5",
    None,
    True,
    [],
    {},
    0,
    -5,
    10**21,
    1.00001,
    "NaN",
    "9" * 5000,
    "1\x00",
]


def allocations() -> int:
    return Transfer.objects.filter(kind="allocation").count()


def test_the_company_and_its_members_show_balances(
    api: Api, alice: Member, bob: Member, charlie: Member
) -> None:
    credit_company(alice.company, "100")
    client = api(alice)
    company = client.get("company").json()
    assert company["balance"] == "100.0000"
    assert (
        company.items()
        >= {
            "id": alice.company.pk,
            "name": "Acme",
            "currency": "EUR",
            "time_zone": "Europe/Paris",
        }.items()
    )
    client.post("allocations", {"member": bob.pk, "amount": "2.5"}, key="a")
    row = client.get(f"members/{bob.pk}").json()
    assert (row["id"], row["balance"], row["available"]) == (bob.pk, "2.5000", "2.5000")
    rows = client.get("members").json()["results"]
    assert {row["id"]: row["balance"] for row in rows} == {alice.pk: "0.0000", bob.pk: "2.5000"}


def test_me_is_the_callers_own_place(api: Api, bob: Member) -> None:
    body = api(bob).get("me").json()
    assert (body["id"], body["company"], body["balance"]) == (bob.pk, "Acme", "0.0000")


def test_a_member_is_created_and_gets_a_mail(api: Api, alice: Member) -> None:
    client = api(alice)
    listed = client.post("lists", {"name": "Sales"}).json()["id"]
    response = client.post(
        "members",
        {"email": "zoe@example.com", "name": "Zoé", "username": "zoe", "list": listed},
    )
    assert response.status_code == 201, response.content
    body = response.json()
    member = Member.objects.get(pk=body["id"])
    assert (member.company, member.name, member.list_id) == (alice.company, "Zoé", listed)
    assert (body["role"], body["balance"], body["list"]) == ("member", "0.0000", listed)
    assert client.get("lists").json()["results"][0]["members_count"] == 1


@pytest.mark.parametrize(
    ("change", "field", "code"),
    [
        ({"email": "alice@example.com"}, "email", "duplicate_email"),
        ({"email": "charlie@example.com"}, "email", "invite_instead"),
        ({"email": "no address"}, "email", "invalid_email"),
        ({"email": "a\x00@example.com"}, "email", "null_characters_not_allowed"),
        ({"username": "charlie"}, "username", "username_not_available"),
        ({"name": "   "}, "name", "blank"),
        ({"role": "owner"}, "role", "invalid_choice"),
        ({"list": 10**30}, "list", "max_value"),
        ({"list": 999999}, "list", "unknown_list"),
        ({"list": True}, "list", "invalid"),
        ({"phone": "nonsense"}, "phone", "invalid_phone"),
        ({"company": 1}, "company", "unknown_field"),
    ],
)
def test_a_member_that_cannot_be_is_refused_and_nobody_made(
    api: Api, alice: Member, charlie: Member, change: dict[str, object], field: str, code: str
) -> None:
    before = User.objects.count()
    body = {"email": "new@example.com", "name": "New", **change}
    problem = refused(api(alice).post("members", body), 422, code)
    assert [entry["field"] for entry in problem["errors"]] == [field]
    assert User.objects.count() == before
    assert mail.outbox == []


def test_a_member_is_changed_field_by_field(api: Api, alice: Member, bob: Member) -> None:
    client = api(alice)
    listed = client.post("lists", {"name": "Sales"}).json()["id"]
    change = {"name": "Robert", "role": "finance", "list": listed, "job_title": "Buyer"}
    response = client.patch(f"members/{bob.pk}", change)
    assert response.status_code == 200, response.content
    assert response.json().items() >= change.items()
    assert client.patch(f"members/{bob.pk}", {"list": None}).json()["list"] is None
    refused(client.patch(f"members/{alice.pk}", {"role": "member"}), 422, "last_administrator")
    refused(client.patch(f"members/{bob.pk}", {"email": "x@example.com"}), 422, "unknown_field")
    bob.refresh_from_db()
    assert (bob.name, bob.role) == ("Robert", "finance")


def test_another_companys_list_is_unknown_in_a_body(
    api: Api, alice: Member, bob: Member, charlie: Member
) -> None:
    foreign = api(charlie).post("lists", {"name": "Theirs"}).json()["id"]
    credit_company(alice.company, "100")
    client = api(alice)
    refused(client.patch(f"members/{bob.pk}", {"list": foreign}), 422, "unknown_list")
    response = client.post("allocations", {"list": foreign, "amount": "1"}, key="a")
    refused(response, 422, "unknown_list")


@pytest.mark.parametrize("way", ["member", "members", "list", "all"])
def test_credit_is_allocated_in_each_way(
    api: Api, alice: Member, bob: Member, fiona: Member, way: str
) -> None:
    credit_company(alice.company, "100")
    client = api(alice)
    listed = client.post("lists", {"name": "Sales"}).json()["id"]
    client.patch(f"members/{bob.pk}", {"list": listed})
    chosen, count = {
        "member": (bob.pk, 1),
        "members": ([bob.pk, fiona.pk], 2),
        "list": (listed, 1),
        "all": (True, 3),
    }[way]
    response = client.post("allocations", {way: chosen, "amount": "10.00"}, key="a")
    assert response.status_code == 201, response.content
    body = response.json()
    assert (body["total"], body["transfers"]) == (f"{10 * count}.0000", count)
    assert isinstance(body["id"], int)
    assert client.get(f"members/{bob.pk}").json()["balance"] == "10.0000"
    assert client.get("company").json()["balance"] == f"{100 - 10 * count}.0000"
    assert AuditEntry.objects.filter(verb="allocate", token__isnull=False).count() == 1


@pytest.mark.parametrize("amount", [*BAD_AMOUNTS])
def test_an_amount_that_is_none_moves_nothing(
    api: Api, alice: Member, bob: Member, amount: object
) -> None:
    credit_company(alice.company, "100")
    body = {"member": bob.pk, "amount": amount}
    response = api(alice).post("allocations", body, key="a")
    refused(response, 422, "null" if amount is None else "invalid_amount")
    assert allocations() == 0
    assert not OutsideRequest.objects.exists()


@pytest.mark.parametrize("raw", [b'"1.500"', b"1.500", b"1.5", b'"1.5000"'])
def test_an_exact_amount_loses_no_digit(api: Api, alice: Member, bob: Member, raw: bytes) -> None:
    credit_company(alice.company, "100")
    body = b'{"member": %d, "amount": %s}' % (bob.pk, raw)
    assert api(alice).post("allocations", body, key="a").json()["total"] == "1.5000"


@pytest.mark.parametrize(
    ("who", "code"),
    [
        ({}, "one_way"),
        ({"member": 1, "all": True}, "one_way"),
        ({"all": False}, "all_true"),
        ({"all": "true"}, "all_true"),
        ({"all": [1]}, "invalid"),
        ({"members": []}, "min_length"),
        ({"members": "1"}, "not_a_list"),
        ({"members": [1, 1]}, "repeated"),
        ({"members": [None]}, "null"),
        ({"members": [[1]]}, "invalid"),
        ({"members": list(range(1, 10_002))}, "max_length"),
        ({"member": 0}, "min_value"),
        ({"member": -1}, "min_value"),
        ({"member": 2**63}, "max_value"),
        ({"member": 1.5}, "invalid"),
        ({"member": "x"}, "invalid"),
        ({"member": 2**62}, "unknown_member"),
        ({"list": 2**62}, "unknown_list"),
    ],
)
def test_recipients_that_make_no_sense_move_nothing(
    api: Api, alice: Member, who: dict[str, object], code: str
) -> None:
    credit_company(alice.company, "100")
    refused(api(alice).post("allocations", {**who, "amount": "1"}, key="a"), 422, code)
    assert allocations() == 0


def test_another_companys_member_receives_nothing(
    api: Api, alice: Member, bob: Member, charlie: Member
) -> None:
    credit_company(alice.company, "100")
    client = api(alice)
    for who in ({"member": charlie.pk}, {"members": [bob.pk, charlie.pk]}):
        response = client.post("allocations", {**who, "amount": "1"}, key="a")
        problem = refused(response, 422, "unknown_member")
        assert problem["errors"][0]["field"] == next(iter(who))
    assert allocations() == 0


def test_more_than_there_is_moves_nothing(api: Api, alice: Member, bob: Member) -> None:
    credit_company(alice.company, "10")
    response = api(alice).post("allocations", {"all": True, "amount": "6"}, key="a")
    refused(response, 422, "not_enough_credit")
    assert allocations() == 0


def test_a_repeated_key_gets_the_first_answer_and_moves_once(
    api: Api, alice: Member, bob: Member
) -> None:
    credit_company(alice.company, "100")
    client = api(alice)
    wish = {"member": bob.pk, "amount": "10"}
    first = client.post("allocations", wish, key="k")
    again = client.post("allocations/", wish, key="k")
    assert (again.status_code, again.content) == (first.status_code, first.content)
    assert allocations() == 1
    refused(
        client.post("allocations", {**wish, "amount": "11"}, key="k"), 409, "idempotency_conflict"
    )
    assert allocations() == 1
    client.post("allocations", wish, key="other")
    assert allocations() == 2


def test_the_first_answer_comes_even_after_the_member_left(
    api: Api, alice: Member, bob: Member
) -> None:
    credit_company(alice.company, "100")
    client = api(alice)
    wish = {"member": bob.pk, "amount": "100"}
    first = client.post("allocations", wish, key="k")
    Member.objects.filter(pk=bob.pk).update(status="removed")
    assert client.post("allocations", wish, key="k").content == first.content


@pytest.mark.parametrize(
    ("key", "code"),
    [
        ("", "idempotency_key_required"),
        ("   ", "idempotency_key_required"),
        ("x" * 101, "invalid_idempotency_key"),
        ("é", "invalid_idempotency_key"),
        ("a\tb", "invalid_idempotency_key"),
    ],
)
def test_a_key_is_needed_and_has_a_form(
    api: Api, alice: Member, bob: Member, key: str, code: str
) -> None:
    credit_company(alice.company, "100")
    response = api(alice).post("allocations", {"member": bob.pk, "amount": "1"}, key=key)
    refused(response, 400, code)
    assert allocations() == 0


def test_keys_of_two_companies_do_not_meet(
    api: Api, alice: Member, bob: Member, charlie: Member
) -> None:
    credit_company(alice.company, "10")
    credit_company(charlie.company, "10")
    for administrator, member in ((alice, bob), (charlie, charlie)):
        wish = {"member": member.pk, "amount": "1"}
        assert api(administrator).post("allocations", wish, key="k").status_code == 201
    assert allocations() == 2


def test_a_rule_is_saved_evaluated_shown_and_switched_off(
    api: Api, alice: Member, bob: Member
) -> None:
    credit_company(alice.company, "100")
    client = api(alice)
    path = f"members/{bob.pk}/auto-recharge"
    empty = client.get(path).json()
    assert (empty["state"], empty["amount"], empty["last_outcome"]) == ("off", None, None)
    saved = client.put(path, RULE)
    assert saved.status_code == 200, saved.content
    body = saved.json()
    assert (
        body.items()
        >= {
            "amount": "10.0000",
            "threshold": "5.0000",
            "monthly_limit": "25.0000",
            "state": "on",
            "recharged_this_month": "10.0000",
            "last_outcome": "recharged",
            "recharged_now": "10.0000",
            "warnings": [],
        }.items()
    )
    assert client.put(path, RULE).json()["recharged_this_month"] == "10.0000"
    assert client.get(path).json()["state"] == "on"
    assert client.delete(path).status_code == 204
    assert client.delete(path).status_code == 204
    assert api(bob).get("me/auto-recharge").json() == client.get(path).json()
    off = client.get(path).json()
    assert (off["state"], off["recharged_this_month"]) == ("off", "10.0000")


def test_an_amount_above_the_limit_is_accepted_with_a_warning(
    api: Api, alice: Member, bob: Member
) -> None:
    credit_company(alice.company, "100")
    path = f"members/{bob.pk}/auto-recharge"
    body = api(alice).put(path, {**RULE, "amount": "30"}).json()
    assert [warning["code"] for warning in body["warnings"]] == ["amount_above_limit"]
    assert (body["recharged_now"], body["state"]) == ("25.0000", "suspended")
    assert body["resumes_on"]


@pytest.mark.parametrize("field", RULE)
@pytest.mark.parametrize("amount", ["0", "-1", "1e21", "1.00001", None, [], "x"])
def test_a_rule_with_a_wrong_amount_is_not_saved(
    api: Api, alice: Member, bob: Member, field: str, amount: object
) -> None:
    response = api(alice).put(f"members/{bob.pk}/auto-recharge", {**RULE, field: amount})
    problem = refused(response, 422, "null" if amount is None else "invalid_amount")
    assert [entry["field"] for entry in problem["errors"]] == [field]
    assert not RechargeRule.objects.exists()


def test_a_frozen_company_allocates_nothing(api: Api, alice: Member, bob: Member) -> None:
    credit_company(alice.company, "100")
    alice.company.state = "frozen"
    alice.company.save(update_fields=["state"])
    client = api(alice)
    response = client.post("allocations", {"member": bob.pk, "amount": "1"}, key="a")
    refused(response, 422, "company_frozen")
    refused(client.put(f"members/{bob.pk}/auto-recharge", RULE), 422, "company_frozen")
    assert client.get("company").json()["balance"] == "100.0000"


def test_a_named_suspended_member_receives_and_all_leaves_it_out(
    api: Api, alice: Member, bob: Member
) -> None:
    credit_company(alice.company, "100")
    gone = make_member(alice.company, "gone")
    Member.objects.filter(pk=bob.pk).update(status="suspended")
    Member.objects.filter(pk=gone.pk).update(status="removed")
    client = api(alice)
    named = client.post("allocations", {"member": bob.pk, "amount": "1"}, key="a")
    assert named.status_code == 201
    assert (
        client.post("allocations", {"all": True, "amount": "1"}, key="b").json()["transfers"] == 1
    )
    refused(
        client.post("allocations", {"member": gone.pk, "amount": "1"}, key="c"), 422, "member_gone"
    )
    assert Decimal(client.get("company").json()["balance"]) == 98
