"""Which VAT a company pays, and why."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from django.db import IntegrityError, transaction
from pytest_django import Settings

from billing.models import BillingProfile, VatRate
from billing.prices import price_of
from billing.vat import EU, standard_rate, vat_of
from billing.vat_checks import decide_vat_number
from members.actors import Actor
from members.company_profile import update_company
from members.models import Company, Member
from tests.billing.conftest import buy

pytestmark = pytest.mark.django_db
TODAY = date(2026, 11, 10)
NOON = datetime(2026, 11, 10, 12, tzinfo=UTC)
GERMAN = "DE136695976"
MEMBER_STATES = 27


def of(country: str, on: date = TODAY) -> tuple[Decimal, str]:
    """What a company there without a VAT number pays."""
    vat = vat_of(Company(country=country), on=on)
    return vat.rate, vat.reason


def german(alice: Member, number: str = GERMAN) -> Company:
    """Alice's company, now in Germany with a number."""
    return update_company(actor=Actor.of_member(alice), country="DE", vat_number=number)


def accept(company: Company, now: datetime = NOON) -> None:
    """The operator found the number valid."""
    decide_vat_number(actor=Actor.system(company), is_valid=True, now=now)


def found_valid(company: Company, at: datetime) -> None:
    """A service found the number valid at the instant."""
    BillingProfile.objects.create(
        company=company,
        vat_number_checked=company.vat_number,
        vat_state="valid",
        vat_source="vies",
        vat_checked_at=at,
        vat_valid_at=at,
    )


@pytest.mark.parametrize(
    ("country", "rate", "reason"),
    [
        ("FR", "20", "domestic"),
        ("MC", "20", "domestic"),
        ("RE", "8.5", "domestic"),
        ("DE", "19", "consumer_eu"),
        ("FI", "25.5", "consumer_eu"),
        ("GR", "24", "consumer_eu"),
        ("GB", "0", "export"),
        ("CH", "0", "export"),
        ("US", "0", "export"),
        ("GF", "0", "export"),
        ("AX", "0", "export"),
    ],
)
def test_the_buyers_country_decides(country: str, rate: str, reason: str) -> None:
    assert of(country) == (Decimal(rate), reason)


@pytest.mark.parametrize(
    ("seller", "country", "rate", "reason"),
    [
        ("DE", "DE", "19", "domestic"),
        ("DE", "MC", "20", "consumer_eu"),
        ("DE", "GP", "0", "export"),
        ("CH", "CH", "8.1", "domestic"),
        ("CH", "FR", "0", "export"),
        ("US", "US", "0", "none"),
        ("US", "FR", "0", "export"),
    ],
)
def test_the_sellers_country_decides_what_is_domestic(
    settings: Settings, seller: str, country: str, rate: str, reason: str
) -> None:
    settings.SELLER_COUNTRY = seller
    assert of(country) == (Decimal(rate), reason)


@pytest.mark.parametrize(
    ("country", "on", "rate"),
    [
        ("EE", date(2025, 6, 30), "22"),
        ("EE", date(2025, 7, 1), "24"),
        ("SK", date(2024, 12, 31), "20"),
        ("SK", date(2025, 1, 1), "23"),
        ("DE", date(2020, 12, 31), "16"),
        ("DE", date(2021, 1, 1), "19"),
        ("FR", date(1990, 1, 1), None),
        ("ZZ", TODAY, None),
    ],
)
def test_a_rate_holds_from_its_day_on(country: str, on: date, rate: str | None) -> None:
    assert standard_rate(country, on=on) == (Decimal(rate) if rate else None)


def test_the_file_knows_every_member_state() -> None:
    states = EU - {"MC"}
    assert len(states) == MEMBER_STATES
    assert all(standard_rate(country, on=TODAY) for country in EU)


def test_the_operators_row_overrides_the_file_from_its_day_on() -> None:
    VatRate.objects.create(country="FR", rate=Decimal("21"), valid_from=TODAY)
    assert of("FR", TODAY - timedelta(days=1))[0] == 20
    assert of("FR", TODAY)[0] == 21


def test_the_operators_row_overrides_the_same_day_of_the_file() -> None:
    VatRate.objects.create(country="EE", rate=Decimal("23"), valid_from=date(2025, 7, 1))
    assert of("EE")[0] == 23


