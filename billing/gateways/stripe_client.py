"""The SDK, set up as this installation wants it.

Its one rule: whatever leaves open whether something happened is GatewayUnavailable; only what
Stripe itself refused comes through as the SDK's own error.
"""

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import lru_cache
from typing import Any

import stripe
from django.conf import settings

from billing.gateways.base import GatewayUnavailable

CONFLICT = 409

logger = logging.getLogger(__name__)


def connect() -> stripe.StripeClient:
    """The client for the keys and the address of the settings."""
    return _connect(
        settings.STRIPE_SECRET_KEY, settings.STRIPE_API_BASE, settings.STRIPE_TIMEOUT_SECONDS
    )


@lru_cache(maxsize=4)
def _connect(key: str, base: str, seconds: int) -> stripe.StripeClient:
    return stripe.StripeClient(
        key or "missing",
        base_addresses={"api": base} if base else {},
        http_client=stripe.RequestsClient(timeout=seconds),
        # A repeat is ours to decide: the purchase is asked about first.
        max_network_retries=0,
    )


@contextmanager
def asking(what: str) -> Iterator[None]:
    """Lets CardError, InvalidRequestError and a used key's IdempotencyError through; raises
    GatewayUnavailable for all else.
    """
    try:
        yield
    except stripe.StripeError as error:
        is_said = isinstance(
            error, (stripe.CardError, stripe.InvalidRequestError, stripe.IdempotencyError)
        )
        # With 409 the first request under the key is still being dealt with.
        if is_said and error.http_status != CONFLICT:
            raise
        level = logging.WARNING
        if isinstance(error, (stripe.AuthenticationError, stripe.PermissionError)):
            # Nobody can pay until somebody sets this right.
            level = logging.ERROR
        logger.log(level, "stripe did not answer (%s): %s", what, error)
        raise GatewayUnavailable from error


def is_replay(headers: Mapping[str, str] | None) -> bool:
    """Whether Stripe only repeated what it had answered before, which may be out of date."""
    found = {name.lower(): value for name, value in (headers or {}).items()}
    return found.get("idempotent-replayed") == "true"


def replayed(answer: stripe.StripeObject) -> bool:
    """Whether this answer is such a repetition."""
    last = answer.last_response
    return last is not None and is_replay(last.headers)


def failed_intent(error: stripe.CardError) -> dict[str, Any]:
    """The intent that a declined card leaves behind; empty if there is none."""
    body = error.json_body if isinstance(error.json_body, dict) else {}
    found = body.get("error", {}).get("payment_intent")
    return dict(found) if found else {}
