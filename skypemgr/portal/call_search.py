"""Reads which calls are meant from an address or a query. Its one rule: a member's search is always
about the own calls, whatever else was asked for.
"""

import re
from collections.abc import Mapping
from datetime import datetime

from django.utils.translation import gettext as _

from members.models import Company, Member
from members.models.people import Role
from skypemgr.portal.queries.calls import Search
from skypemgr.portal.reports.base import InvalidFilter
from skypemgr.portal.reports.usage import BY_MONTH_ALONE
from skypemgr.portal.scope import Scope, read_scope
from skypemgr.portal.spans import find_span

COUNTRY = re.compile(r"[A-Z]{2}|[0-9]{3}")


def find_search(reader: Member, wanted: Mapping[str, str], *, now: datetime) -> Search:
    """The calls that the reader asks for: span as in reports, ``list`` or ``member``, ``country``,
    ``uncollected=1``.

    Raises InvalidFilter, InvalidSpan, InvalidMonth (422) and NotFound (404).
    """
    if reader.role == Role.MEMBER or not reader.is_present:
        scope = Scope(reader.company, member=reader)
    else:
        scope = read_scope(reader.company, wanted)
    return search_in(scope, wanted, viewer=reader, now=now)


def company_search(company: Company, wanted: Mapping[str, str], *, now: datetime) -> Search:
    """The same for a program of the company: never single calls."""
    return search_in(read_scope(company, wanted), wanted, viewer=None, now=now)


def search_in(
    scope: Scope, wanted: Mapping[str, str], *, viewer: Member | None, now: datetime
) -> Search:
    """The calls of the scope that the parameters name; by country only of several members, or of
    one whose single calls the viewer may see.
    """
    country = wanted.get("country", "").strip().upper()
    if country and not COUNTRY.fullmatch(country):
        raise InvalidFilter(_("Write the country by its two letters, such as FR."), field="country")
    uncollected = wanted.get("uncollected", "").strip()
    if uncollected not in ("", "0", "1"):
        raise InvalidFilter(_("Give 1 for calls that were not wholly paid."), field="uncollected")
    search = Search(
        scope=scope,
        span=find_span(scope.company, wanted, now=now),
        viewer=viewer,
        country=country,
        only_uncollected=uncollected == "1",
    )
    if country and scope.member is not None and not search.shows_member:
        # A day of one member cut by country would tell single calls.
        raise InvalidFilter(BY_MONTH_ALONE, field="country")
    return search
