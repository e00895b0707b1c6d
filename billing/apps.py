"""Registers the app."""

from django.apps import AppConfig
from django.core.checks import register


class BillingConfig(AppConfig):
    name = "billing"

    def ready(self) -> None:
        """The checks of the gateways run with the others."""
        from billing.checks import check_gateways, check_operators, check_seller

        register(check_gateways)
        register(check_seller)
        register(check_operators)
