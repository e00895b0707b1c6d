"""Refuses settings that must not run in production. Its one rule: silent in development."""

from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, register

DEVELOPMENT_KEY = "development-only-not-a-secret"
SHORTEST_KEY = 40


@register(Tags.security)
def check_production(
    app_configs: Sequence[AppConfig] | None = None, **_kwargs: Any
) -> list[CheckMessage]:
    """One error for each setting that is fit for development only."""
    if not settings.PRODUCTION:
        return []
    problems = {
        "skypemgr.E001": (
            settings.SECRET_KEY == DEVELOPMENT_KEY or len(settings.SECRET_KEY) < SHORTEST_KEY,
            "SECRET_KEY must be a secret of at least 40 characters.",
        ),
        "skypemgr.E002": (settings.DEBUG, "DEBUG must be off."),
        "skypemgr.E003": (
            not settings.SITE_URL.startswith("https://"),
            "SITE_URL must begin with https://.",
        ),
        "skypemgr.E004": (
            settings.OUTBOX_ENABLED
            or settings.EMAIL_BACKEND == "skypemgr.lib.outbox.EmailBackend"
            or settings.SMS_SENDER == "outbox",
            "The development outbox must not be used: set OUTBOX=0, EMAIL_BACKEND and SMS_SENDER.",
        ),
        "skypemgr.E005": ("*" in settings.ALLOWED_HOSTS, "ALLOWED_HOSTS must name the hosts."),
        "skypemgr.E006": (
            "stripe" in settings.GATEWAYS
            and not (settings.STRIPE_SECRET_KEY and settings.STRIPE_WEBHOOK_SECRETS),
            "Payments by Stripe need STRIPE_SECRET_KEY and STRIPE_WEBHOOK_SECRET.",
        ),
        "skypemgr.E007": (
            bool(settings.STRIPE_API_BASE) and not settings.STRIPE_API_BASE.startswith("https://"),
            "STRIPE_API_BASE must begin with https://, or be unset.",
        ),
    }
    return [Error(message, id=name) for name, (is_wrong, message) in problems.items() if is_wrong]
