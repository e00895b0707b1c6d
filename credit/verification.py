"""Recomputes everything the ledger keeps. Its one rule: it trusts no sum."""

from dataclasses import dataclass

from django.db import connection, transaction

from credit import usage_checks
from credit.placing import PLACE
from credit.rollup import LEVELS


@dataclass(frozen=True, slots=True)
class Difference:
    """One figure that is not what the transfers make it."""

    check: str
    subject: str
    stored: str
    computed: str


# Of one check. More than anybody reads; a lost table would fill the memory otherwise.
MOST_TOLD = 1_000

# Each transfer as its purses see it; every check reads from this.
SIDES = """
WITH side AS (
SELECT source_id AS account_id, source_version AS version, source_balance_after AS after,
       -amount AS change, booked_on, kind, id
  FROM credit_transfer WHERE source_version IS NOT NULL
 UNION ALL
SELECT destination_id, destination_version, destination_balance_after, amount, booked_on, kind, id
  FROM credit_transfer WHERE destination_version IS NOT NULL
)
"""

# Days that are not wholly rolled are read from the daily totals, whatever is stored for them.
ROLLED = """
, unrolled AS (
  SELECT DISTINCT company_id, day FROM credit_dailytotal WHERE NOT is_rolled
), total AS (
  SELECT account_id, booked_on AS day, kind, change FROM side
), computed AS (
  SELECT account.company_id, level.name AS level, total.day,
         CASE WHEN level.name = 'list' THEN coalesce(place.list_id, 0) ELSE 0 END AS list_id,
         CASE WHEN level.name = 'cost_centre' THEN coalesce(place.cost_centre, '')
              ELSE '' END AS cost_centre,
         total.kind, sum(greatest(change, 0)) AS incoming, sum(greatest(-change, 0)) AS outgoing,
         count(*) AS moves_count
    FROM total
    JOIN credit_account account ON account.id = total.account_id
    JOIN {levels} ON level.account_kind = account.kind
    {place}
   WHERE (account.company_id, total.day) NOT IN (SELECT company_id, day FROM unrolled)
   GROUP BY 1, 2, 3, 4, 5, 6
), stored AS (
  SELECT company_id, level, day, coalesce(list_id, 0) AS list_id, cost_centre, kind, incoming,
         outgoing, moves_count
    FROM credit_rolledtotal
   WHERE (company_id, day) NOT IN (SELECT company_id, day FROM unrolled)
)
SELECT concat_ws(' ', company_id, level, day, list_id, cost_centre, kind),
       stored.incoming || '/' || stored.outgoing || '/' || stored.moves_count,
       computed.incoming || '/' || computed.outgoing || '/' || computed.moves_count
  FROM stored FULL JOIN computed USING (company_id, level, day, list_id, cost_centre, kind)
 WHERE (stored.incoming, stored.outgoing, stored.moves_count)
   IS DISTINCT FROM (computed.incoming, computed.outgoing, computed.moves_count)
"""

