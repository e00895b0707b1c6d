"""What a plan costs a company. Its one rule: only a plan offered on the day, in the company's
currency, has a price.
"""

from collections.abc import Collection
from datetime import date
from decimal import ROUND_HALF_UP, Decimal

from django.db.models import Q
from django.utils.translation import gettext as _

from billing.errors import PlanNotOffered
from billing.models import Plan, PlanPrice
from members.models import Company


def list_plans(company: Company, kind: str, *, on: date) -> list[Plan]:
    """The plans of the kind that can be given on the day, each with at least one price in the
    company's currency, in the order of the catalogue. One query.
    """
    priced = PlanPrice.objects.filter(currency=company.currency).values("plan")
    return list(
        Plan.objects.filter(Q(valid_until=None) | Q(valid_until__gt=on), valid_from__lte=on)
        .filter(kind=kind, pk__in=priced)
        .order_by("position", "code")
    )


def find_plan(code: str) -> Plan:
    """The plan of that code; PlanNotOffered with ``unknown_plan`` else."""
    plan = Plan.objects.filter(code=code).first()
    if plan is None:
        raise PlanNotOffered(_("There is no such plan."), field="plan", code="unknown_plan")
    return plan


def price_for(plan: Plan, months: int, *, company: Company, on: date) -> Decimal:
    """The price of so many months, in the company's currency. Raises PlanNotOffered with
    ``plan_withdrawn`` or ``no_price_in_currency``.
    """
    if not plan.is_offered_on(on):
        raise PlanNotOffered(
            _("%(plan)s is not offered any more. Choose another plan.") % {"plan": plan.name},
            field="plan",
            code="plan_withdrawn",
        )
    found = PlanPrice.objects.filter(plan=plan, months=months, currency=company.currency).first()
    if found is None:
        raise PlanNotOffered(
            _("%(plan)s has no price in %(currency)s for this period. Choose another one.")
            % {"plan": plan.name, "currency": company.currency},
            field="months",
            code="no_price_in_currency",
        )
    return found.price


def prices_of(plan_ids: Collection[int], currency: str) -> dict[tuple[int, int], Decimal]:
    """Prices by plan and months in the currency. One query."""
    rows = PlanPrice.objects.filter(plan__in=plan_ids, currency=currency)
    return {(row.plan_id, row.months): row.price for row in rows}


def monthly(price: Decimal, months: int, decimals: int) -> Decimal:
    """The price of one month of so many, rounded to the currency's decimals."""
    return (price / months).quantize(Decimal(1).scaleb(-decimals), rounding=ROUND_HALF_UP)
