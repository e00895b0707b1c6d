"""How amounts, percentages, dates and durations are written for people.

One rule: what is shown is exact. An amount shows its currency's own decimals, or all four of
credit when it has more; nothing here takes or returns a float.
"""

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from functools import lru_cache

from django.utils import dateformat, timezone, translation
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

NO_BREAK_SPACE = "\u00a0"
NARROW_NO_BREAK_SPACE = "\u202f"
MINUS = "\u2212"

CREDIT_DECIMALS = 4
# A table says the same few months again and again.
MONTHS_KEPT = 1_024

_CURRENCIES_WITHOUT_DECIMALS = frozenset(
    (
        *("BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW"),
        *("PYG", "RWF", "UGX", "UYI", "VND", "VUV", "XAF", "XOF", "XPF"),
    )
)
_CURRENCIES_WITH_THREE_DECIMALS = frozenset(("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"))

# The marks of the Unicode locale data, so that server and browser write the same amount alike.
_ENGLISH_SYMBOLS = {
    "EUR": "€", "USD": "$", "GBP": "£", "JPY": "¥", "CAD": "CA$", "AUD": "A$", "NZD": "NZ$",
    "KRW": "₩", "INR": "₹", "CNY": "CN¥", "HKD": "HK$", "BRL": "R$", "MXN": "MX$", "ILS": "₪",
    "TWD": "NT$", "VND": "₫", "PHP": "₱", "XAF": "FCFA", "XOF": f"F{NARROW_NO_BREAK_SPACE}CFA",
}  # fmt: skip
_FRENCH_SYMBOLS = {
    "EUR": "€", "USD": "$US", "GBP": "£GB", "CAD": "$CA", "AUD": "$AU", "NZD": "$NZ", "KRW": "₩",
    "INR": "₹", "BRL": "R$", "MXN": "$MX", "ILS": "₪", "SGD": "$SG", "VND": "₫", "XAF": "FCFA",
    "XOF": f"F{NARROW_NO_BREAK_SPACE}CFA", "CLP": "$CL",
}  # fmt: skip


def currency_decimals(currency: str) -> int:
    """Say how many decimals the currency itself has (0, 2 or 3)."""
    if currency in _CURRENCIES_WITHOUT_DECIMALS:
        return 0
    return 3 if currency in _CURRENCIES_WITH_THREE_DECIMALS else 2


def currency_symbol(currency: str, language: str | None = None) -> str:
    """Give the mark that stands for a currency in a language, else its three letters."""
    symbols = _FRENCH_SYMBOLS if _is_french(language) else _ENGLISH_SYMBOLS
    return symbols.get(currency, currency)


def format_money(
    amount: Decimal | int | str,
    currency: str,
    language: str | None = None,
    *,
    signed: bool = False,
    decimals: int | None = None,
) -> str:
    """Write an amount in major units: `1 234,50 €` in French, `€1,234.50` in English.

    The currency's own decimals, or four when the amount is more precise; or as many as asked, so
    that the amounts of a column stand in line (see `decimals_of`).
    With `signed` an amount above zero gets a plus sign. Raises InvalidOperation for no number.
    """
    value, language = Decimal(amount), _language(language)
    fewest = currency_decimals(currency)
    places = _decimals_of(value, fewest) if decimals is None else decimals
    digits = format_number(abs(value), language, places)
    sign = MINUS if value < 0 else "+" if signed and value > 0 else ""
    symbol = currency_symbol(currency, language)
    if _is_french(language):
        return f"{sign}{digits}{NO_BREAK_SPACE}{symbol}"
    gap = NO_BREAK_SPACE if symbol[-1].isalpha() else ""
    return f"{sign}{symbol}{gap}{digits}"


def decimals_of(amounts: Iterable[Decimal], currency: str) -> int:
    """The decimals of amounts that stand in line: the currency's, or four if one is finer."""
    fewest = currency_decimals(currency)
    return max((_decimals_of(amount, fewest) for amount in amounts), default=fewest)


def format_number(
    value: Decimal | int, language: str | None = None, decimals: int | None = None
) -> str:
    """Write a number grouped by thousands, with its own decimals or as many as asked."""
    number = Decimal(value)
    exponent = number.as_tuple().exponent
    places = max(0, -exponent if isinstance(exponent, int) else 0) if decimals is None else decimals
    rounded = number.quantize(Decimal(1).scaleb(-places), rounding=ROUND_HALF_UP)
    text = f"{abs(rounded):,.{places}f}"
    if _is_french(language):
        text = text.replace(",", NARROW_NO_BREAK_SPACE).replace(".", ",")
    return f"{MINUS}{text}" if rounded < 0 else text


