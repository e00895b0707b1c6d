"""Sums finished days of calls up by day, list, cost centre, destination and member. Its one rule:
days are taken alone (``credit.usage_locks``), in a row, and summed once; a call stored into a day
already summed stands in ``UsageLate`` until it is added, so nothing depends on when this runs.
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.db import connection, transaction

from credit.models import UsageDay, UsageMember, UsageRolled
from credit.placing import place_on
from credit.sweeps import ZONE_IN_FORCE
from credit.turns import roll_companies, take_turn, wait_for_turn
from credit.usage_locks import TAKE_DAYS
from members.models import Company

# What is still being written when a day ends has an hour.
RESTS = timedelta(hours=1)
A_DAY = timedelta(days=1)
DAYS_AT_ONCE = 7
# Days without calls between them count too: each is held by a lock.
SPAN_AT_ONCE = 31
JOB = "credit.roll_up_usage"

AMOUNTS = ("price", "collected", "uncollected")
MEASURES = ("calls_count", "duration_seconds", "billed_seconds", "included_seconds", *AMOUNTS)
SUMS = ", ".join(f"sum({name}) AS {name}" for name in MEASURES)
COLUMNS = ", ".join(MEASURES)
CALL = """member_id, booked_on, started_on, country, kind, 1 AS calls_count, duration_seconds,
         billed_seconds, included_seconds, price, collected, uncollected"""

_PLACED = """
SELECT call.*, place.list_id, coalesce(place.cost_centre, '') AS cost_centre
  FROM call {place}
"""
PLACED = _PLACED.format(place=place_on("call.member_id", "call.started_on"))

_BY_DAY = """
SELECT {before}booked_on, started_on,
       CASE GROUPING(list_id, cost_centre, country)
         WHEN 7 THEN 'company' WHEN 3 THEN 'list' WHEN 5 THEN 'cost_centre'
         WHEN 6 THEN 'destination' WHEN 1 THEN 'list_cost_centre' WHEN 2 THEN 'list_destination'
         ELSE 'cost_centre_destination' END AS level,
       list_id, coalesce(cost_centre, '') AS cost_centre, coalesce(country, '') AS country,
       coalesce(kind, '') AS kind, {sums}
  FROM placed
 GROUP BY {before}booked_on, started_on,
       GROUPING SETS ((), (list_id), (cost_centre), (country, kind), (list_id, cost_centre),
                      (list_id, country, kind), (cost_centre, country, kind))
"""
_BY_MEMBER = """
SELECT {before}period.name AS period, date_trunc(period.name, booked_on)::date AS booked_month,
       date_trunc(period.name, started_on)::date AS month, member_id, list_id, cost_centre, {sums}
  FROM placed CROSS JOIN (VALUES ('month'), ('year')) AS period (name)
 GROUP BY {before}period.name, date_trunc(period.name, booked_on),
       date_trunc(period.name, started_on), member_id, list_id, cost_centre
"""
# What stands in UsageLate for a day that is only summed now is among the day's calls.
_SUM = """
WITH late AS (
  DELETE FROM credit_usagelate late USING credit_call call
   WHERE late.company_id = %(company)s AND call.id = late.call_id
  RETURNING {call}
), call AS (
  SELECT {call} FROM credit_call
   WHERE company_id = %(company)s AND booked_on BETWEEN %(first)s AND %(last)s
   UNION ALL
  SELECT * FROM late WHERE booked_on BETWEEN %(since)s AND %(through)s
), placed AS MATERIALIZED (
  {placed}
), by_day AS (
  INSERT INTO credit_usageday AS stored (
    company_id, booked_on, started_on, level, list_id, cost_centre, country, kind, {columns})
  SELECT %(company)s, by_day.* FROM ({by_day}) by_day
  ON CONFLICT (
    company_id, level, started_on, list_id, cost_centre, country, kind, booked_on)
  DO UPDATE SET {added}
)
INSERT INTO credit_usagemember AS stored (
  company_id, period, booked_month, month, member_id, list_id, cost_centre, {columns})
SELECT %(company)s, by_member.* FROM ({by_member}) by_member
ON CONFLICT (company_id, period, month, member_id, list_id, cost_centre, booked_month)
DO UPDATE SET {added}
"""


def by_day(before: str = "") -> str:
    """Sums of ``placed`` at every level; ``before`` names columns to tell apart too."""
    return _BY_DAY.format(before=before, sums=SUMS)


def by_member(before: str = "") -> str:
    """Sums of ``placed`` by member and months, and by member and years."""
    return _BY_MEMBER.format(before=before, sums=SUMS)


SUM = _SUM.format(
    call=CALL,
    placed=PLACED,
    columns=COLUMNS,
    by_day=by_day(),
    by_member=by_member(),
    added=", ".join(f"{name} = stored.{name} + excluded.{name}" for name in MEASURES),
)

_WAITING_COMPANIES = """
SELECT company.id
  FROM members_company company
  LEFT JOIN credit_usagerolled rolled ON rolled.company_id = company.id
 WHERE company.id > %(after)s
   AND (EXISTS (SELECT FROM credit_usagelate late WHERE late.company_id = company.id)
     OR EXISTS (
       SELECT FROM credit_call call
        WHERE call.company_id = company.id AND call.booked_on < rolled.since)
     OR EXISTS (
       SELECT FROM credit_call call
        WHERE call.company_id = company.id
          AND call.booked_on > coalesce(rolled.through, '-infinity')
          AND call.booked_on < (%(now)s AT TIME ZONE {zone})::date))
 ORDER BY company.id LIMIT %(limit)s
