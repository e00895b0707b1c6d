"""Days of paid periods. Its one rule: a period that begins on the 31st ends on the last day of a
shorter month and comes back to the 31st.
"""

from calendar import monthrange
from datetime import date, timedelta
from itertools import pairwise

from billing.models import FeatureKind

CHARGED_BEFORE_END = timedelta(days=3)
GRACE = timedelta(days=7)
GRACE_OF_NUMBERS = timedelta(days=30)


def add_months(day: date, months: int, *, anchor_day: int) -> date:
    """The day so many months later, on the anchor day or the last day of a shorter month."""
    index = day.year * 12 + day.month - 1 + months
    year, month = divmod(index, 12)
    return date(year, month + 1, min(anchor_day, monthrange(year, month + 1)[1]))


def split_months(starts_on: date, months: int, *, anchor_day: int) -> list[tuple[date, date]]:
    """The months of a period: first day and first day after, one after the other."""
    days = [add_months(starts_on, count, anchor_day=anchor_day) for count in range(months + 1)]
    days[0] = starts_on
    return list(pairwise(days))


def charge_day(paid_until: date, *, started_on: date) -> date:
    """The day on which the next period is taken: three days before the end."""
    return max(paid_until - CHARGED_BEFORE_END, started_on)


def grace_end(kind: str, paid_until: date) -> date:
    """The first day after grace: 30 days from the end of what is paid for numbers, 7 for others."""
    return paid_until + (GRACE_OF_NUMBERS if kind == FeatureKind.NUMBER else GRACE)
