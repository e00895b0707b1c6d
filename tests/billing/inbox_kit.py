"""What the tests of events, incidents and reconciliation share."""

from datetime import datetime
from decimal import Decimal

from django.test import Client

from billing.gateways.base import Way
from billing.means import NewMethod
from billing.models import GatewayEvent, PaymentIncident, Purchase
from billing.purchases import buy_credit
from members.actors import Actor
from members.models import Member
from tests.billing.conftest import a_request
from tests.fakes.scripted import Letter, ScriptedGateway

ADDRESS = "/payments/scripted/events/"


def start(member: Member, amount: str = "50", now: datetime | None = None) -> Purchase:
    """A purchase whose payer is on the gateway's page."""
    return buy_credit(
        actor=Actor.of_member(member),
        amount=Decimal(amount),
        method=NewMethod("scripted", Way.CARD),
        request=a_request(),
        now=now,
    )


def key_of(purchase: Purchase) -> str:
    return f"purchase:{purchase.pk}"


def deliver(letter: Letter, *, address: str = ADDRESS) -> int:
    """The gateway sends the event; the status it gets."""
    return (
        Client()
        .post(address, letter.body, content_type="application/json", headers=letter.headers)
        .status_code
    )


def paid_letter(gateway: ScriptedGateway, purchase: Purchase, **other: str) -> Letter:
    """An event that says that the purchase was paid as it was to be, but for ``other``."""
    return gateway.write(
        **{
            "key": key_of(purchase),
            "reference": "ch_x",
            "status": "succeeded",
            "amount": f"{purchase.total:.2f}",
            "currency": "EUR",
            **other,
        }
    )


def kinds() -> list[str]:
    """The kinds of all incidents, oldest first."""
    return list(PaymentIncident.objects.order_by("pk").values_list("kind", flat=True))


def the_event() -> GatewayEvent:
    return GatewayEvent.objects.latest("pk")


def status_of(purchase: Purchase) -> str:
    return Purchase.objects.values_list("status", flat=True).get(pk=purchase.pk)
