"""What machines ask, and pages for what went wrong."""

import pytest
from django.test import Client
from pytest_django import Settings

from members.models import Member
from tests.conftest import ClientOf


def test_a_healthy_installation_says_so(db: None, client: Client) -> None:
    response = client.get("/healthz")
    assert response.status_code == 200
    assert response.json() == {"status": "ok", "database": "ok", "redis": "ok"}


def test_without_redis_it_is_unhealthy(db: None, client: Client, settings: Settings) -> None:
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    response = client.get("/healthz")
    assert response.status_code == 503
    assert response.json()["redis"] == "down"


def test_metrics_are_for_this_machine(db: None, client: Client) -> None:
    assert client.get("/metrics").status_code == 200
    assert client.get("/metrics", REMOTE_ADDR="203.0.113.9").status_code == 403
    assert client.get("/metrics", headers={"x-forwarded-for": "127.0.0.1"}).status_code == 403


def test_metrics_are_for_whoever_bears_the_token(
    db: None, client: Client, settings: Settings
) -> None:
    settings.METRICS_TOKEN = "s3cret-metrics"
    right = {"authorization": "Bearer s3cret-metrics"}
    assert client.get("/metrics", headers=right, REMOTE_ADDR="203.0.113.9").status_code == 200
    wrong = {"authorization": "Bearer other"}
    assert client.get("/metrics", headers=wrong, REMOTE_ADDR="203.0.113.9").status_code == 403


@pytest.mark.parametrize("language", ["en", "fr"])
def test_a_missing_page_is_styled_and_404(
    alice: Member, client_of: ClientOf, language: str
) -> None:
    response = client_of(alice, language=language).get("/nowhere/")
    assert response.status_code == 404
    assert f'lang="{language}"' in response.content.decode()
    assert "404" in response.content.decode()


def test_a_broken_page_is_styled_and_500(
    alice: Member, client_of: ClientOf, monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> None:
    settings.DATABASES["default"]["TIME_ZONE"] = None
    browser = client_of(alice)
    browser.raise_request_exception = False
    monkeypatch.setattr("skypemgr.portal.shell.reverse", None)
    response = browser.get("/settings/")
    assert response.status_code == 500
    assert "500" in response.content.decode()
