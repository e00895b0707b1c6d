"""Tokens: who may make which, what they open, when they stop."""

import hashlib
from datetime import timedelta

import pytest
from django.core.cache import cache
from django.db import IntegrityError, transaction
from django.test import Client, override_settings

from members.actors import Actor
from members.api.throttling import TokenThrottle
from members.models import ApiToken, AuditEntry, Company, Member
from members.tokens import InvalidToken, find_token, issue_token, revoke_token
from skypemgr.lib.errors import NotAllowed, NotFound
from skypemgr.lib.periods import utc_now
from tests.api.conftest import Api, ApiClient, refused


def test_only_the_hash_of_a_secret_is_kept(alice: Member) -> None:
    token, secret = issue_token(actor=Actor.of_member(alice), name="one", scopes=["read"])
    assert token.token_hash == hashlib.sha256(secret.encode()).hexdigest()
    assert len(secret) > 43
    found = find_token(secret)
    assert found is not None
    assert found.pk == token.pk
    assert find_token(secret + "x") is None


def test_issuing_and_revoking_are_recorded_once_without_the_secret(alice: Member) -> None:
    actor = Actor.of_member(alice)
    token, secret = issue_token(actor=actor, name="one", scopes=["read"])
    revoke_token(actor=actor, token=token)
    revoke_token(actor=actor, token=token)
    entries = AuditEntry.objects.filter(subject=f"token:{token.pk}").order_by("pk")
    assert [entry.verb for entry in entries] == ["issue_token", "revoke_token"]
    assert secret not in str([entry.data for entry in entries])


@pytest.mark.parametrize("scopes", [["calls"], ["read", "calls"]])
def test_only_administrators_make_tokens_that_report_calls(
    bob: Member, fiona: Member, scopes: list[str]
) -> None:
    for member in (bob, fiona):
        with pytest.raises(NotAllowed):
            issue_token(actor=Actor.of_member(member), name="x", scopes=scopes)
        with pytest.raises(NotAllowed):
            issue_token(actor=Actor.of_member(member), name="x", scopes=["calls"], for_company=True)
    assert not ApiToken.objects.exists()


@pytest.mark.parametrize(
    ("name", "scopes", "for_company", "field"),
    [
        ("", ["read"], False, "name"),
        (" ", ["read"], False, "name"),
        ("x" * 81, ["read"], False, "name"),
        ("a\x00b", ["read"], False, "name"),
        ("x", [], False, "scopes"),
        ("x", ["everything"], False, "scopes"),
        ("x", ["read", "everything"], False, "scopes"),
        ("x", ["read"], True, "scopes"),
        ("x", ["calls", "read"], True, "scopes"),
    ],
)
def test_a_token_that_makes_no_sense_is_refused(
    alice: Member, name: str, scopes: list[str], for_company: bool, field: str
) -> None:
    with pytest.raises(InvalidToken) as refusal:
        issue_token(actor=Actor.of_member(alice), name=name, scopes=scopes, for_company=for_company)
    assert refusal.value.field == field
    assert not ApiToken.objects.exists()


def test_the_database_refuses_a_company_token_with_other_scopes(alice: Member) -> None:
    with transaction.atomic(), pytest.raises(IntegrityError, match="token_of_company_only_calls"):
        ApiToken.objects.create(
            company=alice.company, name="x", token_hash="x", scopes=["read"], made_by=alice
        )


def test_an_expiry_in_the_past_is_refused(alice: Member) -> None:
    with pytest.raises(InvalidToken, match="future"):
        issue_token(actor=Actor.of_member(alice), name="x", scopes=["read"], expires_at=utc_now())


def test_nobody_revokes_somebody_elses_token(alice: Member, bob: Member, charlie: Member) -> None:
    token, _secret = issue_token(actor=Actor.of_member(bob), name="x", scopes=["read"])
    shared, _secret = issue_token(
        actor=Actor.of_member(alice), name="pbx", scopes=["calls"], for_company=True
    )
    for member, target in ((alice, token), (charlie, token), (charlie, shared), (bob, shared)):
        with pytest.raises(NotFound):
            revoke_token(actor=Actor.of_member(member), token=target)
    assert not ApiToken.objects.exclude(revoked_at=None).exists()


def test_without_a_token_nothing_opens(api: Api, alice: Member) -> None:
    response = api().get("me/tokens")
    refused(response, 401, "not_authenticated")
    assert response["WWW-Authenticate"].startswith("Bearer")


@pytest.mark.parametrize(
    "header", ["Bearer", "Bearer a b", "Basic YTpi", "Bearer nonsense", "Bearer " + "x" * 5000]
)
def test_a_header_that_is_no_token_is_401(db: None, header: str) -> None:
    response = Client(headers={"authorization": header}).get("/api/v1/me/tokens")
    refused(response, 401, "invalid_token")


def test_a_session_opens_nothing(alice: Member) -> None:
    client = Client()
    client.force_login(alice.user, backend="django.contrib.auth.backends.ModelBackend")
    refused(client.get("/api/v1/me/tokens"), 401, "not_authenticated")


@pytest.mark.parametrize("status", ["suspended", "removed", "left"])
def test_a_token_stops_with_its_member(api: Api, bob: Member, status: str) -> None:
    client = api(bob)
    assert client.get("me/tokens").status_code == 200
    Member.objects.filter(pk=bob.pk).update(status=status)
    refused(client.get("me/tokens"), 401, "invalid_token")


