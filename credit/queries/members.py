"""The members table with balances.

Its one rule: a fixed number of queries, however many members; a member without a purse has 0.
"""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from django.core.paginator import Page, Paginator
from django.db.models import F, OrderBy, QuerySet

from credit.member_filters import (
    MemberFilters,
    filtered_members,
    or_zero,
    with_purses,
)
from credit.money import ZERO
from credit.queries.member_order import amount_of, cut_by_amount
from credit.queries.member_totals import (
    MANY,
    MembersTotals,
    read_totals,
    spent_this_month,
)
from members.models import Company, Member, MemberList
from members.models.people import PRESENT, Role, contact_of
from skypemgr.lib.periods import first_of_month
from skypemgr.lib.wide import wide_memory

PAGE_SIZE = 50
# What each order sorts by, then what tells two members apart.
SORTS: dict[str, tuple[str, ...]] = {
    "name": ("name_key",),
    "-name": ("-name_key",),
    "balance": ("purse_balance", "name_key"),
    "-balance": ("-purse_balance", "name_key"),
    "spent": ("month_spent", "name_key"),
    "-spent": ("-month_spent", "name_key"),
    "activity": ("last_active_on", "name_key"),
    "-activity": ("-last_active_on", "name_key"),
    "joined": ("joined_at",),
    "-joined": ("-joined_at",),
}
DEFAULT_SORT = "name"
# What a row is made from; beside the member's own what stands in four other tables.
OF_ROW = (
    *("pk", "name", "status", "role", "list_id", "list__name", "work_email", "work_phone"),
    *("user__email", "user__username", "user__phone"),
    *("purse__balance", "purse__month_spent", "purse__last_booked_on"),
    *("purse__recharge_resumes_on", "recharge_rule__is_on", "recharge_rule__threshold"),
    "recharge_rule__waiting_since",
)


@dataclass(frozen=True, slots=True)
class MemberRow:
    """One line of the table. ``spent`` is what calls took this month; ``last_active_on`` the day of
    the purse's latest movement, a call or credit received, None before the first; ``rule_state`` is
    that of ``credit.rules.RuleStatus``, empty without a rule."""

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
    last_active_on: date | None

    @property
    def can_receive(self) -> bool:
        """Whether credit can be added: the member is still in the company."""
        return self.status in PRESENT


@dataclass(frozen=True, slots=True)
class MembersPage:
    """One page of the table: its place among the pages, and its rows."""

    place: Page  # type: ignore[type-arg]
    rows: list[MemberRow]


def read_members(
    company: Company, filters: MemberFilters, *, sort: str, page: str, today: date
) -> tuple[MembersPage, MembersTotals]:
    """One page of the table, and the totals of all of it."""
    with wide_memory():
        totals = read_totals(company, filters, today=today)
        place, pks = _find_page(company, filters, totals, sort=sort, page=page, today=today)
        rows = read_rows(company, pks, today=today)
    return MembersPage(place, rows), totals


def read_lowest(
    company: Company, list_id: int | None, *, shown: int, today: date
) -> tuple[list[MemberRow], MembersTotals]:
    """So many active members of the company or a list with the lowest balances, the lowest first,
    and the totals of all who are in it. The caller gives them ``wide_memory``.
    """
    everybody = MemberFilters(list_id=list_id)
    active = MemberFilters(list_id=list_id, status=Member.Status.ACTIVE.value)
    totals = read_totals(company, everybody, today=today)
    sums = totals.of((Member.Status.ACTIVE,))
    amount = amount_of("balance", sums, today)
    chosen = filtered_members(company, active, today=today)
    if amount is None or sums.count < MANY:
        few = with_purses(company).filter(pk__in=chosen.values("pk")[:MANY])
        pks = list(ordered(few, "balance", today).values_list("pk", flat=True)[:shown])
    else:
        pks = cut_by_amount(
            company,
            chosen,
            amount,
            count=sums.count,
            start=0,
            end=min(shown, sums.count),
            falling=False,
            is_narrowed=list_id is not None,
        )
    return read_rows(company, pks, today=today), totals


def _find_page(
    company: Company,
    filters: MemberFilters,
    totals: MembersTotals,
    *,
    sort: str,
    page: str,
    today: date,
) -> tuple[Page, list[int]]:  # type: ignore[type-arg]
    amount = amount_of(sort, totals.all, today)
    if amount is None or totals.count < MANY:
        return find_page(company, filters, count=totals.count, sort=sort, page=page, today=today)
    place = place_among(totals.count, page)
    start = (place.number - 1) * PAGE_SIZE
    pks = cut_by_amount(
        company,
        filtered_members(company, filters, today=today),
        amount,
        count=totals.count,
        start=start,
        end=min(start + PAGE_SIZE, totals.count),
        falling=sort.startswith("-"),
        is_narrowed=filters.is_narrowed,
    )
    return place, pks


