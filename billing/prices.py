"""What may be bought and what it costs. Its one rule: prices are net, in the currency's own
decimals, and VAT is always told, even at 0 %.
"""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from django.utils.translation import gettext as _

from billing.errors import AmountRefused
from billing.vat import VatReason, vat_of
from credit.money import rounded_price
from members.models import Company
from skypemgr.lib.amounts import currency_places
from skypemgr.lib.formats import format_money


@dataclass(frozen=True)
class Limits:
    """The smallest and largest purchase, and the amounts offered, in major units."""

    least: Decimal
    most: Decimal
    offered: tuple[Decimal, ...]


@dataclass(frozen=True)
class Price:
    """What a purchase costs: total = net + VAT. ``vat_rate`` is in percent."""

    net: Decimal
    vat_rate: Decimal
    vat_reason: VatReason
    vat_amount: Decimal
    total: Decimal


def _limits(least: str, most: str, *offered: int) -> Limits:
    return Limits(Decimal(least), Decimal(most), tuple(Decimal(amount) for amount in offered))


_BY_PLACES = {
    0: _limits("100", "10000000", 1000, 2500, 5000, 10000, 25000),
    2: _limits("1", "100000", 10, 25, 50, 100, 250),
    3: _limits("0.5", "50000", 5, 10, 25, 50, 100),
}
_NORDIC = _limits("10", "1000000", 100, 250, 500, 1000, 2500)
_BY_CURRENCY = {
    "SEK": _NORDIC,
    "NOK": _NORDIC,
    "DKK": _NORDIC,
    "CZK": _limits("25", "2500000", 250, 500, 1000, 2500, 5000),
    "PLN": _limits("5", "400000", 50, 100, 200, 500, 1000),
    "HUF": _limits("400", "40000000", 4000, 10000, 20000, 40000, 100000),
    "INR": _limits("100", "10000000", 1000, 2500, 5000, 10000, 25000),
    "KRW": _limits("1000", "150000000", 10000, 25000, 50000, 100000, 250000),
    "MXN": _limits("20", "2000000", 200, 500, 1000, 2000, 5000),
    "ZAR": _limits("20", "2000000", 200, 500, 1000, 2000, 5000),
}


def limits_of(currency: str) -> Limits:
    """What may be bought in the currency."""
    return _BY_CURRENCY.get(currency) or _BY_PLACES[currency_places(currency)]


def check_amount(amount: Decimal, currency: str) -> Decimal:
    """The amount, if it may be bought; else AmountRefused says why."""
    if not amount.is_finite() or amount <= 0:
        raise AmountRefused(_("The amount must be above 0."), field="amount")
    places = currency_places(currency)
    limits = limits_of(currency)
    if amount > limits.most:
        raise AmountRefused(
            _("You can buy at most %(amount)s at once.")
            % {"amount": format_money(limits.most, currency)},
            field="amount",
            code="amount_too_large",
        )
    if amount != amount.quantize(Decimal(1).scaleb(-places)):
        message = _("This currency has no decimals. Enter a whole amount.")
        if places:
            message = _("Use at most %(count)s decimals.") % {"count": places}
        raise AmountRefused(message, field="amount")
    if amount < limits.least:
        raise AmountRefused(
            _("You can buy %(amount)s or more.") % {"amount": format_money(limits.least, currency)},
            field="amount",
            code="amount_too_small",
        )
    return amount


def price_of(net: Decimal, *, company: Company, on: date) -> Price:
    """What the credit costs the company that day, VAT rounded to the currency's decimals."""
    vat = vat_of(company, on=on)
    amount = rounded_price(net * vat.rate / 100, company.currency)
    return Price(
        net=net,
        vat_rate=vat.rate,
        vat_reason=vat.reason,
        vat_amount=amount,
        total=net + amount,
    )
