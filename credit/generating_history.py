"""A long past of a company: millions of calls. Its one rule: written in sets, a month at a time,
each month whole or not at all, and the ledger verifies after each.

The company must not have moved any credit before. Lists, cost centres, rates and people are made
as for ``credit.generating``.
"""

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db import connection, transaction
from django.db.models import Model

from credit import generating_sql as sql
from credit.accounts import Accounts, ensure_accounts
from credit.errors import CreditError
from credit.ledger import Move, post_transfers
from credit.models import (
    Account,
    Call,
    DailyTotal,
    MonthClosing,
    Rate,
    RolledTotal,
    Transfer,
    UsageDay,
    UsageMember,
)
from credit.usage_rollup import roll_up_company_usage
from members.actors import Actor
from members.generating import make_people
from members.models import Company, Member, MemberPlacement, User
from skypemgr.lib.periods import add_months, first_of_month, first_of_next_month

SOURCE = "history"
# Everybody is given credit twice a year, so much more than the mean of what is spent.
ALLOCATION_MONTHS = 6
PLENTY = Decimal("1.6")
MEAN_PRICE = Decimal("0.16")
PURSES_AT_ONCE = 10_000
A_DAY = timedelta(days=1)
USAGE_DAYS_AT_ONCE = 31
RATES = (
    ("33", "FR", "landline", "0.02", 1),
    ("336", "FR", "mobile", "0.09", 1),
    ("44", "GB", "landline", "0.03", 1),
    ("447", "GB", "mobile", "0.11", 30),
    ("49", "DE", "landline", "0.03", 1),
    ("491", "DE", "mobile", "0.10", 30),
    ("34", "ES", "landline", "0.04", 1),
    ("346", "ES", "mobile", "0.12", 30),
    ("1", "US", "other", "0.01", 60),
    ("32", "BE", "landline", "0.05", 1),
    ("41", "CH", "landline", "0.06", 60),
    ("81", "JP", "other", "0.14", 60),
)
PEOPLE = (User, Member, MemberPlacement)
MOVED = (Account, Call, DailyTotal, RolledTotal, Transfer)
USAGE = (UsageDay, UsageMember)
Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Part:
    """Days of one month, both included, and how many calls are booked in them."""

    number: int
    first: date
    last: date
    calls: int

    @property
    def days(self) -> int:
        """How many."""
        return (self.last - self.first).days + 1


def generate_history(
    actor: Actor,
    *,
    members: int,
    calls: int,
    months: int,
    seed: int,
    now: datetime,
    tell: Tell = lambda _line: None,
) -> int:
    """The actor's company has at least so many members and so many calls, booked in the last
    months up to now, and what they were paid from; finished days are rolled up. How many calls.
    """
    company = actor.company
    _check_empty(company)
    begin = add_months(first_of_month(company.day_at(now)), 1 - months)
    accounts = _prepare(actor, members, begin, seed=seed, now=now)
    tell(f"{Member.objects.filter(company=company).count():,} members")
    parts = list(_parts(begin, company.day_at(now), calls))
    written = 0
    try:
        _open_tables(company, seed)
        amount = (PLENTY * MEAN_PRICE * calls / members / months * ALLOCATION_MONTHS).quantize(
            Decimal("0.01")
        ) + Decimal(1)
        for part in parts:
            _write_part(actor, accounts, part, amount=amount, now=now)
            written += part.calls
            tell(f"{part.last:%Y-%m-%d}: {written:,} calls")
    finally:
        _execute(sql.DROP)
    _analyze(*PEOPLE, *MOVED)
    while roll_up_company_usage(company, now=now, days_at_once=USAGE_DAYS_AT_ONCE):
        pass
    _analyze(*USAGE)
    tell("usage rolled up")
    return written


def _check_empty(company: Company) -> None:
    if Transfer.objects.filter(company=company).exists():
        raise CreditError("The company has a past already.", code="company_has_moved")
    if MonthClosing.objects.filter(company=company).exists():
        raise CreditError("Months of the company are closed.", code="company_has_moved")