def find_page(
    company: Company, filters: MemberFilters, *, count: int, sort: str, page: str, today: date
) -> tuple[Page, list[int]]:  # type: ignore[type-arg]
    """A page's place among those of so many members, and who stands on it; one query."""
    place = place_among(count, page)
    chosen = filtered_members(company, filters, today=today)
    is_large = count >= MANY
    if not is_large:
        # Found first and then sorted: few are not looked for along the order of all.
        chosen = with_purses(company).filter(pk__in=chosen.values("pk")[:MANY])
    return place, cut_page(ordered(chosen, sort, today, is_large=is_large), place)


def place_among(count: int, page: str) -> Page:  # type: ignore[type-arg]
    """A page's place among those of so many lines, without counting them again."""
    paginator = Paginator(Member.objects.none(), PAGE_SIZE)
    # The paginator keeps its count once known.
    paginator.__dict__["count"] = count
    return paginator.get_page(page)


def ordered(
    members: QuerySet[Member], sort: str, today: date, *, is_large: bool = False
) -> QuerySet[Member]:
    """The members in the order; who was never active counts as the longest ago. Equal ones are in
    the order of their names, among very many in that of their ids, which needs no reading of rows.
    """
    keys = SORTS.get(sort, SORTS[DEFAULT_SORT])
    keys = (*(keys[:1] if is_large else keys), "-pk" if sort in ("-name", "-joined") else "pk")
    return members.alias(
        purse_balance=or_zero("purse__balance"),
        month_spent=spent_this_month(today),
        last_active_on=F("purse__last_booked_on"),
    ).order_by(*(_order(key) for key in keys))


def read_rows(company: Company, pks: list[int], *, today: date) -> list[MemberRow]:
    """The members' lines in the order given; one query."""
    values = with_purses(company).filter(pk__in=pks).values(*OF_ROW)
    roles = {role: str(words) for role, words in Role.choices}
    found = {each["pk"]: _row(each, roles, today) for each in values}
    return [found[pk] for pk in pks if pk in found]


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


def _order(key: str) -> OrderBy:
    field = F(key.removeprefix("-"))
    if key.startswith("-"):
        return field.desc(nulls_last=True) if key == "-last_active_on" else field.desc()
    return field.asc(nulls_first=True) if key == "last_active_on" else field.asc()


def cut_page(members: QuerySet[Any], place: Page, name: str = "pk") -> list[int]:  # type: ignore[type-arg]
    """The ids on the page, counted from whichever end is nearer; ``name`` is the column of ids."""
    count = place.paginator.count
    start = (place.number - 1) * PAGE_SIZE
    end = min(start + PAGE_SIZE, count)
    if start <= count // 2:
        return list(members.values_list(name, flat=True)[start:end])
    backwards = members.reverse().values_list(name, flat=True)[count - end : count - start]
    return list(backwards)[::-1]


def _row(of: dict[str, Any], roles: dict[str, str], today: date) -> MemberRow:
    # No purse: no balance. A purse of another month: nothing spent in this one.
    balance, last = of["purse__balance"] or ZERO, of["purse__last_booked_on"]
    spent = of["purse__month_spent"] if last and last >= first_of_month(today) else ZERO
    is_on, resumes_on = of["recharge_rule__is_on"], of["purse__recharge_resumes_on"]
    waits = of["recharge_rule__waiting_since"] is not None
    state = ""
    if is_on is not None:
        waiting = waits and balance < of["recharge_rule__threshold"]
        state = rule_state(is_on=is_on, waiting=waiting, resumes_on=resumes_on, today=today)
    sign_in = (of["user__email"], of["user__username"], str(of["user__phone"] or ""))
    return MemberRow(
        id=of["pk"],
        name=of["name"],
        contact=contact_of(of["status"], sign_in, (of["work_email"], of["work_phone"])),
        list_id=of["list_id"],
        list_name=of["list__name"] or "",
        role=roles[of["role"]],
        status=of["status"],
        balance=balance,
        rule_state=state,
        resumes_on=resumes_on,
        spent=spent,
        last_active_on=last,
    )
