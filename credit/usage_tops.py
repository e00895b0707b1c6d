"""What the calls of one month cost by list, cost centre, destination and member. Its one rule: as
``credit.usage`` counts, but only how many calls and what was paid, so one statement reads it all.

The calls that no sum contains yet, those of today, are read and placed once for all of it.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from django.db import connection

from credit.usage import By, Level, Within, level_of, within_sql
from credit.usage_sql import not_summed, placed
from members.models import Company
from skypemgr.lib.periods import first_of_month, first_of_next_month

A_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Spent:
    """The calls of one list, cost centre or destination; ``collected`` is what was paid for them in
    the company's currency, with 4 decimals. What is not told apart is empty.
    """

    list_id: int | None
    cost_centre: str
    country: str
    kind: str
    calls_count: int
    collected: Decimal


@dataclass(frozen=True, slots=True)
class SpentByMember:
    """The calls of one member."""

    member_id: int
    name: str
    calls_count: int
    collected: Decimal


@dataclass(frozen=True, slots=True)
class Tops:
    """By each of what was asked for, all that has calls; and the few members who paid most."""

    by: dict[By, list[Spent]] = field(default_factory=dict)
    members: list[SpentByMember] = field(default_factory=list)


# A level is told apart by what its rows carry; the rest of a call is left out of its key.
_TOPS = """
WITH {call}, {placed}, live AS MATERIALIZED (
  SELECT member_id, list_id, cost_centre, country, kind, calls_count, collected
    FROM placed WHERE true {within}
), alike AS (
  SELECT list_id, cost_centre, country, kind, sum(calls_count) AS calls_count,
         sum(collected) AS collected
    FROM live GROUP BY 1, 2, 3, 4
), cut AS (
  SELECT level, list_id, cost_centre, country, kind, calls_count, collected
    FROM credit_usageday
   WHERE company_id = %(company)s AND level = ANY(%(levels)s::text[])
     AND started_on BETWEEN %(first)s AND %(last)s {within}
   UNION ALL
  SELECT level.name, CASE WHEN level.has_list THEN list_id END,
         CASE WHEN level.has_cost_centre THEN cost_centre ELSE '' END,
         CASE WHEN level.has_destination THEN country ELSE '' END,
         CASE WHEN level.has_destination THEN kind ELSE '' END, calls_count, collected
    FROM alike
   CROSS JOIN unnest(%(levels)s::text[], %(lists)s::bool[], %(cost_centres)s::bool[],
                     %(destinations)s::bool[])
           AS level (name, has_list, has_cost_centre, has_destination)
), ranked AS (
  SELECT member_id, sum(calls_count) AS calls_count, sum(collected) AS collected
    FROM (
      SELECT member_id, calls_count, collected FROM credit_usagemember
       WHERE company_id = %(company)s AND period = 'month' AND month = %(first)s {within} {tried}
       UNION ALL
      SELECT member_id, calls_count, collected FROM live WHERE true {tried}
    ) of_member
   GROUP BY member_id ORDER BY collected DESC, member_id LIMIT %(members)s
)
SELECT level, list_id, cost_centre, country, kind, NULL::bigint, '', sum(calls_count)::bigint,
       sum(collected)
  FROM cut GROUP BY 1, 2, 3, 4, 5
 UNION ALL
SELECT 'member', NULL, '', '', '', member.id, member.name, ranked.calls_count, ranked.collected
  FROM ranked JOIN members_member member ON member.id = ranked.member_id
"""
# What a purse spent on calls booked in the month is no less than what was paid for its calls that
# began in it; of a purse that has moved after the month nothing is known.
_TRIED = """
SELECT member_id, CASE WHEN last_booked_on > %(last)s THEN 'infinity'::numeric
                       WHEN last_booked_on >= %(first)s THEN month_spent ELSE 0 END AS most
  FROM credit_account WHERE company_id = %(company)s AND kind = 'member'
 ORDER BY most DESC LIMIT %(limit)s
"""
_ONLY_TRIED = "AND member_id = ANY(%(tried)s::bigint[])"
TRIED = 500


def read_tops(
    company: Company,
    month: date,
    *,
    by: Collection[By],
    members: int,
    list_id: int | None = None,
) -> Tops:
    """The calls that began in the month, of the whole company or of a list on those days: all lines
    of each of ``by`` (list, cost centre, destination), those that cost most first, and so many
    members. Two queries, a third in the rare case that too few were tried.
    """
    first = first_of_month(month)
    within = Within(list_id=list_id)
    levels = {level: each for each in by if (level := level_of(each, within))}
    parameters: dict[str, Any] = {
        "company": company.pk,
        "first": first,
        "last": first_of_next_month(first) - A_DAY,
        "list": list_id,
        "levels": [str(level) for level in levels],
        "lists": ["list" in level for level in levels],
        "cost_centres": ["cost_centre" in level for level in levels],
        "destinations": ["destination" in level for level in levels],
        "members": members,
    }
    tried = _rows(_TRIED, {**parameters, "limit": TRIED})
    parameters["tried"] = [member_id for member_id, _most in tried]
    rows = _rows(_query(within, _ONLY_TRIED), parameters)
    found = _tops(rows, levels)
    others_most = tried[-1][1] if len(tried) == TRIED else 0
    few = found.members[members - 1 :]
    if not few or few[0].collected <= others_most:
        found = _tops(_rows(_query(within, ""), parameters), levels)
    return found


def _query(within: Within, tried: str) -> str:
    return _TOPS.format(
        call=not_summed(),
        placed=placed(True, of_list=bool(within.list_id)),
        within=within_sql(within),
        tried=tried,
    )


def _rows(query: str, parameters: dict[str, Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(query, parameters)
        return list(cursor.fetchall())


def _tops(rows: Iterable[tuple[Any, ...]], levels: Mapping[Level, By]) -> Tops:
    found = Tops(by={each: [] for each in levels.values()})
    for level, *key, member_id, name, count, collected in rows:
        if member_id is not None:
            found.members.append(SpentByMember(member_id, name, count, collected))
            continue
        of_list, cost_centre, country, kind = key
        line = Spent(of_list, cost_centre, country, kind, count, collected)
        found.by[levels[level]].append(line)
    for lines in found.by.values():
        lines.sort(key=_order)
    found.members.sort(key=lambda line: (-line.collected, line.member_id))
    return found


def _order(line: Spent) -> tuple[Any, ...]:
    """What cost most first; the same lines always stand in the same order."""
    key = (line.list_id or 0, line.cost_centre, line.country, line.kind)
    return (-line.collected, -line.calls_count, *key)
