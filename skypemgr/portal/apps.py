"""Registers the portal, and with it the checks of the whole."""

from django.apps import AppConfig


class PortalConfig(AppConfig):
    name = "skypemgr.portal"
    label = "portal"

    def ready(self) -> None:
        """Unsafe production settings are refused before anything is served."""
        import skypemgr.checks  # noqa: F401
