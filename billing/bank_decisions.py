"""What the operator decides about transfers.

Its one rule: the operator alone decides, with a word of why, once; what is credited is always the
purchase's own amount. Lock order: line, awaited transfer; the purchase is settled afterwards.
"""

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from decimal import Decimal

from django.conf import settings
from django.db import transaction
from django.db.models import F
from django.db.models.functions import Abs
from django.utils.translation import gettext as _

from billing.bank_lines import (
    INCIDENT_OF_LINE,
    INCIDENT_OF_STATEMENT,
    attach,
    finish_line,
    is_proof,
    lock_line,
    lock_transfer,
    receive,
    settle,
)
from billing.errors import (
    LineDecided,
    ReasonMissing,
    TransferDiffers,
    TransferEnded,
    UnknownTransfer,
)
from billing.gateways.transfer import TransferGateway
from billing.incidents import resolve
from billing.models import BankStatementLine, BankTransfer, PaymentIncident, Purchase
from members.actors import Actor
from members.audit import record
from members.models import User
from skypemgr.lib.errors import NotAllowed, NotFound
from skypemgr.lib.formats import format_money
from skypemgr.lib.periods import utc_now

State = BankStatementLine.State
DECIDABLE = (State.WAITING, State.RETURNED, State.SET_ASIDE)
LONGEST_REASON = 1_000
MOST_CANDIDATES = 5
# A transfer may have been on its way before the purchase; a day apart is a matter of time zones.
EARLIEST = timedelta(days=1)


def accept_line(
    line_id: int, *, purchase_id: int, user: User, reason: str, now: datetime | None = None
) -> BankStatementLine:
    """The line pays the purchase, which is credited; not exactly the amount is taken as full, if
    at least ``TRANSFER_LEAST_PERCENT`` of it came. Never called inside a transaction.

    Raises NotAllowed, ReasonMissing, NotFound, LineDecided, UnknownTransfer, TransferEnded,
    TransferDiffers.
    """
    require_operator(user)
    word = _required(reason)
    at = now or utc_now()
    with transaction.atomic():
        line = _lock_decidable(line_id)
        purchase = _find_purchase(purchase_id)
        transfer = lock_transfer(purchase)
        if transfer is not None and is_proof(line, transfer):
            attach(line, transfer, purchase)
        else:
            transfer = _require_awaited(transfer, purchase)
            _require_enough(line, transfer)
            receive(transfer, received_on=line.received_on, amount=line.amount, now=at, line=line)
            line.purchase = purchase
            line.state = State.MATCHED
        _note(line, user, word, at)
        record(
            Actor.of_operator(user, purchase.company),
            "settle_transfer",
            subject=f"purchase:{purchase.pk}",
            line=line.pk,
            received=f"{line.amount:f} {line.currency}",
            expected=f"{purchase.total:f} {purchase.currency}",
            received_on=line.received_on,
            reason=word,
        )
    return finish_line(line, now=at)


def settle_by_hand(
    purchase_id: int, *, received_on: date, user: User, reason: str, now: datetime | None = None
) -> Purchase:
    """The purchase is credited: its transfer was received in full on that day, as the operator
    says. A line of a statement that comes later proves it and credits nothing. Never called
    inside a transaction.

    Raises NotAllowed, ReasonMissing, UnknownTransfer, TransferEnded, TransferDiffers.
    """
    require_operator(user)
    word = _required(reason)
    at = now or utc_now()
    with transaction.atomic():
        purchase = _find_purchase(purchase_id)
        transfer = _require_awaited(lock_transfer(purchase), purchase)
        if not (purchase.created_at.date() - EARLIEST <= received_on <= at.date() + EARLIEST):
            raise TransferDiffers(
                _("The day must lie between the purchase and today."), field="received_on"
            )
        receive(transfer, received_on=received_on, amount=transfer.amount, now=at)
        record(
            Actor.of_operator(user, purchase.company),
            "settle_transfer",
            subject=f"purchase:{purchase.pk}",
            expected=f"{purchase.total:f} {purchase.currency}",
            received_on=received_on,
            reason=word,
        )
    return settle(purchase.pk, now=at)


def send_back(
    line_id: int, *, user: User, reason: str, now: datetime | None = None
) -> BankStatementLine:
    """The line is to be sent back to the payer and credits nothing. Raises NotAllowed,
    ReasonMissing, NotFound, LineDecided.
    """
    require_operator(user)
    word = _required(reason)
    at = now or utc_now()
    with transaction.atomic():
        line = _lock_decidable(line_id)
        line.state = State.RETURNED
        _note(line, user, word, at)
        if line.purchase is not None:
            record(
                Actor.of_operator(user, line.purchase.company),
                "send_transfer_back",
                subject=f"purchase:{line.purchase.pk}",
                line=line.pk,
                received=f"{line.amount:f} {line.currency}",
                reason=word,
            )
    return line


