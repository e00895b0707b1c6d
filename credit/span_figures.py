"""Sums over many spans of days at once. Its one rule: one statement reads them all, so they are of
one moment, and the same whether and whenever the roll-up ran.

Days are cut where a span begins or ends; a span is the sum of the pieces that lie in it.
"""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from django.db import connection

from credit.models import RolledTotal
from credit.money import ZERO
from credit.rollup import ACCOUNT, LEVELS, LIST_AND_COST_CENTRE, PLACE, ever_in_list
from members.models import Company

Level = RolledTotal.Level
A_DAY = timedelta(days=1)
Days = tuple[date, date]

# Days are handed over as an array: the planner then looks for a few days, and reads no year.
# Only purses have daily totals: those that are not of the company's own are its members'.
_KIND_OF_ACCOUNT = """
 CROSS JOIN LATERAL (
   SELECT CASE WHEN total.account_id = (
            SELECT id FROM credit_account
             WHERE company_id = %(company)s AND kind = 'company' AND member_id IS NULL)
          THEN 'company' ELSE 'member' END AS kind) account
"""
_OF_COMPANY = """
WITH unrolled AS MATERIALIZED (
  SELECT DISTINCT day FROM credit_dailytotal
   WHERE company_id = %(company)s AND NOT is_rolled AND day BETWEEN %(first)s AND %(last)s
), part AS (
  SELECT level, day, list_id, kind, incoming, outgoing, moves_count
    FROM credit_rolledtotal
   WHERE company_id = %(company)s AND level = ANY(%(levels)s::text[])
     AND day BETWEEN %(first)s AND %(last)s AND day NOT IN (SELECT day FROM unrolled) {within}
   UNION ALL
  SELECT level, day, list_id, kind, incoming, outgoing, moves_count FROM (
    SELECT level.name AS level, total.day, {list_and_cost_centre}, total.kind, total.incoming,
           total.outgoing, total.moves_count
      FROM credit_dailytotal total {account}
      JOIN {level_names}
        ON level.account_kind = account.kind AND level.name = ANY(%(levels)s::text[])
      {place}
     WHERE total.company_id = %(company)s
       AND total.day = ANY(ARRAY(SELECT day FROM unrolled)) {ever}) live
   WHERE true {within}
)
"""
_LATEST_DAYS = """
WITH unrolled AS MATERIALIZED (
  SELECT DISTINCT day FROM credit_dailytotal WHERE company_id = %(company)s AND NOT is_rolled
)
(SELECT day, kind, incoming, outgoing, moves_count
   FROM credit_rolledtotal
  WHERE company_id = %(company)s AND level = %(level)s AND kind = ANY(%(kinds)s::text[])
    AND day NOT IN (SELECT day FROM unrolled) {within}
  ORDER BY day DESC LIMIT %(limit)s)
 UNION ALL
SELECT day, kind, sum(incoming), sum(outgoing), sum(moves_count) FROM (
  SELECT total.day, {list_and_cost_centre}, total.kind, total.incoming, total.outgoing,
         total.moves_count
    FROM credit_dailytotal total {account}
    JOIN (VALUES (%(level)s)) AS level (name) ON account.kind = 'member'
    {place}
   WHERE total.company_id = %(company)s AND total.kind = ANY(%(kinds)s::text[])
     AND total.day = ANY(ARRAY(SELECT day FROM unrolled)) {ever}) live
 WHERE true {within} GROUP BY 1, 2
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


def read_span_sums(
    company: Company,
    spans: Iterable[Days],
    *,
    list_id: int | None = None,
    member_id: int | None = None,
) -> SpanSums:
    """What moved in each of the spans (both days included, they may overlap): the company's purse
    and all members' purses, or those of one member, or of those in a list on the day. One query.
    """
    pieces = Pieces(spans)
    query = _OF_COMPANY.format(level_names=LEVELS, **_of_list(list_id))
    if member_id is not None:
        query = _OF_MEMBER
    levels = [Level.COMPANY, Level.MEMBERS] if list_id is None else [Level.LIST]
    parameters: dict[str, Any] = {
        "company": company.pk,
        "member": member_id,
        "list": list_id,
        "levels": [str(level) for level in levels],
        "first": pieces.first,
        "last": pieces.last,
        "starts": pieces.starts,
    }
    with connection.cursor() as cursor:
        cursor.execute(query + _SUMS, parameters)
        rows = cursor.fetchall()
    if list_id is not None:
        rows = [(Level.MEMBERS, *row[1:]) for row in rows]
    return SpanSums(pieces, rows)


def read_latest_days(
    company: Company, kinds: Iterable[str], limit: int, *, list_id: int | None = None
) -> list[DayOfKind]:
    """The latest days on which members' purses (those of a list) moved by these kinds, newest
    first. One query.
    """
    parameters: dict[str, Any] = {
        "company": company.pk,
        "level": str(Level.MEMBERS if list_id is None else Level.LIST),
        "kinds": list(kinds),
        "list": list_id,
        "limit": limit,
    }
    with connection.cursor() as cursor:
        cursor.execute(_LATEST_DAYS.format(**_of_list(list_id)), parameters)
        return [DayOfKind(*row) for row in cursor.fetchall()]


def _of_list(list_id: int | None) -> dict[str, str]:
    """The parts of a statement that look for one list, if one is meant."""
    if list_id is None:
        return {
            "account": _KIND_OF_ACCOUNT,
            "within": "",
            "ever": "",
            "list_and_cost_centre": "NULL::bigint AS list_id",
            "place": "",
        }
    return {
        "account": ACCOUNT,
        "within": "AND list_id = %(list)s",
        "ever": f"AND {ever_in_list('account.member_id')}",
        "list_and_cost_centre": LIST_AND_COST_CENTRE,
        "place": PLACE,
    }
