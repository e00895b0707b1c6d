"""Members as the dashboard shows them, and how far a new company has come.

Its one rule: a member without a purse has a balance of 0.
"""

from dataclasses import dataclass
from decimal import Decimal

from django.db.models import DecimalField, Exists, F, OuterRef, Value
from django.db.models.functions import Coalesce

from credit.models import Account, RechargeRule
from members.models import Company, Invitation, Member
from members.models.people import Role


@dataclass(frozen=True)
class LowMember:
    """A member whose balance is among the lowest; whether a rule refills it."""

    id: int
    name: str
    list: str
    balance: Decimal
    has_rule: bool


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


def read_lowest(company: Company, limit: int) -> list[LowMember]:
    """The active members with the lowest balances, lowest first; one query."""
    rule = RechargeRule.objects.filter(member=OuterRef("pk"), is_on=True)
    rows = (
        Member.objects.filter(company=company, status=Member.Status.ACTIVE)
        .annotate(
            purse_balance=Coalesce(
                F("accounts__balance"),
                Value(Decimal(0)),
                output_field=DecimalField(max_digits=18, decimal_places=4),
            ),
            has_rule=Exists(rule),
        )
        .order_by("purse_balance", "name_key", "pk")
        .values_list("pk", "name", "list__name", "purse_balance", "has_rule")
    )
    return [
        LowMember(id=pk, name=name, list=list_name or "", balance=balance, has_rule=has_rule)
        for pk, name, list_name, balance, has_rule in rows[:limit]
    ]


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
            is_credited=Exists(purses.filter(kind=Account.Kind.COMPANY)),
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
