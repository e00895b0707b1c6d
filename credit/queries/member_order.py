"""A page of very many members in the order of an amount of their purses.

Its one rule: no index has the amounts, since every call changes them; so the purses are read alone
and only the first of them meet the members.
"""

from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db.models import Exists, F, OrderBy, OuterRef, QuerySet

from credit.models import Account
from credit.queries.member_totals import StatusSums
from members.models import Company, Member
from skypemgr.lib.periods import first_of_month

# More purses than these are not tried before all are joined.
MOST_TRIED = 2_000


@dataclass(frozen=True, slots=True)
class Amount:
    """What is sorted by: the purse's column, and the conditions by which a purse has any of it;
    ``count`` of the members do.
    """

    column: str
    has_some: dict[str, Any]
    count: int


def amount_of(sort: str, sums: StatusSums, today: date) -> Amount | None:
    """The amount that the order goes by; None if it goes by something else."""
    name = sort.removeprefix("-")
    if name == "balance":
        return Amount("balance", {"balance__gt": 0}, sums.with_balance)
    if name == "spent":
        of_month = {"last_booked_on__gte": first_of_month(today), "month_spent__gt": 0}
        return Amount("month_spent", of_month, sums.with_spending)
    if name == "activity":
        return Amount("last_booked_on", {"last_booked_on__isnull": False}, sums.with_movement)
    return None


def cut_by_amount(
    company: Company,
    chosen: QuerySet[Member],
    amount: Amount,
    *,
    count: int,
    start: int,
    end: int,
    falling: bool,
    is_narrowed: bool,
) -> list[int]:
    """The ids of those from ``start`` to ``end`` among the ``count`` chosen. Who has nothing stands
    by name at the lower end. At most three queries.
    """
    with_none = count - amount.count
    first = 0 if falling else with_none
    # The places of this page among those who have some, and among those who have none.
    some = (max(start - first, 0), min(end - first, amount.count))
    none_first = amount.count if falling else 0
    none = (max(start - none_first, 0), min(end - none_first, with_none))
    found: list[int] = []
    if some[0] < some[1]:
        found = _having_some(company, chosen, amount, some, falling, is_narrowed)
    if none[0] < none[1]:
        others = _having_none(company, chosen, amount, none)
        found = [*found, *others] if falling else [*others, *found]
    return found


def _having_none(
    company: Company, chosen: QuerySet[Member], amount: Amount, part: tuple[int, int]
) -> list[int]:
    purses = Account.objects.filter(company=company, member=OuterRef("pk"), **amount.has_some)
    members = chosen.filter(~Exists(purses)).order_by("name_key", "pk")
    return list(members.values_list("pk", flat=True)[part[0] : part[1]])


def _having_some(
    company: Company,
    chosen: QuerySet[Member],
    amount: Amount,
    part: tuple[int, int],
    falling: bool,
    is_narrowed: bool,
) -> list[int]:
    """Counted from whichever end is nearer."""
    start, end = part
    is_backwards = start > amount.count // 2
    if is_backwards:
        start, end = amount.count - end, amount.count - start
    goes_down = falling is not is_backwards
    tried = end * 20 + 200 if is_narrowed else end * 2 + 100
    members = chosen.order_by(_order(f"purse__{amount.column}", goes_down), _pk(is_backwards))
    found: list[int] = []
    if tried <= MOST_TRIED:
        by_amount = (_order(amount.column, goes_down), _pk(is_backwards, "member_id"))
        purses = Account.objects.filter(
            company=company, kind=Account.Kind.MEMBER, **amount.has_some
        )
        few = members.filter(pk__in=purses.order_by(*by_amount).values("member_id")[:tried])
        found = list(few.values_list("pk", flat=True)[start:end])
    if len(found) < end - start:
        # Too many of the nearest were not among the chosen, or the page is far from both ends.
        having = {f"purse__{name}": value for name, value in amount.has_some.items()}
        all_of_them = members.filter(**having)
        found = list(all_of_them.values_list("pk", flat=True)[start:end])
    return found[::-1] if is_backwards else found


def _order(name: str, goes_down: bool) -> OrderBy:
    return F(name).desc() if goes_down else F(name).asc()


def _pk(is_backwards: bool, name: str = "pk") -> str:
    return f"-{name}" if is_backwards else name
