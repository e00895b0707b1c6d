"""Lists of results, page by page. Its one rule: a row added meanwhile moves no other."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Any

from django.db.models import Model
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import OpenApiParameter
from rest_framework.pagination import BasePagination
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.utils.urls import remove_query_param, replace_query_param

from skypemgr.lib.rest import MAX_ID, BadRequest


class CursorPagination(BasePagination):
    """Pages by id: ``{results, next, previous}``. ``limit`` is at most 200.

    A view sets ``newest_first = True`` to go downwards.
    """

    default_limit = 50
    max_limit = 200
    parameters = (
        OpenApiParameter("cursor", str, description="As given in next and previous."),
        OpenApiParameter("limit", int, description="1 to 200; 50 without it."),
    )

    def paginate_queryset(self, queryset: Any, request: Request, view: Any = None) -> list[Any]:
        """The page that ``cursor`` and ``limit`` name; BadRequest for a cursor not made here."""
        down = bool(getattr(view, "newest_first", False))
        limit = self.read_limit(request)
        backwards, start = self._cursor(request)
        if start is not None:
            comparison = "id__lt" if down != backwards else "id__gt"
            queryset = queryset.filter(**{comparison: start})
        rows = list(queryset.order_by("-id" if down != backwards else "id")[: limit + 1])
        has_more = len(rows) > limit
        rows = rows[:limit]
        if backwards:
            rows.reverse()
        self._address = request.build_absolute_uri()
        self._next = rows[-1] if rows and (has_more or backwards) else None
        self._previous = rows[0] if rows and (has_more if backwards else start) else None
        return rows

    def get_paginated_response(self, data: Any) -> Response:
        """The page's shape."""
        return Response(
            {
                "results": data,
                "next": self._link("n", self._next),
                "previous": self._link("p", self._previous),
            }
        )

    def read_limit(self, request: Request) -> int:
        """How many rows a page has; BadRequest for what is no number above 0."""
        text = request.query_params.get("limit", "")
        if not text:
            return self.default_limit
        if not (text.isascii() and text.isdigit() and len(text) < 10 and int(text) > 0):
            raise BadRequest(_("Write a whole number above 0."), code="invalid", field="limit")
        return min(int(text), self.max_limit)

    def _cursor(self, request: Request) -> tuple[bool, int | None]:
        text = request.query_params.get("cursor", "")
        if not text:
            return False, None
        try:
            plain = urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode("ascii")
            number = int(plain[1:]) if plain[1:].isdigit() and len(plain) < 21 else -1
        except ValueError:
            plain, number = "", -1
        if plain[:1] not in ("n", "p") or not 0 <= number <= MAX_ID:
            raise BadRequest(
                _("This cursor is not one that we gave."), code="invalid_cursor", field="cursor"
            )
        return plain[0] == "p", number

    def _link(self, direction: str, row: Model | None) -> str | None:
        if row is None:
            return None
        cursor = urlsafe_b64encode(f"{direction}{row.pk}".encode()).decode().rstrip("=")
        return replace_query_param(remove_query_param(self._address, "cursor"), "cursor", cursor)
