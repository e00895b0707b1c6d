"""Refuses payment settings that must not run. Its one rule: the sandbox never takes "payments" in
production, where nobody would notice that no money came, nor transfers without an account.
"""

from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error
from django.core.checks import Warning as Caution
from stdnum import iban

from billing.gateways.registry import KNOWN
from billing.gateways.transfer import TransferGateway
from members.countries import COUNTRIES


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
    return problems + _check_account()


def _check_account() -> list[CheckMessage]:
    """An error if transfers are asked for in production and nobody would know where to."""
    if not settings.PRODUCTION or TransferGateway.name not in settings.GATEWAYS:
        return []
    if iban.is_valid(settings.BANK_IBAN) and settings.BANK_HOLDER:
        return []
    return [
        Error(
            "GATEWAYS names 'transfer', but BANK_IBAN is no valid IBAN or BANK_HOLDER is empty.",
            hint="Set BANK_HOLDER, BANK_IBAN and BANK_BIC, or remove 'transfer' from GATEWAYS.",
            id="billing.E005",
        )
    ]


def check_seller(
    app_configs: Sequence[AppConfig] | None = None, **kwargs: Any
) -> list[CheckMessage]:
    """Errors for a seller's country or a checker that do not exist, a caution for a seller without
    the details that invoices need.
    """
    problems: list[CheckMessage] = []
    if settings.SELLER_COUNTRY not in COUNTRIES:
        problems.append(
            Error(
                f"SELLER_COUNTRY is {settings.SELLER_COUNTRY!r}, which is no country.",
                hint="Two letters, such as FR: VAT depends on it.",
                id="billing.E003",
            )
        )
    if settings.VAT_CHECKER not in ("operator", "vies"):
        problems.append(
            Error(
                f"VAT_CHECKER is {settings.VAT_CHECKER!r}, which is no checker.",
                hint="operator, or vies.",
                id="billing.E004",
            )
        )
    if settings.PRODUCTION and settings.GATEWAYS and not settings.SELLER_ADDRESS:
        problems.append(
            Caution(
                "The seller has no address, which invoices must name.",
                hint="Set SELLER_NAME, SELLER_ADDRESS and SELLER_VAT_NUMBER.",
                id="billing.W001",
            )
        )
    return problems


def check_operators(
    app_configs: Sequence[AppConfig] | None = None, **kwargs: Any
) -> list[CheckMessage]:
    """A caution if payments are taken and nobody hears of incidents."""
    if not settings.PRODUCTION or not settings.GATEWAYS or settings.OPERATOR_EMAILS:
        return []
    return [
        Caution(
            "Nobody is mailed when something about payments needs a person.",
            hint="Set OPERATOR_EMAILS, or look at the payment incidents every day.",
            id="billing.W002",
        )
    ]
