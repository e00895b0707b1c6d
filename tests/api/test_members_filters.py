"""``members`` narrowed as on the page, and as a file."""

import csv
import io

import pytest

from members.models import Member
from tests.api.conftest import Api, refused
from tests.conftest import credit_company, give, make_member


@pytest.fixture
def carol(alice: Member, bob: Member) -> Member:
    """carol has 20, bob 3, alice nothing."""
    credit_company(alice.company, "100")
    member = make_member(alice.company, "carol")
    give(alice, member, "20")
    give(alice, bob, "3")
    return member


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ({"below": "5.000"}, ["Alice", "Bob"]),
        ({"below": "3"}, ["Alice"]),
        ({"rule": "none", "role": "member"}, ["Bob", "Carol"]),
        ({"rule": "on"}, []),
        ({"due": "1"}, []),
        ({"list": "none", "q": "car"}, ["Carol"]),
        ({"joined_from": "2000-01-01", "joined_to": "2001-01-01"}, []),
        ({"status": "all"}, ["Alice", "Bob", "Carol"]),
    ],
)
def test_the_filters_of_the_page_narrow_the_answer(
    api: Api, alice: Member, carol: Member, query: dict[str, str], names: list[str]
) -> None:
    answer = api(alice).get("members", **query).json()
    assert sorted(row["name"] for row in answer["results"]) == names


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("below", "5,00"),
        ("below", "0"),
        ("rule", "maybe"),
        ("role", "king"),
        ("status", "asleep"),
        ("due", "yes"),
        ("list", "-1"),
        ("joined_from", "01/02/2026"),
        ("joined_to", "2026-02-30"),
    ],
)
def test_a_filter_that_is_not_understood_is_refused(
    api: Api, alice: Member, field: str, value: str
) -> None:
    for path in ("members", "members/export"):
        body = refused(api(alice).get(path, **{field: value}), 400, "invalid")
        assert body["errors"][0]["field"] == field


def test_a_page_of_filtered_members_leads_to_the_next(
    api: Api, alice: Member, carol: Member
) -> None:
    client = api(alice)
    first = client.get("members", role="member", limit="1").json()
    assert [row["name"] for row in first["results"]] == ["Bob"]
    assert "role=member" in first["next"]


def test_the_file_holds_the_same_members(
    api: Api, alice: Member, fiona: Member, carol: Member, charlie: Member
) -> None:
    for member in (alice, fiona):
        answer = api(member).get("members/export", role="member", sort="-balance")
        text = b"".join(answer.streaming_content).decode("utf-8-sig")
        rows = list(csv.DictReader(io.StringIO(text)))
        assert [(row["Name"], row["Balance"]) for row in rows] == [
            ("Carol", "20.0000"),
            ("Bob", "3.0000"),
        ]
    assert api(alice).get("members/export", format="xlsx").status_code == 200
    refused(api(alice).get("members/export", format="pdf"), 400, "invalid_format")
    refused(api(alice).get("members/export", sort="height"), 400, "invalid")
    refused(api(carol).get("members/export"), 403, "not_allowed")
    others = b"".join(api(charlie).get("members/export").streaming_content).decode()
    assert "Carol" not in others
