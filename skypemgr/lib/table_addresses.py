"""The addresses of one table. Its one rule: filters and order stay but for what is changed, and a
change begins on the first page.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from django.http import HttpRequest, QueryDict

IN_SIGHT = frozenset({"q", "has", "sort"})


@dataclass(frozen=True, slots=True)
class Head:
    """A column by which the table can be sorted."""

    url: str
    direction: str


@dataclass(frozen=True, slots=True)
class Chip:
    """A filter in words, and the table without it."""

    words: str
    url: str


class Addresses:
    """Those of the table that the request asks for. ``carried`` are the parameters that an address
    may have besides ``page``; ticks are the page's own.
    """

    def __init__(self, request: HttpRequest, carried: Sequence[str], *, default_sort: str) -> None:
        self.path = request.path
        self.default_sort = default_sort
        self.kept = {name: str(request.GET[name]) for name in carried if request.GET.get(name)}

    @property
    def is_filtered(self) -> bool:
        """Whether a field is filled in besides what is always in sight: search, tabs, order."""
        return any(name not in IN_SIGHT for name in self.kept)

    def query(self, *, without: Sequence[str] = (), **changed: str) -> str:
        """The query string of the same table, but for what is changed."""
        kept = {name: value for name, value in self.kept.items() if name not in without} | changed
        values = QueryDict(mutable=True)
        values.update({name: value for name, value in kept.items() if value})
        if values.get("page") == "1":
            values.pop("page")
        return values.urlencode()

    def to(self, *, without: Sequence[str] = (), **changed: str) -> str:
        """The address of the same table, but for what is changed."""
        query = self.query(without=without, **changed)
        return f"{self.path}?{query}" if query else self.path

    def head(self, sort: str, name: str, first: str, **changed: str) -> Head:
        """The first click sorts as is most often meant, the next the other way round."""
        other = name if first.startswith("-") else f"-{name}"
        wanted = other if sort == first else first
        direction = {name: "ascending", f"-{name}": "descending"}.get(sort, "")
        order = "" if wanted == self.default_sort else wanted
        return Head(self.to(sort=order, **changed), direction)
