"""Refuses payment settings that must not run. Its one rule: the sandbox never takes "payments" in
production, where nobody would notice that no money came.
"""

from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error

from billing.gateways.registry import KNOWN


def check_gateways(
    app_configs: Sequence[AppConfig] | None = None, **kwargs: Any
) -> list[CheckMessage]:
    """An error for the sandbox in production, and for a gateway that does not exist."""
    problems: list[CheckMessage] = []
    for name in settings.GATEWAYS:
        if name not in KNOWN:
            problems.append(
                Error(
                    f"GATEWAYS names {name!r}, which is no gateway.",
                    hint=f"Known: {', '.join(KNOWN)}.",
                    id="billing.E002",
                )
            )
        elif settings.PRODUCTION and KNOWN[name].is_sandbox:
            problems.append(
                Error(
                    "The sandbox gateway gives credit for no money and is refused in production.",
                    hint="Remove 'sandbox' from GATEWAYS.",
                    id="billing.E001",
                )
            )
    return problems