def test_a_token_stops_with_its_login_its_revocation_and_its_expiry(
    api: Api, alice: Member, bob: Member
) -> None:
    client, other, third = api(bob), api(alice), api(alice)
    bob.user.is_active = False
    bob.user.save(update_fields=["is_active"])
    refused(client.get("me/tokens"), 401, "invalid_token")
    ApiToken.objects.filter(member=alice).update(revoked_at=utc_now())
    refused(other.get("me/tokens"), 401, "invalid_token")
    ApiToken.objects.filter(member=alice).update(
        revoked_at=None, expires_at=utc_now() - timedelta(seconds=1)
    )
    refused(third.get("me/tokens"), 401, "invalid_token")


def test_a_company_token_outlives_its_maker(api: Api, alice: Member) -> None:
    client = api(alice, for_company=True)
    Member.objects.filter(pk=alice.pk).update(status="removed")
    response = client.post("calls", {"calls": []})
    assert response.status_code == 200, response.content
    refused(client.get("company"), 403, "scope_missing")


def test_a_token_follows_the_role_of_the_moment(api: Api, alice: Member) -> None:
    client = api(alice)
    assert client.get("company").status_code == 200
    Member.objects.filter(pk=alice.pk).update(role="member")
    refused(client.get("company"), 403, "not_allowed")
    refused(client.post("calls", {"calls": []}), 403, "not_allowed")


def test_the_scope_bounds_the_role(api: Api, alice: Member) -> None:
    reader = api(alice, scopes=["read"])
    refused(reader.post("lists", {"name": "Sales"}), 403, "scope_missing")
    refused(reader.post("calls", {"calls": []}), 403, "scope_missing")
    refused(api(alice, scopes=["write"]).get("company"), 403, "scope_missing")


def test_the_last_use_is_noted_at_most_once_a_minute(api: Api, alice: Member) -> None:
    client = api(alice)
    assert ApiToken.objects.get().last_used_at is None
    client.get("me/tokens")
    first = ApiToken.objects.get().last_used_at
    assert first is not None
    client.get("me/tokens")
    assert ApiToken.objects.get().last_used_at == first
    ApiToken.objects.update(last_used_at=first - timedelta(seconds=61))
    client.get("me/tokens")
    latest = ApiToken.objects.get().last_used_at
    assert latest is not None
    assert latest >= first


def test_tokens_are_made_listed_and_revoked_by_the_api(api: Api, bob: Member) -> None:
    client = api(bob)
    made = client.post("me/tokens", {"name": "Hall", "scopes": ["read"]})
    assert made.status_code == 201, made.content
    secret = made.json()["token"]
    assert ApiClient(secret).get("me/tokens").status_code == 200
    listed = client.get("me/tokens").json()
    assert [row["name"] for row in listed["results"]] == ["Hall", "test"]
    assert "token" not in listed["results"][0]
    assert client.delete(f"me/tokens/{made.json()['id']}").status_code == 204
    refused(ApiClient(secret).get("me/tokens"), 401, "invalid_token")


def test_a_token_makes_no_stronger_token(api: Api, alice: Member) -> None:
    client = api(alice, scopes=["write"])
    response = client.post("me/tokens", {"name": "x", "scopes": ["read", "write"]})
    refused(response, 403, "scope_missing")
    refused(client.post("company/tokens", {"name": "x", "scopes": ["calls"]}), 403, "scope_missing")
    assert ApiToken.objects.count() == 1


def test_company_tokens_are_the_administrators(
    api: Api, acme: Company, alice: Member, bob: Member, fiona: Member, charlie: Member
) -> None:
    made = api(alice).post("company/tokens", {"name": "PBX", "scopes": ["calls"]})
    assert made.status_code == 201, made.content
    assert ApiToken.objects.get(member=None).company_id == acme.pk
    assert len(api(alice).get("company/tokens").json()["results"]) == 1
    assert api(charlie).get("company/tokens").json()["results"] == []
    path = f"company/tokens/{made.json()['id']}"
    refused(api(charlie).delete(path), 404, "not_found")
    for member in (bob, fiona):
        refused(api(member).get("company/tokens"), 403, "not_allowed")
        refused(api(member).delete(path), 403, "not_allowed")
    assert api(alice).delete(path).status_code == 204


def test_too_many_requests_are_told_when_to_come_back(
    api: Api, bob: Member, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(TokenThrottle, "rate", "3/hour", raising=False)
    client = api(bob)
    assert [client.get("me/tokens").status_code for _ in range(3)] == [200, 200, 200]
    response = client.get("me/tokens")
    refused(response, 429, "throttled")
    assert 0 < int(response["Retry-After"]) <= 3600


def test_without_the_cache_requests_are_let_through(api: Api, bob: Member) -> None:
    client = api(bob)
    dead = {
        "default": {
            "BACKEND": "django.core.cache.backends.redis.RedisCache",
            "LOCATION": "redis://127.0.0.1:1/0",
        }
    }
    with override_settings(CACHES=dead):
        assert client.get("me/tokens").status_code == 200
    assert cache.get("nothing") is None
