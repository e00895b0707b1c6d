"""Which members are meant, told by a query string. Its one rule: what cannot be understood is said;
nothing is done for members chosen by a filter that was not understood.
"""

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from typing import TypeVar

from django.core.exceptions import ValidationError
from django.db.models import DecimalField, F, FilteredRelation, Q, QuerySet, Value
from django.db.models.functions import Coalesce
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from credit.models import Account, RechargeRule
from credit.money import ZERO
from members.models import Company, Member
from members.models.people import PRESENT, Role
from skypemgr.lib.amounts import parse_exact_amount, parse_typed_amount
from skypemgr.lib.text import search_key, typed_search

T = TypeVar("T")
GONE = (Member.Status.REMOVED, Member.Status.LEFT)
STATUSES: dict[str, tuple[str, ...]] = {
    "": PRESENT,
    "active": (Member.Status.ACTIVE,),
    "suspended": (Member.Status.SUSPENDED,),
    "removed": (Member.Status.REMOVED,),
    "left": (Member.Status.LEFT,),
    "gone": GONE,
    "all": (*PRESENT, *GONE),
}
RULE_STATES = ("on", "suspended", "waiting", "off", "none")
NO_LIST = "none"
# The parameters that narrow; ``sort`` and ``page`` only order.
PARAMETERS = ("q", "list", "role", "status", "rule", "below", "due", "joined_from", "joined_to")
MAX_ID_DIGITS = 18
FIRST_DAY, LAST_DAY = date(1970, 1, 1), date(9998, 12, 31)
_PHONE = re.compile(r"[0-9 +().\-/\u00a0]+")
_UNKNOWN = _("This filter is not known.")
_DAY_FORM = _("Write the day like this: 2026-03-31.")


@dataclass(frozen=True, slots=True)
class Narrowing:
    """What an app above leaves of the members, for reasons of its own; ``content`` tells two of
    them apart.
    """

    content: str
    members: Q = field(compare=False)


@dataclass(frozen=True, slots=True)
class MemberFilters:
    """What was asked for. ``below``: the balance is lower (company's currency); ``is_due``: it is
    lower than the level of the own rule, which runs. Days are the company's, both included.
    ``also``: what is asked for above, never read here. ``errors``: by parameter, why one that was
    given is not among the filters.
    """

    search: str = ""
    list_id: int | None = None
    without_list: bool = False
    role: str = ""
    status: str = ""
    rule: str = ""
    below: Decimal | None = None
    is_due: bool = False
    joined_from: date | None = None
    joined_to: date | None = None
    also: Narrowing | None = None
    errors: Mapping[str, str | Promise] = field(default_factory=dict, compare=False)

    @classmethod
    def of(cls, values: Mapping[str, str], *, exact: bool = False) -> "MemberFilters":
        """The filters that the query string names; ``exact``: amounts as machines write them."""
        reader = _Reader(values)
        chosen = values.get("list", "").strip()
        parse = parse_exact_amount if exact else parse_typed_amount
        found = cls(
            search=typed_search(values.get("q", "")),
            list_id=None if chosen == NO_LIST else reader.read("list", _whole),
            without_list=chosen == NO_LIST,
            role=reader.choice("role", Role.values),
            status=reader.choice("status", STATUSES),
            rule=reader.choice("rule", RULE_STATES),
            below=reader.read("below", parse),
            is_due=reader.choice("due", ("1",)) == "1",
            joined_from=reader.read("joined_from", _day),
            joined_to=reader.read("joined_to", _day),
            errors=reader.errors,
        )
        if found.joined_from and found.joined_to and found.joined_from > found.joined_to:
            reader.errors["joined_to"] = _("The last day is before the first one.")
        return found

    @property
    def is_whole(self) -> bool:
        """Whether the company or a list is meant as a whole, to be acted on as such."""
        plain = MemberFilters(list_id=self.list_id, status=self.status)
        return self == plain and self.status in ("", "active")

    @property
    def is_narrowed(self) -> bool:
        """Whether some members are left out on purpose."""
        return self != MemberFilters()

    def content(self) -> dict[str, str]:
        """The filters as plain texts, which identify them."""
        return {
            "search": self.search,
            "list": NO_LIST if self.without_list else str(self.list_id or ""),
            "role": self.role,
            "status": self.status,
            "rule": self.rule,
            "below": "" if self.below is None else f"{self.below:.4f}",
            "due": str(self.is_due),
            "joined": f"{self.joined_from} {self.joined_to}",
            **({"also": self.also.content} if self.also else {}),
        }


