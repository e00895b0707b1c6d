"""What somebody pays with: a saved method, or a new one that the gateway's own page asks for.

Its one rule: in an address or a request either has one name, which is not a secret.
"""

from dataclasses import dataclass

from django.conf import settings
from django.utils.translation import gettext as _

from billing.errors import UnknownMethod
from billing.gateways.base import Way
from billing.gateways.registry import find_gateway, list_gateways
from billing.methods import choose_method, find_method_named, method_name
from billing.models import PaymentMethod
from members.actors import Actor

SEPA_CURRENCY = "EUR"


@dataclass(frozen=True, slots=True)
class NewMethod:
    """A way to pay at a gateway, without a saved method."""

    gateway: str
    way: Way

    @property
    def label(self) -> str:
        """How people call it until the gateway says more."""
        return str(self.way.label)

    @property
    def name(self) -> str:
        """Its name in addresses: ``gateway:way``."""
        return f"{self.gateway}:{self.way.value}"


Means = PaymentMethod | NewMethod


def way_of(means: Means) -> Way:
    """Card, PayPal, direct debit or transfer."""
    return means.way if isinstance(means, NewMethod) else Way(means.kind)


def name_of(means: Means) -> str:
    """The id of a saved method, or ``gateway:way``."""
    return means.name if isinstance(means, NewMethod) else str(means.pk)


def display_name(means: Means) -> str:
    """What it is called on a page."""
    return means.label if isinstance(means, NewMethod) else method_name(means)


def saved_method(means: Means) -> PaymentMethod | None:
    """The saved method, if it is one."""
    return means if isinstance(means, PaymentMethod) else None


def paid_with(means: Means) -> NewMethod:
    """Gateway and way alone, which limits count by."""
    return NewMethod(means.gateway, way_of(means))


def can_recharge(means: Means) -> bool:
    """Whether auto-recharge can go on charging it: a card or PayPal."""
    return way_of(means) in (Way.CARD, Way.PAYPAL)


def takes(way: Way, currency: str) -> bool:
    """Whether money of the currency can come this way."""
    if way == Way.SEPA_DEBIT:
        return currency == SEPA_CURRENCY
    return way != Way.TRANSFER or currency == settings.BANK_CURRENCY


def find_means(actor: Actor, name: str) -> Means:
    """What the name means in the actor's company; UnknownMethod or GatewayNotConfigured else."""
    if name.isascii() and name.isdigit():
        return find_method_named(actor, name)
    gateway_name, _colon, way = name.partition(":")
    gateway = find_gateway(gateway_name)
    if gateway.asks_number or way not in [known.value for known in gateway.ways]:
        raise _unknown()
    if not takes(Way(way), actor.company.currency):
        raise UnknownMethod(
            _("Payments in your currency cannot be made this way."), field="payment_method"
        )
    return NewMethod(gateway.name, Way(way))


def choose_means(actor: Actor, name: str) -> Means:
    """What a machine named: as ``find_means``, or a gateway alone: the sandbox's succeeding card,
    any other's first way.
    """
    if not name.isascii() or not name.isdigit():
        gateway_name, colon, _way = name.partition(":")
        gateway = find_gateway(gateway_name)
        if not colon and gateway.asks_number:
            return choose_method(actor, name)
        if not colon:
            name = NewMethod(gateway.name, gateway.ways[0]).name
    return find_means(actor, name)


def list_new_means(currency: str) -> list[NewMethod]:
    """Every way to pay in the currency that a gateway takes on a page of its own, in the order of
    the settings.
    """
    return [
        NewMethod(gateway.name, way)
        for gateway in list_gateways()
        if not gateway.asks_number
        for way in gateway.ways
        if takes(way, currency)
    ]


def _unknown() -> UnknownMethod:
    return UnknownMethod(
        _("There is no such payment method in your company."), field="payment_method"
    )
