"""Registers the portal."""

from django.apps import AppConfig


class PortalConfig(AppConfig):
    name = "skypemgr.portal"
    label = "portal"
