"""What a line of a bank statement pays.

Its one rule: credited without a person only when its reference names one open purchase and the
amount and currency are exactly those; everything else waits. Lock order: line, awaited transfer;
the purchase is settled after both are released, as by any gateway's word.
"""

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from django.db import transaction

from billing.gateways.transfer import TransferGateway
from billing.incidents import report
from billing.models import (
    BankStatement,
    BankStatementLine,
    BankTransfer,
    PaymentIncident,
    Purchase,
)
from billing.references import find_references, guess_references
from billing.settlement import apply_result
from skypemgr.lib.periods import utc_now
from skypemgr.lib.sweeping import OneOfMany
from skypemgr.lib.text import search_key

logger = logging.getLogger(__name__)

State = BankStatementLine.State
Reason = BankStatementLine.Reason
SWEPT_AT_ONCE = 500
INCIDENT_OF_LINE = "bank_line:{}"
INCIDENT_OF_STATEMENT = "bank_statement:{}"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What can be said of a line at first sight."""

    state: str
    reason: str = ""
    suggested_id: int | None = None


def first_verdicts(rows: Sequence[tuple[str, Decimal, str]]) -> list[Verdict]:
    """For each (label, amount, currency): to be looked at closely when it names a purchase, else
    waiting, perhaps with a suggestion. Three queries however many rows.
    """
    written = [find_references(label) for label, _amount, _currency in rows]
    known = _by_reference(name for names in written for name in names)
    unnamed = [at for at, names in enumerate(written) if not any(name in known for name in names)]
    guesses = _guess([rows[at] for at in unnamed])
    verdicts = [Verdict(State.NEW)] * len(rows)
    for at, (suggested_id, is_near) in zip(unnamed, guesses, strict=True):
        names_none = not written[at] and not is_near
        reason = Reason.NO_REFERENCE if names_none else Reason.UNKNOWN_REFERENCE
        verdicts[at] = Verdict(State.WAITING, reason, suggested_id)
    return verdicts


def advance_lines(
    *,
    statement: BankStatement | None = None,
    now: datetime | None = None,
    at_most: int | None = SWEPT_AT_ONCE,
) -> int:
    """Every line not looked at, or not credited to the end, was brought further; how many."""
    waiting = BankStatementLine.objects.filter(state__in=(State.NEW, State.MATCHED))
    if statement is not None:
        waiting = waiting.filter(statement=statement)
    ids = list(waiting.order_by("pk").values_list("pk", flat=True)[:at_most])
    for pk in ids:
        with OneOfMany(logger, "line %s of a bank statement could not be advanced", pk):
            advance_line(pk, now=now)
    return len(ids)


def advance_line(line_id: int, *, now: datetime | None = None) -> BankStatementLine:
    """The line is credited to the purchase that it names, or waits; never called inside a
    transaction. Any number of callers, and crashes in between, lead to one credit.
    """
    at = now or utc_now()
    with transaction.atomic():
        line = lock_line(line_id)
        if line.state == State.NEW:
            _match(line, at)
    return finish_line(line, now=at)


def lock_line(line_id: int) -> BankStatementLine:
    """The line, locked."""
    return BankStatementLine.objects.select_for_update(no_key=True, of=("self",)).get(pk=line_id)


def lock_transfer(purchase: Purchase) -> BankTransfer | None:
    """The awaited transfer of the purchase, locked; None if it was never asked for."""
    return (
        BankTransfer.objects.select_for_update(no_key=True, of=("self",))
        .filter(payment_reference=purchase.payment_reference)
        .exclude(payment_reference="")
        .first()
    )


def receive(
    transfer: BankTransfer,
    *,
    received_on: date,
    amount: Decimal,
    now: datetime,
    line: BankStatementLine | None = None,
) -> None:
    """The locked, awaited transfer counts as received for good; without a line by hand."""
    transfer.status = BankTransfer.Status.SUCCEEDED
    transfer.received_on = received_on
    transfer.received_amount = amount
    transfer.line = line
    transfer.is_by_hand = line is None
    transfer.settled_at = now
    transfer.save(
        update_fields=[
            "status",
            "received_on",
            "received_amount",
            "line",
            "is_by_hand",
            "settled_at",
        ]
    )


def finish_line(line: BankStatementLine, *, now: datetime) -> BankStatementLine:
    """The purchase of a line that is matched is credited and the line says so; any other stays."""
    if line.state != State.MATCHED or line.purchase is None:
        return line
    purchase = settle(line.purchase.pk, now=now)
    with transaction.atomic():
        line = lock_line(line.pk)
        if line.state == State.MATCHED:
            if purchase.status == Purchase.Status.SUCCEEDED:
                _save(line, State.SETTLED)
            else:
                make_wait(line, Reason.ENDED, purchase, now)
    return line


def settle(purchase_id: int, *, now: datetime) -> Purchase:
    """The purchase is as the awaited transfer says."""
    purchase = Purchase.objects.get(pk=purchase_id)
    result = TransferGateway().fetch(f"purchase:{purchase.pk}")
    return purchase if result is None else apply_result(purchase.pk, result, now=now)


def make_wait(
    line: BankStatementLine, reason: str, purchase: Purchase | None, now: datetime
) -> None:
    """The locked line waits for the operator, who is told."""
    line.suggested = purchase if purchase and not purchase.is_final else None
    line.purchase = purchase
    _save(line, State.WAITING, reason)
    differs = reason in (Reason.AMOUNT_DIFFERS, Reason.CURRENCY_DIFFERS)
    kind = PaymentIncident.Kind
    report(
        kind.TRANSFER_DIFFERS if differs else kind.TRANSFER_UNMATCHED,
        key=INCIDENT_OF_LINE.format(line.pk),
        now=now,
        purchase=purchase,
        gateway="transfer",
        reason=reason,
        received=f"{line.amount:f} {line.currency}",
        expected=f"{purchase.total:f} {purchase.currency}" if purchase else "",
    )


def _match(line: BankStatementLine, now: datetime) -> None:
    purchases = list(_by_reference(find_references(line.label)).values())
    if not purchases:
        make_wait(line, Reason.UNKNOWN_REFERENCE, None, now)
        return
    if len(purchases) > 1:
        make_wait(line, Reason.SEVERAL, None, now)
        return
    (purchase,) = purchases
    transfer = lock_transfer(purchase)
    if transfer is None or transfer.status == BankTransfer.Status.EXPIRED:
        make_wait(line, Reason.ENDED, purchase, now)
    elif line.currency != transfer.currency:
        make_wait(line, Reason.CURRENCY_DIFFERS, purchase, now)
    elif transfer.status == BankTransfer.Status.SUCCEEDED:
        if is_proof(line, transfer):
            attach(line, transfer, purchase)
        else:
            make_wait(line, Reason.ALREADY_PAID, purchase, now)
    elif purchase.is_final:
        make_wait(line, Reason.ENDED, purchase, now)
    elif line.amount != transfer.amount:
        make_wait(line, Reason.AMOUNT_DIFFERS, purchase, now)
    else:
        receive(transfer, received_on=line.received_on, amount=line.amount, now=now, line=line)
        line.purchase = purchase
        _save(line, State.MATCHED)


def is_proof(line: BankStatementLine, transfer: BankTransfer) -> bool:
    """Whether the line is the money that the operator had already said to have arrived."""
    is_open = transfer.is_by_hand and transfer.line_id is None
    return is_open and line.amount == transfer.received_amount


def attach(line: BankStatementLine, transfer: BankTransfer, purchase: Purchase) -> None:
    """The locked line proves what the operator said; nothing is credited again."""
    transfer.line = line
    transfer.save(update_fields=["line"])
    line.purchase = purchase
    _save(line, State.MATCHED)


def _save(line: BankStatementLine, state: str, reason: str = "") -> None:
    line.state = state
    line.reason = reason
    line.save(update_fields=["state", "reason", "purchase", "suggested"])


def _by_reference(references: Iterable[str]) -> dict[str, Purchase]:
    wanted = set(references)
    found = Purchase.objects.filter(payment_reference__in=wanted, gateway=TransferGateway.name)
    return {purchase.payment_reference: purchase for purchase in found} if wanted else {}


def _guess(rows: Sequence[tuple[str, Decimal, str]]) -> list[tuple[int | None, bool]]:
    """For each row the open purchase that it may have been meant for, and whether a reference was
    nearly right: by it, else the only one of that amount, or of it and a company that is named.
    """
    near = [guess_references(label) for label, _amount, _currency in rows]
    open_ones = Purchase.objects.filter(
        gateway=TransferGateway.name, status__in=Purchase.OPEN
    ).select_related("company")
    by_reference = {
        purchase.payment_reference: purchase.pk
        for purchase in open_ones.filter(payment_reference__in={n for names in near for n in names})
    }
    by_amount: dict[tuple[Decimal, str], list[Purchase]] = {}
    for purchase in open_ones.filter(total__in={amount for _label, amount, _currency in rows}):
        by_amount.setdefault((purchase.total, purchase.currency), []).append(purchase)
    guesses: list[tuple[int | None, bool]] = []
    for names, (label, amount, currency) in zip(near, rows, strict=True):
        meant = {by_reference[name] for name in names if name in by_reference}
        alike = by_amount.get((amount, currency), [])
        named = [one for one in alike if search_key(one.company.name) in search_key(label)]
        likely = list(meant or {one.pk for one in named or alike})
        guesses.append((likely[0] if len(likely) == 1 else None, bool(meant)))
    return guesses
