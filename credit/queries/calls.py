"""Single calls, newest first. Its one rule: it does not ask who may see them; whoever reads them
here has asked ``members.call_details`` before.

Pages are cut by start and id along an index; a call that is stored meanwhile moves no other.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db import connection
from django.db.models import Count, Q, QuerySet, Sum
from django.utils.translation import gettext_lazy as _

from credit.models import Call
from credit.money import ZERO
from credit.statement import InvalidCursor
from members.models import Company, Member

PAGE_SIZE = 50
CURSOR = re.compile(r"([np])([0-9]{1,18})\.([0-9]{1,18})\Z")
START = datetime(1970, 1, 1, tzinfo=UTC)
# A day of any zone begins and ends at most so far from the one in UTC, and its calls began at most
# a day before it.
AROUND = timedelta(days=3)
COLUMNS = (
    "id",
    "member_id",
    "member__name",
    "destination",
    "country",
    "kind",
    "started_at",
    "started_on",
    "booked_on",
    "duration_seconds",
    "included_seconds",
    "price",
    "collected",
    "uncollected",
)
SUMMED = ("duration_seconds", "included_seconds", "price", "collected", "uncollected")
# Days are looked up on which calls of that day were booked; the rest is not summed yet.
OF_DAY = """
  FROM credit_call call
  JOIN members_member member ON member.id = call.member_id
 WHERE call.company_id = %(company)s AND call.started_on = %(day)s
   AND (call.booked_on = ANY(ARRAY(
          SELECT DISTINCT booked_on FROM credit_usageday
           WHERE company_id = %(company)s AND level = 'company' AND started_on = %(day)s))
        OR call.booked_on > (SELECT coalesce(max(through), '-infinity') FROM credit_usagerolled
                              WHERE company_id = %(company)s)
        OR call.booked_on < (SELECT max(since) FROM credit_usagerolled
                              WHERE company_id = %(company)s)
        OR call.id = ANY(ARRAY(
          SELECT call_id FROM credit_usagelate WHERE company_id = %(company)s)))
   AND (%(country)s = '' OR call.country = %(country)s)
   AND (NOT %(unpaid)s OR call.uncollected > 0)
"""
SUMS = """
SELECT count(*), coalesce(sum(duration_seconds), 0)::bigint,
       coalesce(sum(included_seconds), 0)::bigint, coalesce(sum(price), 0),
       coalesce(sum(collected), 0), coalesce(sum(uncollected), 0)
"""
SHOWN_OF_DAY = f"""{OF_DAY}
   AND (member.call_details_consent_at IS NOT NULL OR member.id = %(viewer)s)
"""


@dataclass(frozen=True, slots=True)
class CallLine:
    """One finished call; amounts in the company's currency, price = collected + uncollected."""

    id: int
    member_id: int
    member: str
    destination: str
    country: str
    kind: str
    started_at: datetime
    started_on: date
    booked_on: date
    duration_seconds: int
    included_seconds: int
    price: Decimal
    collected: Decimal
    uncollected: Decimal


@dataclass(frozen=True, slots=True)
class Wanted:
    """Calls that began on these days, both included; to one country, or not wholly paid."""

    first: date
    last: date
    country: str = ""
    only_uncollected: bool = False


@dataclass(frozen=True, slots=True)
class CallsPage:
    """One page; ``older`` and ``newer`` are cursors, empty at the ends."""

    lines: Sequence[CallLine] = ()
    older: str = ""
    newer: str = ""


@dataclass(frozen=True, slots=True)
class CallSums:
    """How many calls, and what they cost together."""

    calls_count: int = 0
    duration_seconds: int = 0
    included_seconds: int = 0
    price: Decimal = ZERO
    collected: Decimal = ZERO
    uncollected: Decimal = ZERO

    def __add__(self, other: "CallSums") -> "CallSums":
        return CallSums(*(mine + its for mine, its in zip(self.all, other.all, strict=True)))

    def __sub__(self, other: "CallSums") -> "CallSums":
        return CallSums(*(mine - its for mine, its in zip(self.all, other.all, strict=True)))

    @property
    def all(self) -> tuple[Any, ...]:
        """In the order of the fields."""
        return (
            self.calls_count,
            self.duration_seconds,
            self.included_seconds,
            self.price,
            self.collected,
            self.uncollected,
        )


def read_member_calls(
    member: Member, wanted: Wanted, *, cursor: str = "", limit: int = PAGE_SIZE
) -> CallsPage:
    """A page of one member's calls. One query; InvalidCursor for a foreign cursor."""
    newer, edge = _parse(cursor)
    calls = _of_member(member, wanted)
    if edge:
        at, pk = edge
        beyond = (
            Q(started_at__gt=at) | Q(pk__gt=pk) if newer else Q(started_at__lt=at) | Q(pk__lt=pk)
        )
        along = Q(started_at__gte=at) if newer else Q(started_at__lte=at)
        calls = calls.filter(along & beyond)
    order = ("started_at", "pk") if newer else ("-started_at", "-pk")
    rows = calls.order_by(*order).values_list(*COLUMNS)[: limit + 1]
    return _page([CallLine(*row) for row in rows], edge, newer, limit)


