"""Everybody's own profile, by page and by API."""

import pytest
from django.test import Client

from members.actors import Actor
from members.errors import InvalidField
from members.models import AuditEntry, Member
from members.profile import update_profile
from tests.api.conftest import Api, refused
from tests.api.conftest import api as api  # noqa: PLC0414
from tests.conftest import ClientOf

PROFILE = {"name": "Bob Émile", "language": "fr", "time_zone": "Pacific/Auckland"}


def now_of(member: Member) -> dict[str, str]:
    found = Member.objects.select_related("user").get(pk=member.pk)
    return {
        "name": found.name,
        "language": found.user.language,
        "time_zone": found.user.time_zone,
    }


@pytest.mark.parametrize("who", ["alice", "bob", "fiona"])
def test_every_role_changes_the_own_profile(
    client_of: ClientOf, request: pytest.FixtureRequest, who: str
) -> None:
    member: Member = request.getfixturevalue(who)
    client = client_of(member)
    assert client.get("/profile/").status_code == 200
    answer = client.post("/profile/", PROFILE)
    assert (answer.status_code, answer["Location"]) == (302, "/profile/")
    assert now_of(member) == PROFILE
    found = Member.objects.get(pk=member.pk)
    assert found.name_key == "bob emile"
    assert "bob emile" in found.search_text
    entry = AuditEntry.objects.get(verb="update_profile")
    assert (entry.member, entry.data) == (member, PROFILE)


def test_the_page_that_follows_is_in_the_chosen_language(client_of: ClientOf, bob: Member) -> None:
    answer = client_of(bob).post("/profile/", {**PROFILE, "time_zone": ""}, follow=True)
    assert 'lang="fr"' in answer.content.decode()


def test_an_empty_choice_follows_the_company(bob: Member) -> None:
    update_profile(actor=Actor.of_member(bob), **PROFILE)
    update_profile(actor=Actor.of_member(bob), language="", time_zone="")
    assert now_of(bob) == {"name": "Bob Émile", "language": "", "time_zone": ""}


def test_saving_the_same_again_is_no_decision(bob: Member) -> None:
    for _again in range(2):
        update_profile(actor=Actor.of_member(bob), **PROFILE)
    assert AuditEntry.objects.filter(verb="update_profile").count() == 1


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", "  "),
        ("name", "x" * 151),
        ("language", "de"),
        ("time_zone", "Mars/Olympus"),
        ("time_zone", "../etc/passwd"),
    ],
)
def test_a_value_that_cannot_be_used_is_refused_beside_its_field(
    client_of: ClientOf, bob: Member, field: str, value: str
) -> None:
    before = now_of(bob)
    with pytest.raises(InvalidField) as refusal:
        update_profile(actor=Actor.of_member(bob), **{**PROFILE, field: value})
    assert refusal.value.field == field
    answer = client_of(bob).post("/profile/", {**PROFILE, field: value})
    assert answer.status_code == 422
    assert now_of(bob) == before


def test_the_page_names_the_administrators_and_leads_to_addresses_and_password(
    client_of: ClientOf, bob: Member
) -> None:
    page = client_of(bob).get("/profile/").content.decode()
    assert "Alice" in page
    for address in ("/accounts/email/", "/accounts/password/change/"):
        assert f'href="{address}"' in page
    assert 'href="/profile/"' in client_of(bob).get("/me/").content.decode()


def test_the_profile_needs_a_sign_in(db: None) -> None:
    assert Client().get("/profile/")["Location"].startswith("/accounts/login/")


def test_programs_change_their_owners_profile(api: Api, bob: Member) -> None:
    client = api(bob)
    answer = client.patch("me", PROFILE)
    assert answer.status_code == 200
    assert answer.json().items() >= PROFILE.items()
    assert client.patch("me", {"language": ""}).json()["language"] == ""
    refused(client.patch("me", {"language": "de"}), 422, "invalid")
    refused(client.patch("me", {"role": "administrator"}), 422, "unknown_field")
    refused(api(bob, scopes=["read"]).patch("me", PROFILE), 403, "scope_missing")
    assert now_of(bob) == {**PROFILE, "language": ""}


def test_a_companys_token_has_no_profile(api: Api, alice: Member) -> None:
    assert api(alice, for_company=True).patch("me", PROFILE).status_code == 403
