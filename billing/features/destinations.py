"""Which countries a plan's prefixes reach. Its one rule: a prefix is named by the countries whose
calling code it begins with.
"""

from collections.abc import Iterable
from functools import cache

import phonenumbers
from django.utils.translation import get_language

from billing.models import Plan
from members.countries import COUNTRIES
from skypemgr.lib.text import search_key

LONGEST_CODE = 3


def country_name(code: str) -> str:
    """The country in the reader's language; its code if it is not known."""
    country = COUNTRIES.get(code)
    return country.name(get_language() or "en") if country else code


def country_codes(prefixes: Iterable[str]) -> list[str]:
    """The countries that the prefixes lead to, the main one of each calling code first."""
    return list(dict.fromkeys(code for prefix in prefixes for code in _countries_of(prefix)))


def destinations(plan: Plan) -> list[str]:
    """The names of the countries that the plan reaches, in their order."""
    return sorted((country_name(code) for code in country_codes(plan.prefixes)), key=search_key)


@cache
def _countries_of(prefix: str) -> tuple[str, ...]:
    """All countries of a calling code, the main one first; of a longer prefix the one it is in."""
    for length in range(1, min(LONGEST_CODE, len(prefix)) + 1):
        calling_code = int(prefix[:length])
        regions = phonenumbers.region_codes_for_country_code(calling_code)
        if not regions or regions[0] not in COUNTRIES:
            continue
        if length == len(prefix):
            return tuple(code for code in regions if code in COUNTRIES)
        code = _country_in(calling_code, prefix[length:], regions[0]) if regions[1:] else regions[0]
        return (code,) if code in COUNTRIES else ()
    return ()


def _country_in(calling_code: int, begun: str, main: str) -> str:
    """Where a number that is begun so leads to; the main country if that is not known."""
    example = phonenumbers.example_number(main)
    digits = phonenumbers.national_significant_number(example) if example else ""
    number = phonenumbers.PhoneNumber(
        country_code=calling_code, national_number=int(begun + digits[len(begun) :])
    )
    return phonenumbers.region_code_for_number(number) or main


def is_about(plan: Plan, wanted: str) -> bool:
    """Whether the plan's name or one of its destinations has the words."""
    key = search_key(wanted.strip())
    texts = [plan.name, *(country_name(code) for code in country_codes(plan.prefixes))]
    return any(key in search_key(text) for text in texts)
