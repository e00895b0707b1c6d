"""What the sums of calls should be. Its one rule: computed from the calls alone, by what the calls
carry and where their members belonged.
"""

from credit.usage_rollup import CALL, COLUMNS, MEASURES, PLACED, by_day, by_member

# Only what is said to be summed, and is not waiting beside.
_COMPARED = """
, call AS (
  SELECT credit_call.company_id, {call}
    FROM credit_call
    JOIN credit_usagerolled rolled ON rolled.company_id = credit_call.company_id
     AND booked_on BETWEEN rolled.since AND rolled.through
   WHERE NOT EXISTS (SELECT FROM credit_usagelate late WHERE late.call_id = credit_call.id)
), placed AS MATERIALIZED (
  {placed}
), computed AS (
  {computed}
)
SELECT concat_ws(' ', {keys}), string_agg({figures}, '; ') FILTER (WHERE is_stored),
       string_agg({figures}, '; ') FILTER (WHERE NOT is_stored)
  FROM (
    SELECT true AS is_stored, {keys}, {columns} FROM {table}
     UNION ALL
    SELECT false, {keys}, {columns} FROM computed
  ) both_sides
 GROUP BY {keys}
HAVING count(*) <> 2 OR count(*) FILTER (WHERE is_stored) <> 1
    OR count(DISTINCT ({columns})) <> 1
"""


def _check(table: str, keys: str, computed: str) -> str:
    return _COMPARED.format(
        call=CALL,
        placed=PLACED,
        computed=computed,
        keys=keys,
        figures=" || '/' || ".join(MEASURES),
        columns=COLUMNS,
        table=table,
    )


CHECKS = {
    "usage of a day": _check(
        "credit_usageday",
        "company_id, booked_on, started_on, level, list_id, cost_centre, country, kind",
        by_day("company_id, "),
    ),
    "usage of a member": _check(
        "credit_usagemember",
        "company_id, period, booked_month, month, member_id, list_id, cost_centre",
        by_member("company_id, "),
    ),
}
