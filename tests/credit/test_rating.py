"""What a call costs, to the cent."""

from datetime import UTC, date, datetime
from decimal import ROUND_UP, Decimal
from io import BytesIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from credit.models import Rate
from credit.rates import import_rates
from credit.rating import RateBook, Tariff, is_emergency_number
from members.models import Company

NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)


def tariff(price: str, fee: str = "0", minimum: int = 0, increment: int = 1) -> Tariff:
    day = date(2025, 1, 1)
    return Tariff(1, "FR", "mobile", Decimal(price), Decimal(fee), minimum, increment, day)


@pytest.mark.parametrize(
    ("seconds", "price", "expected"), [(73, "0.0180", "0.0219"), (100, "0.06", "0.1000")]
)
def test_the_documented_examples(seconds: int, price: str, expected: str) -> None:
    assert tariff(price).price(seconds) == Decimal(expected)


def test_a_call_of_no_seconds_costs_nothing_not_even_the_fee() -> None:
    free = tariff("0.06", "0.0390", minimum=60, increment=60)
    assert (free.billed_seconds(0), free.price(0)) == (0, 0)


def test_seconds_are_raised_to_the_minimum_then_to_the_increment() -> None:
    assert tariff("1", minimum=30, increment=6).billed_seconds(1) == 30
    assert tariff("1", minimum=30, increment=6).billed_seconds(31) == 36
    assert tariff("1", minimum=10, increment=60).billed_seconds(61) == 120


@given(
    seconds=st.integers(1, 86_400),
    price=st.decimals(0, 20, places=4),
    fee=st.decimals(0, 5, places=4),
)
def test_the_price_is_the_exact_one_rounded_up_once(
    seconds: int, price: Decimal, fee: Decimal
) -> None:
    exact = (fee * 60 + seconds * price) / 60
    rounded = exact.quantize(Decimal("0.0001"), rounding=ROUND_UP)
    assert tariff(str(price), str(fee)).price(seconds) == rounded


def rate(prefix: str, price: str, company: Company | None = None, day: str = "2025-01-01") -> None:
    Rate.objects.create(
        company=company,
        prefix=prefix,
        kind="other",
        price_per_minute=Decimal(price),
        currency="EUR",
        valid_from=day,
    )


@pytest.mark.django_db
def test_the_longest_prefix_of_the_own_deck_wins_then_the_installations(acme: Company) -> None:
    rate("33", "0.01")
    rate("336", "0.05")
    rate("33", "0.02", acme)
    book = RateBook(acme, ["33612345678", "33142278186", "4412345678"])
    prices = [
        found.price_per_minute if (found := book.find(digits, NOON)) else None
        for digits in ("33612345678", "33142278186", "4412345678")
    ]
    assert prices == [Decimal("0.02"), Decimal("0.02"), None]


@pytest.mark.django_db
def test_the_row_valid_at_the_start_rates_and_none_before_the_first(acme: Company) -> None:
    rate("33", "0.01", day="2026-01-01")
    rate("33", "0.02", day="2026-03-01")
    book = RateBook(acme, ["33142278186"])
    days = [datetime(2025, 12, 31, tzinfo=UTC), datetime(2026, 2, 28, 23, tzinfo=UTC), NOON]
    found = [book.find("33142278186", day) for day in days]
    assert [row and row.price_per_minute for row in found] == [
        None,
        Decimal("0.01"),
        Decimal("0.02"),
    ]


def test_112_is_an_emergency_everywhere_and_15_only_where_it_is_one() -> None:
    assert is_emergency_number("112", "NZ")
    assert is_emergency_number("15", "FR")
    assert not is_emergency_number("15", "US")


def test_numbers_of_no_one_country_have_a_rate_of_region_001(acme: Company) -> None:
    head = "prefix,country,price_per_minute,currency,valid_from\n"
    file = head + "870,001,0.3440,EUR,2025-01-01\n33,F1,0.0100,EUR,2025-01-01\n"
    done = import_rates(BytesIO(file.encode()))
    assert (done.accepted_count, done.refused) == (1, [(3, "malformed_country")])
    found = RateBook(acme, ["870773111632"]).find("870773111632", NOON)
    assert found is not None
    assert found.country == "001"
