"""Which VAT a company pays. Its one rule: a foreign number counts only once it was checked and
found valid; until then VAT is charged.
"""

import csv
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

from django.db import models
from django.utils.translation import gettext_lazy as _

from billing.models import BillingProfile, VatRate
from billing.seller import find_seller
from members.models import Company

_FILE = Path(__file__).resolve().parent / "data" / "vat_rates.csv"
# Sold to as in that country; those with a row of their own in the file have their own rate there.
TERRITORIES = {"MC": "FR", "GP": "FR", "MQ": "FR", "RE": "FR", "IM": "GB"}
# A valid answer of a checking service counts for as long, although it cannot be had again.
ANSWER_COUNTS_FOR = timedelta(days=60)


class VatReason(models.TextChoices):
    """Why the rate is what it is."""

    DOMESTIC = "domestic", _("VAT of the seller's country")
    REVERSE_CHARGE = "reverse_charge", _("Reverse charge: the VAT is due by the buyer")
    CONSUMER_EU = "consumer_eu", _("VAT of the buyer's country")
    EXPORT = "export", _("Not subject to VAT in the seller's country")
    NONE = "none", _("No VAT")


@dataclass(frozen=True)
class Vat:
    """The rate in percent and why."""

    rate: Decimal
    reason: VatReason


def _read() -> tuple[frozenset[str], dict[str, dict[date, Decimal]]]:
    countries: set[str] = set()
    rates: dict[str, dict[date, Decimal]] = {}
    with _FILE.open(encoding="utf-8", newline="") as rows:
        for row in csv.DictReader(rows):
            since = date.fromisoformat(row["valid_from"])
            rates.setdefault(row["country"], {})[since] = Decimal(row["rate"])
            if row["in_eu"] == "yes":
                countries.add(row["country"])
    return frozenset(countries), rates


# The EU's VAT territory, and every country's standard rates by the day from which they hold.
EU, DEFAULT_RATES = _read()


def standard_rate(country: str, *, on: date) -> Decimal | None:
    """The country's standard rate in percent on the day; None where none is known."""
    known = dict(DEFAULT_RATES.get(country, {}))
    known.update(VatRate.objects.filter(country=country).values_list("valid_from", "rate"))
    since = max((day for day in known if day <= on), default=None)
    return None if since is None else known[since].normalize()


def vat_of(company: Company, *, on: date) -> Vat:
    """The VAT on what the company buys that day."""
    seller, buyer = _sold_as(find_seller().country), _sold_as(company.country)
    if buyer == seller:
        rate = standard_rate(company.country, on=on)
        if rate is None:
            rate = standard_rate(seller, on=on)
        return Vat(Decimal(0), VatReason.NONE) if rate is None else Vat(rate, VatReason.DOMESTIC)
    if not number_matters(company.country):
        return Vat(Decimal(0), VatReason.EXPORT)
    if is_number_valid(company, on=on):
        return Vat(Decimal(0), VatReason.REVERSE_CHARGE)
    return Vat(standard_rate(buyer, on=on) or Decimal(0), VatReason.CONSUMER_EU)


def number_matters(country: str) -> bool:
    """Whether a checked VAT number changes what a company of the country pays."""
    seller = _sold_as(find_seller().country)
    return seller in EU and country in EU and _sold_as(country) != seller


def is_number_valid(company: Company, *, on: date) -> bool:
    """Whether the company's own number, of its own country, was checked and found valid."""
    number = company.vat_number
    if not number or not number.startswith(number_prefix(company.country)):
        return False
    profile = BillingProfile.objects.filter(company=company.pk, vat_number_checked=number).first()
    if profile is None or profile.vat_valid_at is None:
        return False
    if profile.vat_state not in (
        BillingProfile.VatState.VALID,
        BillingProfile.VatState.UNAVAILABLE,
    ):
        return False
    if profile.vat_source == BillingProfile.VatSource.OPERATOR:
        return True
    return on <= (profile.vat_valid_at + ANSWER_COUNTS_FOR).date()


def number_prefix(country: str) -> str:
    """The letters with which the country's VAT numbers begin."""
    base = _sold_as(country)
    return "EL" if base == "GR" else base


def _sold_as(country: str) -> str:
    return TERRITORIES.get(country, country)
