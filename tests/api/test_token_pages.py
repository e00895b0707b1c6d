"""The pages of tokens: made, shown once, revoked; each sees the own ones."""

import re
from datetime import timedelta

import pytest

from members.actors import Actor
from members.models import ApiToken, Member
from members.tokens import find_token, issue_token
from skypemgr.lib.periods import utc_now
from tests.api.conftest import Answer
from tests.conftest import ClientOf

PAGE = "/settings/tokens/"
WISH: dict[str, object] = {"own-name": "x", "own-scopes": ["read"], "own-lasts": "30"}


def shown_secret(response: Answer) -> str:
    found = re.search(r'id="token-secret">(smt_[\w-]+)<', response.content.decode())
    assert found
    return found[1]


@pytest.mark.parametrize("language", ["en", "fr"])
def test_everybody_makes_a_token_that_is_shown_once(
    client_of: ClientOf, bob: Member, language: str
) -> None:
    client = client_of(bob, language=language)
    assert client.get(PAGE).status_code == 200
    made = client.post(PAGE, {"own-name": "Hall", "own-scopes": ["read"], "own-lasts": "30"})
    assert made.status_code == 201
    assert "no-store" in made["Cache-Control"]
    secret = shown_secret(made)
    token = find_token(secret)
    assert token is not None
    assert (token.member, token.scopes) == (bob, ["read"])
    assert token.expires_at is not None
    assert abs(token.expires_at - utc_now() - timedelta(days=30)) < timedelta(minutes=1)
    assert secret not in client.get(PAGE).content.decode()


def test_a_member_cannot_choose_calls_nor_make_one_of_the_company(
    client_of: ClientOf, bob: Member
) -> None:
    client = client_of(bob)
    page = client.get(PAGE).content.decode()
    assert 'value="calls"' not in page
    assert "company-name" not in page
    assert (
        client.post(PAGE, {"own-name": "x", "own-scopes": ["calls"], "own-lasts": "30"}).status_code
        == 422
    )
    assert client.post(PAGE, {"company-name": "x", "company-lasts": "never"}).status_code == 403
    assert not ApiToken.objects.exists()


def test_an_administrator_makes_one_of_the_company(client_of: ClientOf, alice: Member) -> None:
    client = client_of(alice)
    made = client.post(PAGE, {"company-name": "PBX", "company-lasts": "never"})
    token = find_token(shown_secret(made))
    assert token is not None
    assert (token.member, token.scopes, token.expires_at) == (None, ["calls"], None)
    assert "PBX" in client.get(PAGE).content.decode()


@pytest.mark.parametrize(
    "change",
    [
        {"own-name": ""},
        {"own-name": "x" * 81},
        {"own-name": "a\x00b"},
        {"own-scopes": []},
        {"own-scopes": ["all"]},
        {"own-lasts": "1"},
        {"own-lasts": ""},
    ],
)
def test_what_was_typed_wrongly_is_told_and_makes_nothing(
    client_of: ClientOf, alice: Member, change: dict[str, object]
) -> None:
    response = client_of(alice).post(PAGE, {**WISH, **change})
    assert response.status_code == 422
    assert "form-error" in response.content.decode()
    assert not ApiToken.objects.exists()


def test_a_token_is_revoked_after_a_question(client_of: ClientOf, bob: Member) -> None:
    token, _secret = issue_token(actor=Actor.of_member(bob), name="Hall", scopes=["read"])
    client = client_of(bob)
    path = f"{PAGE}{token.pk}/revoke/"
    assert "Hall" in client.get(path).content.decode()
    token.refresh_from_db()
    assert token.revoked_at is None
    assert client.post(path)["Location"] == PAGE
    token.refresh_from_db()
    assert token.revoked_at is not None


def test_nobody_sees_or_revokes_somebody_elses_token(
    client_of: ClientOf, alice: Member, bob: Member, charlie: Member
) -> None:
    token, _secret = issue_token(actor=Actor.of_member(bob), name="Bobs", scopes=["read"])
    shared, _secret = issue_token(
        actor=Actor.of_member(alice), name="Shared", scopes=["calls"], for_company=True
    )
    for member, target in ((alice, token), (charlie, token), (charlie, shared), (bob, shared)):
        client = client_of(member)
        assert target.name not in client.get(PAGE).content.decode()
        for method in (client.get, client.post):
            assert method(f"{PAGE}{target.pk}/revoke/").status_code == 404
    assert not ApiToken.objects.exclude(revoked_at=None).exists()


def test_a_suspended_member_makes_no_token(client_of: ClientOf, bob: Member) -> None:
    Member.objects.filter(pk=bob.pk).update(status="suspended")
    response = client_of(bob).post(
        PAGE, {"own-name": "x", "own-scopes": ["read"], "own-lasts": "30"}
    )
    assert response.status_code == 403
    assert not ApiToken.objects.exists()
