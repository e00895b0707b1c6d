"""Statements of purses: every movement with the balance before and after it, newest first.

Its one rule: opening + movements = closing, on each page. Whoever is not the member gets the calls
of a day as one line, counted at the end of the day, so that nothing between two other lines tells
of a single call. Pages are cut by the account's version; what is booked meanwhile moves no line.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from django.db import connection
from django.db.models import Sum
from django.utils.translation import gettext_lazy as _

from credit import statement_sql
from credit.accounts import purse_of_company
from credit.errors import CreditError
from credit.models import Account, DailyTotal, Transfer
from credit.money import ZERO
from members.models import Company, Member

LINES = 50
CURSOR = re.compile(r"([np])([0-9]{1,18})(?:\.([0-9]{1,18}))?\Z")


class InvalidCursor(CreditError):
    """The cursor is not one that this statement gave."""

    code = "invalid_cursor"
    status = 400


@dataclass(frozen=True, slots=True)
class SingleCall:
    """What only the member sees of a call."""

    destination: str
    duration_seconds: int
    uncollected: Decimal


@dataclass(frozen=True, slots=True)
class Line:
    """One movement, or the calls of one day (``calls_count`` > 0, no ``at``).

    ``amount`` is above 0 when it came in. ``at`` is when it was booked; of a call, when it began.
    ``member_id`` and ``member`` name who received from or paid to the company's purse.
    """

    kind: str
    day: date
    at: datetime | None
    amount: Decimal
    balance_before: Decimal
    balance_after: Decimal
    made_by: str
    member_id: int | None
    member: str
    calls_count: int
    call: SingleCall | None

    @property
    def label(self) -> str:
        """The kind in the reader's language."""
        return str(Transfer.Kind(self.kind).label)


@dataclass(frozen=True, slots=True)
class Statement:
    """One page. closing = opening + incoming − outgoing; ``older`` and ``newer`` are cursors."""

    lines: Sequence[Line] = ()
    opening: Decimal = ZERO
    closing: Decimal = ZERO
    older: str = ""
    newer: str = ""

    @property
    def incoming(self) -> Decimal:
        """What came in on this page."""
        return sum((line.amount for line in self.lines if line.amount > 0), start=ZERO)

    @property
    def outgoing(self) -> Decimal:
        """What went out on this page."""
        return -sum((line.amount for line in self.lines if line.amount < 0), start=ZERO)


@dataclass(frozen=True, slots=True)
class Edge:
    """A place between two lines. Up to version ``transfers`` transfers are older; up to version
    ``days`` the days are older whose calls are one line.
    """

    transfers: int
    days: int

    def cursor(self, direction: str) -> str:
        """The place with the direction to read in: ``n`` to older lines, ``p`` to newer ones."""
        exact = "" if self.days == self.transfers else f".{self.days}"
        return f"{direction}{self.transfers}{exact}"


def read_company_statement(company: Company, *, cursor: str = "", limit: int = LINES) -> Statement:
    """A page of the company's purse. Two queries; InvalidCursor for a foreign one."""
    purse = purse_of_company(company).only("pk").first()
    return _read(purse, statement_sql.SINGLE, cursor, limit)


def read_member_statement(member: Member, *, cursor: str = "", limit: int = LINES) -> Statement:
    """A page of a member's purse as others see it: calls by the day. Two queries."""
    purse = Account.objects.filter(member=member).only("pk").first()
    return _read(purse, statement_sql.BY_DAY, cursor, limit)


def read_own_statement(member: Member, *, cursor: str = "", limit: int = LINES) -> Statement:
    """A page of a member's purse as only they see it: every call with its number. Two queries."""
    purse = Account.objects.filter(member=member).only("pk").first()
    return _read(purse, statement_sql.SINGLE, cursor, limit)


def cursor_until(company: Company, day: date) -> str:
    """The cursor of the company's statement whose newest line is the last one booked by that day;
    empty when that is the newest of all. Two queries.
    """
    found = purse_of_company(company).values_list("pk", "version").first()
    if found is None:
        return ""
    # Each move is one version, and the days of a purse never go back.
    moves = DailyTotal.objects.filter(account=found[0], day__lte=day).aggregate(
        count=Sum("moves_count", default=0)
    )["count"]
    return "" if moves >= found[1] else f"n{moves}"


