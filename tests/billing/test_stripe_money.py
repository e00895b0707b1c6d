"""Amounts are exact in every currency, and each day's charges can be listed."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.gateways.base import ChargeStatus, Way
from billing.gateways.stripe_money import MOST, NotChargeable, to_major, to_minor
from skypemgr.lib.formats import currency_decimals
from tests.billing.stripe_world import KEY, POOR, ask_again, gateway, saved, wish
from tests.fakes.payment_client import PaymentServer
from tests.fakes.payment_params import CURRENCIES


@pytest.mark.parametrize(
    ("amount", "currency", "minor"),
    [
        ("10.00", "EUR", 1000),
        ("0.50", "USD", 50),
        ("1000", "JPY", 1000),
        ("25000", "HUF", 2500000),
        ("700", "ISK", 70000),
        ("700", "UGX", 70000),
        ("12.340", "KWD", 12340),
        ("999999.99", "EUR", MOST),
    ],
)
def test_an_amount_is_written_as_stripe_wants_it(amount: str, currency: str, minor: int) -> None:
    assert to_minor(Decimal(amount), currency) == minor
    assert to_major(minor, currency) == Decimal(amount)


@pytest.mark.parametrize(
    ("amount", "currency"),
    [
        *(("10.005", "EUR"), ("10.5", "JPY"), ("0.5", "ISK"), ("12.345", "KWD")),
        *(("0", "EUR"), ("-1", "EUR"), ("1000000.00", "EUR")),
    ],
)
def test_what_cannot_be_written_exactly_is_refused(amount: str, currency: str) -> None:
    with pytest.raises(NotChargeable):
        to_minor(Decimal(amount), currency)


@given(st.sampled_from(sorted(CURRENCIES)), st.integers(1, 99_999))
def test_writing_and_reading_gives_the_same_amount(small: str, number: int) -> None:
    currency = small.upper()
    places = currency_decimals(currency)
    amount = Decimal(number).scaleb(-places)
    try:
        minor = to_minor(amount, currency)
    except NotChargeable:
        assert places == 3 or currency == "MGA"
        return
    assert to_major(minor, currency) == amount


@pytest.mark.parametrize(
    ("amount", "currency"), [("60.00", "EUR"), ("6000", "JPY"), ("60.000", "KWD"), ("6000", "ISK")]
)
def test_currencies_of_any_decimals_are_paid_in_full(
    payment_server: PaymentServer, amount: str, currency: str
) -> None:
    page = gateway.charge(wish(amount=amount, currency=currency))
    payment_server.pay(page.action_url)
    result = ask_again()
    assert (result.status, str(result.amount), result.currency) == ("succeeded", amount, currency)


@pytest.mark.parametrize(("amount", "currency"), [("60.005", "KWD"), ("0.10", "EUR")])
def test_an_amount_that_cannot_be_charged_is_declined(
    payment_server: PaymentServer, amount: str, currency: str
) -> None:
    for fields in ({}, saved(payment_server)):
        result = gateway.charge(wish(amount=amount, currency=currency, **fields))
        assert (result.status, result.decline_code) == ("declined", "amount_not_chargeable")


def test_the_gateway_says_what_was_really_paid(payment_server: PaymentServer) -> None:
    result = gateway.charge(wish(**saved(payment_server)))
    payment_server.order("alter", pk=result.reference, amount_received=5900, currency="usd")
    other = ask_again()
    assert (other.amount, other.currency) == (Decimal("59.00"), "USD")


def test_a_day_lists_what_was_booked_on_it(payment_server: PaymentServer) -> None:
    today = datetime.now(UTC).date()
    gateway.charge(wish(**saved(payment_server)))
    gateway.charge(wish("purchase:8", **saved(payment_server, POOR)))
    page = gateway.charge(wish("purchase:9", way=Way.SEPA_DEBIT, amount="5.00"))
    payment_server.pay(page.action_url)
    listed = gateway.settled_on(today)
    assert listed is not None
    assert [(one.idempotency_key, str(one.amount)) for one in listed] == [(KEY, "60.00")]
    payment_server.order("advance", seconds=24 * 3600)
    payment_server.order("settle", intent=ask_again("purchase:9").reference)
    (late,) = gateway.settled_on(today + timedelta(days=1)) or []
    assert (late.idempotency_key, str(late.amount), late.currency) == ("purchase:9", "5.00", "EUR")
    assert late.reference == ask_again("purchase:9").reference


def test_a_long_day_is_listed_to_its_end(payment_server: PaymentServer) -> None:
    fields = saved(payment_server)
    for number in range(120):
        result = gateway.charge(wish(f"purchase:{number}", **fields))
        assert result.status == ChargeStatus.SUCCEEDED
    listed = gateway.settled_on(datetime.now(UTC).date()) or []
    assert len({one.idempotency_key for one in listed}) == 120
