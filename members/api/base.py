"""The base of every endpoint and address of the API. Its one rule: an address works with and
without a slash at the end.
"""

import re
from typing import ClassVar

from django.urls import re_path
from django.urls.resolvers import URLPattern
from rest_framework.views import APIView

from members.api.schema import DoorSchema


class Door(APIView):
    """An endpoint. ``scopes`` and ``roles`` say by method who may; see ``HasScope``."""

    http_method_names = ["get", "post", "put", "patch", "delete", "head"]
    scopes: ClassVar[dict[str, str]] = {}
    roles: ClassVar[dict[str, tuple[str, ...]]] = {}
    schema = DoorSchema()


def door(route: str, view: type[APIView], name: str) -> URLPattern:
    """The address ``route``, in which ``<name>`` stands for a whole number."""
    numbered = re.sub(r"<(\w+)>", r"(?P<\1>[0-9]{1,18})", route)
    return re_path(f"^{numbered}/?$", view.as_view(), name=f"api_{name}")
