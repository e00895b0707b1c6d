"""The members table with balances.

Its one rule: a fixed number of queries, however many members; a member without a purse has 0.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from django.core.paginator import Page, Paginator
from django.db.models import Count, DecimalField, F, Q, QuerySet, Sum, Value
from django.db.models.functions import Coalesce

from credit.models import Account, DailyTotal, Transfer
from members.models import Company, Member, MemberList
from skypemgr.lib.periods import first_of_month
from skypemgr.lib.text import search_key

PAGE_SIZE = 50
ZERO = Decimal(0)
PRESENT = (Member.Status.ACTIVE, Member.Status.SUSPENDED)
GONE = (Member.Status.REMOVED, Member.Status.LEFT)
STATUSES: dict[str, tuple[str, ...]] = {
    "": PRESENT,
    "active": (Member.Status.ACTIVE,),
    "suspended": (Member.Status.SUSPENDED,),
    "gone": GONE,
    "all": (*PRESENT, *GONE),
}
SORTS: dict[str, tuple[str, ...]] = {
    "name": ("name_key", "pk"),
    "-name": ("-name_key", "-pk"),
    "balance": ("purse_balance", "name_key", "pk"),
    "-balance": ("-purse_balance", "name_key", "pk"),
}
NO_LIST = "none"
_PHONE = re.compile(r"[0-9 +().\-/\u00a0]+")


@dataclass(frozen=True, slots=True)
class MemberFilters:
    """What the reader asked for; anything unknown means: no such filter."""

    search: str = ""
    list_id: int | None = None
    without_list: bool = False
    status: str = ""
    sort: str = "name"

    @classmethod
    def of(cls, values: dict[str, str]) -> "MemberFilters":
        """The filters that the query string names."""
        chosen = values.get("list", "")
        is_id = chosen.isascii() and chosen.isdigit() and len(chosen) < 19
        status, sort = values.get("status", ""), values.get("sort", "name")
        return cls(
            # The database knows no NUL in a text.
            search=values.get("q", "").replace("\0", "").strip()[:200],
            list_id=int(chosen) if is_id else None,
            without_list=chosen == NO_LIST,
            status=status if status in STATUSES else "",
            sort=sort if sort in SORTS else "name",
        )

    @property
    def is_whole(self) -> bool:
        """Whether the table shows the company or a list as a whole, to be acted on as such."""
        return not self.search and not self.without_list and self.status in ("", "active")

    @property
    def is_narrowed(self) -> bool:
        """Whether some members are left out on purpose."""
        return bool(self.search or self.list_id or self.without_list or self.status)


@dataclass(frozen=True, slots=True)
class MemberRow:
    """One line of the table. ``spent`` is what calls took this month; ``rule_state`` is that of
    ``credit.rules.RuleStatus``, empty without a rule."""

    id: int
    name: str
    contact: str
    list_id: int | None
    list_name: str
    role: str
    status: str
    balance: Decimal
    rule_state: str
    resumes_on: date | None
    spent: Decimal

    @property
    def can_receive(self) -> bool:
        """Whether credit can be added: the member is still in the company."""
        return self.status in PRESENT


@dataclass(frozen=True, slots=True)
class MembersPage:
    """One page of the table: its place among the pages, and its rows."""

    place: Page  # type: ignore[type-arg]
    rows: list[MemberRow]


@dataclass(frozen=True, slots=True)
class MembersTotals:
    """Of all members that the filters leave, on every page."""

    count: int
    balance: Decimal
    spent: Decimal


def read_members(
    company: Company, filters: MemberFilters, *, page: str, today: date
) -> tuple[MembersPage, MembersTotals]:
    """One page of the table and the totals of all of it; three queries and one for the spending."""
    chosen = _filtered(company, filters)
    totals = _totals(company, chosen, today)
    members = (
        chosen.select_related("user", "list", "recharge_rule")
        .annotate(
            purse_balance=_or_zero("accounts__balance"),
            resumes_on=F("accounts__recharge_resumes_on"),
        )
        .order_by(*SORTS[filters.sort])
    )
    paginator = Paginator(members, PAGE_SIZE)
    # The paginator keeps its count once known; the totals know it already.
    paginator.__dict__["count"] = totals.count
    found = paginator.get_page(page)
    shown = list(found.object_list)
    spent = _spent_by_member(company, [member.pk for member in shown], today)
    rows = [_row(member, spent, today) for member in shown]
    return MembersPage(found, rows), totals


def read_lists(company: Company) -> list[MemberList]:
    """The company's lists in use, by name; one query."""
    return list(
        MemberList.objects.filter(company=company, archived_at=None).order_by("name_key", "pk")
    )


