"""Calls by day, month, list, cost centre and destination. Its one rule: listed by the day of the
start, and the same whether and whenever the roll-up ran.

Amounts are Decimals with 4 decimals in the company's currency. A call is booked on the day of its
start or later: what a span's calls brought until its last day is ``booked_in_span``, the rest was
booked later. So with ``started_earlier`` every sum meets the movements by day of booking.
"""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Any

from django.db import connection

from credit.models import UsageDay
from credit.usage_rollup import COLUMNS
from credit.usage_sql import SUMS, SUMS_BOOKED, not_summed, of_member, placed, summed
from members.models import Company

Level = UsageDay.Level
# Those in no list.
NO_LIST = 0
WIDTH = 7


class By(StrEnum):
    """What the lines of a list of usage tell apart."""

    TOTAL = "total"
    DAY = "day"
    MONTH = "month"
    LIST = "list"
    COST_CENTRE = "cost_centre"
    DESTINATION = "destination"


@dataclass(frozen=True, slots=True)
class Measures:
    """Sums of calls; seconds are seconds; price = collected + uncollected."""

    calls_count: int = 0
    duration_seconds: int = 0
    billed_seconds: int = 0
    included_seconds: int = 0
    price: Decimal = Decimal(0)
    collected: Decimal = Decimal(0)
    uncollected: Decimal = Decimal(0)

    def __add__(self, other: "Measures") -> "Measures":
        return Measures(*(mine + its for mine, its in zip(self.all, other.all, strict=True)))

    def __sub__(self, other: "Measures") -> "Measures":
        return Measures(*(mine - its for mine, its in zip(self.all, other.all, strict=True)))

    @property
    def all(self) -> tuple[Any, ...]:
        """In the order of the fields."""
        return (
            self.calls_count,
            self.duration_seconds,
            self.billed_seconds,
            self.included_seconds,
            self.price,
            self.collected,
            self.uncollected,
        )


@dataclass(frozen=True, slots=True)
class Within:
    """Whose calls: of a list (``NO_LIST``: of none) and a cost centre ("": none) on the day of the
    start, of a member; to which country (``usage_by`` alone); None: all.
    """

    list_id: int | None = None
    cost_centre: str | None = None
    member_id: int | None = None
    country: str | None = None


EVERYBODY = Within()


@dataclass(frozen=True, slots=True)
class Usage:
    """One line: the calls started in the span, and what of them was booked in it. ``day`` is the
    day of the start, by month the first of the month. What is not told apart is empty.
    """

    day: date | None
    list_id: int | None
    cost_centre: str
    country: str
    kind: str
    started: Measures
    booked_in_span: Measures

    @property
    def booked_later(self) -> Measures:
        """What was booked after the span's last day."""
        return self.started - self.booked_in_span


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """Calls started in one span and booked in another; ``day`` is the one that lies outside."""

    day: date
    measures: Measures


_KEYS = {
    By.TOTAL: "NULL::date, NULL::bigint, '', '', ''",
    By.DAY: "started_on, NULL::bigint, '', '', ''",
    By.MONTH: "date_trunc('month', started_on)::date, NULL::bigint, '', '', ''",
    By.LIST: "NULL::date, list_id, '', '', ''",
    By.COST_CENTRE: "NULL::date, NULL::bigint, cost_centre, '', ''",
    By.DESTINATION: "NULL::date, NULL::bigint, '', country, kind",
}
_LEVELS = {
    frozenset[str](): Level.COMPANY,
    frozenset({By.LIST}): Level.LIST,
    frozenset({By.COST_CENTRE}): Level.COST_CENTRE,
    frozenset({By.DESTINATION}): Level.DESTINATION,
    frozenset({By.LIST, By.COST_CENTRE}): Level.LIST_COST_CENTRE,
    frozenset({By.LIST, By.DESTINATION}): Level.LIST_DESTINATION,
    frozenset({By.COST_CENTRE, By.DESTINATION}): Level.COST_CENTRE_DESTINATION,
}
_STORED = """
  SELECT started_on, booked_on, list_id, cost_centre, country, kind, {columns}
    FROM credit_usageday
   WHERE company_id = %(company)s AND level = %(level)s
     AND started_on BETWEEN %(first)s AND %(last)s {within}
   UNION ALL
"""
_USAGE = """
WITH {call}, {placed}, part AS (
  {stored}
  SELECT started_on, booked_on, {list_id}, {cost_centre}, country, kind, {columns}
    FROM placed WHERE true {within}
)
SELECT {keys}, {sums}, {sums_booked} FROM part GROUP BY 1, 2, 3, 4, 5
 ORDER BY 1, 2 NULLS LAST, 3, 4, 5
"""
_ELSEWHERE = """
WITH {call}, part AS (
  SELECT started_on, booked_on, {columns} FROM credit_usageday
   WHERE company_id = %(company)s AND level = 'company'
     AND started_on BETWEEN %(first)s AND %(last)s
   UNION ALL
  SELECT started_on, booked_on, {columns} FROM call
)
SELECT {day}, {sums} FROM part WHERE booked_on BETWEEN %(from)s AND %(to)s GROUP BY 1 ORDER BY 1
"""
EARLIEST, LATEST = date(1900, 1, 1), date(9999, 1, 1)