"""
WAITING_COMPANIES = _WAITING_COMPANIES.format(zone=ZONE_IN_FORCE)
DAYS_AFTER = """
SELECT DISTINCT booked_on FROM credit_call
 WHERE company_id = %(company)s AND booked_on > %(after)s AND booked_on <= %(until)s
 ORDER BY booked_on LIMIT %(limit)s
"""
DAYS_BEFORE = """
SELECT DISTINCT booked_on FROM credit_call
 WHERE company_id = %(company)s AND booked_on < %(since)s
 ORDER BY booked_on DESC LIMIT %(limit)s
"""
EXTEND = """
INSERT INTO credit_usagerolled AS rolled (company_id, since, through)
VALUES (%(company)s, %(first)s, %(last)s)
ON CONFLICT (company_id) DO UPDATE
   SET since = least(rolled.since, excluded.since),
       through = greatest(rolled.through, excluded.through)
"""


@dataclass(frozen=True, slots=True)
class Window:
    """Days in a row, both included; ``is_earlier``: they end where what is summed begins."""

    first: date
    last: date
    is_earlier: bool = False


def roll_up_usage(*, now: datetime) -> int:
    """Days that ended an hour ago are summed, in at most 2,000 transactions; how many days.

    Any number of workers may run it at once. A day that is being written is left to the next run.
    """
    return roll_companies(
        WAITING_COMPANIES,
        lambda company: roll_up_company_usage(company, now=now),
        now=now - RESTS,
        days_at_once=1,
    )


def roll_up_company_usage(
    company: Company, *, now: datetime, days_at_once: int = DAYS_AT_ONCE
) -> int:
    """The company's next finished days with calls, and what came late, are summed; how many days,
    those between without calls included. 0 too while another worker is at it or a day is written.
    """
    until = company.day_at(now - RESTS) - A_DAY
    with transaction.atomic():
        if not take_turn(JOB, company.pk):
            return 0
        rolled = UsageRolled.objects.filter(company=company).first()
        window = _next_window(company.pk, rolled, until, days_at_once)
        if window is not None:
            window = _take(company.pk, window)
        _sum(company.pk, rolled, window)
        return (window.last - window.first).days + 1 if window else 0


def rebuild_usage(company: Company, *, now: datetime) -> None:
    """The company's sums of calls are made anew from the calls; meanwhile they are read from those
    alone.
    """
    with transaction.atomic():
        wait_for_turn(JOB, company.pk)
        for model in (UsageDay, UsageMember, UsageRolled):
            model._default_manager.filter(company=company).delete()
    while roll_up_company_usage(company, now=now):
        pass


def _sum(company_id: int, rolled: UsageRolled | None, window: Window | None) -> None:
    # Without a window, none of the days: it begins after its end.
    parameters: dict[str, Any] = {
        "company": company_id,
        "first": window.first if window else date.max,
        "last": window.last if window else date.min,
        "since": rolled.since if rolled else date.max,
        "through": rolled.through if rolled else date.min,
    }
    with connection.cursor() as cursor:
        cursor.execute(SUM, parameters)
        if window is not None:
            cursor.execute(EXTEND, parameters)


def _next_window(
    company_id: int, rolled: UsageRolled | None, until: date, days_at_once: int
) -> Window | None:
    """What comes after the days already summed, else what came before them."""
    span = timedelta(days=max(SPAN_AT_ONCE, days_at_once))
    after = rolled.through if rolled else date.min
    wanted: dict[str, Any] = {"company": company_id, "after": after, "until": until}
    days = _dates(DAYS_AFTER, {**wanted, "limit": days_at_once})
    if days:
        first = rolled.through + A_DAY if rolled else days[0]
        return Window(first, min(days[-1], first + span))
    if rolled is None:
        return None
    wanted = {"company": company_id, "since": rolled.since, "limit": days_at_once}
    days = _dates(DAYS_BEFORE, wanted)
    if not days:
        return None
    last = rolled.since - A_DAY
    return Window(max(days[-1], last - span), last, is_earlier=True)


def _take(company_id: int, window: Window) -> Window | None:
    """The days of the window that nobody is storing into, next to those already summed."""
    with connection.cursor() as cursor:
        cursor.execute(
            TAKE_DAYS, {"company": company_id, "first": window.first, "last": window.last}
        )
        taken = dict(cursor.fetchall())
    days = sorted(taken, reverse=window.is_earlier)
    free: list[date] = []
    for day in days:
        if not taken[day]:
            break
        free.append(day)
    return Window(min(free), max(free), window.is_earlier) if free else None


def _dates(query: str, parameters: dict[str, Any]) -> list[date]:
    with connection.cursor() as cursor:
        cursor.execute(query, parameters)
        return [day for (day,) in cursor.fetchall()]
