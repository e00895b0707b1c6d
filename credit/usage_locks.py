"""How storing a call and summing its day keep out of each other's way. Its one rule: whoever stores
a call holds its day of booking, shared with all others who do, before the statement that stores it.

Who sums a day takes it alone, and only if nobody holds it. So either the sum sees the call, or the
call sees that its day was summed and is put beside it (``UsageLate``). A day is an advisory lock:
no row is shared, and days that are over are hardly ever stored into.
"""

from skypemgr.lib.prepared import Prepared

HOLD_DAYS = Prepared("""
SELECT pg_advisory_xact_lock_shared(
         hashtextextended('credit.usage', %(company)s::bigint * 100000 + (day - '2000-01-01')))
  FROM unnest(%(booking_days)s::date[]) AS held (day)
""")
TAKE_DAYS = """
SELECT day, pg_try_advisory_xact_lock(
         hashtextextended('credit.usage', %(company)s::bigint * 100000 + (day - '2000-01-01')))
  FROM (
    SELECT generate_series(%(first)s::date, %(last)s::date, interval '1 day')::date AS day
  ) wanted
 ORDER BY day
"""
