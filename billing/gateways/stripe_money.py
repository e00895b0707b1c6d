"""Amounts as Stripe writes them. Its one rule: exact both ways, or not at all.

Stripe counts in the smallest unit, with exceptions of its own: some currencies without decimals are
written in hundredths all the same, and three decimals must end with a zero.
"""

from decimal import Decimal

from skypemgr.lib.amounts import currency_places

WHOLE = frozenset(
    {
        *("BIF", "CLP", "DJF", "GNF", "JPY", "KMF", "KRW", "MGA", "PYG", "RWF", "VND", "VUV"),
        *("XAF", "XOF", "XPF"),
    }
)
WHOLE_HUNDREDTHS = frozenset({"ISK", "UGX"})
THOUSANDTHS = frozenset({"BHD", "JOD", "KWD", "OMR", "TND"})
MOST = 99_999_999


class NotChargeable(ValueError):
    """Stripe has no way to write this amount in this currency."""


def to_minor(amount: Decimal, currency: str) -> int:
    """The amount (major units) in Stripe's own units; raises NotChargeable."""
    minor = amount.scaleb(_places(currency))
    step = 100 if currency in WHOLE_HUNDREDTHS else 10 if currency in THOUSANDTHS else 1
    if not 0 < minor <= MOST or minor % step:
        raise NotChargeable(f"{amount} {currency}")
    return int(minor)


def to_major(minor: int, currency: str) -> Decimal:
    """What Stripe wrote, in major units and with the currency's own decimals where they hold it."""
    amount = Decimal(minor).scaleb(-_places(currency))
    shown = amount.quantize(Decimal(1).scaleb(-currency_places(currency)))
    return shown if shown == amount else amount


def _places(currency: str) -> int:
    if currency in WHOLE:
        return 0
    return 3 if currency in THOUSANDTHS else 2
