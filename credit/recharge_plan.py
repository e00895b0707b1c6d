"""How much an auto-recharge rule moves. Its one rule: computed, not looped."""

from dataclasses import dataclass
from decimal import Decimal

from credit.money import ZERO


@dataclass(frozen=True, slots=True)
class Plan:
    """``wanted`` is what the rule may still have this month, ``paid`` what the company can pay."""

    wanted: Decimal
    paid: Decimal
    is_cut_by_limit: bool

    @property
    def is_unpaid(self) -> bool:
        """Whether a step could not be paid."""
        return self.paid < self.wanted


def plan_recharge(
    *,
    balance: Decimal,
    threshold: Decimal,
    amount: Decimal,
    limit_left: Decimal,
    company_available: Decimal,
) -> Plan:
    """The fewest steps of ``amount`` that bring the balance to the threshold, cut by what is left
    of the month's limit (only the last step may be partial), then to the steps that the company
    can pay. All amounts in the company's currency, ``amount`` > 0.

    Not below the threshold (equal is not below): nothing is wanted.
    """
    if balance >= threshold:
        return Plan(ZERO, ZERO, is_cut_by_limit=False)
    steps, rest = divmod(threshold - balance, amount)
    whole = (steps + (1 if rest else 0)) * amount
    wanted = min(whole, max(limit_left, ZERO))
    paid = wanted if company_available >= wanted else company_available // amount * amount
    return Plan(wanted, paid, is_cut_by_limit=wanted < whole)