def rule_state(*, is_on: bool, waiting: bool, resumes_on: date | None, today: date) -> str:
    """``off``, ``suspended`` until a day to come, ``waiting`` for company credit, or ``on``."""
    if not is_on:
        return "off"
    if resumes_on is not None and resumes_on > today:
        return "suspended"
    return "waiting" if waiting else "on"


def _filtered(company: Company, filters: MemberFilters) -> QuerySet[Member]:
    members = Member.objects.filter(company=company, status__in=STATUSES[filters.status])
    if filters.list_id is not None:
        members = members.filter(list_id=filters.list_id)
    elif filters.without_list:
        members = members.filter(list=None)
    return members.filter(_search(filters.search)) if filters.search else members


def _search(text: str) -> Q:
    """All words, in any order; or a phone number, however it is grouped."""
    found = Q()
    for word in search_key(text).split():
        found &= Q(search_text__contains=word)
    digits = re.sub(r"[^0-9]", "", text).lstrip("0")
    if len(digits) >= 4 and _PHONE.fullmatch(text):
        found |= Q(search_text__contains=digits)
    return found


def _totals(company: Company, chosen: QuerySet[Member], today: date) -> MembersTotals:
    sums = chosen.aggregate(count=Count("pk"), balance=_sum("accounts__balance"))
    spent = _calls_of_month(company, today).filter(account__member__in=chosen)
    return MembersTotals(
        count=sums["count"],
        balance=sums["balance"],
        spent=spent.aggregate(spent=_sum("outgoing"))["spent"],
    )


def _spent_by_member(company: Company, ids: Iterable[int], today: date) -> dict[int, Decimal]:
    rows = (
        _calls_of_month(company, today)
        .filter(account__member__in=list(ids))
        .values_list("account__member_id")
        .annotate(spent=Sum("outgoing"))
    )
    return {member_id: spent for member_id, spent in rows if member_id is not None}


def _calls_of_month(company: Company, today: date) -> QuerySet[DailyTotal]:
    return DailyTotal.objects.filter(
        company=company,
        day__gte=first_of_month(today),
        kind=Transfer.Kind.CALL,
        account__kind=Account.Kind.MEMBER,
    )


def _row(member: Member, spent: dict[int, Decimal], today: date) -> MemberRow:
    rule = getattr(member, "recharge_rule", None)
    resumes_on: date | None = getattr(member, "resumes_on", None)
    balance: Decimal = getattr(member, "purse_balance", ZERO)
    user = member.user
    return MemberRow(
        id=member.pk,
        name=member.name,
        contact=user.email or user.username or str(user.phone or ""),
        list_id=member.list_id,
        list_name=member.list.name if member.list else "",
        role=member.get_role_display(),
        status=member.status,
        balance=balance,
        rule_state=""
        if rule is None
        else rule_state(
            is_on=rule.is_on,
            waiting=rule.waiting_since is not None and balance < rule.threshold,
            resumes_on=resumes_on,
            today=today,
        ),
        resumes_on=resumes_on,
        spent=spent.get(member.pk, ZERO),
    )


def _or_zero(path: str) -> Coalesce:
    return Coalesce(F(path), Value(ZERO), output_field=_money())


def _sum(path: str) -> Coalesce:
    return Coalesce(Sum(path), Value(ZERO), output_field=_money())


def _money() -> "DecimalField[Decimal, Decimal]":
    return DecimalField(max_digits=18, decimal_places=4)
