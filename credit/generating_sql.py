"""The statements that make up a company's past. Its one rule: what they write is what the ledger
would have written: versions, running balances, daily totals and days agree, and so do the purses.

A part of the past is drawn into ``history_call`` first; then everything is derived from that.
"""

from credit.placing import PLACE
from credit.rollup import LEVELS, LIST_AND_COST_CENTRE

TABLES = """
CREATE TEMPORARY TABLE history_member (
  place integer PRIMARY KEY, member_id bigint, account_id bigint);
CREATE TEMPORARY TABLE history_rate (
  place integer PRIMARY KEY, id bigint, digits text, country text, kind text, price numeric,
  increment integer);
CREATE TEMPORARY TABLE history_call (
  place integer, member_id bigint, account_id bigint, rate integer, booked_on date,
  booked_at timestamptz, started_at timestamptz, duration integer, billed integer, price numeric,
  before numeric, after numeric, version bigint, transfer_id bigint);
"""
DROP = "DROP TABLE IF EXISTS history_member, history_rate, history_call"
MEMBERS = """
INSERT INTO history_member
SELECT row_number() OVER (ORDER BY account.id) - 1, member.id, account.id
  FROM members_member member
  JOIN credit_account account ON account.member_id = member.id
 WHERE member.company_id = %(company)s
"""
RATES = """
INSERT INTO history_rate
SELECT row_number() OVER (ORDER BY id) - 1, id, prefix, country, kind, price_per_minute,
       increment_seconds
  FROM credit_rate WHERE company_id = %(company)s
"""
# Who is called from where they once were: another list and cost centre for one in ten.
MOVED = """
INSERT INTO members_memberplacement (company_id, member_id, valid_from, list_id, cost_centre)
SELECT %(company)s, first.member_id, first.valid_from - 100 - (first.member_id %% 300)::integer,
       (SELECT id FROM members_memberlist WHERE company_id = %(company)s
         ORDER BY id OFFSET first.member_id %% 7 LIMIT 1),
       'Z' || first.member_id %% 3
  FROM (
    SELECT member_id, min(valid_from) AS valid_from FROM members_memberplacement
     WHERE company_id = %(company)s GROUP BY member_id
  ) first
 WHERE first.member_id %% 10 = 0
"""
LOCK = """
SELECT id FROM credit_account WHERE company_id = %(company)s AND kind IN ('company', 'member')
 ORDER BY id FOR NO KEY UPDATE
"""

# One for each: every purse of a member is given the same amount on the first of the days.
ALLOCATE = """
WITH purse AS (
  SELECT id, balance, version FROM credit_account
   WHERE company_id = %(company)s AND kind = 'company'
), given AS (
  SELECT member.place + 1 AS number, account.id, account.balance, account.version,
         CASE WHEN member.place %% 3 = 0 THEN 'auto_recharge' ELSE 'allocation' END AS kind
    FROM history_member member JOIN credit_account account ON account.id = member.account_id
), moved AS (
  INSERT INTO credit_transfer (
    company_id, kind, source_id, source_kind, destination_id, destination_kind, currency, amount,
    key, booked_on, occurred_at, created_at, actor_id, reverses_id, source_balance_after,
    source_version, destination_balance_after, destination_version)
  SELECT %(company)s, given.kind, purse.id, 'company', given.id, 'member', %(currency)s,
         %(amount)s, %(name)s || given.id, %(first)s, %(at)s, %(at)s,
         CASE given.kind WHEN 'allocation' THEN %(actor)s::bigint END, NULL,
         purse.balance - given.number * %(amount)s, purse.version + given.number,
         given.balance + %(amount)s, given.version + 1
    FROM given CROSS JOIN purse ORDER BY given.number
), totalled AS (
  INSERT INTO credit_dailytotal (
    company_id, account_id, day, kind, incoming, outgoing, moves_count, is_rolled)
  SELECT %(company)s, id, %(first)s::date, kind, %(amount)s, 0, 1, %(first)s::date < %(today)s
    FROM given
   UNION ALL
  SELECT %(company)s, (SELECT id FROM purse), %(first)s::date, kind, 0, count(*) * %(amount)s,
         count(*), %(first)s::date < %(today)s
    FROM given GROUP BY kind
), received AS (
  UPDATE credit_account account
     SET balance = account.balance + %(amount)s, version = account.version + 1,
         last_booked_on = %(first)s, month_spent = 0
    FROM given WHERE account.id = given.id
)
UPDATE credit_account account
   SET balance = account.balance - (SELECT count(*) FROM given) * %(amount)s,
       version = account.version + (SELECT count(*) FROM given), last_booked_on = %(first)s
  FROM purse WHERE account.id = purse.id
"""

