"""Renewing among many features: the cost follows what is due, and the page that foretells it."""

import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

from django.db import connection

from benchmarks.figures import Figure, at_most, seconds
from benchmarks.people import House, analyze, copy_rows, make_house
from billing.features.giving import Wish, give_feature
from billing.features.upcoming import Ahead
from billing.models import Plan, PlanPrice, Subscription
from billing.renewals import end_overdue, renew_due
from credit.allocation import Recipients
from credit.requests import OutsideKey
from skypemgr.lib.periods import first_of_month, utc_now

COMPANIES = 100
ROUNDS = 50
PAGE_ROWS = 50

# Far from their end, spread over the days that months have.
LATER = "current_date + 40 + (n %% 300)::int"
DUE = """
WITH chosen AS (
  SELECT id, row_number() OVER (PARTITION BY company_id ORDER BY id) AS place
    FROM billing_subscription WHERE company_id = ANY(%s) AND charge_on > %s
)
UPDATE billing_subscription subscription
   SET paid_until = %s, charge_on = %s, anchor_day = extract(day FROM %s::date)
  FROM chosen WHERE chosen.id = subscription.id AND chosen.place <= %s
"""


def measure(few: int, many: int, due: int) -> Iterator[Figure]:
    """``few`` and ``many`` open features in a hundred companies, of which ``due`` come due."""
    plan = make_plan()
    houses = [make_house(f"renewal-{number}", 1) for number in range(COMPANIES)]
    templates = [give_first(house, plan) for house in houses]
    now = utc_now()
    fill(templates, few)
    quiet_small = quiet(now)
    small = renew(houses, few // 10, now)
    fill(templates, many - few)
    quiet_large = quiet(now)
    large = renew(houses, few // 10, now)
    yield at_most(
        f"renewing {few // 10:,} of {many:,} against of {few:,}, processor time",
        large.processor / small.processor,
        1.5,
        "",
    )
    words = "look for renewals among %s, none due, processor time"
    yield Figure(words % f"{few:,}", f"{quiet_small:.2f} ms")
    yield at_most(words % f"{many:,}", quiet_large, 10, " ms")
    taken = renew(houses, due, now)
    yield at_most(f"renewal of {due:,} among {many:,}", taken.clock, 10, " s")
    words = "the same, processor time with the database's"
    yield at_most(words, taken.processor, 10, " s")
    yield from measure_page(houses[0], templates[0], many // 10)


def measure_page(house: House, template: Subscription, count: int) -> Iterator[Figure]:
    """What the page of renewals reads in a company with that many features."""
    copy_rows("billing_subscription", template.pk, count, spread())
    analyze()
    today = house.company.day_at(utc_now())
    month = first_of_month(first_of_month(today) + timedelta(days=70))

    def read() -> None:
        ahead = Ahead(house.company, today)
        days = ahead.days_of(month)
        rows_count = ahead.sum_of(month).rows_count
        assert len(ahead.rows(days, offset=rows_count // 2, limit=PAGE_ROWS)) == PAGE_ROWS
        assert ahead.needed_until(month) >= ahead.unpaid.total

    subject = f"renewals of a month of {count:,} features, processor time"
    yield at_most(subject, each_round(read), 100, " ms")


def make_plan() -> Plan:
    """Minutes to France for 1 a month."""
    plan = Plan.objects.create(
        code="bench-minutes",
        kind="subscription",
        name_en="Minutes",
        name_fr="Minutes",
        prefixes=["33"],
        included_seconds=24_000,
        valid_from=date(2020, 1, 1),
    )
    PlanPrice.objects.create(plan=plan, currency="EUR", months=1, price=Decimal(1))
    return plan


def give_first(house: House, plan: Plan) -> Subscription:
    """One feature that the verb gave, far from its end."""
    recipients = Recipients(member_ids=(house.administrator.pk,))
    given = give_feature(
        actor=house.actor,
        wish=Wish(plan=plan, months=1, recipients=recipients),
        request=OutsideKey.of_form(f"bench-{house.company.pk}", "give"),
    )
    pk = given.subscription_ids[0]
    later = utc_now().date() + timedelta(days=400)
    Subscription.objects.filter(pk=pk).update(paid_until=later, charge_on=later)
    return Subscription.objects.get(pk=pk)


def fill(templates: list[Subscription], count: int) -> None:
    """So many more open features, spread over the companies."""
    for template in templates:
        copy_rows("billing_subscription", template.pk, count // len(templates), spread())
    analyze()


def spread() -> dict[str, str]:
    """Days of charge and end that differ from feature to feature."""
    return {
        "paid_until": f"{LATER} + 3",
        "charge_on": LATER,
        "anchor_day": f"extract(day FROM {LATER} + 3)",
    }


@dataclass(frozen=True)
class Taken:
    """What a work took, in seconds: by the clock, and of processors, ours and our connection's. On
    a machine that has other things to do only the latter says something.
    """

    clock: float
    processor: float


def renew(houses: list[House], count: int, now: datetime) -> Taken:
    """What it takes to renew so many, which come due now."""
    today = now.date()
    end = today + timedelta(days=3)
    companies = [house.company.pk for house in houses]
    with connection.cursor() as cursor:
        # What was renewed before is charged again in about a month.
        far = today + timedelta(days=35)
        cursor.execute(DUE, [companies, far, end, today, end, count // len(houses)])
    analyze()
    paid: list[int] = []
    before = processor()
    clock = seconds(lambda: paid.append(renew_due(now=now).paid_count))
    assert paid == [count], paid
    return Taken(clock, processor() - before)


def processor() -> float:
    """Processor seconds of this process and of the database's process that serves it."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        (pid,) = cursor.fetchone()
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(") ")[2].split()
    served = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    return time.process_time() + served


def quiet(now: datetime) -> float:
    """The processor time of a look that finds nothing, in milliseconds."""
    return each_round(lambda: (renew_due(now=now), end_overdue(now=now)))


def each_round(work: Callable[[], object]) -> float:
    """The processor time of one of many rounds, in milliseconds."""
    before = processor()
    for _round in range(ROUNDS):
        work()
    return (processor() - before) / ROUNDS * 1000