def filtered_members(company: Company, filters: MemberFilters, *, today: date) -> QuerySet[Member]:
    """The company's members that the filters leave; another company's list leaves nobody."""
    members = with_purses(company).filter(status__in=STATUSES[filters.status])
    if filters.list_id is not None:
        members = members.filter(list_id=filters.list_id)
    elif filters.without_list:
        members = members.filter(list=None)
    if filters.role:
        members = members.filter(role=filters.role)
    if filters.search:
        members = members.filter(searched(filters.search))
    if filters.below is not None or filters.is_due:
        members = _poor(company, members, filters)
    if filters.rule:
        members = _with_rule(company, members, filters.rule, today)
    if filters.joined_from:
        members = members.filter(joined_at__gte=company.start_of(filters.joined_from))
    if filters.joined_to:
        end = company.start_of(filters.joined_to + timedelta(days=1))
        members = members.filter(joined_at__lt=end)
    if filters.also:
        members = members.filter(filters.also.members)
    return members


def with_purses(company: Company) -> QuerySet[Member]:
    """The company's members, each with its ``purse`` if there is one; joined only where it is used.

    The company stands in the join too: without it a few members would cost a look at all purses.
    """
    purse = FilteredRelation("accounts", condition=Q(accounts__company=company))
    return Member.objects.filter(company=company).annotate(purse=purse)


def or_zero(path: str) -> Coalesce:
    """The amount at the path, 0 where there is none: no account means balance 0."""
    money: DecimalField[Decimal, Decimal] = DecimalField(max_digits=18, decimal_places=4)
    return Coalesce(F(path), Value(ZERO), output_field=money)


def searched(text: str) -> Q:
    """All words, in any order; or a phone number, however it is grouped."""
    found = Q()
    for word in search_key(text).split():
        found &= Q(search_text__contains=word)
    digits = phone_digits(text)
    if digits:
        found |= Q(search_text__contains=digits)
    return found


def phone_digits(text: str) -> str:
    """The digits of what may be a phone number or a part of one, else empty."""
    digits = re.sub(r"[^0-9]", "", text).lstrip("0")
    return digits if len(digits) >= 4 and _PHONE.fullmatch(text) else ""


def _poor(company: Company, members: QuerySet[Member], filters: MemberFilters) -> QuerySet[Member]:
    if filters.below is not None:
        members = members.alias(held=or_zero("purse__balance")).filter(held__lt=filters.below)
    if filters.is_due:
        # While a rule runs its level stands at the purse.
        due = Account.objects.filter(company=company, balance__lt=F("recharge_below"))
        members = members.filter(pk__in=due.values("member_id"))
    return members


def _with_rule(
    company: Company, members: QuerySet[Member], state: str, today: date
) -> QuerySet[Member]:
    """As ``credit.queries.members.rule_state`` says it of a member."""
    if state == "none":
        return members.filter(recharge_rule=None)
    rules = _rules(company)
    if state == "off":
        return members.filter(pk__in=rules.filter(is_on=False).values("member_id"))
    if state == "suspended":
        # Only a rule that is on leaves this day at the purse.
        purses = Account.objects.filter(company=company, recharge_resumes_on__gt=today)
        return members.filter(pk__in=purses.values("member_id"))
    rules = rules.filter(is_on=True).alias(
        held=or_zero("purse__balance"), resumes_on=F("purse__recharge_resumes_on")
    )
    running = rules.filter(Q(resumes_on=None) | Q(resumes_on__lte=today))
    waits = Q(waiting_since__isnull=False, held__lt=F("threshold"))
    running = running.filter(waits) if state == "waiting" else running.exclude(waits)
    return members.filter(pk__in=running.values("member_id"))


def _rules(company: Company) -> QuerySet[RechargeRule]:
    purse = FilteredRelation("member__accounts", condition=Q(member__accounts__company=company))
    return RechargeRule.objects.filter(company=company).annotate(purse=purse)


class _Reader:
    """Reads single parameters and keeps what is wrong with them."""

    def __init__(self, values: Mapping[str, str]) -> None:
        self.values = values
        self.errors: dict[str, str | Promise] = {}

    def choice(self, name: str, known: Collection[str]) -> str:
        value = self.values.get(name, "").strip()
        if value and value not in known:
            self.errors[name] = _UNKNOWN
            return ""
        return value

    def read(self, name: str, parse: Callable[[str], T]) -> T | None:
        text = self.values.get(name, "").strip()
        if not text:
            return None
        try:
            return parse(text)
        except ValidationError as error:
            self.errors[name] = " ".join(error.messages)
            return None


def _whole(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= MAX_ID_DIGITS):
        raise ValidationError(_UNKNOWN)
    return int(text)


def _day(text: str) -> date:
    try:
        day = date.fromisoformat(text)
    except ValueError as error:
        raise ValidationError(_DAY_FORM) from error
    if not FIRST_DAY <= day <= LAST_DAY:
        raise ValidationError(_DAY_FORM)
    return day
