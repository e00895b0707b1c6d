"""Spans of days: what may be written, what is refused, and their neighbours."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from credit.call_rows import CallRow
from credit.calls import charge_calls
from credit.models import Rate
from credit.usage_rollup import roll_up_usage
from skypemgr.lib.errors import ProductError
from skypemgr.portal.spans import Kind, Span, find_span, month_span
from tests.portal.conftest import NOW, History


def test_without_words_it_is_the_current_month(history: History) -> None:
    span = find_span(history.company, {}, now=NOW)
    assert (span.kind, span.first, span.last) == ("month", date(2026, 9, 1), date(2026, 9, 30))
    assert span.is_running
    assert span.months == [date(2026, 9, 1), date(2026, 8, 1)]
    assert span.following is None
    assert span.previous == find_span(history.company, {"month": "2026-08"}, now=NOW)


def test_a_year_and_days_are_spans_too(history: History) -> None:
    year = find_span(history.company, {"year": "2026"}, now=NOW)
    assert (year.kind, year.first, year.last) == ("year", date(2026, 1, 1), date(2026, 12, 31))
    assert year.years == [2026]
    assert year.previous is None
    days = find_span(history.company, {"from": "2026-08-30", "to": "2026-09-02"}, now=NOW)
    assert (days.first, days.last, days.kind) == (date(2026, 8, 30), date(2026, 9, 2), "days")
    assert days.before.first == date(2026, 8, 26)
    assert days.before.last == date(2026, 8, 29)
    assert days.following is not None
    assert days.following.first == date(2026, 9, 3)


def test_a_month_in_which_calls_began_before_the_company_is_shown(history: History) -> None:
    july = {"month": "2026-07"}
    with pytest.raises(ProductError):
        find_span(history.company, july, now=NOW)
    Rate.objects.create(
        prefix="33",
        country="FR",
        kind=Rate.Kind.LANDLINE,
        price_per_minute=Decimal("0.1"),
        increment_seconds=60,
        currency=history.company.currency,
        valid_from=date(2026, 1, 1),
    )
    began = datetime(2026, 7, 31, 12, tzinfo=UTC)
    call = CallRow("t", "early", history.bob.pk, "+33142278186", began, 60)
    charge_calls(history.company, [call], now=NOW)
    roll_up_usage(now=NOW + timedelta(days=2))
    assert find_span(history.company, july, now=NOW).first == date(2026, 7, 1)


@pytest.mark.parametrize(
    ("wanted", "code", "field"),
    [
        ({"month": "2026-13"}, "invalid_month", "month"),
        ({"month": "2026-00"}, "invalid_month", "month"),
        ({"month": "0000-01"}, "invalid_month", "month"),
        ({"month": "' OR 1=1 --%s"}, "invalid_month", "month"),
        ({"month": "2026-10"}, "no_such_month", "month"),
        ({"month": "9999-12"}, "no_such_month", "month"),
        ({"month": "9998-12"}, "no_such_month", "month"),
        ({"month": "2026-07"}, "no_such_month", "month"),
        ({"month": "0001-01"}, "no_such_month", "month"),
        ({"year": "26"}, "invalid_year", "year"),
        ({"year": "0000"}, "invalid_year", "year"),
        ({"year": "9999"}, "invalid_year", "year"),
        ({"year": "0001"}, "invalid_year", "year"),
        ({"year": "2027"}, "no_such_month", "year"),
        ({"year": "2025"}, "no_such_month", "year"),
        ({"from": "2026-08-01"}, "invalid_day", "to"),
        ({"to": "2026-08-01"}, "invalid_day", "from"),
        ({"from": "2026-02-30", "to": "2026-08-01"}, "invalid_day", "from"),
        ({"from": "0001-01-01", "to": "2026-08-01"}, "invalid_day", "from"),
        ({"from": "2026-08-01", "to": "9999-12-31"}, "invalid_day", "to"),
        ({"from": "2026-09-02", "to": "2026-09-01"}, "invalid_span", "to"),
        ({"from": "1946-01-01", "to": "2026-09-01"}, "span_too_long", "to"),
        ({"from": "2026-10-01", "to": "2026-10-02"}, "no_such_month", "from"),
        ({"from": "2026-01-01", "to": "2026-01-02"}, "no_such_month", "from"),
        ({"month": "2026-08", "year": "2026"}, "invalid_span", "month"),
        ({"month": "2026-08", "from": "2026-08-01"}, "invalid_span", "month"),
    ],
)
def test_what_cannot_be_shown_is_refused_with_field_and_code(
    history: History, wanted: dict[str, str], code: str, field: str
) -> None:
    with pytest.raises(ProductError) as refused:
        find_span(history.company, wanted, now=NOW)
    assert (refused.value.code, refused.value.field) == (code, field)


@given(first=st.dates(date(1950, 1, 1), date(2100, 1, 1)), length=st.integers(0, 1800))
def test_the_spans_of_any_days_follow_each_other_without_a_gap(first: date, length: int) -> None:
    last = date.fromordinal(first.toordinal() + length)
    span = Span(Kind.DAYS, first, last, date(1900, 1, 1), date(2200, 1, 1))
    assert span.previous is not None
    assert span.previous.end == span.first
    assert span.following is not None
    assert span.following.first == span.end


@given(first=st.dates(date(1950, 1, 1), date(2100, 1, 1)).map(lambda day: day.replace(day=1)))
def test_a_month_is_followed_by_the_next(first: date) -> None:
    span = month_span(first, date(1900, 1, 1), date(2200, 1, 1))
    assert span.following is not None
    assert span.following.first == span.end
    assert span.following.previous == span
