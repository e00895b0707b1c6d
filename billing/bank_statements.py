"""Imports what the bank says arrived.

Its one rule: every payment in is stored once, whichever files name it and whoever imports them at
the same time; what it pays is decided afterwards, line by line, from what is stored.
"""

import hashlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import BinaryIO

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction

from billing.bank_lines import INCIDENT_OF_STATEMENT, Verdict, advance_lines, first_verdicts
from billing.incidents import report
from billing.models import BankStatement, BankStatementLine, PaymentIncident
from billing.statement_cells import (
    Columns,
    find_columns,
    is_outgoing,
    months_come_first,
    read_amount,
    read_currency,
    read_day,
)
from members.models import User
from skypemgr.lib.periods import utc_now
from skypemgr.lib.tables import require_rows
from skypemgr.lib.text import plain_line
from skypemgr.lib.workbooks import read_upload

State = BankStatementLine.State
CHUNK = 1_000
LONGEST_LABEL = 2_000
LONGEST_NAME = 200


@dataclass(frozen=True, slots=True)
class RefusedRow:
    """A row that could not be read: its line in the file, the column, and why."""

    line: int
    column: str
    message: str


@dataclass(slots=True)
class ImportedStatement:
    """What became of a file. Counts of payments in; ``ignored_count`` is money that went out.

    ``unfinished_count`` are new ones that the sweep still credits; ``statement`` is None when no
    row could be read.
    """

    statement: BankStatement | None = None
    stored_count: int = 0
    already_count: int = 0
    ignored_count: int = 0
    settled_count: int = 0
    waiting_count: int = 0
    unfinished_count: int = 0
    refused: list[RefusedRow] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Payment:
    line: int
    received_on: date
    amount: Decimal
    currency: str
    label: str
    content_hash: str
    occurrence: int


class _Refusal(Exception):
    def __init__(self, column: int, error: ValidationError) -> None:
        super().__init__(error)
        self.column = column
        self.message = " ".join(error.messages)


def import_statement(
    file: BinaryIO,
    *,
    name: str = "",
    user: User | None = None,
    now: datetime | None = None,
    advance_at_most: int | None = None,
) -> ImportedStatement:
    """The file's payments in are stored and, where one names a purchase and pays it exactly,
    credited; the others wait for the operator. ``advance_at_most`` leaves the rest to the sweep.

    Raises UnreadableTable for a file that is no table of a day, an amount and a label.
    """
    at = now or utc_now()
    result = ImportedStatement()
    payments = list(_read(file, result, at.date()))
    if payments or result.ignored_count:
        with transaction.atomic():
            statement = _store(payments, result, name=name, user=user, now=at)
        advance_lines(statement=statement, now=now, at_most=advance_at_most)
        _count(statement, result)
    return result


def _read(file: BinaryIO, result: ImportedStatement, today: date) -> Iterator[_Payment]:
    table = read_upload(file, limit=settings.MAX_IMPORT_ROWS)
    columns = find_columns([table.header, *(cells for _line, cells in table.rows)])
    rows = table.rows[columns.header :]
    require_rows(rows, limit=settings.MAX_IMPORT_ROWS)
    month_first = months_come_first(cells[columns.day].strip() for _line, cells in rows)
    seen: Counter[str] = Counter()
    for line, cells in rows:
        try:
            payment = _read_row(cells, columns, month_first=month_first, today=today)
        except _Refusal as refusal:
            column = columns.names[refusal.column]
            result.refused.append(RefusedRow(line, column, refusal.message))
            continue
        if payment is None:
            result.ignored_count += 1
            continue
        received_on, amount, currency, label = payment
        content = "\n".join((received_on.isoformat(), f"{amount:.4f}", currency, label.casefold()))
        content_hash = hashlib.sha256(content.encode()).hexdigest()
        seen[content_hash] += 1
        yield _Payment(line, *payment, content_hash, seen[content_hash])


def _read_row(
    cells: list[str], columns: Columns, *, month_first: bool, today: date
) -> tuple[date, Decimal, str, str] | None:
    """The payment of the row; None when money went out."""
    at = columns.amount
    try:
        at = columns.currency if columns.currency is not None else at
        written = cells[at] if columns.currency is not None else ""
        currency = read_currency(written, settings.BANK_CURRENCY)
        at = columns.amount
        amount = read_amount(cells[at], currency)
        at = columns.side if columns.side is not None else at
        if amount is None or (columns.side is not None and is_outgoing(cells[at])):
            return None
        at = columns.day
        received_on = read_day(cells[at], month_first=month_first, today=today)
    except ValidationError as error:
        raise _Refusal(at, error) from error
    label = plain_line(" ".join(cells[place] for place in columns.label))[:LONGEST_LABEL]
    return received_on, amount, currency, label


def _store(
    payments: list[_Payment],
    result: ImportedStatement,
    *,
    name: str,
    user: User | None,
    now: datetime,
) -> BankStatement:
    # Two imports of the same payments at once wait for each other in one order, never in a ring.
    payments.sort(key=lambda payment: (payment.content_hash, payment.occurrence))
    statement = BankStatement.objects.create(
        name=plain_line(name)[:LONGEST_NAME],
        imported_by=user,
        ignored_count=result.ignored_count,
        refused_count=len(result.refused),
        created_at=now,
    )
    for start in range(0, len(payments), CHUNK):
        chunk = payments[start : start + CHUNK]
        verdicts = first_verdicts([(row.label, row.amount, row.currency) for row in chunk])
        BankStatementLine.objects.bulk_create(
            [
                _line(statement, payment, verdict, now)
                for payment, verdict in zip(chunk, verdicts, strict=True)
            ],
            ignore_conflicts=True,
        )
    stored = BankStatementLine.objects.filter(statement=statement)
    statement.stored_count = stored.count()
    statement.already_count = len(payments) - statement.stored_count
    statement.save(update_fields=["stored_count", "already_count"])
    waiting_count = stored.filter(state=State.WAITING).count()
    if waiting_count:
        report(
            PaymentIncident.Kind.TRANSFER_UNMATCHED,
            key=INCIDENT_OF_STATEMENT.format(statement.pk),
            now=now,
            gateway="transfer",
            statement=statement.name,
            lines=waiting_count,
        )
    return statement


def _line(
    statement: BankStatement, payment: _Payment, verdict: Verdict, now: datetime
) -> BankStatementLine:
    return BankStatementLine(
        statement=statement,
        line=payment.line,
        content_hash=payment.content_hash,
        occurrence=payment.occurrence,
        received_on=payment.received_on,
        amount=payment.amount,
        currency=payment.currency,
        label=payment.label,
        state=verdict.state,
        reason=verdict.reason,
        suggested_id=verdict.suggested_id,
        created_at=now,
    )


def _count(statement: BankStatement, result: ImportedStatement) -> None:
    states = Counter(
        BankStatementLine.objects.filter(statement=statement).values_list("state", flat=True)
    )
    result.statement = statement
    result.stored_count = statement.stored_count
    result.already_count = statement.already_count
    result.settled_count = states[State.SETTLED]
    result.waiting_count = states[State.WAITING]
    result.unfinished_count = states[State.NEW] + states[State.MATCHED]
