"""A client of the API with a token of a member or of a company."""

import json
from collections.abc import Callable, Iterable
from typing import Any

import pytest
from django.test import Client

from members.actors import Actor
from members.models import Member
from members.tokens import issue_token

# The test client's answer: an HttpResponse that also has json().
Answer = Any
ALL_SCOPES = ("read", "write", "calls")


class ApiClient:
    """Sends JSON with a bearer token; paths are relative to ``/api/v1/``."""

    def __init__(self, secret: str = "", language: str = "en") -> None:
        headers = {"accept-language": language}
        if secret:
            headers["authorization"] = f"Bearer {secret}"
        self.client = Client(headers=headers)

    def get(self, path: str, **query: Any) -> Answer:
        return self.client.get(f"/api/v1/{path}", query)

    def post(self, path: str, body: Any = None, *, key: str = "") -> Answer:
        return self.send("POST", path, body, key=key)

    def put(self, path: str, body: Any = None) -> Answer:
        return self.send("PUT", path, body)

    def patch(self, path: str, body: Any = None) -> Answer:
        return self.send("PATCH", path, body)

    def delete(self, path: str) -> Answer:
        return self.client.delete(f"/api/v1/{path}")

    def send(self, method: str, path: str, body: Any, *, key: str = "") -> Answer:
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        return self.client.generic(
            method,
            f"/api/v1/{path}",
            raw,
            content_type="application/json",
            headers={"idempotency-key": key} if key else None,
        )


Api = Callable[..., ApiClient]


@pytest.fixture
def api() -> Api:
    """``api(alice)``, ``api(bob, scopes=["read"])``, ``api(alice, for_company=True)``."""

    def make(
        member: Member | None = None,
        *,
        scopes: Iterable[str] | None = None,
        for_company: bool = False,
        language: str = "en",
    ) -> ApiClient:
        if member is None:
            return ApiClient(language=language)
        if scopes is None:
            scopes = ALL_SCOPES if member.is_administrator else ALL_SCOPES[:2]
        if for_company:
            scopes = ("calls",)
        _token, secret = issue_token(
            actor=Actor.of_member(member),
            name="test",
            scopes=list(scopes),
            for_company=for_company,
        )
        return ApiClient(secret, language)

    return make


def refused(response: Answer, status: int, code: str) -> dict[str, Any]:
    """The problem, after checking its shape, status and code."""
    body: dict[str, Any] = response.json()
    assert (response.status_code, body["code"]) == (status, code), body
    assert response["Content-Type"] == "application/problem+json"
    assert body["status"] == status
    assert {"type", "title", "detail"} <= body.keys()
    assert body["detail"]
    return body
