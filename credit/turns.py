"""Jobs that several workers do, company by company. Its one rule: a company's job is one worker's
at a time, until the end of its transaction; who finds it taken goes on to the next company.
"""

from collections.abc import Callable
from datetime import datetime

from django.db import connection

from members.models import Company

COMPANIES_AT_ONCE = 500
TRANSACTIONS_IN_A_RUN = 2_000


def take_turn(job: str, company_id: int) -> bool:
    """Whether the company's job is this transaction's now."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_try_advisory_xact_lock(hashtextextended(%s, %s))", [job, company_id]
        )
        return bool(cursor.fetchone()[0])


def wait_for_turn(job: str, company_id: int) -> None:
    """The company's job is this transaction's, as soon as whoever is at it has ended."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, %s))", [job, company_id])


def roll_companies(
    waiting: str, roll: Callable[[Company], int], *, now: datetime, days_at_once: int
) -> int:
    """Each company that ``waiting`` tells (places: ``after``, ``now``, ``limit``) has been
    rolled for as long as it rolled so many days, in at most 2,000 transactions in all; how many
    days.
    """
    after, runs, rolled = 0, 0, 0
    while runs < TRANSACTIONS_IN_A_RUN:
        companies = _tell(waiting, after, now)
        if not companies:
            break
        after = companies[-1]
        for company in Company.objects.filter(pk__in=companies).order_by("pk"):
            while runs < TRANSACTIONS_IN_A_RUN:
                runs += 1
                count = roll(company)
                rolled += count
                if count < days_at_once:
                    break
    return rolled


def _tell(waiting: str, after: int, now: datetime) -> list[int]:
    with connection.cursor() as cursor:
        cursor.execute(waiting, {"after": after, "now": now, "limit": COMPANIES_AT_ONCE})
        return [pk for (pk,) in cursor.fetchall()]
