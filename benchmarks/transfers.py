"""A posting of 1,000 moves, and the same work in hand-written SQL."""

import uuid
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from django.db import connection, transaction

from benchmarks.figures import Figure, at_least, best_rates
from benchmarks.people import House
from credit.ledger import Move, post_transfers
from skypemgr.lib.periods import utc_now

SET = 1000

# The same rows, keys, locks, balances, versions and totals, told to the database directly.
BY_HAND = """
WITH locked AS MATERIALIZED (
  SELECT id, kind, balance, version FROM credit_account
   WHERE id = %(company_account)s OR id = ANY(%(members)s::bigint[])
   ORDER BY id FOR NO KEY UPDATE
), moved AS (
  INSERT INTO credit_transfer (
    company_id, kind, source_id, source_kind, destination_id, destination_kind, currency, amount,
    key, booked_on, occurred_at, created_at, source_balance_after, source_version,
    destination_balance_after, destination_version)
  SELECT %(company)s, 'allocation', source.id, 'company', member.id, 'member', 'EUR', %(amount)s,
         %(prefix)s || place, current_date, now(), now(),
         source.balance - %(amount)s * place, source.version + place,
         member.balance + %(amount)s, member.version + 1
    FROM unnest(%(members)s::bigint[]) WITH ORDINALITY AS wanted (id, place)
    JOIN locked member ON member.id = wanted.id
    JOIN locked source ON source.kind = 'company'
  RETURNING destination_id
), balanced AS (
  UPDATE credit_account account
     SET balance = account.balance + CASE account.kind WHEN 'company'
           THEN -%(amount)s * %(count)s ELSE %(amount)s END,
         version = account.version + CASE account.kind WHEN 'company' THEN %(count)s ELSE 1 END,
         last_booked_on = current_date,
         month_spent = CASE
           WHEN date_trunc('month', account.last_booked_on) = date_trunc('month', current_date)
           THEN account.month_spent ELSE 0 END
    FROM locked WHERE account.id = locked.id
)
INSERT INTO credit_dailytotal AS total (
  company_id, account_id, day, kind, incoming, outgoing, moves_count)
SELECT %(company)s, id, current_date, 'allocation',
       CASE kind WHEN 'company' THEN 0 ELSE %(amount)s END,
       CASE kind WHEN 'company' THEN %(amount)s * %(count)s ELSE 0 END,
       CASE kind WHEN 'company' THEN %(count)s ELSE 1 END
  FROM locked
ON CONFLICT (account_id, day, kind) DO UPDATE
   SET incoming = total.incoming + excluded.incoming,
       outgoing = total.outgoing + excluded.outgoing,
       moves_count = total.moves_count + excluded.moves_count,
       is_rolled = false
"""

# Calls of long ago, with versions from before the purse's first: its chain is not touched.
MANY = """
INSERT INTO credit_transfer (
  company_id, kind, source_id, source_kind, destination_id, destination_kind, currency, amount, key,
  booked_on, occurred_at, created_at, source_balance_after, source_version)
SELECT calls.company_id, 'call', member.id, member.kind, calls.id, calls.kind, 'EUR', 1,
       'old:' || n, '2020-01-01', now(), now(), 0, -n
  FROM generate_series(1, %s) AS n, credit_account calls
  JOIN credit_account member ON member.company_id = calls.company_id
 WHERE calls.kind = 'calls' AND calls.company_id = %s AND member.id = %s
"""


def measure(house: House) -> Iterator[Figure]:
    """Both, in turn."""
    company, accounts = house.company, house.accounts
    purses = list(accounts.members.values())[:SET]

    def by_hand() -> int:
        parameters: dict[str, Any] = {
            "company": company.pk,
            "company_account": accounts.company,
            "members": purses,
            "amount": Decimal("0.01"),
            "count": len(purses),
            "prefix": f"hand:{uuid.uuid4()}:",
        }
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(BY_HAND, parameters)
        return len(purses)

    by_hand()
    set_rate, hand_rate = best_rates(lambda: _post(house, purses), by_hand)
    yield at_least("post_transfers() of 1,000 moves", set_rate, 6000)
    yield Figure("the same 1,000 moves in hand-written SQL", f"{hand_rate:,.0f}/s")
    yield at_least("post_transfers() against hand-written SQL", set_rate / hand_rate, 0.6, "")


def measure_again(house: House, count: int) -> Iterator[Figure]:
    """One posting of 1,000 moves, now that so many transfers exist."""
    purses = list(house.accounts.members.values())[:SET]
    (before,) = best_rates(lambda: _post(house, purses))
    with connection.cursor() as cursor:
        cursor.execute(MANY, [count, house.company.pk, purses[0]])
        cursor.execute("ANALYZE credit_transfer")
    (after,) = best_rates(lambda: _post(house, purses))
    yield at_least(
        f"post_transfers() amid {count:,} transfers, against before", after / before, 0.7, ""
    )


def _post(house: House, purses: list[int]) -> int:
    prefix, source = str(uuid.uuid4()), house.accounts.company
    moves = [
        Move("allocation", source, purse, Decimal("0.01"), f"{prefix}:{purse}") for purse in purses
    ]
    return len(post_transfers(house.company.pk, moves, now=utc_now()))
