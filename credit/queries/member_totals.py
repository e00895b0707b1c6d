"""Sums over all members that filters leave. Its one rule: they are the ledger's own figures, kept
for a moment only for many members and only while nothing moved or was decided.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import date
from decimal import Decimal
from hashlib import sha256

from django.core.cache import cache
from django.db import connection, transaction
from django.db.models import Case, Count, F, Max, Q, QuerySet, Sum, Value, When
from django.db.models.functions import Coalesce
from redis.exceptions import RedisError

from credit.member_filters import MemberFilters, filtered_members
from credit.money import ZERO
from members.models import AuditEntry, Company, Member
from skypemgr.lib import live
from skypemgr.lib.periods import first_of_month

logger = logging.getLogger(__name__)
# Fewer are summed up anew each time.
MANY = 5_000
SECONDS_KEPT = 10
# A hundred thousand members and their purses meet in memory, and faster alone than in parts.
WIDE = (
    "SELECT set_config('work_mem', '32MB', true),"
    " set_config('max_parallel_workers_per_gather', '0', true)"
)


@dataclass(frozen=True, slots=True)
class MembersTotals:
    """Of all members that the filters leave, on every page. ``present_count`` and
    ``active_count``: how many of them are still in the company, how many are active."""

    count: int
    present_count: int
    active_count: int
    balance: Decimal
    spent: Decimal


@contextmanager
def wide_memory() -> Iterator[None]:
    """Queries inside see one state of things, and may join large tables in memory."""
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(WIDE)
        yield


def read_totals(company: Company, filters: MemberFilters, *, today: date) -> MembersTotals:
    """The totals; for many members as they were at most ten seconds ago, if nothing happened."""
    key = _key(company, filters, today)
    kept = _recall(key)
    if kept is not None:
        return kept
    totals = sum_up(filtered_members(company, filters, today=today), today)
    if totals.count >= MANY:
        _keep(key, totals)
    return totals


def sum_up(members: QuerySet[Member], today: date) -> MembersTotals:
    """The totals of these members; one query."""
    sums = members.aggregate(
        count=Count("pk"),
        present_count=Count("pk", filter=Q(status__in=("active", "suspended"))),
        active_count=Count("pk", filter=Q(status="active")),
        balance=Coalesce(Sum("purse__balance"), Value(ZERO)),
        spent=Coalesce(Sum(spent_this_month(today)), Value(ZERO)),
    )
    return MembersTotals(**sums)


def spent_this_month(today: date) -> Case:
    """What calls took from the member's purse this month, for a query over members."""
    is_of_month = When(
        purse__last_booked_on__gte=first_of_month(today), then=F("purse__month_spent")
    )
    return Case(is_of_month, default=Value(ZERO))


def _key(company: Company, filters: MemberFilters, today: date) -> str:
    """Another one after every movement and every decision about people; empty: do not keep."""
    version = live.version(company.pk)
    if version is None:
        return ""
    decided = AuditEntry.objects.filter(company=company).aggregate(last=Max("pk"))["last"]
    wish = sha256(repr(sorted(filters.content().items())).encode()).hexdigest()
    return f"members:{company.pk}:{version}:{decided}:{today}:{wish}"


def _recall(key: str) -> MembersTotals | None:
    if not key:
        return None
    try:
        kept = cache.get(key)
    except RedisError as error:
        logger.warning("totals of members not recalled: %s", error)
        return None
    return MembersTotals(**kept) if kept else None


def _keep(key: str, totals: MembersTotals) -> None:
    if not key:
        return
    try:
        cache.set(key, asdict(totals), SECONDS_KEPT)
    except RedisError as error:
        logger.warning("totals of members not kept: %s", error)
