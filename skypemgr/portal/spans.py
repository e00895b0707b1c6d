"""Spans of days: a month, a year, or days chosen freely. Its one rule: a span that is written
wrongly, has not begun, or was over before the company existed is refused with field and remedy.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from urllib.parse import urlencode

from django.db.models import Min
from django.utils.translation import gettext as _

from credit.models import DailyTotal, UsageDay
from members.models import Company
from skypemgr.lib.errors import NotFound, ProductError
from skypemgr.lib.formats import format_date, format_month
from skypemgr.lib.periods import add_months, first_of_month, first_of_next_month

MONTH_FORM = re.compile(r"(?P<year>[0-9]{4})-(?P<month>0[1-9]|1[0-2])")
YEAR_FORM = re.compile(r"(?!0000)[0-9]{4}")
DAY_FORM = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
A_DAY = timedelta(days=1)
LONGEST_YEARS = 5
LONGEST = timedelta(days=366 * LONGEST_YEARS)
NAMES = ("month", "year", "from", "to")


class InvalidMonth(ProductError):
    """That is no month."""

    code = "invalid_month"


class InvalidSpan(ProductError):
    """That is no year, no day, or no span of days."""

    code = "invalid_span"


class NoSuchMonth(NotFound):
    """The company has no such days."""

    code = "no_such_month"


class Kind(StrEnum):
    """What a span is."""

    MONTH = "month"
    YEAR = "year"
    DAYS = "days"


@dataclass(frozen=True, slots=True)
class Span:
    """Days of a company, ``first`` and ``last`` included. ``earliest`` is the first day of its
    first month, ``today`` its day now.
    """

    kind: Kind
    first: date
    last: date
    earliest: date
    today: date

    @property
    def end(self) -> date:
        """The first day after it."""
        return self.last + A_DAY

    @property
    def is_running(self) -> bool:
        """Whether its last day is still to come or today."""
        return self.last >= self.today

    @property
    def parameters(self) -> dict[str, str]:
        """How it is written in an address."""
        if self.kind == Kind.MONTH:
            return {"month": f"{self.first:%Y-%m}"}
        if self.kind == Kind.YEAR:
            return {"year": f"{self.first:%Y}"}
        return {"from": self.first.isoformat(), "to": self.last.isoformat()}

    @property
    def query(self) -> str:
        """Its parameters, joined for an address."""
        return urlencode(self.parameters)

    @property
    def slug(self) -> str:
        """Its name within a file's name."""
        return "_".join(self.parameters.values())

    @property
    def label(self) -> str:
        """Its name in the reader's language."""
        if self.kind == Kind.MONTH:
            return format_month(self.first)
        if self.kind == Kind.YEAR:
            return f"{self.first:%Y}"
        if self.first == self.last:
            return format_date(self.first)
        return _("%(first)s to %(last)s") % {
            "first": format_date(self.first),
            "last": format_date(self.last),
        }

    @property
    def previous(self) -> "Span | None":
        """The span before it, if the company has it."""
        before = self._moved(-1)
        return before if before.last >= self.earliest else None

    @property
    def following(self) -> "Span | None":
        """The span after it, unless it is still to come."""
        after = self._moved(1)
        return after if after.first <= self.today else None

    @property
    def before(self) -> "Span":
        """What it is compared with: the span before it, whether the company existed or not."""
        return self._moved(-1)

    @property
    def shown_month(self) -> date:
        """The last of its months that the company has had."""
        return first_of_month(min(self.last, self.today))

    @property
    def months(self) -> list[date]:
        """The first days of the company's months, the latest first."""
        months = [first_of_month(self.today)]
        while months[-1] > self.earliest:
            months.append(add_months(months[-1], -1))
        return months

    @property
    def years(self) -> list[int]:
        """The company's years, the latest first."""
        return list(range(self.today.year, self.earliest.year - 1, -1))

    def _moved(self, count: int) -> "Span":
        if self.kind == Kind.MONTH:
            return month_span(add_months(self.first, count), self.earliest, self.today)
        if self.kind == Kind.YEAR:
            return year_span(self.first.year + count, self.earliest, self.today)
        by = (self.end - self.first) * count
        return Span(Kind.DAYS, self.first + by, self.last + by, self.earliest, self.today)


