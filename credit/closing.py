"""Closes months. Its one rule: first nothing is booked into the month any more, then it is summed.

On the first day of a month, in the company's zone, ``Company.booked_from`` becomes that day: no
later posting books before it, whatever its clock says. The month's figures are read ten minutes
after, when no transaction that began before that goes on any more, and frozen with a digest that
contains the digest of the month before. Nothing depends on when this runs; months missed are closed
in order.
"""

import hashlib
import json
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db import connection, transaction
from django.db.models import Count, Min, Sum

from credit.figures import Level, totals
from credit.models import Call, DailyTotal, MonthClosing
from credit.money import ZERO
from credit.sweeps import ZONE_IN_FORCE
from credit.turns import COMPANIES_AT_ONCE, take_turn
from members.models import Company
from skypemgr.lib.periods import add_months, first_of_month, first_of_next_month

SETTLES_AFTER = timedelta(minutes=10)
JOB = "credit.closing"
A_DAY = timedelta(days=1)
LEVELS = (Level.COMPANY, Level.MEMBERS, Level.LIST, Level.COST_CENTRE)
COUNTS = ("duration_seconds", "billed_seconds", "included_seconds")
AMOUNTS = ("price", "collected", "uncollected")
NO_DIGEST = ""

# The index narrows to companies that may have turned somewhere on earth; the zone decides.
_TURN = """
WITH turned AS MATERIALIZED (
  SELECT company.id, date_trunc('month', %(now)s AT TIME ZONE {zone})::date AS month
    FROM members_company company
   WHERE (company.booked_from IS NULL OR company.booked_from < %(newest)s)
     AND (company.booked_from IS NULL
          OR company.booked_from < date_trunc('month', %(now)s AT TIME ZONE {zone})::date)
   ORDER BY company.id
   LIMIT %(limit)s
     FOR NO KEY UPDATE OF company SKIP LOCKED
)
UPDATE members_company company
   SET booked_from = turned.month, closing_since = %(now)s
  FROM turned WHERE turned.id = company.id
"""
TURN = _TURN.format(zone=ZONE_IN_FORCE)
# One of them may have read ``booked_from`` before, and wait for a purse since.
GOES_ON = """
SELECT EXISTS (
  SELECT FROM pg_stat_activity
   WHERE datname = current_database() AND pid <> pg_backend_pid()
     AND backend_type = 'client backend'
     AND xact_start < least(%(since)s::timestamptz,
                         statement_timestamp() - make_interval(secs => %(settles)s)))
"""


@dataclass(frozen=True, slots=True)
class ClosingDifference:
    """A closed month whose figures are not what the ledger says now."""

    company_id: int
    month: date
    stored: str
    computed: str


def close_months(*, now: datetime) -> int:
    """Every month that has ended is closed for postings, and those closed ten minutes ago or
    earlier are frozen; how many were frozen. Any number of workers may run it at once.
    """
    while turn_months(now=now) == COMPANIES_AT_ONCE:
        pass
    after, count = 0, 0
    while True:
        waiting = Company.objects.filter(closing_since__lte=now - SETTLES_AFTER, pk__gt=after)
        companies = list(waiting.order_by("pk")[:COMPANIES_AT_ONCE])
        for company in companies:
            count += close_company(company, now=now)
        if len(companies) < COMPANIES_AT_ONCE:
            return count
        after = companies[-1].pk


def turn_months(*, now: datetime) -> int:
    """At most 500 companies whose month has ended book nothing into it any more; how many."""
    newest = first_of_month((now + A_DAY).date())
    with connection.cursor() as cursor:
        cursor.execute(TURN, {"now": now, "newest": newest, "limit": COMPANIES_AT_ONCE})
        return int(cursor.rowcount)


def close_company(company: Company, *, now: datetime) -> int:
    """Every month of the company before ``booked_from`` is frozen, the oldest first; how many.

    0 while another worker is at it, or a transaction goes on that may still book into the month.
    """
    count = 0
    while True:
        with transaction.atomic():
            if not take_turn(JOB, company.pk):
                return count
            company.refresh_from_db(fields=["booked_from", "closing_since"])
            month = _next_month(company)
            if month is None:
                Company.objects.filter(pk=company.pk, closing_since=company.closing_since).update(
                    closing_since=None
                )
                return count
            if _goes_on(company.closing_since):
                return count
            _freeze(company, month, now)
            count += 1


