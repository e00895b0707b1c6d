"""The statements that read sums of calls. Its one rule: one statement, so one snapshot; what the
sums do not contain in it, it reads from the calls.
"""

from credit.placing import ever_in_list
from credit.usage_rollup import AMOUNTS, CALL, MEASURES, PLACED


def _sum(name: str, condition: str) -> str:
    """What is counted stays a whole number: sums of bigint are numeric."""
    kind = "numeric" if name in AMOUNTS else "bigint"
    return f"coalesce(sum({name}) {condition}, 0)::{kind}"


SUMS = ", ".join(_sum(name, "") for name in MEASURES)
SUMS_BOOKED = ", ".join(_sum(name, "FILTER (WHERE booked_on <= %(last)s)") for name in MEASURES)

# Calls that are in no sum: those of days not summed, and those noted beside the days that are.
# Both ends of each range are written: with one end unknown the planner would expect a third of all
# calls and read them one after the other.
_NOT_SUMMED = """
rolled AS MATERIALIZED (
  SELECT max(since) AS since, max(through) AS through
    FROM credit_usagerolled WHERE company_id = %(company)s
), call AS (
  SELECT {call}, false AS is_summed FROM credit_call
   WHERE company_id = %(company)s AND started_on BETWEEN %(first)s AND %(last)s
     AND booked_on > (SELECT coalesce(through, '-infinity') FROM rolled)
     AND booked_on <= 'infinity'
   UNION ALL
  SELECT {call}, false FROM credit_call
   WHERE company_id = %(company)s AND started_on BETWEEN %(first)s AND %(last)s
     AND booked_on < (SELECT since FROM rolled) AND booked_on >= '-infinity'
   UNION ALL
  SELECT {call}, false FROM credit_call JOIN credit_usagelate late ON late.call_id = credit_call.id
   WHERE late.company_id = %(company)s AND started_on BETWEEN %(first)s AND %(last)s
     AND booked_on BETWEEN (SELECT since FROM rolled) AND (SELECT through FROM rolled)
   {more}
)
"""
# Calls that are in the sums, where these do not tell enough: the sums say on which days to look.
_SUMMED = """
   UNION ALL
  SELECT {call}, true FROM credit_call
   WHERE company_id = %(company)s AND ({where})
     AND booked_on = ANY(ARRAY(
       SELECT DISTINCT booked_on FROM credit_usageday
        WHERE company_id = %(company)s AND level = 'company' AND ({where})))
     AND NOT EXISTS (SELECT FROM credit_usagelate late WHERE late.call_id = credit_call.id)
"""
_OF_MEMBER = """
call AS (
  SELECT {call} FROM credit_call
   WHERE company_id = %(company)s AND member_id = %(member)s
     AND started_at >= %(first)s::date - 3 AND started_at < %(last)s::date + 3
     AND started_on BETWEEN %(first)s AND %(last)s
)
"""


def not_summed(more: str = "") -> str:
    """``call``: the calls started in the span that no sum contains, and ``more``; the latter
    ``is_summed``.
    """
    return _NOT_SUMMED.format(call=CALL, more=more)


def summed(where: str) -> str:
    """The calls that the sums contain and the condition on the two days names."""
    return _SUMMED.format(call=CALL, where=where)


def of_member() -> str:
    """``call``: one member's calls started in the span. A day has its start at most a day away in
    UTC, and is at most one day before the instant of the start."""
    return _OF_MEMBER.format(call=CALL)


def placed(is_wanted: bool, *, of_list: bool = False) -> str:
    """``placed``: the calls, with list and cost centre of the day of the start if wanted; only of
    members who were ever in the list that is looked for (``%(list)s``).
    """
    if not is_wanted:
        return "placed AS (SELECT * FROM call)"
    return f"placed AS ({PLACED} {'WHERE' + ever_in_list('call.member_id') if of_list else ''})"