# Most calls are reported within minutes, two in a hundred up to twenty days after.
DRAW = """
INSERT INTO history_call (
  place, member_id, account_id, rate, booked_on, booked_at, started_at, duration, billed)
SELECT drawn.place, member.member_id, member.account_id, rate.place, drawn.booked_on,
       drawn.booked_at, drawn.booked_at - drawn.delay - drawn.duration * interval '1 second',
       drawn.duration,
       ceil(drawn.duration::numeric / rate.increment)::integer * rate.increment
  FROM (
    SELECT place, booked_on, least(
             (booked_on + interval '7 hours' + random() * interval '13 hours')
               AT TIME ZONE %(zone)s, %(until)s::timestamptz) AS booked_at,
           CASE WHEN random() < 0.02 THEN random() * interval '20 days'
                ELSE random() * interval '4 minutes' END AS delay,
           5 + floor(900 * power(random(), 3))::integer AS duration,
           floor(power(random(), 1.1) * %(members)s)::integer AS member,
           floor(power(random(), 2) * %(rates)s)::integer AS rate
      FROM (
        SELECT place, %(first)s::date + floor(random() * %(days)s)::integer AS booked_on
          FROM generate_series(1, %(calls)s) AS place
      ) placed
  ) drawn
  JOIN history_member member ON member.place = drawn.member
  JOIN history_rate rate ON rate.place = drawn.rate
"""
# What was collected before and after each call: never more than the purse had.
CHARGE = """
WITH priced AS (
  SELECT drawn.place, account_id, booked_at,
         ceil(billed * rate.price * 10000 / 60) / 10000 AS price
    FROM history_call drawn JOIN history_rate rate ON rate.place = drawn.rate
), summed AS (
  SELECT place, account_id, booked_at, price,
         sum(price) OVER (PARTITION BY account_id ORDER BY booked_at, place
                          ROWS UNBOUNDED PRECEDING) AS sum
    FROM priced
), charged AS (
  SELECT place, account_id, booked_at, price, account.version,
         least(sum - price, account.balance) AS before, least(sum, account.balance) AS after
    FROM summed JOIN credit_account account ON account.id = account_id
), numbered AS (
  SELECT place, price, before, after,
         version + count(*) FILTER (WHERE after > before) OVER (
           PARTITION BY account_id ORDER BY booked_at, place ROWS UNBOUNDED PRECEDING) AS version
    FROM charged
)
INSERT INTO history_call
SELECT drawn.place, member_id, account_id, rate, booked_on, booked_at, started_at, duration,
       billed, numbered.price, numbered.before, numbered.after, numbered.version,
       CASE WHEN numbered.after > numbered.before
            THEN nextval(pg_get_serial_sequence('credit_transfer', 'id')) END
  FROM numbered
  JOIN history_call drawn ON drawn.place = numbered.place AND drawn.price IS NULL
 ORDER BY booked_at, drawn.place
"""
DROP_DRAFT = "DELETE FROM history_call WHERE price IS NULL"
TRANSFERS = """
INSERT INTO credit_transfer (
  id, company_id, kind, source_id, source_kind, destination_id, destination_kind, currency, amount,
  key, booked_on, occurred_at, created_at, actor_id, reverses_id, source_balance_after,
  source_version, destination_balance_after, destination_version)
SELECT transfer_id, %(company)s, 'call', account_id, 'member', %(calls_account)s, 'calls',
       %(currency)s, after - before, 'call:' || %(source)s || ':' || %(name)s || drawn.place,
       booked_on, started_at, booked_at, NULL, NULL, account.balance - after, drawn.version,
       NULL, NULL
  FROM history_call drawn JOIN credit_account account ON account.id = account_id
 WHERE transfer_id IS NOT NULL
 ORDER BY transfer_id
"""
CALLS = """
INSERT INTO credit_call (
  company_id, member_id, source, external_id, destination, country, kind, started_at,
  duration_seconds, billed_seconds, included_seconds, rate_id, price, collected, uncollected,
  transfer_id, booked_on, started_on, created_at)
SELECT %(company)s, member_id, %(source)s, %(name)s || drawn.place,
       '+' || rpad(rate.digits || drawn.place, 11, '1'), rate.country, rate.kind, started_at,
       duration, billed, 0, rate.id, drawn.price, after - before, drawn.price - (after - before),
       transfer_id, booked_on,
       least(booked_on, (started_at AT TIME ZONE %(zone)s)::date), booked_at
  FROM history_call drawn JOIN history_rate rate ON rate.place = drawn.rate
 ORDER BY booked_at, drawn.place
"""
TOTALS = """
INSERT INTO credit_dailytotal (
  company_id, account_id, day, kind, incoming, outgoing, moves_count, is_rolled)
SELECT %(company)s, account_id, booked_on, 'call', 0, sum(after - before), count(*),
       booked_on < %(today)s
  FROM history_call WHERE transfer_id IS NOT NULL GROUP BY account_id, booked_on
"""
PURSES = """
UPDATE credit_account account
   SET balance = account.balance - spent.spent, version = spent.version,
       last_booked_on = spent.last_on, month_spent = spent.of_month
  FROM (
    SELECT account_id, max(after) AS spent, max(version) AS version, max(booked_on) AS last_on,
           sum(after - before) AS of_month
      FROM history_call WHERE transfer_id IS NOT NULL GROUP BY account_id
  ) spent
 WHERE account.id = spent.account_id
"""
# Finished days are rolled up as they are written: marked so above, and summed here.
MARK = """
UPDATE credit_dailytotal SET is_rolled = true
 WHERE company_id = %(company)s AND day BETWEEN %(first)s AND %(last)s AND day < %(today)s
   AND NOT is_rolled
"""
_ROLL = """
INSERT INTO credit_rolledtotal (
  company_id, level, day, list_id, cost_centre, kind, incoming, outgoing, moves_count)
SELECT total.company_id, level.name, total.day, {list_and_cost_centre}, total.kind,
       sum(total.incoming), sum(total.outgoing), sum(total.moves_count)
  FROM credit_dailytotal total
  JOIN credit_account account ON account.id = total.account_id
  JOIN {levels} ON level.account_kind = account.kind
  {place}
 WHERE total.company_id = %(company)s AND total.day BETWEEN %(first)s AND %(last)s
   AND total.day < %(today)s
 GROUP BY 1, 2, 3, 4, 5, 6
"""
ROLL = _ROLL.format(levels=LEVELS, place=PLACE, list_and_cost_centre=LIST_AND_COST_CENTRE)
