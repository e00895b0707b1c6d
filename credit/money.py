"""Amounts of credit and money. Its one rule: rounding happens here (half even) and, for prices of
calls, in ``credit.rating`` (up); nowhere else.
"""

from decimal import ROUND_HALF_EVEN, Decimal

from django.utils.translation import gettext_lazy as _

from credit.errors import CompanyNotActive, InvalidAmount
from members.models import Company
from skypemgr.lib.amounts import currency_places

PLACES = Decimal("0.0001")
LARGEST = Decimal("99999999999999.9999")
ZERO = Decimal("0.0000")


def rounded(amount: Decimal) -> Decimal:
    """The amount to 4 decimals, halves to even."""
    return amount.quantize(PLACES, rounding=ROUND_HALF_EVEN)


def rounded_price(amount: Decimal, currency: str) -> Decimal:
    """The amount to the currency's own decimals, halves to even."""
    return amount.quantize(Decimal(1).scaleb(-currency_places(currency)), rounding=ROUND_HALF_EVEN)


def checked_amount(amount: Decimal, *, field: str = "amount") -> Decimal:
    """The amount with 4 decimals; InvalidAmount unless above 0, with at most 14 digits before."""
    if not amount.is_finite() or amount <= 0:
        raise InvalidAmount(_("Enter an amount above 0."), field=field)
    if amount > LARGEST:
        raise InvalidAmount(_("This amount is too large."), field=field)
    exact = amount.quantize(PLACES, rounding=ROUND_HALF_EVEN)
    if exact != amount:
        raise InvalidAmount(_("Use at most 4 decimals."), field=field)
    return exact


def require_active(company: Company) -> None:
    """Returns only for an active company; CompanyNotActive else."""
    require_active_state(company.state)


def require_active_state(state: str) -> None:
    """Returns only for the state *active*; CompanyNotActive else."""
    if state == Company.State.FROZEN:
        raise CompanyNotActive(
            _("The company is frozen: no credit can be added for now. Please contact us.")
        )
    if state == Company.State.CLOSED:
        raise CompanyNotActive(
            _("The company is closed: no credit can be added any more."), code="company_closed"
        )