def _read(purse: Account | None, queries: dict[str, str], cursor: str, limit: int) -> Statement:
    newer, edge = _parse(cursor)
    if purse is None:
        if edge is not None:
            raise InvalidCursor(_("This cursor is not one that we gave."), field="cursor")
        return Statement()
    parameters = {
        "account": purse.pk,
        "transfers": edge.transfers if edge else None,
        "days": edge.days if edge else None,
        "limit": limit + 1,
    }
    with connection.cursor() as database:
        database.execute(queries["newer" if newer else "older"], parameters)
        rows = database.fetchall()
    if not rows[0][0]:
        raise InvalidCursor(_("This cursor is not one that we gave."), field="cursor")
    start: Decimal = rows[0][1]
    found = [_Row(*row[2:]) for row in rows if row[3] is not None]
    if newer:
        return _upwards(edge, start, found, limit)
    return _downwards(edge, start, found, limit)


def _parse(cursor: str) -> tuple[bool, Edge | None]:
    """Whether to read newer lines, and from where; None is the newest line."""
    if not cursor:
        return False, None
    match = CURSOR.match(cursor)
    if match is None:
        raise InvalidCursor(_("This cursor is not one that we gave."), field="cursor")
    direction, transfers, days = match.groups()
    return direction == "p", Edge(int(transfers), int(days or transfers))


@dataclass(slots=True)
class _Row:
    """A line as the database gives it; ``first`` and ``last`` are the versions before its day's
    first movement and of its last one.
    """

    id: int | None
    kind: str
    day: date
    created_at: datetime | None
    occurred_at: datetime | None
    amount: Decimal
    place: int | None
    first: int | None
    last: int | None
    moves: int | None
    calls: int
    actor: str | None
    member_id: int | None
    member: str | None
    destination: str | None
    duration_seconds: int | None
    uncollected: Decimal | None

    def below(self) -> Edge:
        """The place just below this line."""
        if self.place is not None:
            return Edge(self.place - 1, self.place - 1 if self.first is None else int(self.first))
        first, last = int(self.first or 0), int(self.last or 0)
        return Edge(first if self.moves == self.calls else last, first)

    def above(self) -> Edge:
        """The place just above this line."""
        if self.place is not None:
            return Edge(self.place, self.place if self.first is None else int(self.first))
        return Edge(int(self.last or 0), int(self.last or 0))

    def line(self, before: Decimal) -> Line:
        """The line, with the balance before it."""
        call = None
        if self.destination is not None:
            call = SingleCall(
                self.destination, self.duration_seconds or 0, self.uncollected or ZERO
            )
        return Line(
            kind=self.kind,
            day=self.day,
            at=self.occurred_at if self.kind == Transfer.Kind.CALL else self.created_at,
            amount=self.amount,
            balance_before=before,
            balance_after=before + self.amount,
            made_by=self.actor or "",
            member_id=self.member_id,
            member=self.member or "",
            calls_count=int(self.calls),
            call=call,
        )


def _downwards(edge: Edge | None, start: Decimal, rows: list[_Row], limit: int) -> Statement:
    lines: list[Line] = []
    balance = start
    for row in rows[:limit]:
        balance -= row.amount
        lines.append(row.line(balance))
    return Statement(
        lines,
        opening=balance,
        closing=start,
        older=rows[limit - 1].below().cursor("n") if len(rows) > limit else "",
        newer=edge.cursor("p") if edge else "",
    )


def _upwards(edge: Edge | None, start: Decimal, rows: list[_Row], limit: int) -> Statement:
    lines: list[Line] = []
    balance = start
    for row in rows[:limit]:
        lines.append(row.line(balance))
        balance += row.amount
    lines.reverse()
    return Statement(
        lines,
        opening=start,
        closing=balance,
        older=edge.cursor("n") if edge else "",
        newer=rows[limit - 1].above().cursor("p") if len(rows) > limit else "",
    )
