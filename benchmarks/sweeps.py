"""Sweeps and the monthly resume among many armed purses: their cost follows the work."""

from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Any

from django.db import connection

from benchmarks.figures import Figure, at_most, memory, seconds
from benchmarks.people import House, add_members, analyze, make_house
from credit.sweeps import resume_rules, sweep_due_purses
from skypemgr.lib.periods import first_of_month, utc_now

COMPANIES = 100
ROUNDS = 21

# Credit that is in no transfer: what is measured is the look-up, then the postings.
RAISE = "UPDATE credit_account SET balance = 6 WHERE kind = 'member' AND balance < 6"
LOWER = """
WITH chosen AS (
  SELECT id, row_number() OVER (PARTITION BY company_id ORDER BY id) AS place
    FROM credit_account WHERE recharge_below IS NOT NULL AND company_id = ANY(%s)
)
UPDATE credit_account account SET balance = 4
  FROM chosen WHERE chosen.id = account.id AND chosen.place <= %s
"""
SUSPEND = LOWER.replace("SET balance = 4", "SET recharge_resumes_on = %s")


def quiet_sweep() -> float:
    """How long a sweep takes that finds nothing, the middle one of many, in milliseconds."""
    now = utc_now()
    times = sorted(seconds(lambda: sweep_due_purses(now=now)) for _round in range(ROUNDS))
    return times[ROUNDS // 2] * 1000


def execute(statement: str, parameters: Sequence[Any] = ()) -> None:
    """The statement has run."""
    with connection.cursor() as cursor:
        cursor.execute(statement, list(parameters) or None)


def measure(few: int, many: int, due: int) -> Iterator[Figure]:
    """``few`` and ``many`` armed purses in a hundred companies, of which ``due`` come due."""
    houses = [make_house(f"sweep-{number}", 1) for number in range(COMPANIES)]
    fill(houses, few)
    small = quiet_sweep()
    before = memory()
    fill(houses, many - few)
    large = quiet_sweep()
    yield Figure(f"sweep with {few:,} armed purses, none due", f"{small:.2f} ms")
    yield at_most(f"sweep with {many:,} armed purses, none due", large, 5, " ms")
    yield at_most("the second against the first", large / small, 1.5, "")
    companies = [house.company.pk for house in houses]
    execute(LOWER, [companies, due // COMPANIES])
    now = utc_now()
    paid: list[int] = []
    taken = seconds(lambda: paid.append(sweep_due_purses(now=now)))
    assert paid == [due], paid
    yield at_most(f"sweep with {due:,} due in {COMPANIES} companies", taken, 4, " s")
    execute(RAISE)
    month = first_of_month(now.date())
    execute(SUSPEND, [companies, month + timedelta(days=40), 10**9])
    execute(SUSPEND, [companies, month, due // COMPANIES])
    analyze()
    resumed: list[int] = []
    taken = seconds(lambda: resumed.append(resume_rules(now=now)))
    assert resumed == [due], resumed
    yield at_most(f"resume of {due:,} among {many:,} suspended", taken, 2, " s")
    yield at_most(
        f"memory of the sweeping process, {many:,} members against {few:,}",
        memory() / before,
        1.5,
        "",
    )


def fill(houses: Sequence[House], count: int) -> None:
    """So many more armed purses above their level, spread over the houses."""
    for house in houses:
        add_members(house, count // len(houses), armed=True)
    execute(RAISE)
    analyze()