def closing_of(company: Company, month: date) -> MonthClosing | None:
    """The frozen figures of the month that begins on that day; None while it is open."""
    return MonthClosing.objects.filter(company=company, month=month).first()


def verify_closings(company: Company | None = None) -> list[ClosingDifference]:
    """Every closed month whose figures or digest differ from what the ledger says now; empty when
    all agree. Changes nothing.
    """
    found = []
    closings = MonthClosing.objects.select_related("company").order_by("company", "month")
    if company is not None:
        closings = closings.filter(company=company)
    before: MonthClosing | None = None
    for closing in closings.iterator(chunk_size=500):
        if before is not None and before.company_id != closing.company_id:
            before = None
        computed = _compute(closing.company, closing.month, before)
        digest = _digest(before, computed.figures)
        if digest != closing.digest or not _is_same(closing, computed):
            found.append(
                ClosingDifference(closing.company_id, closing.month, closing.digest, digest)
            )
        before = closing
    return found


def _next_month(company: Company) -> date | None:
    """The oldest month that can be frozen and is not; None when there is none."""
    if company.booked_from is None:
        return None
    last = (
        MonthClosing.objects.filter(company=company)
        .order_by("-month")
        .values_list("month", flat=True)
        .first()
    )
    month = first_of_next_month(last) if last else _first_month(company)
    return month if month < company.booked_from else None


def _first_month(company: Company) -> date:
    booked = DailyTotal.objects.filter(company=company).aggregate(day=Min("day"))["day"]
    created = company.day_at(company.created_at)
    return first_of_month(min(created, booked) if booked else created)


def _freeze(company: Company, month: date, now: datetime) -> None:
    before = closing_of(company, add_months(month, -1))
    computed = _compute(company, month, before)
    computed.digest, computed.closed_at = _digest(before, computed.figures), now
    computed.save(force_insert=True)


def _compute(company: Company, month: date, before: MonthClosing | None) -> MonthClosing:
    """The month's figures as the ledger says now; not stored, and without its digest."""
    last_day = first_of_next_month(month) - A_DAY
    rows = totals(company, month, last_day, *LEVELS)
    flow = dict.fromkeys((Level.COMPANY, Level.MEMBERS), ZERO)
    for row in rows:
        if row.level in flow:
            flow[Level(row.level)] += row.incoming - row.outgoing
    opening = before.company_closing if before else ZERO
    members_opening = before.members_closing if before else ZERO
    closing = MonthClosing(
        company=company,
        month=month,
        company_opening=opening,
        company_closing=opening + flow[Level.COMPANY],
        members_opening=members_opening,
        members_closing=members_opening + flow[Level.MEMBERS],
    )
    closing.figures = {
        "month": f"{month:%Y-%m}",
        "currency": company.currency,
        "company": [_text(closing.company_opening), _text(closing.company_closing)],
        "members": [_text(closing.members_opening), _text(closing.members_closing)],
        "totals": [
            [
                row.level,
                row.list_id,
                row.cost_centre,
                row.kind,
                _text(row.incoming),
                _text(row.outgoing),
                row.moves_count,
            ]
            for row in rows
        ],
        "calls": _calls(company, month, last_day),
    }
    return closing


def _calls(company: Company, month: date, last_day: date) -> dict[str, Any]:
    """The calls booked in the month, whenever they began."""
    sums = Call.objects.filter(company=company, booked_on__range=(month, last_day)).aggregate(
        calls_count=Count("pk"),
        **{name: Sum(name, default=0) for name in COUNTS},
        **{name: Sum(name, default=ZERO) for name in AMOUNTS},
    )
    return {
        name: _text(value) if isinstance(value, Decimal) else value for name, value in sums.items()
    }


def _digest(before: MonthClosing | None, figures: dict[str, Any]) -> str:
    content = json.dumps(figures, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    chained = f"{before.digest if before else NO_DIGEST}\n{content}"
    return hashlib.sha256(chained.encode()).hexdigest()


def _is_same(stored: MonthClosing, computed: MonthClosing) -> bool:
    names = ("company_opening", "company_closing", "members_opening", "members_closing", "figures")
    return all(getattr(stored, name) == getattr(computed, name) for name in names)


def _text(amount: Decimal) -> str:
    return f"{amount:.4f}"


def _goes_on(since: datetime | None) -> bool:
    """Whether a transaction that began before the month was closed for postings has not ended."""
    with connection.cursor() as cursor:
        cursor.execute(GOES_ON, {"since": since, "settles": SETTLES_AFTER.total_seconds()})
        return bool(cursor.fetchone()[0])
