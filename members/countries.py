"""Countries with their usual currency and time zone.

Its one rule: the list is a file, read once.
"""

import csv
import re
from dataclasses import dataclass
from pathlib import Path
from zoneinfo import available_timezones

from skypemgr.lib.text import search_key

_FILE = Path(__file__).resolve().parent / "data" / "countries.csv"
_REGION = re.compile(r"^([a-z]{2})(?:[-_]([a-z]{2}))?", re.IGNORECASE)
_USUAL_COUNTRY = {"fr": "FR", "en": "GB"}


@dataclass(frozen=True)
class Country:
    """ISO 3166 code, usual currency (ISO 4217) and time zone, names by language."""

    code: str
    currency: str
    time_zone: str
    en: str
    fr: str

    def name(self, language: str) -> str:
        """The name in French or English."""
        return self.fr if language.partition("-")[0] == "fr" else self.en


def _read() -> dict[str, Country]:
    with _FILE.open(encoding="utf-8", newline="") as rows:
        return {row["code"]: Country(**row) for row in csv.DictReader(rows)}


COUNTRIES = _read()
CURRENCIES = frozenset(country.currency for country in COUNTRIES.values())


def country_choices(language: str) -> list[tuple[str, str]]:
    """Every country as (code, name), in the order of the language's names."""
    named = [(country.code, country.name(language)) for country in COUNTRIES.values()]
    return sorted(named, key=lambda pair: search_key(pair[1]))


def currency_choices() -> list[tuple[str, str]]:
    """Every currency as (code, code), in order."""
    return [(code, code) for code in sorted(CURRENCIES)]


def time_zone_choices() -> list[tuple[str, str]]:
    """Every zone named for a place, as (name, name for people), in order."""
    places = [zone for zone in available_timezones() if "/" in zone and not zone.startswith("Etc/")]
    return [("UTC", "UTC"), *((zone, zone.replace("_", " ")) for zone in sorted(places))]


def guess_country(accept_language: str) -> str:
    """The country that a browser's languages speak for: ``fr-CH`` is CH, plain ``fr`` is FR."""
    languages = [part.split(";")[0].strip() for part in accept_language.split(",")]
    found = [match for match in map(_REGION.match, languages) if match]
    for match in found:
        code = (match[2] or "").upper()
        if code in COUNTRIES:
            return code
    for match in found:
        if match[1].lower() in _USUAL_COUNTRY:
            return _USUAL_COUNTRY[match[1].lower()]
    return "FR"
