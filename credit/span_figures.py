"""Sums over many spans of days at once. Its one rule: each day counts once, whether and whenever it
is rolled up: days that are not are read first, and left out of those that are.

Days are cut where a span begins or ends; a span is the sum of the pieces that lie in it.
"""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from django.db import connection

from credit.models import RolledTotal
from credit.money import ZERO
from credit.placing import PLACE, ever_in_list
from credit.rollup import ACCOUNT, LEVELS
from members.models import Company

Level = RolledTotal.Level
A_DAY = timedelta(days=1)
Days = tuple[date, date]

# Only purses have daily totals: those that are not of the company's own are its members'.
_KIND_OF_ACCOUNT = """
 CROSS JOIN LATERAL (
   SELECT CASE WHEN total.account_id = (
            SELECT id FROM credit_account
             WHERE company_id = %(company)s AND kind = 'company' AND member_id IS NULL)
          THEN 'company' ELSE 'member' END AS kind) account
"""
# Days are handed over as an array: the planner then looks for a few days, and reads no year. A day
# without a line of its own stands alone, with NULL.
_LIVE = """
WITH unrolled AS MATERIALIZED (
  SELECT DISTINCT day FROM credit_dailytotal WHERE company_id = %(company)s AND NOT is_rolled
)
SELECT day, level, kind, sum(incoming), sum(outgoing), sum(moves_count)
  FROM unrolled LEFT JOIN (
    SELECT level.name AS level, total.day, total.kind, total.incoming, total.outgoing,
           total.moves_count
      FROM credit_dailytotal total {account}
      JOIN {level_names}
        ON level.account_kind = account.kind AND level.name = ANY(%(levels)s::text[])
      {place}
     WHERE total.company_id = %(company)s
       AND total.day = ANY(ARRAY(SELECT day FROM unrolled)) {placed}) live USING (day)
 GROUP BY 1, 2, 3
"""
_TOLD = """
WITH live AS MATERIALIZED (
  SELECT level, day, kind, incoming, outgoing, moves_count
    FROM unnest(%(live_levels)s::text[], %(live_days)s::date[], %(live_kinds)s::text[],
                %(live_incoming)s::numeric[], %(live_outgoing)s::numeric[],
                %(live_moves)s::bigint[])
      AS told (level, day, kind, incoming, outgoing, moves_count)
   WHERE level IS NOT NULL
)
"""
_OF_COMPANY = """
{told}, part AS (
  SELECT level, day, kind, incoming, outgoing, moves_count
    FROM credit_rolledtotal
   WHERE company_id = %(company)s AND level = ANY(%(levels)s::text[])
     AND day BETWEEN %(first)s AND %(last)s AND NOT day = ANY(%(live_days)s::date[]) {within}
   UNION ALL
  SELECT * FROM live WHERE day BETWEEN %(first)s AND %(last)s
)
"""
_LATEST_DAYS = """
{told}
(SELECT day, kind, incoming, outgoing, moves_count
   FROM credit_rolledtotal
  WHERE company_id = %(company)s AND level = %(level)s AND kind = ANY(%(kinds)s::text[])
    AND NOT day = ANY(%(live_days)s::date[]) {within}
  ORDER BY day DESC LIMIT %(limit)s)
 UNION ALL
SELECT day, kind, incoming, outgoing, moves_count
  FROM live WHERE level = %(level)s AND kind = ANY(%(kinds)s::text[])
 ORDER BY 1 DESC, 2 LIMIT %(limit)s
"""
_OF_MEMBER = """
WITH part AS (
  SELECT 'members' AS level, day, kind, incoming, outgoing, moves_count
    FROM credit_dailytotal
   WHERE account_id = (SELECT id FROM credit_account
                        WHERE company_id = %(company)s AND member_id = %(member)s)
     AND day BETWEEN %(first)s AND %(last)s
)
"""
_SUMS = """
SELECT level, width_bucket(day, %(starts)s::date[]) - 1, kind, sum(incoming), sum(outgoing),
       sum(moves_count)
  FROM part GROUP BY 1, 2, 3
"""


@dataclass(frozen=True, slots=True)
class LiveDays:
    """The days that are not rolled, and what moved on them by level and kind: read once for several
    statements, which leave these days out of what is rolled.
    """

    rows: Sequence[tuple[Any, ...]]

    @property
    def parameters(self) -> dict[str, Any]:
        """The rows for a statement, column by column."""
        names = ("days", "levels", "kinds", "incoming", "outgoing", "moves")
        columns = zip(*self.rows, strict=True) if self.rows else [()] * len(names)
        return {f"live_{name}": list(each) for name, each in zip(names, columns, strict=True)}


@dataclass(frozen=True, slots=True)
class Flow:
    """What came in and went out by kind of transfer, and how many moves; company's currency."""

    incoming: Mapping[str, Decimal] = field(default_factory=dict)
    outgoing: Mapping[str, Decimal] = field(default_factory=dict)
    moves: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class DayOfKind:
    """What members' purses moved on one day by one kind of transfer."""

    day: date
    kind: str
    incoming: Decimal
    outgoing: Decimal
    moves_count: int


