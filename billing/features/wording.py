"""Periods and prices of features in words. Its one rule: what is for more than a month is told by
the month beside it.
"""

from decimal import Decimal

from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext

from billing.features.destinations import destinations
from billing.features.prices import monthly
from billing.models import FeatureKind, Plan
from skypemgr.lib.formats import currency_decimals, format_money, format_number

SECONDS_A_MINUTE = 60
SHOWN_COUNTRIES = 4


def period_words(months: int) -> str:
    """``3 months``."""
    return ngettext("%(count)s month", "%(count)s months", months) % {"count": months}


def price_by_month(price: Decimal, months: int, currency: str) -> Decimal:
    """The price of a month of the period, rounded to the currency's decimals."""
    return monthly(price, months, currency_decimals(currency))


def price_words(price: Decimal, months: int, currency: str) -> str:
    """The price of the period: ``€14.00 (€4.67 per month)``."""
    if price == 0:
        return pgettext("price", "free")
    whole = format_money(price, currency)
    if months == 1:
        return whole
    by_month = format_money(price_by_month(price, months, currency), currency)
    return _("%(price)s (%(by_month)s per month)") % {"price": whole, "by_month": by_month}


def renewal_words(price: Decimal, months: int, currency: str) -> str:
    """What is taken how often: ``€14.00 every 3 months``."""
    amount = format_money(price, currency)
    if months == 1:
        return _("%(amount)s every month") % {"amount": amount}
    if months == 12:
        return _("%(amount)s every year") % {"amount": amount}
    return _("%(amount)s every %(count)s months") % {"amount": amount, "count": months}


def plan_words(plan: Plan) -> str:
    """What the plan includes, in a line; empty for kinds that say it by their name."""
    if plan.kind != FeatureKind.SUBSCRIPTION:
        return ""
    minutes = format_number((plan.included_seconds or 0) // SECONDS_A_MINUTE)
    names = destinations(plan)
    places = ", ".join(names[:SHOWN_COUNTRIES])
    if len(names) > SHOWN_COUNTRIES:
        places = _("%(places)s and %(count)s more countries") % {
            "places": places,
            "count": format_number(len(names) - SHOWN_COUNTRIES),
        }
    sentence = (
        _("Unlimited within a fair use of %(minutes)s minutes a month: %(places)s")
        if plan.is_unlimited
        else _("%(minutes)s minutes a month: %(places)s")
    )
    return sentence % {"minutes": minutes, "places": places}