def format_percent(ratio: Decimal, language: str | None = None, decimals: int = 0) -> str:
    """Write a ratio (0.03) as a percentage (`3 %` in French, `3%` in English).

    A ratio above zero that would be rounded to nothing is written as less than the smallest step.
    """
    percentage = ratio * 100
    step = Decimal(1).scaleb(-decimals)
    gap = NARROW_NO_BREAK_SPACE if _is_french(language) else ""
    if 0 < percentage < step / 2:
        return f"<{gap}{format_number(step, language, decimals)}{gap}%"
    return f"{format_number(percentage, language, decimals)}{gap}%"


def format_date(day: date, language: str | None = None, *, today: date | None = None) -> str:
    """Write a day in full, without the year when it is the year of `today`."""
    in_words = _language(language)
    number = "1er" if day.day == 1 and _is_french(in_words) else str(day.day)
    same_year = today is not None and today.year == day.year
    return f"{number} {_month_words(day.year, day.month, in_words, 'F' if same_year else 'F Y')}"


def format_month(day: date, language: str | None = None) -> str:
    """Write the month of a day with its year: `November 2026`, `novembre 2026`."""
    return _month_words(day.year, day.month, _language(language), "F Y")


def format_moment(when: datetime, language: str | None = None) -> str:
    """Write a moment in full in the active time zone, 24-hour: `12 November 2026 at 14:05`."""
    local = timezone.localtime(when)
    with translation.override(_language(language)):
        return _("%(day)s at %(time)s") % {
            "day": format_date(local.date(), language),
            "time": dateformat.format(local, "H:i"),
        }


def format_relative(
    when: datetime, language: str | None = None, *, now: datetime | None = None
) -> str:
    """Write a moment as it lies from now: minutes and hours when near, else the day.

    Days are those of the active time zone.
    """
    present = now or timezone.now()
    distance = present - when
    with translation.override(_language(language)):
        if timedelta(0) <= distance < timedelta(hours=12):
            return _ago(distance)
        if timedelta(0) < -distance < timedelta(hours=12):
            return _ahead(-distance)
        return _by_day(timezone.localtime(when), timezone.localtime(present), language)


def format_duration(seconds: int, language: str | None = None) -> str:
    """Write a length of time in at most two units: `45 s`, `2 min 05 s`, `1 h 02 min`."""
    hours, rest = divmod(seconds, 3600)
    minutes, remaining = divmod(rest, 60)
    gap = NO_BREAK_SPACE
    if hours:
        number = format_number(hours, language, 0)
        return f"{number}{gap}h{gap}{minutes:02d}{gap}min"
    if minutes:
        return f"{minutes}{gap}min{gap}{remaining:02d}{gap}s"
    return f"{remaining}{gap}s"


@lru_cache(maxsize=MONTHS_KEPT)
def _month_words(year: int, month: int, language: str, form: str) -> str:
    with translation.override(language):
        return dateformat.format(date(year, month, 1), form)


def _ago(distance: timedelta) -> str:
    minutes = int(distance.total_seconds()) // 60
    if minutes < 1:
        return _("just now")
    if minutes < 60:
        return ngettext("%(count)s minute ago", "%(count)s minutes ago", minutes) % {
            "count": minutes
        }
    hours = minutes // 60
    return ngettext("%(count)s hour ago", "%(count)s hours ago", hours) % {"count": hours}


def _ahead(distance: timedelta) -> str:
    minutes = max(1, int(distance.total_seconds()) // 60)
    if minutes < 60:
        return ngettext("in %(count)s minute", "in %(count)s minutes", minutes) % {"count": minutes}
    hours = minutes // 60
    return ngettext("in %(count)s hour", "in %(count)s hours", hours) % {"count": hours}


def _by_day(when: datetime, present: datetime, language: str | None) -> str:
    days = (present.date() - when.date()).days
    clock = dateformat.format(when, "H:i")
    if days == 0:
        return _("today at %(time)s") % {"time": clock}
    if days == 1:
        return _("yesterday at %(time)s") % {"time": clock}
    if days == -1:
        return _("tomorrow at %(time)s") % {"time": clock}
    return format_date(when.date(), language, today=present.date())


def _decimals_of(value: Decimal, least: int) -> int:
    # Beyond the currency's own decimals all four are shown: a sign followed by exactly three
    # digits could be read as thousands, and the amount field refuses it.
    exponent = value.normalize().as_tuple().exponent
    own = -exponent if isinstance(exponent, int) else 0
    return least if own <= least else max(least, CREDIT_DECIMALS)


def _language(language: str | None) -> str:
    return language or translation.get_language() or "en"


def _is_french(language: str | None) -> bool:
    return _language(language).split("-")[0].lower() == "fr"
