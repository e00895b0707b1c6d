"""By which plan, for how long and at what price a feature is renewed. Its one rule: a change whose
plan is withdrawn before it takes effect leaves the feature as it is; only without either it ends.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Protocol

from billing.features.prices import prices_of
from billing.models import Plan


class Renewable(Protocol):
    """What says how a feature goes on: a feature, or many alike."""

    @property
    def plan_id(self) -> int:
        """The plan that it has."""

    @property
    def months(self) -> int:
        """Of its present period."""

    @property
    def next_plan_id(self) -> int | None:
        """The plan that it is to have from its next renewal on."""

    @property
    def next_months(self) -> int | None:
        """Of its next period."""


@dataclass(frozen=True, slots=True)
class Terms:
    """A plan for so many months at a price in the company's currency."""

    plan: Plan
    months: int
    price: Decimal


class TermsBook:
    """The plans and prices of some features. Two queries however many there are."""

    def __init__(self, found: Iterable[Renewable], *, currency: str) -> None:
        pks = {pk for each in found for pk in (each.plan_id, each.next_plan_id) if pk}
        self.plans = Plan.objects.in_bulk(pks)
        self._prices = prices_of(pks, currency)

    def at_renewal(self, feature: Renewable, on: date) -> Terms | None:
        """How the feature is renewed for a period that begins on the day; None if not at all."""
        if feature.next_plan_id is not None:
            changed = self.of(feature.next_plan_id, feature.next_months or feature.months, on)
            if changed is not None:
                return changed
        return self.of(feature.plan_id, feature.months, on)

    def of(self, plan_id: int, months: int, on: date) -> Terms | None:
        """The plan for so many months from the day on; None where it is not offered."""
        plan, price = self.plans[plan_id], self._prices.get((plan_id, months))
        if price is None or not plan.is_offered_on(on):
            return None
        return Terms(plan, months, price)