class Pieces:
    """Days cut into pieces at the edges of spans, and the place of each piece."""

    def __init__(self, spans: Iterable[Days]) -> None:
        known = list(spans)
        self.first = min(first for first, _last in known)
        self.last = max(last for _first, last in known)
        edges = {first for first, _last in known} | {last + A_DAY for _first, last in known}
        self.starts = sorted(edges)

    def of(self, first: date, last: date) -> range:
        """The places of the pieces that make up the span; one that was named before."""
        return range(bisect_left(self.starts, first), bisect_left(self.starts, last + A_DAY))


class SpanSums:
    """The sums of spans that were asked for, by level: ``company`` is the company's own purse,
    ``members`` those of the members who were chosen.
    """

    def __init__(self, pieces: Pieces, rows: Iterable[tuple[Any, ...]]) -> None:
        self._pieces = pieces
        self._rows: dict[tuple[str, int], list[tuple[Any, ...]]] = defaultdict(list)
        for level, place, *sums in rows:
            self._rows[level, place].append(tuple(sums))

    def company(self, first: date, last: date) -> Flow:
        """The company's purse in a span that was asked for; empty of some members."""
        return self._flow(Level.COMPANY, first, last)

    def members(self, first: date, last: date) -> Flow:
        """The members' purses together in a span that was asked for."""
        return self._flow(Level.MEMBERS, first, last)

    def _flow(self, level: str, first: date, last: date) -> Flow:
        incoming: dict[str, Decimal] = defaultdict(lambda: ZERO)
        outgoing: dict[str, Decimal] = defaultdict(lambda: ZERO)
        moves: dict[str, int] = defaultdict(int)
        for place in self._pieces.of(first, last):
            for kind, came, went, count in self._rows.get((level, place), ()):
                incoming[kind] += came
                outgoing[kind] += went
                moves[kind] += int(count)
        return Flow(dict(incoming), dict(outgoing), dict(moves))


def read_live_days(company: Company, *, list_id: int | None = None) -> LiveDays:
    """What moved on the days that are not rolled: of the company's purse and all members', or of
    those in a list on the day. One query.
    """
    parameters = {"company": company.pk, "list": list_id, "levels": _levels(list_id)}
    query = _LIVE.format(level_names=LEVELS, **_parts(list_id))
    with connection.cursor() as cursor:
        cursor.execute(query, parameters)
        return LiveDays(cursor.fetchall())


def read_span_sums(
    company: Company,
    spans: Iterable[Days],
    *,
    list_id: int | None = None,
    member_id: int | None = None,
    live: LiveDays | None = None,
) -> SpanSums:
    """What moved in each of the spans (both days included, they may overlap): the company's purse
    and all members' purses, or those of one member, or of those in a list on the day. One query;
    two if the company's or list's ``live`` days are not given.
    """
    pieces = Pieces(spans)
    parameters: dict[str, Any] = {
        "company": company.pk,
        "member": member_id,
        "list": list_id,
        "levels": _levels(list_id),
        "first": pieces.first,
        "last": pieces.last,
        "starts": pieces.starts,
    }
    query = _OF_MEMBER
    if member_id is None:
        query = _OF_COMPANY.format(told=_TOLD, within=_within(list_id))
        parameters |= (live or read_live_days(company, list_id=list_id)).parameters
    with connection.cursor() as cursor:
        cursor.execute(query + _SUMS, parameters)
        rows = cursor.fetchall()
    if list_id is not None:
        rows = [(Level.MEMBERS, *row[1:]) for row in rows]
    return SpanSums(pieces, rows)


def read_latest_days(
    company: Company,
    kinds: Iterable[str],
    limit: int,
    *,
    list_id: int | None = None,
    live: LiveDays | None = None,
) -> list[DayOfKind]:
    """The latest days on which members' purses (those of a list) moved by these kinds, newest
    first. One query; two if the ``live`` days are not given.
    """
    parameters: dict[str, Any] = {
        "company": company.pk,
        "level": str(Level.MEMBERS if list_id is None else Level.LIST),
        "kinds": list(kinds),
        "list": list_id,
        "limit": limit,
    }
    parameters |= (live or read_live_days(company, list_id=list_id)).parameters
    with connection.cursor() as cursor:
        cursor.execute(_LATEST_DAYS.format(told=_TOLD, within=_within(list_id)), parameters)
        return [DayOfKind(*row) for row in cursor.fetchall()]


def _levels(list_id: int | None) -> list[str]:
    levels = [Level.COMPANY, Level.MEMBERS] if list_id is None else [Level.LIST]
    return [str(level) for level in levels]


def _within(list_id: int | None) -> str:
    return "" if list_id is None else "AND list_id = %(list)s"


def _parts(list_id: int | None) -> dict[str, str]:
    """The parts of a statement that look for one list, if one is meant."""
    if list_id is None:
        return {"account": _KIND_OF_ACCOUNT, "place": "", "placed": ""}
    return {
        "account": ACCOUNT,
        "place": PLACE,
        "placed": f"AND place.list_id = %(list)s AND {ever_in_list('account.member_id')}",
    }
