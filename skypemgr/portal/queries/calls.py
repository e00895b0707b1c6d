"""The page of calls: single ones for whoever may see them, else one line a day. Its one rule: what
is shown of single calls is asked of ``members.call_details`` and of nothing else.

Single calls are shown of one member, or of one day: then of everybody who consented, and all the
others' calls of that day stand as one line.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date

from django.utils.translation import gettext as _

from credit.queries.calls import (
    PAGE_SIZE,
    CallLine,
    CallsPage,
    CallSums,
    Wanted,
    read_member_calls,
    read_shown_calls,
    sum_day_calls,
    sum_member_calls,
    sum_shown_calls,
)
from credit.statement import InvalidCursor
from credit.usage import By, Measures, Within, usage_by
from members.call_details import hide_last_digits, may_show_calls
from members.models import Member
from skypemgr.lib.phones import readable_number
from skypemgr.portal.scope import Scope
from skypemgr.portal.spans import Span


@dataclass(frozen=True, slots=True)
class Search:
    """What is asked for, and by whom: ``viewer`` is None for a program of the company."""

    scope: Scope
    span: Span
    viewer: Member | None
    country: str = ""
    only_uncollected: bool = False

    @property
    def wanted(self) -> Wanted:
        """The calls that are meant."""
        return Wanted(self.span.first, self.span.last, self.country, self.only_uncollected)

    @property
    def shown_member(self) -> Member | None:
        """The chosen member, if single calls of theirs are shown."""
        member = self.scope.member
        if member and self.viewer and may_show_calls(self.viewer, member):
            return member
        return None

    @property
    def shows_member(self) -> bool:
        """Whether single calls of one member are shown."""
        return self.shown_member is not None

    @property
    def shows_day(self) -> bool:
        """Whether single calls of one day are shown, of all who consented."""
        viewer, company = self.viewer, self.scope.company
        return bool(
            self.scope.is_company
            and self.span.first == self.span.last
            and viewer
            and viewer.company_id == company.pk
            and viewer.is_administrator
            and viewer.status == Member.Status.ACTIVE
            and company.call_details_on
        )

    @property
    def is_own(self) -> bool:
        """Whether the viewer looks at the own calls."""
        member = self.scope.member
        return bool(member and self.viewer and member.pk == self.viewer.pk)


@dataclass(frozen=True, slots=True)
class DayLine:
    """The calls that began on one day."""

    day: date
    sums: CallSums


@dataclass(frozen=True, slots=True)
class Calls:
    """One page. Either ``singles`` or ``days`` has lines; ``others``: those of one day that are not
    shown one by one. ``total`` is that of all pages.
    """

    is_single: bool
    singles: Sequence[CallLine] = ()
    days: Sequence[DayLine] = ()
    others: CallSums | None = None
    total: CallSums = field(default_factory=CallSums)
    older: str = ""
    newer: str = ""


def read_calls(search: Search, *, cursor: str = "", limit: int = PAGE_SIZE) -> Calls:
    """A page of calls, newest first. At most three queries; InvalidCursor for a foreign cursor."""
    member = search.shown_member
    if member:
        page = _read_page(search, cursor, limit)
        total = sum_member_calls(member, search.wanted)
        return Calls(True, page.lines, total=total, older=page.older, newer=page.newer)
    if search.shows_day:
        total = _sum_day(search)
        page = _read_page(search, cursor, limit)
        shown = sum_shown_calls(
            search.scope.company, search.span.first, search.wanted, viewer_id=_viewer_id(search)
        )
        return Calls(
            True,
            page.lines,
            others=total - shown,
            total=total,
            older=page.older,
            newer=page.newer,
        )
    days = read_days(search)
    total = sum_lines(days)
    lines, older, newer = _cut(days, cursor, limit)
    return Calls(False, days=lines, total=total, older=older, newer=newer)


def read_days(search: Search) -> list[DayLine]:
    """One line a day with calls, newest first; one query."""
    scope, span = search.scope, search.span
    within = Within(
        list_id=scope.list_id, member_id=scope.member_id, country=search.country or None
    )
    rows = usage_by(scope.company, span.first, span.last, by=By.DAY, within=within)
    found = [DayLine(row.day, _sums(row.started)) for row in reversed(rows) if row.day]
    if search.only_uncollected:
        found = [line for line in found if line.sums.uncollected]
    return found


def read_countries(search: Search) -> list[str]:
    """The countries that were called in the span, by their codes; one query."""
    scope, span = search.scope, search.span
    within = Within(list_id=scope.list_id, member_id=scope.member_id)
    rows = usage_by(scope.company, span.first, span.last, by=By.DESTINATION, within=within)
    return list(dict.fromkeys(row.country for row in rows if row.country))


def shown_number(search: Search, line: CallLine) -> str:
    """The called number as the viewer may read it."""
    number = readable_number(line.destination)
    is_own = search.viewer is not None and search.viewer.pk == line.member_id
    return number if is_own else hide_last_digits(number)


def sum_lines(days: Sequence[DayLine]) -> CallSums:
    """All lines together."""
    total = CallSums()
    for line in days:
        total = total + line.sums
    return total


def _sum_day(search: Search) -> CallSums:
    """All calls of the day; the sums of days do not tell which were not wholly paid."""
    if search.only_uncollected:
        return sum_day_calls(search.scope.company, search.span.first, search.wanted)
    return sum_lines(read_days(search))


def _read_page(search: Search, cursor: str, limit: int) -> CallsPage:
    member = search.shown_member
    if member:
        return read_member_calls(member, search.wanted, cursor=cursor, limit=limit)
    return read_shown_calls(
        search.scope.company,
        search.span.first,
        search.wanted,
        viewer_id=_viewer_id(search),
        cursor=cursor,
        limit=limit,
    )


def _cut(days: list[DayLine], cursor: str, limit: int) -> tuple[list[DayLine], str, str]:
    """The page that begins below the day that the cursor names."""
    start = 0
    if cursor:
        try:
            before = date.fromisoformat(cursor)
        except ValueError:
            raise InvalidCursor(_("This cursor is not one that we gave."), field="cursor") from None
        start = next((place for place, line in enumerate(days) if line.day < before), len(days))
    lines = days[start : start + limit]
    older = lines[-1].day.isoformat() if start + limit < len(days) else ""
    newer = ""
    if start > limit:
        newer = days[start - limit - 1].day.isoformat()
    elif start:
        newer = date.max.isoformat()
    return lines, older, newer


def _sums(measures: Measures) -> CallSums:
    return CallSums(
        calls_count=measures.calls_count,
        duration_seconds=measures.duration_seconds,
        included_seconds=measures.included_seconds,
        price=measures.price,
        collected=measures.collected,
        uncollected=measures.uncollected,
    )


def _viewer_id(search: Search) -> int:
    return search.viewer.pk if search.viewer else 0
