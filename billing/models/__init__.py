"""The tables of with what money. Each model lives in the module named for its topic."""

from billing.models.auto_purchase import (
    AutoPurchaseConsent,
    AutoPurchaseOutcome,
    AutoPurchaseRule,
)
from billing.models.feature_settings import (
    MOST_SECONDS,
    MOST_TARGETS,
    ForwardingTarget,
    PhoneFeed,
    PhoneSettings,
)
from billing.models.inbox import GatewayDay, GatewayEvent, PaymentIncident
from billing.models.methods import ForgetWish, GatewayCustomer, PaymentMethod
from billing.models.numbers import NumberArea, PhoneNumber
from billing.models.plans import PERIODS, FeatureKind, Plan, PlanPrice
from billing.models.profile import BillingProfile, BillingSwitch, PurchaseLimit, VatRate
from billing.models.purchases import PaymentEvent, Purchase
from billing.models.sandbox import SandboxCharge
from billing.models.subscriptions import (
    FeatureBan,
    PeriodAllowance,
    Subscription,
    SubscriptionPeriod,
)
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
    "FeatureBan",
    "FeatureKind",
    "ForgetWish",
    "ForwardingTarget",
    "GatewayCustomer",
    "GatewayDay",
    "GatewayEvent",
    "MOST_SECONDS",
    "MOST_TARGETS",
    "NumberArea",
    "PERIODS",
    "PaymentEvent",
    "PaymentIncident",
    "PaymentMethod",
    "PeriodAllowance",
    "PhoneFeed",
    "PhoneNumber",
    "PhoneSettings",
    "Plan",
    "PlanPrice",
    "Purchase",
    "PurchaseLimit",
    "SandboxCharge",
    "Subscription",
    "SubscriptionPeriod",
    "VatRate",
]
