"""Usage computed the slow way: call by call, in Python, from what the rows say."""

from collections import defaultdict
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from credit.models import Call
from credit.usage import NO_LIST, By, Measures, Usage, Within
from members.models import Company, Member
from members.placement import placement_on


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


def place(call: Call) -> tuple[int | None, str]:
    found = placement_on(call.member, call.started_on)
    return (found.list_id, found.cost_centre) if found else (None, "")


def day_of(zone: str, at: datetime) -> date:
    return at.astimezone(ZoneInfo(zone)).date()


def is_within(call: Call, within: Within) -> bool:
    list_id, cost_centre = place(call)
    return (
        (within.list_id is None or within.list_id == (list_id or NO_LIST))
        and (within.cost_centre is None or within.cost_centre == cost_centre)
        and (within.member_id is None or within.member_id == call.member_id)
    )


def key(call: Call, by: By) -> tuple[Any, ...]:
    list_id, cost_centre = place(call)
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


def calls_of(company: Company, first: date, last: date) -> list[Call]:
    calls = Call.objects.select_related("member").filter(company=company)
    return [call for call in calls if first <= call.started_on <= last]


def slow_usage(
    company: Company, first: date, last: date, by: By, within: Within
) -> dict[tuple[Any, ...], tuple[Measures, Measures]]:
    found: dict[tuple[Any, ...], tuple[Measures, Measures]] = defaultdict(
        lambda: (Measures(), Measures())
    )
    for call in calls_of(company, first, last):
        if is_within(call, within):
            started, booked = found[key(call, by)]
            now = measures(call)
            booked = booked + now if call.booked_on <= last else booked
            found[key(call, by)] = (started + now, booked)
    return dict(found)


def told(rows: list[Usage]) -> dict[tuple[Any, ...], tuple[Measures, Measures]]:
    return {
        (row.day, row.list_id, row.cost_centre, row.country, row.kind): (
            row.started,
            row.booked_in_span,
        )
        for row in rows
    }


def slow_members(
    company: Company, first: date, last: date, within: Within
) -> dict[Member, tuple[Measures, Measures]]:
    found: dict[Member, tuple[Measures, Measures]] = {}
    for call in calls_of(company, first, last):
        if is_within(call, within):
            started, booked = found.get(call.member, (Measures(), Measures()))
            now = measures(call)
            booked = booked + now if call.booked_on <= last else booked
            found[call.member] = (started + now, booked)
    return found
