"""Imports of members through the API."""

from members.import_work import advance_import
from members.models import Member, User
from tests.api.conftest import Api, refused

PEOPLE = [
    {"email": "dora@example.com", "name": "Dora", "list": "Sales"},
    {"email": "nonsense", "name": "x" * 300},
]


def test_rows_are_imported_and_answered_one_by_one(
    api: Api, alice: Member, bob: Member, charlie: Member
) -> None:
    client = api(alice)
    answer = client.post("members/import", {"members": PEOPLE})
    assert answer.status_code == 202, answer.content
    made = answer.json()
    assert (made["state"], made["rows"], made["done"]) == ("checking", 2, 0)
    advance_import(made["id"])
    path = f"members/import/{made['id']}"
    body = client.get(path).json()
    assert (body["state"], body["imported"], body["refused"]) == ("done", 1, 1)
    rows = client.get(f"{path}/rows").json()["results"]
    dora = Member.objects.get(user__email="dora@example.com")
    assert [(row["line"], row["code"], row["member"]) for row in rows] == [
        (1, "imported", dora.pk),
        (2, "name_too_long", None),
    ]
    assert [row["line"] for row in client.get(f"{path}/rows", refused="1").json()["results"]] == [2]
    assert client.get("members/import").json()["results"][0]["id"] == made["id"]
    for door in (path, f"{path}/rows"):
        refused(api(charlie).get(door), 404, "not_found")
        refused(api(bob).get(door), 403, "not_allowed")
    refused(api(bob).post("members/import", {"members": PEOPLE}), 403, "not_allowed")
    refused(api(charlie).post(f"{path}/start", {}), 404, "not_found")


def test_a_dry_run_creates_nobody_until_it_is_started(api: Api, alice: Member) -> None:
    client = api(alice)
    made = client.post("members/import", {"members": PEOPLE, "dry_run": True}).json()
    advance_import(made["id"])
    assert client.get(f"members/import/{made['id']}").json()["state"] == "checked"
    assert not User.objects.filter(email="dora@example.com").exists()
    start = f"members/import/{made['id']}/start"
    refused(client.post(start, {"all_or_nothing": True}), 409, "rows_refused")
    assert client.post(start, {}).status_code == 202
    advance_import(made["id"])
    assert client.get(f"members/import/{made['id']}").json()["imported"] == 1
    refused(client.post(start, {}), 409, "import_conflict")


def test_all_or_nothing_stops_at_a_bad_row(api: Api, alice: Member) -> None:
    client = api(alice)
    made = client.post("members/import", {"members": PEOPLE, "all_or_nothing": True}).json()
    advance_import(made["id"])
    assert client.get(f"members/import/{made['id']}").json()["state"] == "stopped"
    assert not User.objects.filter(email="dora@example.com").exists()


def test_a_body_that_makes_no_sense_makes_no_job(api: Api, alice: Member) -> None:
    client = api(alice)
    refused(client.post("members/import", {"members": []}), 422, "min_length")
    refused(client.post("members/import", {"members": [{"email": "a"}]}), 422, "required")
    bad = {"members": [{**PEOPLE[0], "password": "x"}]}
    refused(client.post("members/import", bad), 422, "unknown_field")
    assert client.get("members/import").json()["results"] == []
