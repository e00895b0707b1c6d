"""Settings that must not run in production are refused, each by its own error."""

import pytest
from pytest_django import Settings

from skypemgr.checks import check_production

SAFE = {
    "PRODUCTION": True,
    "DEBUG": False,
    "SECRET_KEY": "k" * 50,
    "SITE_URL": "https://credit.example.com",
    "OUTBOX_ENABLED": False,
    "EMAIL_BACKEND": "django.core.mail.backends.smtp.EmailBackend",
    "SMS_SENDER": "http",
    "ALLOWED_HOSTS": ["credit.example.com"],
    "GATEWAYS": ["stripe"],
    "STRIPE_SECRET_KEY": "sk_live_secret",
    "STRIPE_WEBHOOK_SECRETS": ["whsec_secret"],
    "STRIPE_API_BASE": "",
}


def errors(settings: Settings, **unsafe: object) -> list[str]:
    for name, value in {**SAFE, **unsafe}.items():
        setattr(settings, name, value)
    return [str(message.id) for message in check_production(None)]


def test_safe_settings_pass(settings: Settings) -> None:
    assert errors(settings) == []


@pytest.mark.parametrize(
    ("name", "value", "error"),
    [
        ("SECRET_KEY", "development-only-not-a-secret", "skypemgr.E001"),
        ("SECRET_KEY", "short", "skypemgr.E001"),
        ("DEBUG", True, "skypemgr.E002"),
        ("SITE_URL", "http://credit.example.com", "skypemgr.E003"),
        ("SMS_SENDER", "outbox", "skypemgr.E004"),
        ("OUTBOX_ENABLED", True, "skypemgr.E004"),
        ("ALLOWED_HOSTS", ["*"], "skypemgr.E005"),
        ("STRIPE_SECRET_KEY", "", "skypemgr.E006"),
        ("STRIPE_WEBHOOK_SECRETS", [], "skypemgr.E006"),
        ("STRIPE_API_BASE", "http://127.0.0.1:8340", "skypemgr.E007"),
    ],
)
def test_an_unsafe_setting_is_named(
    settings: Settings, name: str, value: object, error: str
) -> None:
    assert errors(settings, **{name: value}) == [error]


def test_keys_of_a_gateway_that_is_not_used_may_be_missing(settings: Settings) -> None:
    assert errors(settings, GATEWAYS=[], STRIPE_SECRET_KEY="", STRIPE_WEBHOOK_SECRETS=[]) == []


def test_development_is_left_alone(settings: Settings) -> None:
    assert errors(settings, PRODUCTION=False, DEBUG=True) == []
