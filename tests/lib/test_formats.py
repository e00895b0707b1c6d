"""How amounts, percentages and times are written."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone, translation
from hypothesis import given
from hypothesis import strategies as st

from skypemgr.lib import formats

NOON = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)

amounts = st.decimals(
    min_value=Decimal(-(10**14)), max_value=Decimal(10**14), allow_nan=False, places=4
)


@pytest.mark.parametrize(
    ("amount", "currency", "language", "written"),
    [
        ("1234.5", "EUR", "fr", "1\u202f234,50\u00a0€"),
        ("1234.5", "EUR", "en", "€1,234.50"),
        ("1234567.8900", "USD", "en", "$1,234,567.89"),
        ("12", "USD", "fr", "12,00\u00a0$US"),
        ("12", "CHF", "en", "CHF\u00a012.00"),
        ("12", "CHF", "fr", "12,00\u00a0CHF"),
        ("1500", "JPY", "en", "¥1,500"),
        ("1.5", "TND", "fr", "1,500\u00a0TND"),
        ("0", "EUR", "fr", "0,00\u00a0€"),
        ("-25", "EUR", "fr", "\u221225,00\u00a0€"),
        ("-25", "EUR", "en", "\u2212€25.00"),
        ("-0.0000", "EUR", "en", "€0.00"),
    ],
)
def test_an_amount_is_written_as_its_language_and_currency_do(
    amount: str, currency: str, language: str, written: str
) -> None:
    assert formats.format_money(Decimal(amount), currency, language) == written


@pytest.mark.parametrize(
    ("amount", "currency", "written"),
    [
        ("0.0219", "EUR", "0,0219\u00a0€"),
        ("0.0100", "EUR", "0,01\u00a0€"),
        ("12.501", "EUR", "12,5010\u00a0€"),
        ("12.5", "JPY", "12,5000\u00a0JPY"),
        ("1.2345", "KWD", "1,2345\u00a0KWD"),
    ],
)
def test_an_amount_more_precise_than_its_currency_shows_all_four_decimals(
    amount: str, currency: str, written: str
) -> None:
    assert formats.format_money(Decimal(amount), currency, "fr") == written


@given(amount=amounts, currency=st.sampled_from(["EUR", "JPY", "TND", "CHF"]))
def test_no_amount_of_four_decimals_is_rounded(amount: Decimal, currency: str) -> None:
    written = formats.format_money(amount, currency, "en")
    digits = "".join(letter for letter in written if letter.isdigit() or letter == ".")
    sign = -1 if written.startswith(formats.MINUS) else 1
    assert sign * Decimal(digits) == amount


def test_a_signed_amount_shows_its_direction_and_zero_shows_none() -> None:
    assert formats.format_money(Decimal(5), "EUR", "en", signed=True) == "+€5.00"
    assert formats.format_money(Decimal(-5), "EUR", "en", signed=True) == "\u2212€5.00"
    assert formats.format_money(Decimal(0), "EUR", "en", signed=True) == "€0.00"


def test_the_active_language_is_used_when_none_is_named() -> None:
    with translation.override("fr"):
        assert formats.format_money(Decimal("2.5"), "EUR") == "2,50\u00a0€"
    with translation.override("en-gb"):
        assert formats.format_money(Decimal("2.5"), "EUR") == "€2.50"


@pytest.mark.parametrize(("currency", "decimals"), [("EUR", 2), ("JPY", 0), ("XOF", 0), ("BHD", 3)])
def test_a_currency_has_its_own_decimals(currency: str, decimals: int) -> None:
    assert formats.currency_decimals(currency) == decimals


def test_a_percentage_follows_the_language() -> None:
    assert formats.format_percent(Decimal("0.03"), "fr") == "3\u202f%"
    assert formats.format_percent(Decimal("0.03"), "en") == "3%"
    assert formats.format_percent(Decimal("0.1255"), "fr", 1) == "12,6\u202f%"


def test_a_small_share_is_not_written_as_nothing() -> None:
    assert formats.format_percent(Decimal("0.0004"), "en") == "<1%"
    assert formats.format_percent(Decimal(0), "en") == "0%"


@pytest.mark.parametrize(
    ("ago", "written"),
    [
        (timedelta(seconds=20), "just now"),
        (timedelta(minutes=1), "1 minute ago"),
        (timedelta(minutes=59, seconds=59), "59 minutes ago"),
        (timedelta(hours=2), "2 hours ago"),
        (timedelta(minutes=-5), "in 5 minutes"),
        (timedelta(hours=-3), "in 3 hours"),
        (timedelta(hours=20), "yesterday at 16:00"),
        (timedelta(hours=-24), "tomorrow at 12:00"),
        (timedelta(days=9), "12 November"),
        (timedelta(days=400), "17 October 2025"),
    ],
)
def test_a_moment_is_told_from_now_when_near_and_by_its_day_when_far(
    ago: timedelta, written: str
) -> None:
    with timezone.override(UTC):
        assert formats.format_relative(NOON - ago, "en", now=NOON) == written


def test_yesterday_is_that_of_the_readers_zone() -> None:
    late = datetime(2026, 11, 20, 22, 30, tzinfo=UTC)
    with timezone.override(ZoneInfo("Pacific/Auckland")):
        written = formats.format_relative(late, "en", now=NOON + timedelta(hours=1))
    assert written == "yesterday at 11:30"


def test_french_days_have_lower_case_months_and_a_first() -> None:
    assert formats.format_date(date(2026, 12, 1), "fr") == "1er décembre 2026"
    assert formats.format_date(date(2026, 12, 2), "fr", today=date(2026, 1, 1)) == "2 décembre"
    assert formats.format_month(date(2026, 8, 1), "fr") == "août 2026"
    assert formats.format_date(date(2026, 12, 1), "en") == "1 December 2026"


def test_a_moment_in_full_names_the_hour_of_the_readers_zone() -> None:
    with timezone.override(ZoneInfo("Europe/Paris")):
        assert formats.format_moment(NOON, "en") == "21 November 2026 at 13:00"


@pytest.mark.parametrize(
    ("seconds", "written"),
    [
        (0, "0 s"),
        (45, "45 s"),
        (125, "2 min 05 s"),
        (3720, "1 h 02 min"),
        (4_000_000, "1,111 h 06 min"),
    ],
)
def test_a_duration_has_at_most_two_units(seconds: int, written: str) -> None:
    assert formats.format_duration(seconds, "en").replace("\u00a0", " ") == written