def usage_by(
    company: Company, first_day: date, last_day: date, *, by: str, within: Within = EVERYBODY
) -> list[Usage]:
    """The calls started in these days, both included, told apart by day, month, list, cost centre
    or destination (country and kind); ``total``: one line. One query; lines in order of their key.
    """
    by = By(by)
    dimensions = _dimensions(by, within)
    level = level_of(by, within)
    stored = _STORED.format(columns=COLUMNS, within=within_sql(within))
    call = not_summed()
    if within.member_id is not None:
        call, stored = of_member(), ""
    elif level is None:
        # All three at once are nowhere summed.
        call, stored = not_summed(summed("started_on BETWEEN %(first)s AND %(last)s")), ""
    is_placed = By.LIST in dimensions or By.COST_CENTRE in dimensions
    query = _USAGE.format(
        call=call,
        placed=placed(is_placed),
        stored=stored,
        list_id="list_id" if is_placed else "NULL::bigint AS list_id",
        cost_centre="cost_centre" if is_placed else "'' AS cost_centre",
        columns=COLUMNS,
        within=within_sql(within),
        keys=_KEYS[by],
        sums=SUMS,
        sums_booked=SUMS_BOOKED,
    )
    parameters: dict[str, Any] = {
        "company": company.pk,
        "level": level,
        "first": first_day,
        "last": last_day,
        "list": within.list_id,
        "cost_centre": within.cost_centre,
        "member": within.member_id,
        "country": within.country,
    }
    return [
        Usage(
            day=row[0],
            list_id=row[1],
            cost_centre=row[2],
            country=row[3],
            kind=row[4],
            started=Measures(*row[5 : 5 + WIDTH]),
            booked_in_span=Measures(*row[5 + WIDTH :]),
        )
        for row in _rows(query, parameters)
    ]


def usage_total(
    company: Company, first_day: date, last_day: date, *, within: Within = EVERYBODY
) -> Usage:
    """All calls started in these days in one line, zero if there were none. One query."""
    found = usage_by(company, first_day, last_day, by=By.TOTAL, within=within)
    return found[0] if found else Usage(None, None, "", "", "", Measures(), Measures())


def booked_later(company: Company, first_day: date, last_day: date) -> list[Elsewhere]:
    """Calls started in these days and booked after them, by day of booking. One query."""
    return _elsewhere(
        company, "booked_on", span=(first_day, last_day), booked=(_after(last_day), LATEST)
    )


def started_earlier(company: Company, first_day: date, last_day: date) -> list[Elsewhere]:
    """Calls booked in these days and started before them, by day of the start. One query."""
    return _elsewhere(
        company, "started_on", span=(EARLIEST, _before(first_day)), booked=(first_day, last_day)
    )


def _elsewhere(
    company: Company, day: str, *, span: tuple[date, date], booked: tuple[date, date]
) -> list[Elsewhere]:
    query = _ELSEWHERE.format(call=not_summed(), columns=COLUMNS, day=day, sums=SUMS)
    parameters: dict[str, Any] = {
        "company": company.pk,
        "first": span[0],
        "last": span[1],
        "from": booked[0],
        "to": booked[1],
    }
    return [Elsewhere(row[0], Measures(*row[1:])) for row in _rows(query, parameters)]


def level_of(by: By, within: Within) -> Level | None:
    """The level of sums that tells apart what is asked for; None if none does."""
    return _LEVELS.get(_dimensions(by, within))


def _dimensions(by: By, within: Within) -> frozenset[str]:
    """What a sum must tell apart to answer."""
    found: set[str] = set()
    if by in {By.LIST, By.COST_CENTRE, By.DESTINATION}:
        found.add(by)
    if within.list_id is not None:
        found.add(By.LIST)
    if within.cost_centre is not None:
        found.add(By.COST_CENTRE)
    if within.country is not None:
        found.add(By.DESTINATION)
    return frozenset(found)


def within_sql(within: Within) -> str:
    """The condition on list, cost centre and country."""
    where = ""
    if within.list_id is not None:
        is_none = within.list_id == NO_LIST
        where += " AND list_id IS NULL" if is_none else " AND list_id = %(list)s"
    if within.cost_centre is not None:
        where += " AND cost_centre = %(cost_centre)s"
    if within.country is not None:
        where += " AND country = %(country)s"
    return where


def _before(day: date) -> date:
    return date.fromordinal(day.toordinal() - 1)


def _after(day: date) -> date:
    return date.fromordinal(day.toordinal() + 1)


def _rows(query: str, parameters: dict[str, Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(query, parameters)
        return list(cursor.fetchall())