def test_the_database_keeps_one_rate_a_day_within_a_hundred_percent() -> None:
    VatRate.objects.create(country="FR", rate=Decimal("21"), valid_from=TODAY)
    with pytest.raises(IntegrityError, match="vat_rate_one_a_day"), transaction.atomic():
        VatRate.objects.create(country="FR", rate=Decimal("22"), valid_from=TODAY)
    with pytest.raises(IntegrityError, match="vat_rate_in_percent"), transaction.atomic():
        VatRate.objects.create(country="DE", rate=Decimal("101"), valid_from=TODAY)


def test_a_number_nobody_checked_changes_nothing(alice: Member) -> None:
    company = german(alice)
    assert vat_of(company, on=TODAY).reason == "consumer_eu"


def test_a_checked_number_of_another_member_state_reverses_the_charge(alice: Member) -> None:
    company = german(alice)
    accept(company)
    assert (vat_of(company, on=TODAY).rate, vat_of(company, on=TODAY).reason) == (
        0,
        "reverse_charge",
    )


def test_a_number_of_the_sellers_own_country_reverses_nothing(alice: Member) -> None:
    company = update_company(actor=Actor.of_member(alice), vat_number="FR40303265045")
    accept(company)
    assert vat_of(company, on=TODAY).reason == "domestic"


def test_another_number_is_unchecked_again(alice: Member) -> None:
    accept(german(alice))
    company = german(alice, "DE129274202")
    assert vat_of(company, on=TODAY).reason == "consumer_eu"


def test_the_checked_number_of_another_country_does_not_count(alice: Member) -> None:
    accept(german(alice))
    company = update_company(actor=Actor.of_member(alice), country="AT")
    assert company.vat_number == GERMAN
    assert (vat_of(company, on=TODAY).rate, vat_of(company, on=TODAY).reason) == (
        20,
        "consumer_eu",
    )


def test_the_operators_word_does_not_grow_old(alice: Member) -> None:
    company = german(alice)
    accept(company, NOON - timedelta(days=1000))
    assert vat_of(company, on=TODAY).reason == "reverse_charge"


@pytest.mark.parametrize("state", ["valid", "unavailable"])
def test_a_services_answer_counts_for_sixty_days_and_no_longer(alice: Member, state: str) -> None:
    company = german(alice)
    found_valid(company, NOON)
    BillingProfile.objects.update(vat_state=state)
    assert vat_of(company, on=TODAY + timedelta(days=60)).reason == "reverse_charge"
    assert vat_of(company, on=TODAY + timedelta(days=61)).reason == "consumer_eu"


def test_unavailable_without_a_good_answer_before_is_unchecked(alice: Member) -> None:
    company = german(alice)
    BillingProfile.objects.create(
        company=company, vat_number_checked=GERMAN, vat_state="unavailable"
    )
    assert vat_of(company, on=TODAY).reason == "consumer_eu"


@pytest.mark.parametrize(
    ("currency", "net", "vat", "total"),
    [
        ("EUR", "0.10", "0.02", "0.12"),
        ("EUR", "12.34", "2.47", "14.81"),
        ("EUR", "0.125", "0.02", "0.145"),
        ("JPY", "1003", "201", "1204"),
        ("KWD", "1.001", "0.200", "1.201"),
    ],
)
def test_vat_is_rounded_to_the_currencys_decimals(
    currency: str, net: str, vat: str, total: str
) -> None:
    price = price_of(Decimal(net), company=Company(country="FR", currency=currency), on=TODAY)
    assert (price.vat_amount, price.total) == (Decimal(vat), Decimal(total))


@pytest.mark.parametrize(("net", "vat"), [("0.25", "0.02"), ("0.75", "0.08")])
def test_half_a_cent_goes_to_the_even_one(net: str, vat: str) -> None:
    VatRate.objects.create(country="FR", rate=Decimal("10"), valid_from=TODAY)
    price = price_of(Decimal(net), company=Company(country="FR", currency="EUR"), on=TODAY)
    assert price.vat_amount == Decimal(vat)


def test_a_purchase_keeps_the_rate_of_its_day_and_why(alice: Member) -> None:
    purchase = buy(alice, "100", now=NOON)
    assert (purchase.vat_rate, purchase.vat_reason) == (20, "domestic")
    assert (purchase.vat_amount, purchase.total) == (20, 120)
