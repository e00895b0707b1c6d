"""Rolls finished days up to company, list and cost centre. Its one rule: a posting marks the daily
totals that it changes as not rolled, and a day counts as rolled only while all of its are; so
nothing depends on when this runs, and a late movement only has its day rolled again.
"""

from datetime import date, datetime
from typing import Any

from django.db import OperationalError, connection, transaction
from psycopg2.errorcodes import LOCK_NOT_AVAILABLE

from credit.placing import PLACE
from credit.sweeps import ZONE_IN_FORCE
from credit.turns import roll_companies, take_turn, wait_for_turn
from members.models import Company

DAYS_AT_ONCE = 7
JOB = "credit.roll_up"

# The purses of a day are found one by one, however many there are of this company and others.
ACCOUNT = """
 CROSS JOIN LATERAL (
   SELECT kind, member_id FROM credit_account WHERE id = total.account_id OFFSET 0) account
"""
LEVELS = """
(VALUES ('company', 'company'), ('member', 'members'), ('member', 'list'),
        ('member', 'cost_centre')) AS level (account_kind, name)
"""
LIST_AND_COST_CENTRE = """
CASE WHEN level.name = 'list' THEN place.list_id END AS list_id,
CASE WHEN level.name = 'cost_centre' THEN coalesce(place.cost_centre, '') ELSE '' END AS cost_centre
"""
# A row that a posting holds is not waited for: whoever waits here while it holds others could
# make both wait for ever.
_ROLL = """
WITH locked AS MATERIALIZED (
  SELECT id, company_id, account_id, day, kind, incoming, outgoing, moves_count
    FROM credit_dailytotal
   WHERE company_id = %(company)s AND day = ANY(%(days)s::date[])
   ORDER BY account_id, day, kind
     FOR NO KEY UPDATE NOWAIT
), marked AS (
  UPDATE credit_dailytotal total SET is_rolled = true
    FROM locked WHERE total.id = locked.id AND NOT total.is_rolled
)
INSERT INTO credit_rolledtotal (
  company_id, level, day, list_id, cost_centre, kind, incoming, outgoing, moves_count)
SELECT total.company_id, level.name, total.day, {list_and_cost_centre}, total.kind,
       sum(total.incoming), sum(total.outgoing), sum(total.moves_count)
  FROM locked total
  JOIN credit_account account ON account.id = total.account_id
  JOIN {levels} ON level.account_kind = account.kind
  {place}
 GROUP BY 1, 2, 3, 4, 5, 6
"""
ROLL = _ROLL.format(levels=LEVELS, place=PLACE, list_and_cost_centre=LIST_AND_COST_CENTRE)
_WAITING_COMPANIES = """
SELECT company.id FROM members_company company
 WHERE company.id > %(after)s
   AND EXISTS (
     SELECT FROM credit_dailytotal total
      WHERE total.company_id = company.id AND NOT total.is_rolled
        AND total.day < (%(now)s AT TIME ZONE {zone})::date)
 ORDER BY company.id LIMIT %(limit)s
"""
WAITING_COMPANIES = _WAITING_COMPANIES.format(zone=ZONE_IN_FORCE)
WAITING_DAYS = """
SELECT DISTINCT day FROM credit_dailytotal
 WHERE company_id = %s AND NOT is_rolled AND day < %s ORDER BY day LIMIT %s
"""


def roll_up_days(*, now: datetime) -> int:
    """Finished days that are not rolled have been, in at most 2,000 transactions; how many days.

    Any number of workers may run it at once. A day that is being written is left to the next run.
    """
    return roll_companies(
        WAITING_COMPANIES,
        lambda company: roll_up_company(company, now=now),
        now=now,
        days_at_once=DAYS_AT_ONCE,
    )


def roll_up_company(company: Company, *, now: datetime) -> int:
    """At most seven of the company's finished days, the oldest, are rolled; how many.

    0 too while another worker is at it or one of the days is being written.
    """
    try:
        with transaction.atomic():
            if not take_turn(JOB, company.pk):
                return 0
            days = _waiting_days(company, now)
            if days:
                _roll(company.pk, days)
            return len(days)
    except OperationalError as error:
        if getattr(error.__cause__, "pgcode", None) != LOCK_NOT_AVAILABLE:
            raise
        return 0


def _roll(company_id: int, days: list[date]) -> None:
    parameters: dict[str, Any] = {"company": company_id, "days": days}
    with connection.cursor() as cursor:
        cursor.execute(
            "DELETE FROM credit_rolledtotal"
            " WHERE company_id = %(company)s AND day = ANY(%(days)s::date[])",
            parameters,
        )
        cursor.execute(ROLL, parameters)


def _waiting_days(company: Company, now: datetime) -> list[date]:
    with connection.cursor() as cursor:
        cursor.execute(WAITING_DAYS, [company.pk, company.day_at(now), DAYS_AT_ONCE])
        return [day for (day,) in cursor.fetchall()]


def wait_for_roll_up(company_id: int) -> None:
    """Until the end of this transaction nobody rolls the company's days up."""
    wait_for_turn(JOB, company_id)
