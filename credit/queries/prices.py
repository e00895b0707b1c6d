"""What a call would cost now. Its one rule: the answer is what ``credit.rating`` would charge."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.utils.translation import gettext_lazy as _

from credit.errors import CreditError
from credit.models import Allowance, Rate
from credit.rating import RateBook, Tariff, is_emergency_number
from members.addresses import normal_phone
from members.models import Company, Member
from skypemgr.lib.periods import utc_now
from skypemgr.lib.phones import readable_number

EXAMPLE_MINUTES = (1, 5, 30)


class NoRate(CreditError):
    """There is no price for this number: such a call is refused."""

    code = "no_rate"
    status = 404


@dataclass(frozen=True, slots=True)
class Price:
    """What a call to ``number`` costs. ``tariff`` is None for an emergency number, which is free;
    ``is_own``: the company's own price, not the general one. ``included_seconds`` are free of
    charge for the member as long as they last.
    """

    number: str
    tariff: Tariff | None
    is_own: bool
    included_seconds: int

    @property
    def readable(self) -> str:
        """The number in its international form."""
        return readable_number(self.number) if self.number.startswith("+") else self.number

    @property
    def kind_label(self) -> str:
        """The kind of number in the reader's language; empty for an emergency."""
        kind = self.tariff.kind if self.tariff else ""
        return str(Rate.Kind(kind).label) if kind in Rate.Kind.values else kind

    @property
    def examples(self) -> list[tuple[int, Decimal]]:
        """What some whole minutes cost, included minutes apart."""
        if self.tariff is None:
            return []
        tariff = self.tariff
        return [
            (minutes, tariff.price(tariff.billed_seconds(minutes * 60)))
            for minutes in EXAMPLE_MINUTES
        ]


def find_price(
    company: Company, number: str, *, member: Member | None = None, now: datetime | None = None
) -> Price:
    """The price of a call to the number as somebody typed it, national ones of the company's
    country, for the member if one is named. At most three queries.

    Raises InvalidField (422) for what is no number, NoRate (404) for one without a price.
    """
    at = now or utc_now()
    plain = "".join(number.split())
    if plain.isascii() and plain.isdigit() and is_emergency_number(plain, company.country):
        return Price(plain, None, False, 0)
    e164 = normal_phone(number, company.country, field="number")
    tariff = RateBook(company, (e164[1:],)).find(e164[1:], at)
    if tariff is None:
        raise NoRate(_("There is no price for this number; it cannot be called."), field="number")
    is_own = Rate.objects.filter(pk=tariff.id, company=company).exists()
    return Price(e164, tariff, is_own, _included(member, e164[1:], at))


def _included(member: Member | None, digits: str, at: datetime) -> int:
    if member is None:
        return 0
    usable = Allowance.objects.filter(
        company=member.company_id,
        member=member,
        starts_at__lte=at,
        ends_at__gt=at,
        seconds_left__gt=0,
    )
    return sum(each.seconds_free for each in usable if digits.startswith(tuple(each.prefixes)))