def sum_member_calls(member: Member, wanted: Wanted) -> CallSums:
    """All calls of which ``read_member_calls`` gives pages, in sums. One query."""
    sums = _of_member(member, wanted).aggregate(
        calls_count=Count("pk"),
        **{name: Sum(name, default=0) for name in SUMMED},
    )
    return CallSums(**sums)


def _of_member(member: Member, wanted: Wanted) -> QuerySet[Call]:
    calls = Call.objects.filter(
        company=member.company_id,
        member=member,
        started_at__gte=noon(wanted.first) - AROUND,
        started_at__lt=noon(wanted.last) + AROUND,
        started_on__range=(wanted.first, wanted.last),
    )
    if wanted.country:
        calls = calls.filter(country=wanted.country)
    return calls.filter(uncollected__gt=0) if wanted.only_uncollected else calls


def read_shown_calls(
    company: Company,
    day: date,
    wanted: Wanted,
    *,
    viewer_id: int,
    cursor: str = "",
    limit: int = PAGE_SIZE,
) -> CallsPage:
    """A page of the calls that began on one day and whose members let administrators see them, and
    of the viewer's own. One query, whose cost follows the calls of a day; InvalidCursor.
    """
    newer, edge = _parse(cursor)
    sign, order = (">", "ASC") if newer else ("<", "DESC")
    columns = ", ".join(f"call.{name}" for name in COLUMNS).replace(
        "call.member__name", "member.name"
    )
    beyond = f"AND (call.started_at, call.id) {sign} (%(at)s, %(pk)s)" if edge else ""
    query = (
        f"SELECT {columns} {SHOWN_OF_DAY} {beyond}"
        f" ORDER BY call.started_at {order}, call.id {order} LIMIT %(limit)s"
    )
    parameters = day_parameters(company, day, wanted, viewer_id)
    parameters |= {"limit": limit + 1, "at": edge and edge[0], "pk": edge and edge[1]}
    lines = [CallLine(*row) for row in _rows(query, parameters)]
    return _page(lines, edge, newer, limit)


def sum_shown_calls(company: Company, day: date, wanted: Wanted, *, viewer_id: int) -> CallSums:
    """All calls of which ``read_shown_calls`` gives pages, in sums. One query."""
    parameters = day_parameters(company, day, wanted, viewer_id)
    return CallSums(*_rows(f"{SUMS} {SHOWN_OF_DAY}", parameters)[0])


def sum_day_calls(company: Company, day: date, wanted: Wanted) -> CallSums:
    """All calls that began on one day, whoever made them, in sums. One query, whose cost follows
    the calls of a day.
    """
    return CallSums(*_rows(f"{SUMS} {OF_DAY}", day_parameters(company, day, wanted, 0))[0])


def day_parameters(company: Company, day: date, wanted: Wanted, viewer_id: int) -> dict[str, Any]:
    """What ``OF_DAY`` is about."""
    return {
        "company": company.pk,
        "day": day,
        "viewer": viewer_id,
        "country": wanted.country,
        "unpaid": wanted.only_uncollected,
    }


def _page(
    lines: list[CallLine], edge: tuple[datetime, int] | None, newer: bool, limit: int
) -> CallsPage:
    has_more = len(lines) > limit
    lines = lines[:limit]
    if newer:
        lines.reverse()
    if not lines:
        return CallsPage()
    return CallsPage(
        lines,
        older=_cursor("n", lines[-1]) if has_more or newer else "",
        newer=_cursor("p", lines[0]) if (has_more if newer else edge) else "",
    )


def _cursor(direction: str, line: CallLine) -> str:
    micros = (line.started_at - START) // timedelta(microseconds=1)
    return f"{direction}{micros}.{line.id}"


def _parse(cursor: str) -> tuple[bool, tuple[datetime, int] | None]:
    """Whether to read newer calls, and from which place."""
    if not cursor:
        return False, None
    match = CURSOR.match(cursor)
    try:
        if match is None:
            raise OverflowError
        at = START + timedelta(microseconds=int(match[2]))
    except OverflowError:
        raise InvalidCursor(_("This cursor is not one that we gave."), field="cursor") from None
    return match[1] == "p", (at, int(match[3]))


def noon(day: date) -> datetime:
    """The middle of the day in UTC."""
    return datetime(day.year, day.month, day.day, 12, tzinfo=UTC)


def _rows(query: str, parameters: dict[str, Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(query, parameters)
        return list(cursor.fetchall())