# Each gives subject, stored and computed figure of every difference.
CHECKS = {
    "balance": """
SELECT account.id, account.balance, coalesce(sum(side.change), 0)
  FROM credit_account account LEFT JOIN side ON side.account_id = account.id
 GROUP BY account.id HAVING account.balance <> coalesce(sum(side.change), 0)
""",
    "version": """
SELECT account.id, account.version, count(side.id)
  FROM credit_account account LEFT JOIN side ON side.account_id = account.id
 GROUP BY account.id
HAVING account.version <> count(side.id) OR coalesce(max(side.version), 0) <> count(side.id)
""",
    "running balance": """
SELECT account_id || ' version ' || version, after, running
  FROM (SELECT account_id, version, after,
               sum(change) OVER (PARTITION BY account_id ORDER BY version) AS running
          FROM side) chain
 WHERE after <> running
""",
    "booking day order": """
SELECT account_id || ' version ' || version, booked_on, before
  FROM (SELECT account_id, version, booked_on,
               lag(booked_on) OVER (PARTITION BY account_id ORDER BY version) AS before
          FROM side) chain
 WHERE booked_on < before
""",
    "last booking day": """
SELECT account.id, account.last_booked_on, max(side.booked_on)
  FROM credit_account account LEFT JOIN side ON side.account_id = account.id
 GROUP BY account.id HAVING account.last_booked_on IS DISTINCT FROM max(side.booked_on)
""",
    "spent in the month": """
SELECT account.id, account.month_spent, coalesce(sum(-side.change), 0)
  FROM credit_account account
  LEFT JOIN side ON side.account_id = account.id AND side.kind = 'call'
   AND date_trunc('month', side.booked_on) = date_trunc('month', account.last_booked_on)
 GROUP BY account.id HAVING account.month_spent <> coalesce(sum(-side.change), 0)
""",
    "daily total": """
, computed AS (
  SELECT account_id, booked_on AS day, kind, count(*) AS moves_count,
         sum(greatest(change, 0)) AS incoming, sum(greatest(-change, 0)) AS outgoing
    FROM side GROUP BY 1, 2, 3
)
SELECT coalesce(total.account_id, computed.account_id) || ' ' || coalesce(total.day, computed.day)
       || ' ' || coalesce(total.kind, computed.kind),
       total.incoming || '/' || total.outgoing || '/' || total.moves_count,
       computed.incoming || '/' || computed.outgoing || '/' || computed.moves_count
  FROM credit_dailytotal total FULL JOIN computed
    ON (total.account_id, total.day, total.kind)
     = (computed.account_id, computed.day, computed.kind)
 WHERE (total.incoming, total.outgoing, total.moves_count)
   IS DISTINCT FROM (computed.incoming, computed.outgoing, computed.moves_count)
""",
    "monthly recharge total": """
, computed AS (
  SELECT destination_id AS account_id, date_trunc('month', booked_on)::date AS month,
         sum(amount) AS recharged
    FROM credit_transfer WHERE kind = 'auto_recharge' GROUP BY 1, 2
), stored AS (
  SELECT account_id, date_trunc('month', day)::date AS month, sum(incoming) AS recharged
    FROM credit_dailytotal WHERE kind = 'auto_recharge' AND incoming > 0 GROUP BY 1, 2
)
SELECT account_id || ' ' || month, stored.recharged, computed.recharged
  FROM stored FULL JOIN computed USING (account_id, month)
 WHERE stored.recharged IS DISTINCT FROM computed.recharged
""",
    "rolled total": ROLLED.format(levels=LEVELS, place=PLACE),
    "held": """
SELECT account.id, account.held, coalesce(sum(hold.amount), 0)
  FROM credit_account account
  LEFT JOIN credit_hold hold ON hold.account_id = account.id AND hold.status = 'open'
 GROUP BY account.id HAVING account.held <> coalesce(sum(hold.amount), 0)
""",
    "allowance left": """
SELECT allowance.id, allowance.seconds_left,
       allowance.seconds_total - coalesce(sum(use.seconds), 0)
  FROM credit_allowance allowance
  LEFT JOIN credit_allowanceuse use ON use.allowance_id = allowance.id
 GROUP BY allowance.id
HAVING allowance.seconds_left <> allowance.seconds_total - coalesce(sum(use.seconds), 0)
""",
    "allowance held": """
SELECT allowance.id, allowance.seconds_held, coalesce(sum(part.seconds), 0)
  FROM credit_allowance allowance
  LEFT JOIN (
    credit_allowancehold part JOIN credit_hold hold
      ON hold.id = part.hold_id AND hold.status = 'open'
  ) ON part.allowance_id = allowance.id
 GROUP BY allowance.id HAVING allowance.seconds_held <> coalesce(sum(part.seconds), 0)
""",
    "call included": """
SELECT call.source || ':' || call.external_id, call.included_seconds,
       coalesce(sum(use.seconds), 0)
  FROM credit_call call JOIN credit_allowanceuse use ON use.call_id = call.id
 GROUP BY call.id HAVING call.included_seconds <> sum(use.seconds)
UNION ALL
SELECT call.source || ':' || call.external_id, call.included_seconds, 0
  FROM credit_call call
 WHERE call.included_seconds > 0
   AND NOT EXISTS (SELECT 1 FROM credit_allowanceuse use WHERE use.call_id = call.id)
""",
    "call collected": """
SELECT call.source || ':' || call.external_id, call.collected, coalesce(transfer.amount, 0)
  FROM credit_call call LEFT JOIN credit_transfer transfer ON transfer.id = call.transfer_id
 WHERE call.collected <> coalesce(transfer.amount, 0)
""",
    "call without its transfer": """
SELECT transfer.key, 0, transfer.amount
  FROM credit_transfer transfer LEFT JOIN credit_call call ON call.transfer_id = transfer.id
 WHERE transfer.kind = 'call' AND call.id IS NULL
""",
    **usage_checks.CHECKS,
}


def verify_ledger() -> list[Difference]:
    """Every balance, running balance, version chain, daily and monthly total that differs from what
    the transfers make it, of each check the first ``MOST_TOLD``; empty when all agree. Reads one
    snapshot and changes nothing.
    """
    if connection.in_atomic_block:
        return _differences()
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        return _differences()


def _differences() -> list[Difference]:
    found: list[Difference] = []
    with connection.cursor() as cursor:
        for check, query in CHECKS.items():
            cursor.execute(SIDES + query)
            found.extend(
                Difference(check, str(subject), str(stored), str(computed))
                for subject, stored, computed in cursor.fetchmany(MOST_TOLD)
            )
    return found
