"""The queries of a statement. Its one rule: a page costs the same at any depth.

A purse's transfers are numbered without gaps by its version, and each side has an index on it. A
page reads ``limit`` entries of the index of what came in and ``limit`` of what went out, from the
place where it starts, and no others.
"""

# The place where a page starts lies between two lines. ``transfers``: up to this version transfers
# are older. ``days``: up to this version the days are older whose calls are one line.
_EDGE_BALANCE = """
  coalesce(
    (SELECT source_balance_after FROM credit_transfer
      WHERE source_id = purse.id AND source_version = purse.transfers),
    (SELECT destination_balance_after FROM credit_transfer
      WHERE destination_id = purse.id AND destination_version = purse.transfers),
    0)
"""

_PURSE = """
WITH purse AS MATERIALIZED (
  SELECT id, version, coalesce(%(transfers)s::bigint, version) AS transfers,
         coalesce(%(days)s::bigint, version) AS days
    FROM credit_account
   WHERE id = %(account)s
)"""

_TRANSFERS = """
  (SELECT id, kind, booked_on AS day, created_at, occurred_at, amount, destination_version AS place,
          actor_id, source_id AS other_id, 0 AS calls
     FROM credit_transfer
    WHERE destination_id = %(account)s
      AND destination_version <compare> (SELECT transfers FROM purse)
    ORDER BY destination_version <order>
    LIMIT %(limit)s)
  UNION ALL
  (SELECT id, kind, booked_on, created_at, occurred_at, -amount, source_version,
          actor_id, destination_id, 0
     FROM credit_transfer
    WHERE source_id = %(account)s
      AND source_version <compare> (SELECT transfers FROM purse) <only>
    ORDER BY source_version <order>
    LIMIT %(limit)s)
"""

_NAMED = """
SELECT edge.is_edge, edge.balance, line.id, line.kind, line.day, line.created_at,
       line.occurred_at, line.amount, line.place, line.first, line.last, line.moves, line.calls,
       actor.name, owner.id, owner.name, call.destination, call.duration_seconds, call.uncollected
  FROM edge
  LEFT JOIN line ON true
  LEFT JOIN members_member actor ON actor.id = line.actor_id
  LEFT JOIN credit_account other ON other.id = line.other_id
  LEFT JOIN members_member owner ON owner.id = other.member_id
  LEFT JOIN credit_call call ON call.transfer_id = line.id
 ORDER BY line.day <order>, line.place <order> <calls>
"""

# Every transfer is a line.
_SINGLE = f"""{_PURSE}, edge AS (
  SELECT transfers <= version AS is_edge, {_EDGE_BALANCE} AS balance
    FROM purse
), line AS (
  SELECT found.*, NULL::bigint AS first, NULL::bigint AS last, NULL::bigint AS moves
    FROM ({_TRANSFERS} ORDER BY place <order> LIMIT %(limit)s) found
)
{_NAMED}"""  # noqa: S608 - constants

_DAY_AT = """coalesce(
    (SELECT booked_on FROM credit_transfer
      WHERE source_id = purse.id AND source_version = {version}),
    (SELECT booked_on FROM credit_transfer
      WHERE destination_id = purse.id AND destination_version = {version}))"""
_DAY = _DAY_AT.replace("{version}", "purse.days + 1")

# The calls of a day are one line, counted at the end of the day. The daily totals say how many
# movements a day has, and so which versions: no call is read but those of the day in which a page
# starts, and only if other movements of that day stand on both sides of the start.
_BY_DAY = f"""{_PURSE}, edge AS MATERIALIZED (
  SELECT days, coalesce({_DAY}, 'infinity'::date) AS day,
         days <= transfers AND transfers <= version
         AND (days = 0 OR days = version OR {_DAY_AT.replace("{version}", "purse.days")} < {_DAY})
         AND (transfers = days OR {_DAY_AT.replace("{version}", "purse.transfers")} = {_DAY})
         AS is_edge,
         {_EDGE_BALANCE} + coalesce(
           (SELECT sum(amount) FROM credit_transfer
             WHERE source_id = purse.id AND kind = 'call'
               AND source_version > purse.days AND source_version <= purse.transfers), 0)
         AS balance
    FROM purse
), total AS (
  SELECT day, sum(moves_count) AS moves,
         coalesce(sum(moves_count) FILTER (WHERE kind = 'call'), 0) AS calls,
         coalesce(sum(incoming - outgoing) FILTER (WHERE kind = 'call'), 0) AS amount
    FROM credit_dailytotal
   WHERE account_id = %(account)s AND day <compare_day> (SELECT day FROM edge)
   GROUP BY day
   ORDER BY day <order>
   LIMIT %(limit)s
), span AS (
  SELECT total.*, <first> AS first, <last> AS last
    FROM total, edge
), found AS (
  SELECT * FROM (
    {_TRANSFERS}
    UNION ALL
    (SELECT NULL, 'call', day, NULL, NULL, amount, NULL, NULL, NULL, calls
       FROM span
      WHERE calls > 0)
  ) candidate
  ORDER BY day <order>, place <order> <calls>
  LIMIT %(limit)s
), line AS (
  SELECT found.*, coalesce(span.first, edge.days) AS first, span.last, span.moves
    FROM found
    JOIN edge ON true
    LEFT JOIN span ON span.day = found.day
)
{_NAMED}"""  # noqa: S608 - constants

_TOWARDS = {
    "older": {
        "<compare>": "<=",
        "<compare_day>": "<",
        "<order>": "DESC",
        "<calls>": "NULLS FIRST",
        "<first>": "edge.days - sum(moves) OVER (ORDER BY total.day DESC)",
        "<last>": "edge.days - sum(moves) OVER (ORDER BY total.day DESC) + moves",
    },
    "newer": {
        "<compare>": ">",
        "<compare_day>": ">=",
        "<order>": "ASC",
        "<calls>": "NULLS LAST",
        "<first>": "edge.days + sum(moves) OVER (ORDER BY total.day) - moves",
        "<last>": "edge.days + sum(moves) OVER (ORDER BY total.day)",
    },
}


def _directed(query: str, towards: str, only: str) -> str:
    for mark, words in {**_TOWARDS[towards], "<only>": only}.items():
        query = query.replace(mark, words)
    return query


SINGLE = {towards: _directed(_SINGLE, towards, "") for towards in _TOWARDS}
# As the index ``transfer_member_other_out`` has it.
_NO_CALLS = "AND source_kind = 'member' AND NOT (kind = 'call')"
BY_DAY = {towards: _directed(_BY_DAY, towards, _NO_CALLS) for towards in _TOWARDS}
