"""A member's latest movements. Its one rule: calls are one line a day, "Calls, n, total"."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from operator import attrgetter

from django.db.models import Q, QuerySet

from credit.models import Account, DailyTotal, Transfer
from members.models import Member

LATEST = 20


@dataclass(frozen=True, slots=True)
class Movement:
    """One line: a transfer, or the calls of one day (``calls_count`` > 0, no time, no balance).

    ``amount`` is above 0 when it came in. ``made_by`` is empty when nobody decided it.
    """

    day: date
    kind: str
    label: str
    amount: Decimal
    balance_after: Decimal | None = None
    at: datetime | None = None
    made_by: str = ""
    calls_count: int = 0


def read_movements(member: Member, *, limit: int = LATEST) -> list[Movement]:
    """The member's latest movements, newest first; four queries at most."""
    purse = Account.objects.filter(member=member).only("pk").first()
    if purse is None:
        return []
    lines = [
        *(_of_transfer(transfer, purse.pk) for transfer in _incoming(purse, limit)),
        *(_of_transfer(transfer, purse.pk) for transfer in _adjusted(purse, limit)),
    ]
    timed = sorted(lines, key=attrgetter("day", "at"), reverse=True)
    # The day's calls stand above its other movements: the day may still be running.
    return sorted([*_calls(purse, limit), *timed], key=attrgetter("day"), reverse=True)[:limit]


def _incoming(purse: Account, limit: int) -> QuerySet[Transfer]:
    return (
        Transfer.objects.filter(destination=purse, destination_version__isnull=False)
        .select_related("actor")
        .order_by("-destination_version")[:limit]
    )


def _adjusted(purse: Account, limit: int) -> QuerySet[Transfer]:
    """What left the purse other than by a call."""
    return (
        Transfer.objects.filter(
            Q(source=purse, source_version__isnull=False), ~Q(kind=Transfer.Kind.CALL)
        )
        .select_related("actor")
        .order_by("-source_version")[:limit]
    )


def _of_transfer(transfer: Transfer, purse_id: int) -> Movement:
    came_in = transfer.destination_id == purse_id
    return Movement(
        day=transfer.booked_on,
        kind=transfer.kind,
        label=transfer.get_kind_display(),
        amount=transfer.amount if came_in else -transfer.amount,
        balance_after=transfer.destination_balance_after
        if came_in
        else transfer.source_balance_after,
        at=transfer.created_at,
        made_by=transfer.actor.name if transfer.actor else "",
    )


def _calls(purse: Account, limit: int) -> Iterable[Movement]:
    totals = DailyTotal.objects.filter(account=purse, kind=Transfer.Kind.CALL, outgoing__gt=0)
    for total in totals.order_by("-day")[:limit]:
        yield Movement(
            day=total.day,
            kind=total.kind,
            label=total.get_kind_display(),
            amount=-total.outgoing,
            calls_count=total.moves_count,
        )
