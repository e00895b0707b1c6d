"""Registers the template tags of the helpers."""

from django.apps import AppConfig


class LibConfig(AppConfig):
    name = "skypemgr.lib"
    label = "lib"
