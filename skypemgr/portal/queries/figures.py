"""The company's purse over some days. Its one rule: every figure is a sum of daily totals or a
purse's balance, so that pages and ledger cannot disagree.
"""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from django.db.models import DecimalField, F, Q, QuerySet, Sum, Value
from django.db.models.functions import Coalesce

from credit.accounts import purse_of_company
from credit.models import Account, DailyTotal
from members.models import Company

ZERO = Decimal(0)


@dataclass(frozen=True)
class Strip:
    """A purse over some days: opening + incoming − outgoing = closing."""

    opening: Decimal
    incoming: Decimal
    outgoing: Decimal

    @property
    def closing(self) -> Decimal:
        """The balance at the end of the last day (now, if it is still to come)."""
        return self.opening + self.incoming - self.outgoing


def read_strip(company: Company, first: date, last: date) -> Strip:
    """The company's purse over these days, both included; one query."""
    before = Q(day__lt=first)
    within = Q(day__gte=first, day__lte=last)
    sums = _of_company(company).aggregate(
        in_before=_sum("incoming", before),
        out_before=_sum("outgoing", before),
        in_within=_sum("incoming", within),
        out_within=_sum("outgoing", within),
    )
    return Strip(
        opening=sums["in_before"] - sums["out_before"],
        incoming=sums["in_within"],
        outgoing=sums["out_within"],
    )


def read_company_purse(company: Company) -> Account | None:
    """The company's purse, if it was opened; one query."""
    return purse_of_company(company).first()


def _of_company(company: Company) -> QuerySet[DailyTotal]:
    return DailyTotal.objects.filter(company=company, account__in=purse_of_company(company))


def _sum(column: str, condition: Q) -> Coalesce:
    return Coalesce(Sum(F(column), filter=condition), Value(ZERO), output_field=_money())


def _money() -> "DecimalField[Decimal, Decimal]":
    return DecimalField(max_digits=18, decimal_places=4)
