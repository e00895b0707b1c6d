"""What every door does alike: addresses, bodies, pages of results, refusals."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from members.models import Member, MemberList
from skypemgr.lib.text import search_key
from tests.api.conftest import Answer, Api, ApiClient, refused
from tests.conftest import make_member

DOORS = [
    ("GET", "company"),
    ("GET", "members"),
    ("POST", "members"),
    ("GET", "members/{bob}"),
    ("PATCH", "members/{bob}"),
    ("GET", "members/{bob}/auto-recharge"),
    ("PUT", "members/{bob}/auto-recharge"),
    ("DELETE", "members/{bob}/auto-recharge"),
    ("POST", "allocations"),
    ("POST", "calls"),
    ("GET", "lists"),
    ("POST", "lists"),
    ("GET", "invitations"),
    ("POST", "invitations"),
    ("GET", "purchases"),
    ("POST", "purchases"),
    ("GET", "payment-methods"),
    ("GET", "auto-purchase"),
    ("GET", "billing-profile"),
    ("PUT", "billing-profile"),
    ("PUT", "auto-purchase"),
    ("DELETE", "auto-purchase"),
    ("DELETE", "payment-methods/{bob}"),
    ("DELETE", "invitations/{bob}"),
    ("GET", "plans"),
    ("GET", "numbers"),
    ("GET", "numbers/areas"),
    ("POST", "numbers/reserve"),
    ("GET", "reports/summary"),
    ("GET", "company/tokens"),
    ("POST", "company/tokens"),
]
OWN_PATHS = ["members/{bob}", "members/{bob}/auto-recharge"]


def send(client: ApiClient, method: str, path: str, body: object = None) -> Answer:
    if method == "GET":
        return client.get(path)
    if method == "DELETE":
        return client.delete(path)
    return client.send(method, path, {} if body is None else body, key="k1")


@pytest.mark.parametrize("slash", ["", "/"])
def test_an_address_works_with_and_without_a_slash(api: Api, alice: Member, slash: str) -> None:
    client = api(alice)
    for path in ("company", "members", f"members/{alice.pk}", "schema", "docs"):
        assert client.get(path + slash).status_code == 200, path
    assert client.post("lists" + slash, {"name": "x"}).status_code == 201


@pytest.mark.parametrize(("method", "path"), DOORS)
def test_a_members_token_opens_only_its_own_doors(
    api: Api, alice: Member, bob: Member, method: str, path: str
) -> None:
    response = send(api(bob), method, path.format(bob=bob.pk))
    assert response.status_code == 403
    refused(response, 403, response.json()["code"])


@pytest.mark.parametrize(("method", "path"), DOORS)
def test_finance_reads_and_changes_nothing(
    api: Api, fiona: Member, bob: Member, method: str, path: str
) -> None:
    response = send(api(fiona), method, path.format(bob=bob.pk))
    if method == "GET" and path not in ("company/tokens", "invitations"):
        assert response.status_code in (200, 404), response.content
    else:
        assert response.status_code == 403, response.content


@pytest.mark.parametrize(("method", "path"), DOORS)
def test_without_a_token_every_door_is_shut(api: Api, bob: Member, method: str, path: str) -> None:
    refused(send(api(), method, path.format(bob=bob.pk)), 401, "not_authenticated")


@pytest.mark.parametrize("path", OWN_PATHS)
@pytest.mark.parametrize("method", ["GET", "PATCH", "PUT", "DELETE"])
def test_another_companys_member_is_not_found(
    api: Api, charlie: Member, bob: Member, method: str, path: str
) -> None:
    response = send(api(charlie), method, path.format(bob=bob.pk))
    if response.status_code != 405:
        refused(response, 404, "not_found")


@pytest.mark.parametrize(
    "path",
    ["nothing", "members/0", "members/999999999999999999", "members/abc", "members/1%00", "me/x"],
)
def test_an_address_that_is_none_is_404(api: Api, alice: Member, path: str) -> None:
    refused(api(alice).get(path), 404, "not_found")


def test_a_method_that_a_door_lacks_is_405(api: Api, alice: Member) -> None:
    refused(api(alice).delete("company"), 405, "method_not_allowed")


@pytest.mark.parametrize(
    ("raw", "status", "code"),
    [
        (b"", 422, "required"),
        (b"{", 400, "malformed_json"),
        (b"\xff\xfe{}", 400, "malformed_json"),
        (b'{"name": NaN}', 400, "malformed_json"),
        (b'{"name": "\\ud800"}', 400, "malformed_json"),
        (b'{"\\udfff": "x"}', 400, "malformed_json"),
        (b"[" * 100_000, 400, "malformed_json"),
        (b'{"name": ' + b"9" * 5000 + b"}", 400, "malformed_json"),
        (b'{"name": 1e99999999999999999999}', 400, "malformed_json"),
        (b"[]", 422, "invalid"),
        (b"null", 422, "null"),
        (b'"text"', 422, "invalid"),
        (b"{}", 422, "required"),
        (b'{"name": null}', 422, "null"),
        (b'{"name": {}}', 422, "invalid"),
        (b'{"name": 1e400}', 422, "invalid"),
        (b'{"name": "a\\u0000b"}', 422, "null_characters_not_allowed"),
        (b'{"name": "x", "colour": "red"}', 422, "unknown_field"),
        (b'{"name": ""}', 422, "blank"),
    ],
)
def test_a_body_that_is_wrong_is_refused_with_a_reason(
    api: Api, alice: Member, raw: bytes, status: int, code: str
) -> None:
    refused(api(alice).send("POST", "lists", raw), status, code)
    assert not MemberList.objects.exists()


def test_a_body_of_another_type_is_415(api: Api, alice: Member) -> None:
    client = api(alice).client
    response = client.post("/api/v1/lists", {"name": "x"})
    refused(response, 415, "unsupported_media_type")


def test_a_body_that_is_too_big_is_413(api: Api, alice: Member) -> None:
    raw = b'{"name": "' + b"x" * (8 * 1024 * 1024) + b'"}'
    refused(api(alice).send("POST", "lists", raw), 413, "body_too_big")


def test_each_wrong_field_is_named(api: Api, alice: Member) -> None:
    body = refused(
        api(alice).put(f"members/{alice.pk}/auto-recharge", {"amount": "0", "threshold": "x"}),
        422,
        "invalid_amount",
    )
    assert [(entry["field"], entry["code"]) for entry in body["errors"]] == [
        ("amount", "invalid_amount"),
        ("threshold", "invalid_amount"),
        ("monthly_limit", "required"),
    ]


def test_pages_follow_each_other_without_gap_or_repetition(api: Api, alice: Member) -> None:
    for number in range(7):
        make_member(alice.company, f"m{number}")
    client = api(alice)
    page = client.get("members", limit=3).json()
    assert page["previous"] is None
    seen = [[row["id"] for row in page["results"]]]
    while page["next"]:
        page = client.client.get(page["next"]).json()
        seen.append([row["id"] for row in page["results"]])
    assert [len(ids) for ids in seen] == [3, 3, 2]
    assert [pk for ids in seen for pk in ids] == sorted(Member.objects.values_list("pk", flat=True))
    back = client.client.get(page["previous"]).json()
    assert [row["id"] for row in back["results"]] == seen[1]
    first = client.client.get(back["previous"]).json()
    assert [row["id"] for row in first["results"]] == seen[0]
    assert first["previous"] is None


@pytest.mark.parametrize(
    "cursor", ["x", "bjE_", "é", "n1", "\x00", "bi0x", "bjk5OTk5OTk5OTk5OTk5OTk5OTk5"]
)
def test_a_cursor_made_elsewhere_is_refused(api: Api, alice: Member, cursor: str) -> None:
    refused(api(alice).get("members", cursor=cursor), 400, "invalid_cursor")


@pytest.mark.parametrize("limit", ["0", "-1", "x", "1.5", "٣", "9" * 20])
def test_a_limit_that_is_no_number_is_refused(api: Api, alice: Member, limit: str) -> None:
    refused(api(alice).get("members", limit=limit), 400, "invalid")


def test_a_list_costs_the_same_queries_however_long(api: Api, alice: Member) -> None:
    client = api(alice)
    client.get("members")
    with CaptureQueriesContext(connection) as few:
        client.get("members")
    for number in range(5):
        make_member(alice.company, f"m{number}")
    with CaptureQueriesContext(connection) as many:
        client.get("members")
    assert len(many) == len(few) == 3


def test_refusals_speak_the_callers_language(api: Api, alice: Member) -> None:
    response = api(alice, language="fr").get("members", limit=0)
    refused(response, 400, "invalid")
    assert response["Content-Language"] == "fr"


def test_searching_ignores_accents_and_case(api: Api, alice: Member) -> None:
    emile = make_member(alice.company, "emile")
    emile.name = "Émile Zola"
    emile.set_name_keys()
    emile.save(update_fields=["name", "name_key", "search_text"])
    rows = api(alice).get("members", q="ZOLA émi").json()["results"]
    assert [row["name"] for row in rows] == ["Émile Zola"]
    assert api(alice).get("members", q="%").json()["results"] == []
    refused(api(alice).get("members", q="a\x00"), 400, "invalid")
    assert search_key("É") == "e"
