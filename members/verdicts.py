"""What becomes of each address or name that somebody wants to invite.

Its one rule: a verdict tells about the own company only; who has a place elsewhere is never said.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from email.utils import parseaddr

from allauth.account.models import EmailAddress
from django.db import models
from django.utils.translation import gettext_lazy as _

from members.addresses import normal_email, normal_phone, normal_username
from members.models import Company, Invitation, Member, User
from members.models.people import PRESENT
from skypemgr.lib.errors import ProductError
from skypemgr.lib.periods import utc_now
from skypemgr.lib.text import plain_line

MAX_ENTRIES = 500
_SEPARATORS = re.compile(r"[\n\r,;]+")
Way = Invitation.Way


class VerdictCode(models.TextChoices):
    """Whether an entry can be invited, or why not."""

    OK = "ok", _("Will be invited")
    MALFORMED_EMAIL = "malformed_email", _("Not an e-mail address")
    MALFORMED_USERNAME = "malformed_username", _("Not a user name")
    MALFORMED_PHONE = "malformed_phone", _("Not a phone number")
    TWICE = "twice", _("Entered twice")
    ALREADY_MEMBER = "already_member", _("Already a member")
    ALREADY_INVITED = "already_invited", _("Already invited")
    UNKNOWN_USERNAME = "unknown_username", _("No such user name")


_MALFORMED = {
    Way.EMAIL: VerdictCode.MALFORMED_EMAIL,
    Way.USERNAME: VerdictCode.MALFORMED_USERNAME,
    Way.PHONE: VerdictCode.MALFORMED_PHONE,
}


@dataclass(frozen=True)
class Verdict:
    """One entry as typed, its normal form, the name beside it if any, and what becomes of it."""

    entry: str
    address: str
    code: VerdictCode
    name: str = ""

    @property
    def is_ok(self) -> bool:
        """Whether an invitation will be sent."""
        return self.code == VerdictCode.OK


def split_entries(text: str) -> list[str]:
    """What stands between line ends, commas and semicolons, without blanks and empty parts."""
    return [part.strip() for part in _SEPARATORS.split(text) if part.strip()]


def judge_entries(
    *, company: Company, way: str, entries: Iterable[str], now: datetime | None = None
) -> list[Verdict]:
    """One verdict per entry, in their order; the number of queries does not depend on theirs."""
    parsed = [(entry, *_normal(way, entry, company.country)) for entry in entries]
    addresses = {address for _entry, address, _name in parsed if address}
    members = _member_addresses(company, way, addresses)
    invited = set(
        Invitation.objects.filter(
            company=company,
            way=way,
            address__in=addresses,
            status=Invitation.Status.PENDING,
            expires_at__gt=now or utc_now(),
        ).values_list("address", flat=True)
    )
    known = (
        set(User.objects.filter(username__in=addresses).values_list("username", flat=True))
        if way == Way.USERNAME
        else addresses
    )
    verdicts: list[Verdict] = []
    seen: set[str] = set()
    for entry, address, name in parsed:
        if not address:
            code = _MALFORMED[Way(way)]
        elif address in seen:
            code = VerdictCode.TWICE
        elif address in members:
            code = VerdictCode.ALREADY_MEMBER
        elif address in invited:
            code = VerdictCode.ALREADY_INVITED
        elif address not in known:
            code = VerdictCode.UNKNOWN_USERNAME
        else:
            code = VerdictCode.OK
        seen.add(address)
        verdicts.append(Verdict(entry=entry, address=address, code=code, name=name))
    return verdicts


def _normal(way: str, entry: str, country: str) -> tuple[str, str]:
    # Mail programs copy addresses as: Jeanne Petit <jeanne@example.com>
    name, address = parseaddr(entry) if way == Way.EMAIL and "<" in entry else ("", entry)
    try:
        if way == Way.USERNAME:
            return normal_username(address), ""
        if way == Way.PHONE:
            return normal_phone(address, country), ""
        return normal_email(address), plain_line(name)[:150]
    except ProductError:
        return "", ""


def _member_addresses(company: Company, way: str, addresses: set[str]) -> set[str]:
    present = Member.objects.filter(company=company, status__in=PRESENT)
    if way == Way.USERNAME:
        names = present.filter(user__username__in=addresses)
        return {name for name in names.values_list("user__username", flat=True) if name}
    if way == Way.PHONE:
        phones = present.filter(user__phone__in=addresses, user__phone_verified=True)
        return {str(phone) for phone in phones.values_list("user__phone", flat=True)}
    users = present.values("user")
    proven = EmailAddress.objects.filter(user__in=users, email__in=addresses)
    main = User.objects.filter(pk__in=users, email__in=addresses)
    return {*proven.values_list("email", flat=True), *main.values_list("email", flat=True)}
