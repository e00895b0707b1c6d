"""Makes a company's totals anew. Its one rule: from the transfers alone, while its purses are
locked; what moves meanwhile waits.
"""

from datetime import datetime

from django.db import connection, transaction

from credit.rollup import DAYS_AT_ONCE, roll_up_company, wait_for_roll_up
from members.models import Company

LOCK = """
SELECT id FROM credit_account WHERE company_id = %s AND kind IN ('company', 'member')
 ORDER BY id FOR NO KEY UPDATE
"""
# A purse opened meanwhile may have written its totals already: they are the same.
TOTAL = """
INSERT INTO credit_dailytotal (
  company_id, account_id, day, kind, incoming, outgoing, moves_count)
SELECT %(company)s, account_id, booked_on, kind, sum(incoming), sum(outgoing), count(*)
  FROM (
    SELECT source_id AS account_id, booked_on, kind, 0 AS incoming, amount AS outgoing
      FROM credit_transfer WHERE company_id = %(company)s AND source_version IS NOT NULL
     UNION ALL
    SELECT destination_id, booked_on, kind, amount, 0
      FROM credit_transfer WHERE company_id = %(company)s AND destination_version IS NOT NULL
  ) side
 GROUP BY account_id, booked_on, kind
ON CONFLICT (account_id, day, kind) DO UPDATE
   SET incoming = excluded.incoming, outgoing = excluded.outgoing,
       moves_count = excluded.moves_count, is_rolled = false
"""
SPEND = """
UPDATE credit_account account
   SET month_spent = coalesce((
         SELECT sum(total.outgoing) FROM credit_dailytotal total
          WHERE total.account_id = account.id AND total.kind = 'call'
            AND date_trunc('month', total.day) = date_trunc('month', account.last_booked_on)), 0)
 WHERE company_id = %s AND kind = 'member'
"""


def rebuild_totals(company: Company, *, now: datetime) -> int:
    """The company's daily totals are what its transfers make them, and finished days are rolled up
    again; how many daily totals there are.
    """
    with transaction.atomic():
        wait_for_roll_up(company.pk)
        with connection.cursor() as cursor:
            cursor.execute(LOCK, [company.pk])
            cursor.execute("DELETE FROM credit_rolledtotal WHERE company_id = %s", [company.pk])
            cursor.execute("DELETE FROM credit_dailytotal WHERE company_id = %s", [company.pk])
            cursor.execute(TOTAL, {"company": company.pk})
            count = int(cursor.rowcount)
            cursor.execute(SPEND, [company.pk])
    while roll_up_company(company, now=now) == DAYS_AT_ONCE:
        pass
    return count
