"""Which countries a plan's prefixes reach. Its one rule: a prefix is named by the countries whose
calling code it begins with.
"""

from collections.abc import Iterable

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
    found: dict[str, None] = {}
    for prefix in prefixes:
        for length in range(1, LONGEST_CODE + 1):
            regions = phonenumbers.region_codes_for_country_code(int(prefix[:length] or 0))
            if regions and regions[0] in COUNTRIES:
                found |= dict.fromkeys(code for code in regions if code in COUNTRIES)
                break
    return list(found)


def destinations(plan: Plan) -> list[str]:
    """The names of the countries that the plan reaches, in their order."""
    return sorted((country_name(code) for code in country_codes(plan.prefixes)), key=search_key)


def is_about(plan: Plan, wanted: str) -> bool:
    """Whether the plan's name or one of its destinations has the words."""
    key = search_key(wanted.strip())
    texts = [plan.name, *(country_name(code) for code in country_codes(plan.prefixes))]
    return any(key in search_key(text) for text in texts)
