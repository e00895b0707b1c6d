"""The tables of with what money. Each model lives in the module named for its topic."""

from billing.models.auto_purchase import (
    AutoPurchaseConsent,
    AutoPurchaseOutcome,
    AutoPurchaseRule,
)
from billing.models.inbox import GatewayDay, GatewayEvent, PaymentIncident
from billing.models.methods import ForgetWish, GatewayCustomer, PaymentMethod
from billing.models.profile import BillingProfile, BillingSwitch, PurchaseLimit, VatRate
from billing.models.purchases import PaymentEvent, Purchase
from billing.models.sandbox import SandboxCharge
from billing.models.transfers import BankStatement, BankStatementLine, BankTransfer

__all__ = [
    "AutoPurchaseConsent",
    "AutoPurchaseOutcome",
    "AutoPurchaseRule",
    "BankStatement",
    "BankStatementLine",
    "BankTransfer",
    "BillingProfile",
    "BillingSwitch",
    "ForgetWish",
    "GatewayCustomer",
    "GatewayDay",
    "GatewayEvent",
    "PaymentEvent",
    "PaymentIncident",
    "PaymentMethod",
    "Purchase",
    "PurchaseLimit",
    "SandboxCharge",
    "VatRate",
]
