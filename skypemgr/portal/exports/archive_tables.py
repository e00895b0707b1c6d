"""The tables of a company's archive. Its one rule: nothing of another company, no secret, and no
single call: of calls stands one line a purse and day.

Columns are named in English, for programs; instants are in UTC, amounts exact.
"""

import re

# What stands in the queries for an instant as text.
INSTANT = re.compile(r"instant\(([a-z_.]+)\)")
WRITTEN = r"""to_char(\1 AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')"""


# By name: the query, which gives a company's rows in their order.
TABLES: dict[str, str] = {
    "members": """
SELECT member.id, member.name, login.username, login.email, login.phone, member.role,
       member.status, list.name AS list, member.job_title, member.work_email, member.work_phone,
       member.cost_centre, coalesce(purse.balance, 0) AS balance, company.currency,
       instant(member.joined_at) AS joined_at, instant(member.ended_at) AS ended_at
  FROM members_member member
  JOIN members_company company ON company.id = member.company_id
  -- How somebody who went signs in now is nobody's business here.
  LEFT JOIN members_user login
    ON login.id = member.user_id AND member.status IN ('active', 'suspended')
  LEFT JOIN members_memberlist list ON list.id = member.list_id
  LEFT JOIN credit_account purse ON purse.member_id = member.id
 WHERE member.company_id = %(company)s
 ORDER BY member.id""",
    "lists": """
SELECT list.id, list.name, instant(list.created_at) AS created_at,
       instant(list.archived_at) AS archived_at
  FROM members_memberlist list
 WHERE list.company_id = %(company)s
 ORDER BY list.id""",
    "statement-company": """
SELECT move.booked_on AS day, instant(move.created_at) AS booked_at, move.kind,
       CASE WHEN move.destination_id = purse.id THEN move.amount ELSE -move.amount END AS amount,
       CASE WHEN move.destination_id = purse.id THEN move.destination_balance_after
            ELSE move.source_balance_after END AS balance_after,
       other.member_id, member.name AS member, actor.name AS made_by
  FROM credit_account purse
 CROSS JOIN LATERAL (
   SELECT *, source_version AS place FROM credit_transfer WHERE source_id = purse.id
   UNION ALL
   SELECT *, destination_version FROM credit_transfer WHERE destination_id = purse.id) move
  JOIN credit_account other
    ON other.id = CASE WHEN move.destination_id = purse.id THEN move.source_id
                       ELSE move.destination_id END
  LEFT JOIN members_member member ON member.id = other.member_id
  LEFT JOIN members_member actor ON actor.id = move.actor_id
 WHERE purse.company_id = %(company)s AND purse.kind = 'company'
 ORDER BY move.place""",
    # A statement of each member's purse; the calls of a day stand after its other movements.
    "statements-members": """
SELECT line.member_id, member.name AS member, line.day, line.booked_at, line.kind, line.amount,
       line.balance_after, line.calls, actor.name AS made_by
  FROM (
   SELECT purse.member_id, move.booked_on AS day, instant(move.created_at) AS booked_at,
          move.kind, move.amount, move.destination_balance_after AS balance_after,
          NULL::bigint AS calls, move.actor_id, move.destination_version AS place
     FROM credit_account purse
     JOIN credit_transfer move ON move.destination_id = purse.id
    WHERE purse.company_id = %(company)s AND purse.member_id IS NOT NULL
   UNION ALL
   SELECT purse.member_id, move.booked_on, instant(move.created_at), move.kind, -move.amount,
          move.source_balance_after, NULL, move.actor_id, move.source_version
     FROM credit_account purse
     JOIN credit_transfer move ON move.source_id = purse.id AND move.kind <> 'call'
    WHERE purse.company_id = %(company)s AND purse.member_id IS NOT NULL
   UNION ALL
   SELECT purse.member_id, total.day, NULL, total.kind, total.incoming - total.outgoing, NULL,
          total.moves_count, NULL, NULL
     FROM credit_account purse
     JOIN credit_dailytotal total ON total.account_id = purse.id AND total.kind = 'call'
    WHERE purse.company_id = %(company)s AND purse.member_id IS NOT NULL) line
  JOIN members_member member ON member.id = line.member_id
  LEFT JOIN members_member actor ON actor.id = line.actor_id
 ORDER BY line.member_id, line.day, line.place NULLS LAST""",
    "calls-by-day": """
SELECT call.started_on, call.booked_on, count(*) AS calls,
       sum(call.duration_seconds) AS duration_seconds, sum(call.billed_seconds) AS billed_seconds,
       sum(call.included_seconds) AS included_seconds, sum(call.price) AS price,
       sum(call.collected) AS collected, sum(call.uncollected) AS uncollected
  FROM credit_call call
 WHERE call.company_id = %(company)s
 GROUP BY call.started_on, call.booked_on
 ORDER BY call.started_on, call.booked_on""",
    "purchases": """
SELECT purchase.id, instant(purchase.created_at) AS created_at, purchase.status,
       purchase.method_label AS payment_method, purchase.amount AS net, purchase.vat_rate,
       purchase.vat_amount AS vat, purchase.total, purchase.currency, purchase.payment_reference,
       purchase.is_automatic::int AS is_automatic, maker.name AS made_by,
       instant(purchase.settled_at) AS settled_at, purchase.refunded_amount,
       purchase.disputed_amount, purchase.dispute_state
  FROM billing_purchase purchase
  LEFT JOIN members_member maker ON maker.id = purchase.made_by_id
 WHERE purchase.company_id = %(company)s
 ORDER BY purchase.id""",
    "features": """
SELECT feature.id, feature.kind, plan.code AS plan, number.e164 AS number, feature.member_id,
       member.name AS member, feature.months, feature.started_on, feature.paid_until,
       feature.renews::int AS renews, feature.status, instant(feature.ended_at) AS ended_at
  FROM billing_subscription feature
  JOIN members_member member ON member.id = feature.member_id
  JOIN billing_plan plan ON plan.id = feature.plan_id
  LEFT JOIN billing_phonenumber number ON number.id = feature.number_id
 WHERE feature.company_id = %(company)s
 ORDER BY feature.id""",
    "audit-log": """
SELECT entry.id, instant(entry.created_at) AS created_at, member.name AS member, entry.verb,
       entry.subject, entry.data::text AS data
  FROM members_auditentry entry
  LEFT JOIN members_member member ON member.id = entry.member_id
 WHERE entry.company_id = %(company)s
 ORDER BY entry.id""",
    "closings": """
SELECT to_char(closing.month, 'YYYY-MM') AS month, closing.company_opening,
       closing.company_closing, closing.members_opening, closing.members_closing, closing.digest,
       instant(closing.closed_at) AS closed_at
  FROM credit_monthclosing closing
 WHERE closing.company_id = %(company)s
 ORDER BY closing.month""",
}


def query_of(name: str) -> str:
    """The query of one of the tables, with the parameter ``company``."""
    return INSTANT.sub(WRITTEN, TABLES[name])
