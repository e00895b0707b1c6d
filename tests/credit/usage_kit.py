"""Usage computed the slow way: call by call, in Python, from what the rows say."""

from collections import defaultdict
from collections.abc import Callable
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from credit.models import Call
from credit.usage import NO_LIST, By, Measures, Usage, Within
from members.models import Company, MemberPlacement

Sums = dict[Any, tuple[Measures, Measures]]


def measures(call: Call) -> Measures:
    return Measures(
        1,
        call.duration_seconds,
        call.billed_seconds,
        call.included_seconds,
        call.price,
        call.collected,
        call.uncollected,
    )


def day_of(zone: str, at: datetime) -> date:
    return at.astimezone(ZoneInfo(zone)).date()


class Facts:
    """A company's calls and where its members belonged, read once."""

    def __init__(self, company: Company) -> None:
        self.calls = list(Call.objects.select_related("member").filter(company=company))
        self._places: dict[int, list[MemberPlacement]] = defaultdict(list)
        for row in MemberPlacement.objects.filter(company=company).order_by("valid_from"):
            self._places[row.member_id].append(row)

    def place(self, call: Call) -> tuple[int | None, str]:
        rows = self._places[call.member_id]
        before = [row for row in rows if row.valid_from <= call.started_on]
        row = before[-1] if before else rows[0]
        return row.list_id, row.cost_centre

    def is_within(self, call: Call, within: Within) -> bool:
        list_id, cost_centre = self.place(call)
        return (
            (within.list_id is None or within.list_id == (list_id or NO_LIST))
            and (within.cost_centre is None or within.cost_centre == cost_centre)
            and (within.member_id is None or within.member_id == call.member_id)
        )

    def key(self, call: Call, by: By) -> tuple[Any, ...]:
        list_id, cost_centre = self.place(call)
        day = None
        if by == By.DAY:
            day = call.started_on
        if by == By.MONTH:
            day = call.started_on.replace(day=1)
        return (
            day,
            list_id if by == By.LIST else None,
            cost_centre if by == By.COST_CENTRE else "",
            call.country if by == By.DESTINATION else "",
            call.kind if by == By.DESTINATION else "",
        )

    def usage(self, first: date, last: date, by: By, within: Within) -> Sums:
        return self._sum(first, last, within, lambda call: self.key(call, by))

    def members(self, first: date, last: date, within: Within) -> Sums:
        return self._sum(first, last, within, lambda call: call.member_id)

    def _sum(self, first: date, last: date, within: Within, key: Callable[[Call], Any]) -> Sums:
        found: Sums = {}
        for call in self.calls:
            if first <= call.started_on <= last and self.is_within(call, within):
                started, booked = found.get(key(call), (Measures(), Measures()))
                now = measures(call)
                booked = booked + now if call.booked_on <= last else booked
                found[key(call)] = (started + now, booked)
        return found


def told(rows: list[Usage]) -> dict[tuple[Any, ...], tuple[Measures, Measures]]:
    return {
        (row.day, row.list_id, row.cost_centre, row.country, row.kind): (
            row.started,
            row.booked_in_span,
        )
        for row in rows
    }
