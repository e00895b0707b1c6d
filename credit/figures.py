"""Sums of months by company, members, list and cost centre. Its one rule: the same whether and
whenever the roll-up ran; days not rolled are read from the daily totals.
"""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from django.db import connection

from credit.models import RolledTotal
from credit.placing import PLACE
from credit.rollup import ACCOUNT, LEVELS, LIST_AND_COST_CENTRE
from members.models import Company

Level = RolledTotal.Level

# One statement, so one snapshot: a day is either rolled in it or not. The days not rolled are an
# array: of joined ones the planner would expect many, and read all days of the span.
TOTALS = """
WITH unrolled AS MATERIALIZED (
  SELECT DISTINCT day FROM credit_dailytotal
   WHERE company_id = %(company)s AND NOT is_rolled AND day BETWEEN %(first)s AND %(last)s
), place AS MATERIALIZED (
  SELECT account.kind AS account_kind, total.day, total.kind, total.incoming, total.outgoing,
         total.moves_count {belonging}
    FROM credit_dailytotal total {account} {place}
   WHERE total.company_id = %(company)s AND total.day = ANY(ARRAY(SELECT day FROM unrolled))
), part AS (
  SELECT level, day, list_id, cost_centre, kind, incoming, outgoing, moves_count
    FROM credit_rolledtotal
   WHERE company_id = %(company)s AND level = ANY(%(levels)s::text[])
     AND day BETWEEN %(first)s AND %(last)s AND day NOT IN (SELECT day FROM unrolled)
   UNION ALL
  SELECT level.name, day, {list_and_cost_centre}, kind, incoming, outgoing, moves_count
    FROM place
    JOIN {level_names} USING (account_kind) WHERE level.name = ANY(%(levels)s::text[])
)
SELECT level, date_trunc('month', day)::date, list_id, cost_centre, kind, sum(incoming),
       sum(outgoing), sum(moves_count)
  FROM part GROUP BY 1, 2, 3, 4, 5 ORDER BY 1, 2, 3 NULLS LAST, 4, 5
"""


@dataclass(frozen=True, slots=True)
class Total:
    """What moved in one month (cut to the days asked for), by kind; amounts in the company's
    currency. ``list_id`` and ``cost_centre`` are those of each day, filled at their levels.
    """

    level: str
    month: date
    list_id: int | None
    cost_centre: str
    kind: str
    incoming: Decimal
    outgoing: Decimal
    moves_count: int


def totals(company: Company, first_day: date, last_day: date, *levels: str) -> list[Total]:
    """The sums of these days, both included, by level, month and kind. One query.

    Levels: company (its own purse), members (all their purses), list, cost_centre.
    """
    is_placed = Level.LIST in levels or Level.COST_CENTRE in levels
    query = TOTALS.format(
        level_names=LEVELS,
        list_and_cost_centre=LIST_AND_COST_CENTRE if is_placed else "NULL::bigint, ''",
        account=ACCOUNT,
        place=PLACE if is_placed else "",
        belonging=", place.list_id, place.cost_centre" if is_placed else "",
    )
    parameters: dict[str, Any] = {
        "company": company.pk,
        "levels": list(levels),
        "first": first_day,
        "last": last_day,
    }
    with connection.cursor() as cursor:
        cursor.execute(query, parameters)
        return [Total(*row) for row in cursor.fetchall()]
