"""The tables of with what money. Each model lives in the module named for its topic."""

from billing.models.auto_purchase import AutoPurchaseConsent, AutoPurchaseRule
from billing.models.inbox import PaymentIncident
from billing.models.methods import ForgetWish, GatewayCustomer, PaymentMethod
from billing.models.purchases import PaymentEvent, Purchase
from billing.models.sandbox import SandboxCharge

__all__ = [
    "AutoPurchaseConsent",
    "AutoPurchaseRule",
    "ForgetWish",
    "GatewayCustomer",
    "PaymentEvent",
    "PaymentIncident",
    "PaymentMethod",
    "Purchase",
    "SandboxCharge",
]
