"""The dashboard's figures by day, month and year. Its one rule: every figure is a sum of booked
days, compared with as many days of the time before.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from billing.features.spending import of_span, read_feature_sums
from credit.models import Transfer
from credit.span_figures import Days, Flow, LiveDays, Pieces, read_span_sums
from skypemgr.lib.periods import add_months, first_of_month, first_of_next_month
from skypemgr.portal.scope import Scope

ZERO = Decimal(0)
A_DAY = timedelta(days=1)
MONTHS = 12
PACE_DAYS = 30
CENT = Decimal("0.01")

Kind = Transfer.Kind


@dataclass(frozen=True, slots=True)
class Sums:
    """What was moved in some days; amounts in the company's currency.

    ``calls`` is what members paid for calls, less what was given back, and ``calls_count`` how many
    they paid for. What the company alone does is 0 of a list or a member.
    """

    allocated: Decimal = ZERO
    recharged: Decimal = ZERO
    calls: Decimal = ZERO
    features: Decimal = ZERO
    purchased: Decimal = ZERO
    calls_count: int = 0

    @property
    def left_company(self) -> Decimal:
        """What the company gave its members, features apart."""
        return self.allocated + self.recharged


@dataclass(frozen=True, slots=True)
class Period:
    """Some days up to today, and as many days of the time before. ``name``: day, month, year."""

    name: str
    days: Days
    before: Days
    now: Sums
    then: Sums


@dataclass(frozen=True, slots=True)
class Overview:
    """All figures of a scope on one day: ``periods`` are today, this month and this year;
    ``months`` the twelve up to now, ``month_days`` the days of this month, each with its sums.

    ``pace`` is what went out a day, on average of the last 30 days: credit given to members, or
    what the chosen members' calls cost.
    """

    periods: tuple[Period, ...]
    months: Sequence[tuple[date, Sums]]
    month_days: Sequence[tuple[date, Sums]]
    pace: Decimal

    @property
    def shown_pace(self) -> Decimal:
        """The pace as an amount that is shown: an average has no end of decimals."""
        return self.pace.quantize(CENT)


def read_overview(scope: Scope, today: date, *, live: LiveDays | None = None) -> Overview:
    """The figures; one query for the company, two for a list or a member, and one more if the
    ``live`` days are not given.
    """
    compared = _compared(today)
    first = first_of_month(today)
    months = [_month(add_months(first, index)) for index in range(1 - MONTHS, 1)]
    month_end = first_of_next_month(today)
    days = [(day, day) for day in _days(first, month_end)]
    pace = (today - (PACE_DAYS - 1) * A_DAY, today)
    spans = [
        *(span for _name, now, then in compared for span in (now, then)),
        *months,
        *days,
        pace,
    ]
    read = _Reader(scope, spans, live)
    last = read.sums(*pace)
    spent = last.left_company if scope.is_company else last.calls
    return Overview(
        periods=tuple(
            Period(name, now, then, read.sums(*now), read.sums(*then))
            for name, now, then in compared
        ),
        months=[(span[0], read.sums(*span)) for span in months],
        month_days=[(span[0], read.sums(*span)) for span in days],
        pace=spent / PACE_DAYS,
    )


class _Reader:
    """The sums of spans, read once."""

    def __init__(self, scope: Scope, spans: Sequence[Days], live: LiveDays | None) -> None:
        self._is_company = scope.is_company
        self._pieces = Pieces(spans)
        chosen = {"list_id": scope.list_id, "member_id": scope.member_id}
        self._moved = read_span_sums(scope.company, spans, live=live, **chosen)
        self._features = (
            {} if scope.is_company else read_feature_sums(scope.company, self._pieces, **chosen)
        )

    def sums(self, first: date, last: date) -> Sums:
        """The sums of one span."""
        own, members = self._moved.company(first, last), self._moved.members(first, last)
        features = (
            _less_reversed(own, Kind.FEATURE)
            if self._is_company
            else of_span(self._features, self._pieces, first, last)
        )
        return Sums(
            allocated=members.incoming.get(Kind.ALLOCATION, ZERO),
            recharged=members.incoming.get(Kind.AUTO_RECHARGE, ZERO),
            calls=_less_reversed(members, Kind.CALL),
            features=features,
            purchased=own.incoming.get(Kind.PURCHASE, ZERO) - own.outgoing.get(Kind.REVERSAL, ZERO),
            calls_count=members.moves.get(Kind.CALL, 0),
        )


def _less_reversed(flow: Flow, kind: str) -> Decimal:
    return flow.outgoing.get(kind, ZERO) - flow.incoming.get(Kind.REVERSAL, ZERO)


def _compared(today: date) -> list[tuple[str, Days, Days]]:
    """Today, this month and this year, each with as many days of the one before; a month that is
    shorter is taken whole.
    """
    month, year = first_of_month(today), date(today.year, 1, 1)
    month_before, year_before = add_months(month, -1), date(today.year - 1, 1, 1)
    return [
        ("day", (today, today), (today - A_DAY, today - A_DAY)),
        (
            "month",
            (month, today),
            (month_before, min(month_before + (today - month), month - A_DAY)),
        ),
        ("year", (year, today), (year_before, min(year_before + (today - year), year - A_DAY))),
    ]


def _month(first: date) -> Days:
    return first, first_of_next_month(first) - A_DAY


def _days(first: date, end: date) -> list[date]:
    return [first + index * A_DAY for index in range((end - first).days)]
