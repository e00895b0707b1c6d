"""The latest movements, as feeds. Its one rule: calls are one line a day, "Calls, n, total".

A purse's transfers are read along its version chain, newest first: an index gives them, however
many calls the company makes.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from credit.models import Account, Call, DailyTotal, Transfer
from credit.span_figures import DayOfKind, LiveDays, read_latest_days
from members.call_details import hide_last_digits
from members.models import Company, Member
from skypemgr.lib.phones import readable_number

# One bulk allocation writes a row for each member: so many are read to find the latest decisions.
WINDOW = 500

Kind = Transfer.Kind


@dataclass(frozen=True)
class Movement:
    """One line of a feed. ``amount`` is above 0 when it came in.

    A decision for several members is one line with ``count`` members; calls of one day are one
    line with ``count`` calls and no ``at``; of a single call ``destination`` says where it went.
    """

    kind: str
    amount: Decimal
    day: date
    count: int
    at: datetime | None = None
    member: str = ""
    member_id: int | None = None
    made_by: str = ""
    destination: str = ""
    duration_seconds: int = 0


@dataclass
class _Group:
    kind: str
    at: datetime
    day: date
    amount: Decimal
    count: int
    member: str
    member_id: int | None
    made_by: str


def read_company_movements(
    company: Company, purse: Account | None, limit: int, *, live: LiveDays | None = None
) -> list[Movement]:
    """The company's latest movements, and its members' calls by day; three queries, and one more if
    the ``live`` days are not given.
    """
    if purse is None:
        return []
    groups = [
        *_grouped(_outgoing(purse), -1),
        *_grouped(_incoming(purse), 1),
    ]
    days = read_latest_days(company, [Kind.CALL], limit, live=live)
    return _newest(groups, _by_day(days), limit)


def read_list_movements(
    company: Company, list_id: int, limit: int, *, live: LiveDays | None = None
) -> list[Movement]:
    """What those in the list received and spent, by day and kind; one query, two if the ``live``
    days are not given.
    """
    kinds = [kind.value for kind in (Kind.ALLOCATION, Kind.AUTO_RECHARGE, Kind.CALL)]
    days = read_latest_days(company, kinds, limit, list_id=list_id, live=live)
    return _newest([], _by_day(days), limit)


def read_member_movements(purse: Account | None, limit: int) -> list[Movement]:
    """A member's latest movements, own calls by day; two queries."""
    if purse is None:
        return []
    return _newest(_grouped(_incoming(purse), 1), _calls_by_day(purse, limit), limit)


def read_shown_movements(member: Member, purse: Account | None, limit: int) -> list[Movement]:
    """A member's latest movements for whoever may see single calls, numbers without their last four
    digits; two queries.
    """
    if purse is None:
        return []
    calls = (
        Call.objects.filter(company=member.company_id, member=member)
        .order_by("-started_at", "-pk")
        .values_list("destination", "started_at", "started_on", "duration_seconds", "collected")
    )
    lines = [
        Movement(
            kind=Kind.CALL,
            amount=-collected,
            day=day,
            count=1,
            at=at,
            destination=hide_last_digits(readable_number(destination)),
            duration_seconds=seconds,
        )
        for destination, at, day, seconds, collected in calls[:limit]
    ]
    return _newest([*_grouped(_incoming(purse), 1), *lines], [], limit)


def _calls_by_day(purse: Account, limit: int) -> list[Movement]:
    rows = (
        DailyTotal.objects.filter(account=purse, kind=Kind.CALL)
        .order_by("-day")
        .values_list("day", "kind", "incoming", "outgoing", "moves_count")
    )
    return _by_day(DayOfKind(*row) for row in rows[:limit])


def _by_day(days: Iterable[DayOfKind]) -> list[Movement]:
    return [
        Movement(
            kind=row.kind, amount=row.incoming - row.outgoing, day=row.day, count=row.moves_count
        )
        for row in days
    ]


def read_member_purse(member: Member) -> Account | None:
    """The member's purse, if it was opened; one query."""
    return Account.objects.filter(member=member).first()


def _outgoing(purse: Account) -> Sequence[Mapping[str, Any]]:
    rows = (
        Transfer.objects.filter(source=purse, source_version__isnull=False)
        .order_by("-source_version")
        .values(
            "kind",
            "amount",
            "booked_on",
            "created_at",
            "actor_id",
            "actor__name",
            "destination__member_id",
            "destination__member__name",
        )
    )
    return list(rows[:WINDOW])


def _incoming(purse: Account) -> Sequence[Mapping[str, Any]]:
    rows = (
        Transfer.objects.filter(destination=purse, destination_version__isnull=False)
        .order_by("-destination_version")
        .values("kind", "amount", "booked_on", "created_at", "actor_id", "actor__name")
    )
    return list(rows[:WINDOW])


def _grouped(rows: Sequence[Mapping[str, Any]], sign: int) -> list[Movement]:
    groups: dict[tuple[Any, ...], _Group] = {}
    for row in rows:
        key = (row["created_at"], row["kind"], row["actor_id"])
        group = groups.get(key)
        if group is None:
            groups[key] = _Group(
                kind=row["kind"],
                at=row["created_at"],
                day=row["booked_on"],
                amount=row["amount"],
                count=1,
                member=row.get("destination__member__name") or "",
                member_id=row.get("destination__member_id"),
                made_by=row["actor__name"] or "",
            )
        else:
            group.count += 1
            group.amount += row["amount"]
    # A full window may end inside a decision: its figures would be too small.
    if len(rows) == WINDOW and len(groups) > 1:
        groups.popitem()
    return [
        Movement(
            kind=group.kind,
            amount=sign * group.amount,
            day=group.day,
            count=group.count,
            at=group.at,
            member=group.member if group.count == 1 else "",
            member_id=group.member_id if group.count == 1 else None,
            made_by=group.made_by,
        )
        for group in groups.values()
    ]


def _newest(groups: Iterable[Movement], by_day: Iterable[Movement], limit: int) -> list[Movement]:
    # A day's sums stand under what was decided that day: their line is no instant.
    timed = sorted(groups, key=lambda line: (line.day, line.at), reverse=True)
    return sorted([*timed, *by_day], key=lambda line: line.day, reverse=True)[:limit]
