"""Charges calls. Its one rule: each call once, in the order given, against what is available when
its turn comes; what is missing is never collected later.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime

from django.db.models import Case, Value, When

from credit.call_batch import Batch, CallResult, CompanyNeeded
from credit.call_rows import CallRow, ReportedCall, member_key, read_row
from credit.ledger import atomically
from credit.rating import RateBook
from members.models import Company, Member
from skypemgr.lib.arrays import Among
from skypemgr.lib.periods import utc_now

BATCH = 1000


def charge_calls(
    company: Company, rows: Sequence[CallRow], *, now: datetime | None = None
) -> list[CallResult]:
    """Every row has been charged, found already there, or refused with a code; in order.

    A rule that a call makes due has been evaluated before that member's next call, so a batch
    gives what its calls one by one give. A thousand rows are one transaction.
    """
    instant = now or utc_now()
    results: list[CallResult] = []
    for start in range(0, len(rows), BATCH):
        results.extend(_charge_batch(company, rows[start : start + BATCH], instant))
    return results


def _charge_batch(company: Company, rows: Sequence[CallRow], now: datetime) -> list[CallResult]:
    members = find_members(company, [row.member for row in rows])
    read = [read_row(row, members, country=company.country, now=now) for row in rows]
    calls = [call for call in read if isinstance(call, ReportedCall)]
    book = RateBook(company, {call.destination[1:] for call in calls if not call.is_emergency})
    try:
        charged = atomically(lambda: Batch(company, book, now).charge(calls, with_company=False))
    except CompanyNeeded:
        charged = atomically(lambda: Batch(company, book, now).charge(calls, with_company=True))
    outcomes = iter(charged)
    return [
        next(outcomes)
        if isinstance(call, ReportedCall)
        else CallResult(str(row.source or ""), str(row.id or ""), "refused", code=call)
        for row, call in zip(rows, read, strict=True)
    ]


def find_members(company: Company, values: Iterable[object]) -> dict[int | str, int]:
    """The company's members by id and by user name; whoever is there now before one who left."""
    keys = {member_key(value) for value in values}
    ids = {key for key in keys if isinstance(key, int) and 0 < key < 2**63}
    names = {key for key in keys if isinstance(key, str) and "\0" not in key}
    gone = Case(When(status__in=("active", "suspended"), then=Value(1)), default=Value(0))
    rows = Member.objects.filter(company=company).order_by(gone, "pk")
    found: dict[int | str, int] = {
        name: pk
        for name, pk in rows.filter(user__username__in=names).values_list("user__username", "pk")
        if name is not None
    }
    found.update((pk, pk) for pk in rows.filter(Among("pk", ids)).values_list("pk", flat=True))
    return found
