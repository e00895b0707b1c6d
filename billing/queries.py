"""What the pages of billing show. Its one rule: it always starts at the company."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from billing.declines import explain_decline
from billing.gateways.base import Way
from billing.models import Purchase
from members.actors import Actor
from members.models import Company
from skypemgr.lib.errors import NotFound

Status = Purchase.Status
_LOOKS = {
    Status.CREATED: ("now", "clock"),
    Status.PENDING: ("now", "send"),
    Status.REQUIRES_ACTION: ("warning", "shield-check"),
    Status.UNKNOWN: ("warning", "help-circle"),
    Status.SUCCEEDED: ("good", "check"),
    Status.DECLINED: ("bad", "x"),
    Status.EXPIRED: ("bad", "hourglass"),
}


@dataclass(frozen=True)
class Step:
    """One line of a purchase's time line."""

    title: str
    text: str
    at: datetime
    kind: str
    icon: str


def list_purchases(company: Company) -> QuerySet[Purchase]:
    """The company's purchases, newest first."""
    return (
        Purchase.objects.filter(company=company)
        .select_related("made_by", "transfer")
        .order_by("-pk")
    )


def find_purchase(actor: Actor, pk: int) -> Purchase:
    """The company's own purchase; NotFound else."""
    purchase = (
        Purchase.objects.select_related("company", "method", "made_by", "transfer")
        .filter(company=actor.company, pk=pk)
        .first()
    )
    if purchase is None:
        raise NotFound(_("There is no such purchase in your company."), code="unknown_purchase")
    return purchase


def last_paid(company: Company) -> Purchase | None:
    """The latest paid purchase whose card can be charged again."""
    return (
        Purchase.objects.select_related("method")
        .filter(
            company=company,
            status=Status.SUCCEEDED,
            is_automatic=False,
            method__removed_at=None,
            method__confirmed_at__isnull=False,
        )
        .order_by("-pk")
        .first()
    )


def describe_steps(purchase: Purchase) -> list[Step]:
    """The purchase's time line, oldest first."""
    words = {
        Status.CREATED: _("Purchase started"),
        Status.PENDING: _("Sent to the bank"),
        Status.REQUIRES_ACTION: _("The bank asked for authentication"),
        Status.UNKNOWN: _("No answer yet: we are checking"),
        Status.SUCCEEDED: _("Payment received, credit added"),
        Status.DECLINED: _("Payment declined"),
        Status.EXPIRED: _("Not completed in time; nothing was charged"),
    }
    steps: list[Step] = []
    if purchase.way == Way.TRANSFER:
        words[Status.PENDING] = _("Waiting for the bank transfer")
    if purchase.saves_method:
        # Paid on the provider's page: no bank was asked before the payer was there.
        words[Status.REQUIRES_ACTION] = _("Payment page opened")
    for event in purchase.events.order_by("pk"):
        kind, icon = _LOOKS[Status(event.status)]
        if purchase.saves_method and event.status == Status.REQUIRES_ACTION:
            kind, icon = "now", "external-link"
        text = ""
        if event.status == Status.DECLINED:
            text = str(explain_decline(str(event.data.get("decline_code", ""))))
        title = words[Status(event.status)]
        if purchase.saves_method and event.status == Status.PENDING and len(steps) == 1:
            title = _("Sent to the payment provider")
        steps.append(Step(title=title, text=text, at=event.created_at, kind=kind, icon=icon))
    return steps


def balance_after(purchase: Purchase) -> Decimal | None:
    """The company's balance right after the purchase was credited."""
    return purchase.transfer.destination_balance_after if purchase.transfer else None