def set_aside(
    line_ids: Iterable[int], *, user: User, reason: str, now: datetime | None = None
) -> int:
    """Those of these lines that wait, or were to be sent back, have nothing to do with purchases;
    how many they were.
    Raises NotAllowed, ReasonMissing.
    """
    require_operator(user)
    word = _required(reason)
    at = now or utc_now()
    with transaction.atomic():
        lines = list(
            BankStatementLine.objects.select_for_update(no_key=True, of=("self",))
            .filter(pk__in=list(line_ids), state__in=(State.WAITING, State.RETURNED))
            .order_by("pk")
        )
        ids = [line.pk for line in lines]
        BankStatementLine.objects.filter(pk__in=ids).update(
            state=State.SET_ASIDE, decided_by=user, decided_at=at, decision=word
        )
        _close_incidents(ids, {line.statement_id for line in lines}, user, word, at)
    return len(ids)


def list_candidates(line: BankStatementLine) -> list[Purchase]:
    """The awaited purchases in the line's currency that are nearest to its amount, at most 5."""
    return list(
        Purchase.objects.select_related("company")
        .filter(gateway=TransferGateway.name, status__in=Purchase.OPEN, currency=line.currency)
        .order_by(Abs(F("total") - line.amount), "pk")[:MOST_CANDIDATES]
    )


def require_operator(user: User) -> None:
    """Returns only for an operator: an active superuser; else NotAllowed."""
    if not (user.is_active and user.is_superuser):
        raise NotAllowed(_("Only operators may do this."))


def _required(reason: str) -> str:
    word = reason.strip()[:LONGEST_REASON]
    if not word:
        raise ReasonMissing(_("Say in a few words why."), field="reason")
    return word


def _lock_decidable(line_id: int) -> BankStatementLine:
    if not BankStatementLine.objects.filter(pk=line_id).exists():
        raise NotFound(_("There is no such line."), field="line")
    line = lock_line(line_id)
    if line.state not in DECIDABLE:
        raise LineDecided(_("This line is credited already."), field="line")
    return line


def _find_purchase(purchase_id: int) -> Purchase:
    purchase = (
        Purchase.objects.select_related("company")
        .filter(pk=purchase_id, gateway=TransferGateway.name)
        .first()
    )
    if purchase is None:
        raise UnknownTransfer(
            _("There is no purchase by bank transfer with this number."), field="purchase"
        )
    return purchase


def _require_awaited(transfer: BankTransfer | None, purchase: Purchase) -> BankTransfer:
    is_awaited = transfer is not None and transfer.status == BankTransfer.Status.PENDING
    if transfer is None or not is_awaited or purchase.is_final:
        raise TransferEnded(
            _(
                "This purchase is paid already or has ended. Send the money back, or ask the"
                " company to buy again and choose the new purchase."
            ),
            field="purchase",
        )
    return transfer


def _require_enough(line: BankStatementLine, transfer: BankTransfer) -> None:
    if line.currency != transfer.currency:
        raise TransferDiffers(
            _(
                "The money came in another currency. If the bank changed it and it is enough,"
                " settle the purchase by hand and set this line aside."
            ),
            field="purchase",
        )
    least = transfer.amount * Decimal(settings.TRANSFER_LEAST_PERCENT) / 100
    if line.amount < least:
        raise TransferDiffers(
            _(
                "Too little came: at least %(least)s of %(total)s can be taken as full."
                " Send it back."
            )
            % {
                "least": format_money(least, transfer.currency),
                "total": format_money(transfer.amount, transfer.currency),
            },
            field="purchase",
        )


def _note(line: BankStatementLine, user: User, word: str, now: datetime) -> None:
    line.decided_by = user
    line.decided_at = now
    line.decision = word
    line.save(update_fields=["state", "purchase", "decided_by", "decided_at", "decision"])
    _close_incidents([line.pk], {line.statement_id}, user, word, now)


def _close_incidents(
    line_ids: Iterable[int], statement_ids: Iterable[int], user: User, word: str, now: datetime
) -> None:
    """What the operators were told of these lines is dealt with; of a statement once none of its
    lines waits.
    """
    keys = [INCIDENT_OF_LINE.format(pk) for pk in line_ids]
    waiting = set(
        BankStatementLine.objects.filter(
            statement_id__in=list(statement_ids), state=State.WAITING
        ).values_list("statement_id", flat=True)
    )
    keys += [INCIDENT_OF_STATEMENT.format(pk) for pk in set(statement_ids) - waiting]
    for incident in PaymentIncident.objects.filter(key__in=keys, resolved_at=None).order_by("pk"):
        resolve(incident, user=user, text=word, now=now)
