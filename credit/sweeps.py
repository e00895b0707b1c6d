"""Finds rules that wait. Its one rule: all is right without it, it only makes things sooner."""

import logging
from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db import connection

from credit.recharge import evaluate_purses
from skypemgr.lib.sweeping import OneOfMany

logger = logging.getLogger(__name__)

BATCH = 1000
RESUMED_AT_ONCE = 5000

# A purse blocked by its company's lack of credit is left alone until the company's purse moved.
# That a company's purse has no member says nothing new; it lets the index of such accounts find it.
DUE = """
SELECT account.company_id, account.id
  FROM credit_account account
  JOIN members_company company ON company.id = account.company_id AND company.state = 'active'
  JOIN credit_rechargerule rule ON rule.member_id = account.member_id AND rule.is_on
  JOIN credit_account purse ON purse.company_id = account.company_id AND purse.kind = 'company'
   AND purse.member_id IS NULL
 WHERE account.is_due AND account.kind = 'member'
   AND (rule.blocked_at_version IS NULL OR rule.blocked_at_version < purse.version)
   AND (%(company)s::bigint IS NULL OR account.company_id = %(company)s)
   AND (account.company_id, account.id) > (%(after_company)s, %(after_account)s)
 ORDER BY account.company_id, account.id
 LIMIT %(limit)s
"""

ZONE_IN_FORCE = """CASE
 WHEN %(now)s >= company.next_time_zone_on::timestamp AT TIME ZONE company.next_time_zone
 THEN company.next_time_zone ELSE company.time_zone END"""

# A zone is at most 14 hours ahead of UTC: the index narrows to tomorrow, the zone decides.
_RESUME = """
WITH resumed AS MATERIALIZED (
  SELECT account.id
    FROM credit_account account JOIN members_company company ON company.id = account.company_id
   WHERE account.recharge_resumes_on <= %(tomorrow)s
     AND account.recharge_resumes_on <= (%(now)s AT TIME ZONE {zone})::date
   ORDER BY account.id
   LIMIT %(limit)s
     FOR NO KEY UPDATE OF account SKIP LOCKED
)
UPDATE credit_account account SET recharge_resumes_on = NULL
  FROM resumed WHERE resumed.id = account.id
"""
RESUME = _RESUME.format(zone=ZONE_IN_FORCE)


def sweep_due_purses(*, now: datetime, company_id: int | None = None) -> int:
    """Every due purse that can be served has been evaluated; the number of transfers made.

    Several workers share the work: a rule that another one holds is left to that one.
    """
    place, paid = (0, 0), 0
    while True:
        with connection.cursor() as cursor:
            cursor.execute(
                DUE,
                {
                    "company": company_id,
                    "after_company": place[0],
                    "after_account": place[1],
                    "limit": BATCH,
                },
            )
            rows = cursor.fetchall()
        if not rows:
            return paid
        place = rows[-1]
        by_company: dict[int, list[int]] = defaultdict(list)
        for company, account in rows:
            by_company[company].append(account)
        for company, accounts in by_company.items():
            paid += _try(company, accounts, now)


def _try(company_id: int, account_ids: Sequence[int], now: datetime) -> int:
    with OneOfMany(logger, "due purses of company %s could not be evaluated", company_id):
        evaluations = evaluate_purses(company_id, account_ids, now=now, skip_locked=True)
        return sum(1 for evaluation in evaluations if evaluation.paid)
    return 0


def serve_waiting_rules(company_id: int, *, now: datetime) -> int:
    """After the company was credited: its waiting members are served, oldest wait first."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT account.id FROM credit_rechargerule rule JOIN credit_account account"
            " ON account.member_id = rule.member_id WHERE rule.company_id = %s AND rule.is_on"
            " AND rule.waiting_since IS NOT NULL ORDER BY rule.waiting_since, rule.id",
            [company_id],
        )
        waiting = [pk for (pk,) in cursor.fetchall()]
    paid = 0
    for start in range(0, len(waiting), BATCH):
        evaluations = evaluate_purses(company_id, waiting[start : start + BATCH], now=now)
        paid += sum(1 for evaluation in evaluations if evaluation.paid)
    return paid


def resume_rules(*, now: datetime) -> int:
    """Suspensions whose day has come in the company's zone are over; how many.

    The purses become due by themselves and the next sweep serves them.
    """
    resumed = 0
    values: dict[str, Any] = {
        "now": now,
        "tomorrow": now.date() + timedelta(days=1),
        "limit": RESUMED_AT_ONCE,
    }
    while True:
        with connection.cursor() as cursor:
            cursor.execute(RESUME, values)
            count = int(cursor.rowcount)
        resumed += count
        if count < RESUMED_AT_ONCE:
            return resumed
