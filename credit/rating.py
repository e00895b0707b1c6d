"""What a call costs. Its one rule: exact arithmetic, rounded up to 4 decimals once at the end."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, cast

import phonenumbers
from django.db.models import Q

from credit.models import Rate
from credit.money import ZERO
from members.models import Company

EVERYWHERE_EMERGENCY = "112"
LONGEST_PREFIX = 15


@dataclass(frozen=True, slots=True)
class Tariff:
    """One row of a deck. Prices per minute and per call, seconds rounded up to the increment."""

    id: int
    country: str
    kind: str
    price_per_minute: Decimal
    connection_fee: Decimal
    minimum_seconds: int
    increment_seconds: int
    valid_from: date

    def billed_seconds(self, duration_seconds: int) -> int:
        """The duration raised to the minimum, then to the next increment; 0 stays 0."""
        if duration_seconds == 0:
            return 0
        seconds = max(duration_seconds, self.minimum_seconds)
        return -(-seconds // self.increment_seconds) * self.increment_seconds

    def price(self, paid_seconds: int) -> Decimal:
        """The price of that many paid seconds with the connection fee; 0 for 0 seconds."""
        if paid_seconds == 0:
            return ZERO
        sixtieths = self.connection_fee * 60 + paid_seconds * self.price_per_minute
        return Decimal(-(-int(sixtieths.scaleb(4)) // 60)).scaleb(-4)

    @property
    def is_free(self) -> bool:
        """Whether nothing has to be paid, so that no included second is spent on it."""
        return self.price_per_minute == 0 and self.connection_fee == 0

    def longest(self, available: Decimal, most_seconds: int, *, included: int = 0) -> int:
        """For how many seconds a call may last, at most ``most_seconds``, that the included billed
        seconds and then what is available pay; 0 if not for one."""
        left = available - self.connection_fee
        if left >= 0 and self.price_per_minute == 0:
            return most_seconds
        billed = included
        if left >= 0:
            billed += int(left * 60 // self.price_per_minute)
        billed -= billed % self.increment_seconds
        return min(billed, most_seconds) if billed >= self.billed_seconds(1) else 0


def is_emergency_number(digits: str, country: str) -> bool:
    """Whether the digits are 112 or an emergency number of the country."""
    return digits == EVERYWHERE_EMERGENCY or phonenumbers.is_emergency_number(digits, country)


class RateBook:
    """The decks as far as they matter for some destinations: the company's own and the
    installation's, in the company's currency. One query.
    """

    def __init__(self, company: Company, destinations: Iterable[str]) -> None:
        prefixes = {
            digits[:length]
            for digits in destinations
            for length in range(1, min(len(digits), LONGEST_PREFIX) + 1)
        }
        self._own: dict[str, list[Tariff]] = defaultdict(list)
        self._common: dict[str, list[Tariff]] = defaultdict(list)
        rows = (
            Rate.objects.filter(
                Q(company=company) | Q(company=None),
                currency=company.currency,
                prefix__in=prefixes,
            )
            .order_by("-valid_from")
            .values_list(
                "company_id",
                "prefix",
                "id",
                "country",
                "kind",
                "price_per_minute",
                "connection_fee",
                "minimum_seconds",
                "increment_seconds",
                "valid_from",
            )
        )
        for company_id, prefix, *fields in cast("Iterable[tuple[Any, ...]]", rows):
            deck = self._common if company_id is None else self._own
            deck[prefix].append(Tariff(*fields))
        # Only lengths that some row has are looked up, the longest first.
        self._decks = [
            (deck, sorted({len(prefix) for prefix in deck}, reverse=True))
            for deck in (self._own, self._common)
        ]

    def find(self, digits: str, started_at: datetime) -> Tariff | None:
        """The row that rates a call to these digits (without ``+``): longest match in the own deck,
        else in the installation's; valid on the UTC day of the start."""
        day = started_at.astimezone(UTC).date()
        for deck, lengths in self._decks:
            for length in lengths:
                for tariff in deck.get(digits[:length], ()):
                    if tariff.valid_from <= day:
                        return tariff
        return None
