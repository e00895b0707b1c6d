"""The tables of how much. Each model lives in the module named for its topic."""

from credit.models.accounts import Account, DailyTotal, Transfer
from credit.models.alerts import LowBalanceAlert, LowBalanceRecipient
from credit.models.allowances import Allowance, AllowanceHold, AllowanceUse
from credit.models.calls import Call, Rate
from credit.models.closing import MonthClosing
from credit.models.credit_requests import CreditRequest
from credit.models.holds import Hold
from credit.models.recharge import RechargeOutcome, RechargeRule
from credit.models.requests import OutsideRequest
from credit.models.totals import RolledTotal
from credit.models.usage import UsageDay, UsageLate, UsageMember, UsageRolled

__all__ = [
    "Account",
    "Allowance",
    "AllowanceHold",
    "AllowanceUse",
    "Call",
    "CreditRequest",
    "DailyTotal",
    "Hold",
    "LowBalanceAlert",
    "LowBalanceRecipient",
    "MonthClosing",
    "OutsideRequest",
    "Rate",
    "RechargeOutcome",
    "RechargeRule",
    "RolledTotal",
    "Transfer",
    "UsageDay",
    "UsageLate",
    "UsageMember",
    "UsageRolled",
]
