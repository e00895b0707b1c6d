"""The payment server as a fixture: one process a session, empty for each test."""

from collections.abc import Iterator

import pytest
from pytest_django import Settings

from tests.fakes.payment_client import KEY, PaymentServer

SECRET = "whsec_fake"


@pytest.fixture(scope="session")
def payment_process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PaymentServer]:
    """The process itself, on a free port of the loopback."""
    server = PaymentServer(tmp_path_factory.mktemp("payments") / "state.sqlite")
    yield server
    server.stop()


@pytest.fixture
def payment_server(payment_process: PaymentServer, settings: Settings) -> PaymentServer:
    """An empty payment server, and settings that lead the stripe gateway to it."""
    payment_process.order("reset")
    settings.GATEWAYS = ["sandbox", "stripe"]
    settings.STRIPE_API_BASE = payment_process.base
    settings.STRIPE_SECRET_KEY = KEY
    settings.STRIPE_WEBHOOK_SECRETS = [SECRET]
    policy = settings.CONTENT_SECURITY_POLICY
    places = [*policy["DIRECTIVES"]["form-action"], payment_process.base]
    settings.CONTENT_SECURITY_POLICY = {
        **policy,
        "DIRECTIVES": {**policy["DIRECTIVES"], "form-action": places},
    }
    return payment_process