def _prepare(actor: Actor, members: int, begin: date, *, seed: int, now: datetime) -> Accounts:
    """People with purses and rates, in a company that is old enough."""
    company = actor.company
    missing = members - Member.objects.filter(company=company).count()
    dice = random.Random(seed)  # noqa: S311 - made-up data
    make_people(company, actor, max(missing, 0), dice=dice, now=now)
    pks = list(Member.objects.filter(company=company).order_by("pk").values_list("pk", flat=True))
    accounts = ensure_accounts(company, pks[:1])
    for start in range(0, len(pks), PURSES_AT_ONCE):
        ensure_accounts(company, pks[start : start + PURSES_AT_ONCE])
    Rate.objects.bulk_create(
        Rate(
            company=company,
            prefix=prefix,
            country=country,
            kind=kind,
            price_per_minute=Decimal(price),
            increment_seconds=increment,
            currency=company.currency,
            valid_from=begin - 31 * A_DAY,
        )
        for prefix, country, kind, price, increment in RATES
    )
    company.created_at = min(company.created_at, company.start_of(begin))
    company.save(update_fields=("created_at",))
    return accounts


def _parts(begin: date, today: date, calls: int) -> Iterator[Part]:
    """The months, the last one cut to what is over of it; calls by number of days."""
    days_total = (today - begin).days + 1
    month, number, given = begin, 0, 0
    while month <= today:
        last = min(first_of_next_month(month) - A_DAY, today)
        wanted = calls * ((last - begin).days + 1) // days_total
        yield Part(number, month, last, wanted - given)
        month, number, given = first_of_next_month(month), number + 1, wanted


def _open_tables(company: Company, seed: int) -> None:
    parameters = {"company": company.pk}
    _execute(sql.DROP)
    _execute(sql.TABLES)
    _execute(sql.MEMBERS, parameters)
    _execute(sql.RATES, parameters)
    _execute(sql.MOVED, parameters)
    _execute("ANALYZE history_member")
    _execute("ANALYZE history_rate")
    _execute("SELECT setseed(%(seed)s)", {"seed": seed % 1000 / 1000})


def _write_part(
    actor: Actor, accounts: Accounts, part: Part, *, amount: Decimal, now: datetime
) -> None:
    company = actor.company
    at = company.start_of(part.first)
    parameters: dict[str, Any] = {
        "company": company.pk,
        "currency": company.currency,
        "zone": company.zone_at(at),
        "actor": actor.member.pk if actor.member else None,
        "calls_account": accounts.calls,
        "source": SOURCE,
        "amount": amount,
        "at": at,
        "until": now,
        "today": company.day_at(now),
        "first": part.first,
        "last": part.last,
        "days": part.days,
        "calls": part.calls,
        "members": _count("history_member"),
        "rates": _count("history_rate"),
    }
    with transaction.atomic():
        _execute("SET LOCAL synchronous_commit TO off")
        if part.number % ALLOCATION_MONTHS == 0:
            _credit_company(company, accounts, part, amount * parameters["members"], at)
            _execute(sql.LOCK, parameters)
            _execute(sql.ALLOCATE, {**parameters, "name": f"allocation:{SOURCE}:{part.number}:"})
        _execute(sql.LOCK, parameters)
        _execute("TRUNCATE history_call")
        parameters["name"] = f"{part.number}-"
        for statement in (sql.DRAW, "ANALYZE history_call", sql.CHARGE, sql.DROP_DRAFT):
            _execute(statement, parameters)
        for statement in (sql.TRANSFERS, sql.CALLS, sql.TOTALS, sql.PURSES, sql.MARK, sql.ROLL):
            _execute(statement, parameters)


def _credit_company(
    company: Company, accounts: Accounts, part: Part, amount: Decimal, at: datetime
) -> None:
    """What is given out and a little more is bought before."""
    move = Move(
        kind=Transfer.Kind.PURCHASE,
        source=accounts.purchases,
        destination=accounts.company,
        amount=amount * Decimal("1.05"),
        key=f"purchase:{SOURCE}-{part.number}",
    )
    post_transfers(company.pk, [move], now=at)


def _count(table: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT reltuples::bigint FROM pg_class WHERE oid = %s::regclass", [table])
        return int(cursor.fetchone()[0])


def _analyze(*models: type[Model]) -> None:
    """The planner knows how much has been written."""
    _execute(f"ANALYZE {', '.join(model._meta.db_table for model in models)}")


def _execute(statement: str, parameters: dict[str, Any] | None = None) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
