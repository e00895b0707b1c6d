"""Invitations through the API."""

from datetime import timedelta

import pytest

from members.models import Invitation, Member
from skypemgr.lib.periods import utc_now
from tests.api.conftest import Api, refused


def test_people_are_invited_listed_and_revoked(
    api: Api, alice: Member, bob: Member, charlie: Member
) -> None:
    client = api(alice)
    listed = client.post("lists", {"name": "Sales"}).json()["id"]
    wish = {"addresses": ["zoe@example.com", "bob@example.com", "nonsense"], "list": listed}
    response = client.post("invitations", wish)
    assert response.status_code == 201, response.content
    body = response.json()
    (made,) = body["invitations"]
    assert (made["address"], made["status"], made["list"]) == ("zoe@example.com", "pending", listed)
    assert [entry["code"] for entry in body["refused"]] == ["already_member", "malformed_email"]
    assert all(entry["detail"] for entry in body["refused"])
    assert client.get("invitations").json()["results"] == [made]
    path = f"invitations/{made['id']}"
    assert client.get(path).json() == made
    refused(api(charlie).get(path), 404, "not_found")
    refused(api(charlie).delete(path), 404, "not_found")
    assert api(charlie).get("invitations").json()["results"] == []
    assert client.delete(path).status_code == 204
    assert client.get(path).json()["status"] == "revoked"
    refused(client.delete(path), 410, "invitation_revoked")


def test_an_old_invitation_is_shown_as_expired(api: Api, alice: Member) -> None:
    client = api(alice)
    made = client.post("invitations", {"addresses": ["zoe@example.com"]}).json()["invitations"][0]
    Invitation.objects.update(expires_at=utc_now() - timedelta(seconds=1))
    assert client.get(f"invitations/{made['id']}").json()["status"] == "expired"


def test_no_secret_of_a_link_is_answered(api: Api, alice: Member) -> None:
    made = api(alice).post("invitations", {"addresses": ["zoe@example.com"]})
    assert Invitation.objects.get().token_hash not in made.content.decode()
    assert "token" not in made.content.decode()


@pytest.mark.parametrize(
    ("wish", "code"),
    [
        ({}, "required"),
        ({"addresses": []}, "min_length"),
        ({"addresses": "zoe@example.com"}, "not_a_list"),
        ({"addresses": [1.5]}, "invalid"),
        ({"addresses": ["x"] * 501}, "max_length"),
        ({"addresses": ["nonsense"]}, "nobody_to_invite"),
        ({"addresses": ["a\x00@example.com"]}, "null_characters_not_allowed"),
        ({"addresses": ["zoe@example.com"], "way": "pigeon"}, "invalid_choice"),
        ({"addresses": ["zoe@example.com"], "role": "king"}, "invalid_choice"),
        ({"addresses": ["zoe@example.com"], "language": "de"}, "invalid_choice"),
        ({"addresses": ["zoe@example.com"], "list": 999}, "unknown_list"),
        ({"addresses": ["zoe@example.com"], "token": "x"}, "unknown_field"),
    ],
)
def test_a_wish_that_makes_no_sense_invites_nobody(
    api: Api, alice: Member, wish: dict[str, object], code: str
) -> None:
    refused(api(alice).post("invitations", wish), 422, code)
    assert not Invitation.objects.exists()


def test_an_invitation_is_sent_again_and_handed_over_as_a_link(
    api: Api, alice: Member, bob: Member, charlie: Member
) -> None:
    client = api(alice)
    made = client.post("invitations", {"addresses": ["zoe@example.com"]}).json()["invitations"][0]
    Invitation.objects.update(expires_at=utc_now(), sent_at=utc_now())
    old = Invitation.objects.get().token_hash
    assert [row["id"] for row in client.get("invitations", status="expired").json()["results"]]
    answer = client.post(f"invitations/{made['id']}/resend").json()
    assert (answer["id"], answer["status"]) == (made["id"], "pending")
    again = Invitation.objects.get()
    assert (again.token_hash == old, again.sent_at) == (False, None)
    assert client.get("invitations", status="expired").json()["results"] == []
    link = client.post(f"invitations/{made['id']}/link")
    assert link.status_code == 201
    assert "/invitations/" in link.json()["url"]
    for door in ("resend", "link"):
        refused(api(charlie).post(f"invitations/{made['id']}/{door}"), 404, "not_found")
        refused(api(bob).post(f"invitations/{made['id']}/{door}"), 403, "not_allowed")
    refused(client.get("invitations", status="lost"), 400, "invalid")


def test_several_invitations_are_sent_again_or_revoked(
    api: Api, alice: Member, bob: Member, charlie: Member
) -> None:
    client = api(alice)
    people = {"way": "phone", "addresses": ["+33612311265", "+33612374115"]}
    made = client.post("invitations", people).json()["invitations"]
    wish = {"invitations": [row["id"] for row in made]}
    assert client.post("invitations/resend", wish).json() == {"changed": 2, "answered": 0}
    refused(api(charlie).post("invitations/revoke", wish), 404, "not_found")
    refused(api(bob).post("invitations/revoke", wish), 403, "not_allowed")
    assert client.post("invitations/revoke", wish).json() == {"changed": 2, "answered": 0}
    assert client.post("invitations/resend", wish).json() == {"changed": 0, "answered": 2}
    refused(client.post("invitations/revoke", {"invitations": []}), 422, "min_length")
    refused(client.post(f"invitations/{made[0]['id']}/resend"), 410, "invitation_revoked")
