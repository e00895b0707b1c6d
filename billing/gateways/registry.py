"""Which gateways this installation uses. Its one rule: ``settings.GATEWAYS`` alone decides, and
the sandbox is never given out in production.
"""

from django.conf import settings
from django.utils.translation import gettext as _

from billing.errors import GatewayNotConfigured
from billing.gateways.base import Gateway
from billing.gateways.sandbox import SandboxGateway
from billing.gateways.stripe import StripeGateway
from billing.gateways.transfer import TransferGateway

KNOWN: dict[str, Gateway] = {
    SandboxGateway.name: SandboxGateway(),
    StripeGateway.name: StripeGateway(),
    TransferGateway.name: TransferGateway(),
}


def list_gateways() -> list[Gateway]:
    """The gateways that can take a payment now, in the order of the settings."""
    names = [name for name in settings.GATEWAYS if name in KNOWN]
    return [KNOWN[name] for name in names if not (settings.PRODUCTION and KNOWN[name].is_sandbox)]


def find_gateway(name: str) -> Gateway:
    """The gateway of that name; raises GatewayNotConfigured."""
    for gateway in list_gateways():
        if gateway.name == name:
            return gateway
    raise GatewayNotConfigured(_("This way to pay is not available here."), field="payment_method")
