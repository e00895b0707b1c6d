"""Figures beside those of the time before, in words. Its one rule: the same number of days is
compared, and the sentence says which.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from django.utils.dateformat import format as format_day
from django.utils.translation import gettext as _

from skypemgr.lib.formats import format_money, format_percent
from skypemgr.portal.queries.overview import Period, Sums

# A percentage beyond this tells less than the amount itself.
MOST = Decimal(3)


@dataclass(frozen=True, slots=True)
class Compared:
    """One line of a card: a figure and how it stands to the one before, in words. ``kind`` is the
    colour of its movements.
    """

    name: str
    kind: str
    label: str
    amount: Decimal
    words: str


@dataclass(frozen=True, slots=True)
class Card:
    """The figures of one period."""

    name: str
    title: str
    lines: tuple[Compared, ...]


def tell_cards(periods: tuple[Period, ...], currency: str, *, is_company: bool) -> list[Card]:
    """Today, this month and this year; what only the company does is left out of others."""
    return [_card(period, currency, is_company) for period in periods]


def _card(period: Period, currency: str, is_company: bool) -> Card:
    titles = {"day": _("Today"), "month": _("This month"), "year": _("This year")}
    figures: list[tuple[str, str, str, Callable[[Sums], Decimal]]] = [
        ("allocated", "allocation", _("Allocated"), lambda sums: sums.allocated),
        ("recharged", "recharge", _("Recharged"), lambda sums: sums.recharged),
        ("calls", "calls", _("Spent on calls"), lambda sums: sums.calls),
        ("features", "features", _("Features"), lambda sums: sums.features),
    ]
    if is_company:
        figures.append(("purchased", "purchases", _("Bought"), lambda sums: sums.purchased))
    lines = []
    for name, kind, label, of in figures:
        now, then = of(period.now), of(period.then)
        words = tell_change(period.name, now, then, currency, period.before[0])
        lines.append(Compared(name, kind, label, now, words))
    return Card(period.name, titles[period.name], tuple(lines))


def tell_change(name: str, now: Decimal, then: Decimal, currency: str, first: date) -> str:
    """The comparison in a sentence. ``first`` is the first day of the time before."""
    more, less, same, nothing, amount = _sentences(name)
    words = {
        "month": format_day(first, "F"),
        "year": f"{first:%Y}",
        "amount": format_money(then, currency),
    }
    if now == then:
        return (same if then else nothing) % words
    if not then:
        return nothing % words
    ratio = (now - then) / then
    if then < 0 or ratio > MOST or not now:
        return amount % words
    share = {"percent": format_percent(abs(ratio))}
    return (more if ratio > 0 else less) % {**words, **share}


def _sentences(name: str) -> tuple[str, str, str, str, str]:
    if name == "day":
        return (
            _("%(percent)s more than yesterday"),
            _("%(percent)s less than yesterday"),
            _("as much as yesterday"),
            _("nothing yesterday"),
            _("%(amount)s yesterday"),
        )
    if name == "month":
        return (
            _("%(percent)s more than the same days of %(month)s"),
            _("%(percent)s less than the same days of %(month)s"),
            _("as much as the same days of %(month)s"),
            _("nothing in the same days of %(month)s"),
            _("%(amount)s in the same days of %(month)s"),
        )
    return (
        _("%(percent)s more than the same days of %(year)s"),
        _("%(percent)s less than the same days of %(year)s"),
        _("as much as the same days of %(year)s"),
        _("nothing in the same days of %(year)s"),
        _("%(amount)s in the same days of %(year)s"),
    )
