"""Numbers that calls may be forwarded to. Its one rule: no call goes in a circle, to a number that
costs the caller, or where nobody could pay for it.
"""

import re
from collections.abc import Collection, Sequence
from datetime import datetime

import phonenumbers
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from billing.errors import SettingsRefused
from billing.features.phone_feed import reached_members
from billing.features.phones import Target
from billing.models import MOST_SECONDS, MOST_TARGETS, PhoneNumber, Subscription
from credit.rating import RateBook, is_emergency_number
from members.addresses import parse_phone
from members.models import Member

E164 = re.compile(r"\+[1-9][0-9]{6,14}")
BETWEEN = re.compile(r"[\s().\-/]+")
DIGITS = re.compile(r"\+?[0-9]+")
LONGEST = 40
MALFORMED = _("Enter a valid phone number with its country code, such as +33 1 23 45 67 89.")
COSTLY = (phonenumbers.PhoneNumberType.PREMIUM_RATE, phonenumbers.PhoneNumberType.SHARED_COST)


def read_targets(member: Member, targets: Sequence[Target], *, now: datetime) -> tuple[Target, ...]:
    """The targets with their numbers as E.164, in order.

    Inside the transaction that holds the company's stamp. A refusal names its field, such as
    ``targets.0.number``: SettingsRefused with ``too_many_targets``, ``invalid_delay``,
    ``malformed_number``, ``emergency_number``, ``premium_number``, ``duplicate_number``,
    ``own_number``, ``number_not_in_use``, ``no_rate``, ``forwarding_loop``.
    """
    if len(targets) > MOST_TARGETS:
        raise SettingsRefused(
            _("Choose at most three numbers."), field="targets", code="too_many_targets"
        )
    for place, each in enumerate(targets):
        if not 0 <= each.delay_seconds <= MOST_SECONDS:
            raise SettingsRefused(
                _("Write a number of seconds from 0 to 120."),
                field=f"targets.{place}.delay_seconds",
                code="invalid_delay",
            )
    country = member.company.country
    numbers = [_read(each.number, country, place) for place, each in enumerate(targets)]
    stock = dict(PhoneNumber.objects.filter(e164__in=numbers).values_list("e164", "state"))
    holders = _holders(member, stock)
    for place, number in enumerate(numbers):
        _check_plan(number, place, is_in_stock=number in stock)
        if number in numbers[:place]:
            raise _refused(place, "duplicate_number", _("This number is there already."))
        if holders.get(number) == member.pk:
            raise _refused(
                place, "own_number", _("Calls cannot be forwarded to a number of the same member.")
            )
        if stock.get(number, PhoneNumber.State.ASSIGNED) != PhoneNumber.State.ASSIGNED:
            raise _refused(
                place, "number_not_in_use", _("Nobody has this number. Choose another one.")
            )
    _require_rates(member, numbers, now)
    _require_no_circle(member, numbers, holders)
    return tuple(
        Target(number, each.delay_seconds) for number, each in zip(numbers, targets, strict=True)
    )


def _read(text: str, country: str, place: int) -> str:
    """The number as E.164, national forms read in the country; not checked yet."""
    digits = BETWEEN.sub("", text[:LONGEST])
    if is_emergency_number(digits.removeprefix("+"), country):
        raise _refused(
            place, "emergency_number", _("Calls cannot be forwarded to an emergency number.")
        )
    number = parse_phone(digits, country) or digits if DIGITS.fullmatch(digits) else ""
    if not E164.fullmatch(number):
        raise _refused(place, "malformed_number", MALFORMED)
    return number


def _check_plan(number: str, place: int, *, is_in_stock: bool) -> None:
    """A number in stock is one, whatever the numbering plan says of it."""
    if is_in_stock:
        return
    if parse_phone(number) is None:
        raise _refused(place, "malformed_number", MALFORMED)
    if phonenumbers.number_type(phonenumbers.parse(number)) in COSTLY:
        raise _refused(
            place,
            "premium_number",
            _("Calls cannot be forwarded to a premium-rate or shared-cost number."),
        )


def _holders(member: Member, numbers: Collection[str]) -> dict[str, int]:
    """Which members of the company have these numbers."""
    found = Subscription.objects.filter(
        company=member.company_id, number__e164__in=numbers, status__in=Subscription.OPEN
    )
    return dict(found.values_list("number__e164", "member_id"))


def _require_rates(member: Member, numbers: Sequence[str], now: datetime) -> None:
    book = RateBook(member.company, {number[1:] for number in numbers})
    for place, number in enumerate(numbers):
        if book.find(number[1:], now) is None:
            raise _refused(
                place, "no_rate", _("There is no price for calls to this number. Choose another.")
            )


def _require_no_circle(member: Member, numbers: Sequence[str], holders: dict[str, int]) -> None:
    colleagues = {holders[number] for number in numbers if number in holders}
    if not colleagues or not reached_members(colleagues, [member.pk]):
        return
    for place, number in enumerate(numbers):
        if number in holders and reached_members([holders[number]], [member.pk]):
            raise _refused(
                place,
                "forwarding_loop",
                _("Calls would go in a circle: whoever has this number forwards calls back."),
            )


def _refused(place: int, code: str, sentence: str | Promise) -> SettingsRefused:
    return SettingsRefused(sentence, field=f"targets.{place}.number", code=code)
