"""The company's lists with balances.

Its one rule: four queries, however many lists; a list's spending is that of its present members.
"""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from django.db.models import Count, Q, Sum

from credit.models import Account, DailyTotal, Transfer
from members.models import Company, Member, MemberList
from members.models.people import PRESENT
from skypemgr.lib.periods import first_of_month

ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class ListRow:
    """One list; ``id`` None and no name for those who are in none. ``active_count`` is who an
    allocation to the list reaches.
    """

    id: int | None
    name: str
    members_count: int
    active_count: int
    balance: Decimal
    spent: Decimal


@dataclass(frozen=True, slots=True)
class ListsTable:
    """The lists in use by name, those in no list, and the sums of all."""

    rows: list[ListRow]
    without: ListRow
    total: ListRow


def read_lists_table(company: Company, *, today: date) -> ListsTable:
    """Every list in use with its present members' number, balance and calls of the month."""
    lists = MemberList.objects.filter(company=company, archived_at=None)
    names = list(lists.order_by("name_key", "pk").values_list("pk", "name"))
    present = Member.objects.filter(company=company, status__in=PRESENT).order_by()
    counts = {
        pk: (members, active)
        for pk, members, active in present.values_list("list_id").annotate(
            members=Count("pk"), active=Count("pk", filter=Q(status=Member.Status.ACTIVE))
        )
    }
    held = dict(
        Account.objects.filter(company=company, member__status__in=PRESENT)
        .order_by()
        .values_list("member__list_id")
        .annotate(total=Sum("balance"))
    )
    spent = dict(
        DailyTotal.objects.filter(
            company=company,
            day__gte=first_of_month(today),
            kind=Transfer.Kind.CALL,
            account__kind=Account.Kind.MEMBER,
            account__member__status__in=PRESENT,
        )
        .order_by()
        .values_list("account__member__list_id")
        .annotate(total=Sum("outgoing"))
    )

    def row(pk: int | None, name: str) -> ListRow:
        members, active = counts.get(pk, (0, 0))
        return ListRow(pk, name, members, active, held.get(pk, ZERO), spent.get(pk, ZERO))

    rows = [row(pk, name) for pk, name in names]
    without = row(None, "")
    return ListsTable(rows, without, _total([*rows, without]))


def _total(rows: list[ListRow]) -> ListRow:
    return ListRow(
        None,
        "",
        sum(row.members_count for row in rows),
        sum(row.active_count for row in rows),
        sum((row.balance for row in rows), ZERO),
        sum((row.spent for row in rows), ZERO),
    )
