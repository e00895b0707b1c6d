"""Members as the dashboard shows them, and how far a new company has come.

Its one rule: a member without a purse has a balance of 0.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from django.db.models import Exists, OuterRef

from credit.member_filters import searched
from credit.models import Account
from credit.queries.members import read_lowest
from members.models import Company, Invitation, Member, MemberList
from members.models.people import Role
from skypemgr.lib.text import typed_search
from skypemgr.portal.scope import Scope

NO_RULE = ("", "off")
FOUND_SHOWN = 8


@dataclass(frozen=True)
class LowMember:
    """A member whose balance is among the lowest; whether a rule refills it."""

    id: int
    name: str
    list: str
    balance: Decimal
    has_rule: bool


@dataclass(frozen=True)
class People:
    """How many are in the company or the list, what their purses hold together, how many of the
    active ones have nothing, and who has least.
    """

    count: int
    balance: Decimal
    without_credit: int
    lowest: Sequence[LowMember] = ()


@dataclass(frozen=True)
class Progress:
    """Which of the first three steps a company has done."""

    invited: bool
    credited: bool
    allocated: bool

    @property
    def is_done(self) -> bool:
        """Whether all three are."""
        return self.invited and self.credited and self.allocated


def read_people(scope: Scope, today: date, shown: int) -> People:
    """Who is in the company or the list, and the active members with the lowest balances. A fixed
    number of queries; of many members the sums may be half a minute old (``read_totals``).
    """
    rows, totals = read_lowest(scope.company, scope.list_id, shown=shown, today=today)
    active = totals.of((Member.Status.ACTIVE,))
    return People(
        count=totals.present_count,
        balance=totals.balance,
        without_credit=active.count - active.with_balance,
        lowest=[
            LowMember(row.id, row.name, row.list_name, row.balance, row.rule_state not in NO_RULE)
            for row in rows
        ],
    )


def read_progress(company: Company) -> Progress:
    """How far the company has come; one query."""
    others = Member.objects.filter(company=OuterRef("pk")).exclude(role=Role.ADMINISTRATOR)
    invitations = Invitation.objects.filter(company=OuterRef("pk"))
    purses = Account.objects.filter(company=OuterRef("pk"), version__gt=0)
    found = (
        Company.objects.filter(pk=company.pk)
        .annotate(
            has_others=Exists(others),
            has_invitations=Exists(invitations),
            is_credited=Exists(purses.filter(kind=Account.Kind.COMPANY, member=None)),
            has_allocated=Exists(purses.filter(kind=Account.Kind.MEMBER)),
        )
        .values_list("has_others", "has_invitations", "is_credited", "has_allocated")
        .get()
    )
    return Progress(
        invited=bool(found[0] or found[1]), credited=bool(found[2]), allocated=bool(found[3])
    )


def read_administrators(company: Company) -> list[str]:
    """The names of the active administrators, sorted; one query."""
    return list(
        Member.objects.filter(company=company, role=Role.ADMINISTRATOR, status=Member.Status.ACTIVE)
        .order_by("name_key", "pk")
        .values_list("name", flat=True)
    )


def find_people(company: Company, text: str) -> list[Member]:
    """Members by parts of name, address or number, those who are gone too; the first few by name.
    One query, none for an empty text.
    """
    wanted = typed_search(text)
    if not wanted:
        return []
    members = Member.objects.filter(searched(wanted), company=company).select_related("list")
    return list(members.order_by("name_key", "pk")[:FOUND_SHOWN])


def read_lists(company: Company) -> list[tuple[int, str]]:
    """The lists that are in use, by name; one query."""
    return list(
        MemberList.objects.filter(company=company, archived_at=None)
        .order_by("name_key")
        .values_list("pk", "name")
    )
