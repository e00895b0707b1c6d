"""The dashboard's charts as data. Its one rule: one colour a kind of movement, the same everywhere;
what comes in stands above the line, what goes out below it.
"""

from collections.abc import Callable, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from django.utils.dateformat import format as format_day
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from skypemgr.portal.queries.overview import Sums

Dated = Sequence[tuple[date, Sums]]
Series = tuple[str, str, Callable[[Sums], Decimal]]


def months_chart(months: Dated, currency: str, *, is_company: bool) -> dict[str, Any]:
    """Twelve months stacked by kind: the company's purse, or those of the chosen members."""
    if is_company:
        series: list[Series] = [
            ("purchases", _("Bought"), lambda sums: sums.purchased),
            ("allocation", _("Allocated"), lambda sums: -sums.allocated),
            ("recharge", _("Recharged"), lambda sums: -sums.recharged),
            ("features", _("Features"), lambda sums: -sums.features),
        ]
    else:
        series = [
            ("allocation", _("Allocated"), lambda sums: sums.allocated),
            ("recharge", _("Recharged"), lambda sums: sums.recharged),
            ("calls", _("Spent on calls"), lambda sums: -sums.calls),
        ]
    return _chart("months", "stacked", months, currency, series, _month_label)


def calls_chart(months: Dated, currency: str) -> dict[str, Any]:
    """What was spent on calls in each of twelve months."""
    calls: Series = ("calls", _("Spent on calls"), lambda sums: sums.calls)
    return _chart("calls", "bar", months, currency, [calls], _month_label)


def days_chart(days: Dated, currency: str) -> dict[str, Any]:
    """What was spent on calls on each day of this month."""
    calls: Series = ("calls", _("Spent on calls"), lambda sums: sums.calls)
    return _chart("days", "bar", days, currency, [calls], lambda day: str(day.day))


def _chart(
    name: str,
    form: str,
    dated: Dated,
    currency: str,
    series: Sequence[Series],
    label: Callable[[date], str],
) -> dict[str, Any]:
    return {
        "id": name,
        "type": form,
        "currency": currency,
        "labels": [label(day) for day, _sums in dated],
        "series": [
            {"kind": kind, "label": words, "values": [of(sums) for _day, sums in dated]}
            for kind, words, of in series
        ],
    }


def _month_label(first: date) -> str:
    # Translators: how a month is written under a chart, in the letters of Django's date filter.
    month = pgettext("date format", "M")
    return format_day(first, f"{month} Y" if first.month == 1 else month)
