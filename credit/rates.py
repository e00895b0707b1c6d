"""Keeps the decks. Its one rule: a row that may have rated a call is never changed; a new price
is a new row from a later day.
"""

import re
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import BinaryIO

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction

from credit.models import Rate
from members.models import Company
from skypemgr.lib.amounts import parse_exact_amount
from skypemgr.lib.tables import read_rows

COLUMNS = ("prefix", "price_per_minute", "currency", "valid_from")
OPTIONAL = ("country", "kind", "connection_fee", "minimum_seconds", "increment_seconds")
LARGEST_SECONDS = 3600
# A country, or a region of several: 001 stands for numbers of the whole world.
COUNTRY = re.compile(r"[A-Z]{2}|[0-9]{3}")


@dataclass(slots=True)
class ImportedRows:
    """What became of a file. ``refused`` names line and reason of each row left out."""

    accepted_count: int = 0
    already_count: int = 0
    refused: list[tuple[int, str]] = field(default_factory=list)


def import_rates(file: BinaryIO, company: Company | None = None) -> ImportedRows:
    """The file's good rows are in the company's deck (the installation's without one).

    A row that is there already with the same price is counted as already there; with another
    price it is refused (``rate_conflict``). Raises UnreadableTable for a file that is no table.
    """
    result = ImportedRows()
    rates: dict[tuple[str, str, date], tuple[int, Rate]] = {}
    rows = read_rows(file, columns=COLUMNS, optional=OPTIONAL, limit=settings.MAX_IMPORT_ROWS)
    for line, row in rows:
        try:
            rate = _read(row, company)
        except ValueError as error:
            result.refused.append((line, str(error)))
            continue
        if rates.setdefault(_name(rate), (line, rate))[1] is not rate:
            result.refused.append((line, "twice_in_file"))
    with transaction.atomic():
        _store(rates, company, result)
    return result


def _store(
    rates: dict[tuple[str, str, date], tuple[int, Rate]],
    company: Company | None,
    result: ImportedRows,
) -> None:
    known = {
        _name(rate): rate
        for rate in Rate.objects.filter(
            company=company, prefix__in={prefix for prefix, _currency, _day in rates}
        )
    }
    new = []
    for name, (line, rate) in rates.items():
        before = known.get(name)
        if before is None:
            new.append(rate)
        elif _terms(before) == _terms(rate):
            result.already_count += 1
        else:
            result.refused.append((line, "rate_conflict"))
    Rate.objects.bulk_create(new, batch_size=2000)
    result.accepted_count = len(new)
    result.refused.sort()


def _name(rate: Rate) -> tuple[str, str, date]:
    return rate.prefix, rate.currency, rate.valid_from


def _terms(rate: Rate) -> tuple[object, ...]:
    return (
        rate.country,
        rate.kind,
        rate.price_per_minute,
        rate.connection_fee,
        rate.minimum_seconds,
        rate.increment_seconds,
    )


def _read(row: dict[str, str], company: Company | None) -> Rate:
    prefix = row["prefix"].removeprefix("+")
    if not (prefix.isascii() and prefix.isdigit() and len(prefix) <= 15):
        raise ValueError("malformed_prefix")
    currency = row["currency"].upper()
    if not (currency.isascii() and currency.isalpha() and len(currency) == 3):
        raise ValueError("malformed_currency")
    country = row.get("country", "").upper()
    if country and not COUNTRY.fullmatch(country):
        raise ValueError("malformed_country")
    kind = row.get("kind", "") or Rate.Kind.OTHER
    if kind not in Rate.Kind.values:
        raise ValueError("unknown_kind")
    return Rate(
        company=company,
        prefix=prefix,
        country=country,
        kind=kind,
        price_per_minute=_price(row["price_per_minute"]),
        connection_fee=_price(row.get("connection_fee", "") or "0"),
        minimum_seconds=_seconds(row.get("minimum_seconds", "") or "0", least=0),
        increment_seconds=_seconds(row.get("increment_seconds", "") or "1", least=1),
        currency=currency,
        valid_from=_day(row["valid_from"]),
    )


def _price(text: str) -> Decimal:
    try:
        return parse_exact_amount(text, zero_allowed=True)
    except ValidationError as error:
        raise ValueError("malformed_price") from error


def _seconds(text: str, *, least: int) -> int:
    if not (text.isascii() and text.isdigit()) or not least <= int(text) <= LARGEST_SECONDS:
        raise ValueError("malformed_seconds")
    return int(text)


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise ValueError("malformed_date") from error
