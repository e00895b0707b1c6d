"""The statements of a posting. Its one rule: as many for one move as for a thousand."""

from skypemgr.lib.prepared import Prepared

# What a ``Purse`` is made of, and what says which day it is for the company.
PURSE = (
    "id, kind, currency, balance, held, version, last_booked_on, recharge_below,"
    " recharge_resumes_on, member_id, alert_below"
)
COMPANY = (
    "company.state, company.time_zone, company.next_time_zone, company.next_time_zone_on,"
    " company.booked_from"
)

# The figures come from the locking query itself: it re-reads rows that changed while it waited,
# which a join beside it would show as they were before. System accounts are read, never locked,
# so that two members' calls never wait for each other.
LOCK_PURSES = Prepared(f"""
WITH purse AS MATERIALIZED (
  SELECT {PURSE}
    FROM credit_account
   WHERE company_id = %(company)s AND id = ANY(%(ids)s::bigint[])
     AND kind IN ('company', 'member')
   ORDER BY id
     FOR NO KEY UPDATE
)
SELECT account.*, {COMPANY}
  FROM (
    SELECT * FROM purse
     UNION ALL
    SELECT {PURSE}
      FROM credit_account
     WHERE company_id = %(company)s AND id = ANY(%(ids)s::bigint[])
       AND kind NOT IN ('company', 'member')
  ) account
  JOIN members_company company ON company.id = %(company)s
""")  # noqa: S608 - constants

# A statement of its own after the locks: it sees what was committed while they were waited for.
# Key by key: a plan kept since the table was young would else read all of a company's transfers.
LOOK_UP = Prepared(f"""
SELECT {COMPANY}, transfer.id, transfer.kind, transfer.source_id,
       transfer.destination_id, transfer.amount, transfer.key, transfer.occurred_at,
       transfer.actor_id, transfer.reverses_id, transfer.booked_on, transfer.source_balance_after,
       transfer.source_version, transfer.destination_balance_after,
       transfer.destination_version
  FROM members_company company
  LEFT JOIN (
    unnest(%(keys)s::text[]) AS wanted (key)
    CROSS JOIN LATERAL (
      SELECT * FROM credit_transfer WHERE company_id = %(company)s AND key = wanted.key LIMIT 1
    ) AS transfer
  ) ON true
 WHERE company.id = %(company)s
""")  # noqa: S608 - constants

WRITE = Prepared("""
WITH moved AS (
  INSERT INTO credit_transfer (
    company_id, kind, source_id, source_kind, destination_id, destination_kind, currency, amount,
    key, booked_on, occurred_at, created_at, actor_id, reverses_id, source_balance_after,
    source_version, destination_balance_after, destination_version)
  SELECT %(company)s::bigint, kind, source, source_kind, destination, destination_kind,
         %(currency)s::text, amount, key, booked_on, coalesce(occurred_at, %(now)s::timestamptz),
         %(now)s::timestamptz, actor, reverses,
         source_balance, source_version, destination_balance, destination_version
    FROM unnest(
      %(kinds)s::text[], %(sources)s::bigint[], %(source_kinds)s::text[],
      %(destinations)s::bigint[], %(destination_kinds)s::text[], %(amounts)s::numeric[],
      %(keys)s::text[], %(days)s::date[], %(occurred)s::timestamptz[], %(actors)s::bigint[],
      %(reverses)s::bigint[], %(source_balances)s::numeric[], %(source_versions)s::bigint[],
      %(destination_balances)s::numeric[], %(destination_versions)s::bigint[]
    ) WITH ORDINALITY AS move (
      kind, source, source_kind, destination, destination_kind, amount, key, booked_on,
      occurred_at, actor, reverses, source_balance, source_version, destination_balance,
      destination_version, place)
   ORDER BY place
  RETURNING id, key
), balanced AS (
  UPDATE credit_account account
     SET balance = purse.balance, held = purse.held, version = purse.version,
         last_booked_on = purse.booked_on,
         month_spent = purse.spent + CASE
           WHEN date_trunc('month', account.last_booked_on) = date_trunc('month', purse.booked_on)
           THEN account.month_spent ELSE 0 END
    FROM unnest(
      %(purse_ids)s::bigint[], %(purse_balances)s::numeric[], %(purse_helds)s::numeric[],
      %(purse_versions)s::bigint[], %(purse_days)s::date[], %(purse_spent)s::numeric[]
    ) AS purse (id, balance, held, version, booked_on, spent)
   WHERE account.id = purse.id
), totalled AS (
  INSERT INTO credit_dailytotal AS total (
    company_id, account_id, day, kind, incoming, outgoing, moves_count)
  SELECT %(company)s::bigint, account, day, kind, incoming, outgoing, moves_count
    FROM unnest(
      %(total_accounts)s::bigint[], %(total_days)s::date[], %(total_kinds)s::text[],
      %(total_in)s::numeric[], %(total_out)s::numeric[], %(total_counts)s::int[]
    ) AS added (account, day, kind, incoming, outgoing, moves_count)
  ON CONFLICT (account_id, day, kind) DO UPDATE
     SET incoming = total.incoming + excluded.incoming,
         outgoing = total.outgoing + excluded.outgoing,
         moves_count = total.moves_count + excluded.moves_count,
         is_rolled = false
)
SELECT key, id FROM moved
""")