def month_span(first: date, earliest: date, today: date) -> Span:
    """The month that begins on that day."""
    return Span(Kind.MONTH, first, first_of_next_month(first) - A_DAY, earliest, today)


def year_span(year: int, earliest: date, today: date) -> Span:
    """The calendar year."""
    return Span(Kind.YEAR, date(year, 1, 1), date(year, 12, 31), earliest, today)


def find_span(company: Company, wanted: Mapping[str, str], *, now: datetime) -> Span:
    """The span of the parameters ``month=YYYY-MM``, ``year=YYYY``, or ``from=`` and ``to=``
    ``YYYY-MM-DD`` (both included, at most five years); the current month without any.

    Raises InvalidMonth and InvalidSpan (422) for what is none, NoSuchMonth (404) for what is still
    to come or before the company. One query.
    """
    given = {name: text for name in NAMES if (text := wanted.get(name, "").strip())}
    today, earliest = company.day_at(now), first_day(company)
    if len(given.keys() & {"month", "year"}) + bool(given.keys() & {"from", "to"}) > 1:
        raise InvalidSpan(_("Choose a month, a year or days, not several of them."), field="month")
    if "year" in given:
        span = year_span(_year(given["year"]), earliest, today)
    elif given.keys() & {"from", "to"}:
        span = _days(given, earliest, today)
    else:
        first = _month(given["month"], today) if "month" in given else first_of_month(today)
        span = month_span(first, earliest, today)
    field = next(iter(given), "month")
    if span.first > today:
        raise _still_to_come(field)
    if span.last < earliest:
        raise NoSuchMonth(_("Your company did not exist then."), field=field)
    return span


def first_day(company: Company) -> date:
    """The first day of the month in which the company began, first booked, or in which the first
    call began that it has been told of. Two queries.
    """
    booked = DailyTotal.objects.filter(company=company).aggregate(first=Min("day"))
    called = UsageDay.objects.filter(company=company, level=UsageDay.Level.COMPANY).aggregate(
        first=Min("started_on")
    )
    days = (company.day_at(company.created_at), booked["first"], called["first"])
    return first_of_month(min(day for day in days if day))


def _still_to_come(field: str) -> NoSuchMonth:
    return NoSuchMonth(_("These days are still to come."), field=field)


def _month(text: str, today: date) -> date:
    match = MONTH_FORM.fullmatch(text)
    if match is None or match["year"] == "0000":
        raise InvalidMonth(_("That is not a month. Write it as 2026-01."), field="month")
    first = date(int(match["year"]), int(match["month"]), 1)
    if first > today:
        # Asked at once: the last month of the calendar has no end.
        raise _still_to_come("month")
    return first


def _year(text: str) -> int:
    # The first and the last year of the calendar have no neighbours.
    if YEAR_FORM.fullmatch(text) is None or not 1 < int(text) < date.max.year:
        raise InvalidSpan(
            _("That is not a year. Write it as 2026."), field="year", code="invalid_year"
        )
    return int(text)


def _days(given: Mapping[str, str], earliest: date, today: date) -> Span:
    first, last = _day(given, "from"), _day(given, "to")
    if last < first:
        raise InvalidSpan(_("The last day is before the first one."), field="to")
    if last - first >= LONGEST:
        raise InvalidSpan(
            _("Choose at most %(years)s years.") % {"years": LONGEST_YEARS},
            field="to",
            code="span_too_long",
        )
    return Span(Kind.DAYS, first, last, earliest, today)


def _day(given: Mapping[str, str], name: str) -> date:
    text = given.get(name, "")
    try:
        day = date.fromisoformat(text) if DAY_FORM.fullmatch(text) else None
    except ValueError:
        day = None
    # Room on both sides for the neighbours of the span.
    if day is None or not date.min + LONGEST < day < date.max - LONGEST:
        raise InvalidSpan(_("Write both days as 2026-01-31."), field=name, code="invalid_day")
    return day
