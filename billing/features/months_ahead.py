"""Months whose renewals can be looked at. Its one rule: from the present one on for a year."""

import re
from dataclasses import dataclass
from datetime import date

from django.utils.translation import gettext_lazy as _

from skypemgr.lib.errors import ProductError
from skypemgr.lib.periods import add_months, first_of_month

FORM = re.compile(r"(?P<year>[0-9]{4})-(?P<month>0[1-9]|1[0-2])")
MONTHS = 13


class InvalidMonth(ProductError):
    """The text names no month."""

    code = "invalid_month"


class MonthNotAhead(ProductError):
    """The month is past, or too far away."""

    code = "month_not_ahead"


@dataclass(frozen=True, slots=True)
class MonthAhead:
    """A month, by its first day, and those that are offered beside it."""

    first: date
    current: date

    @property
    def offered(self) -> list[date]:
        """This month and the next, or the one asked for with its neighbours."""
        if self.first <= add_months(self.current, 1):
            return [self.current, add_months(self.current, 1)]
        return [self.current, add_months(self.first, -1), self.first]

    @property
    def following(self) -> date | None:
        """The month after; None behind the last that can be looked at."""
        after = add_months(self.first, 1)
        return after if after < add_months(self.current, MONTHS) else None

    @property
    def previous(self) -> date | None:
        """The month before; None before the present one."""
        return add_months(self.first, -1) if self.first > self.current else None


def find_month_ahead(text: str, today: date) -> MonthAhead:
    """The month written ``YYYY-MM``, by default the present one.

    Raises InvalidMonth for what is no month, MonthNotAhead for one that is past or more than a year
    away.
    """
    current = first_of_month(today)
    if not text:
        return MonthAhead(current, current)
    match = FORM.fullmatch(text.strip())
    if match is None or match["year"] in ("0000", "9999"):
        raise InvalidMonth(_("That is not a month. Write it as 2026-01."), field="month")
    first = date(int(match["year"]), int(match["month"]), 1)
    if not current <= first < add_months(current, MONTHS):
        raise MonthNotAhead(_("Renewals are shown from this month on for a year."), field="month")
    return MonthAhead(first, current)
