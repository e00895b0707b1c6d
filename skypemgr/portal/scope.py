"""Whose figures are meant: the whole company's, those of one list, or one member's. Its one rule:
the fetch starts at the company; who was removed and lists put away are still found.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlencode

from django.utils.translation import gettext as _

from members.models import Company, Member, MemberList
from skypemgr.lib.errors import NotFound
from skypemgr.portal.reports.base import InvalidFilter

LONGEST_ID = 18


@dataclass(frozen=True, slots=True)
class Scope:
    """At most one of list and member is chosen."""

    company: Company
    list: MemberList | None = None
    member: Member | None = None

    @property
    def is_company(self) -> bool:
        """Whether the whole company is meant."""
        return self.list is None and self.member is None

    @property
    def list_id(self) -> int | None:
        """The chosen list."""
        return self.list.pk if self.list else None

    @property
    def member_id(self) -> int | None:
        """The chosen member."""
        return self.member.pk if self.member else None

    @property
    def name(self) -> str:
        """The list's or the member's name; empty for the whole company."""
        chosen = self.list or self.member
        return chosen.name if chosen else ""

    @property
    def parameters(self) -> dict[str, str]:
        """How it is written in an address."""
        named = {"list": self.list_id, "member": self.member_id}
        return {name: str(pk) for name, pk in named.items() if pk is not None}

    @property
    def query(self) -> str:
        """Its parameters, joined for an address."""
        return urlencode(self.parameters)


def read_scope(company: Company, wanted: Mapping[str, str]) -> Scope:
    """What ``list=`` or ``member=`` names; the company without both.

    Raises InvalidFilter (422) for what is no number or for both at once, NotFound (404) for what
    the company does not have. One query at most.
    """
    list_id, member_id = read_id(wanted, "list"), read_id(wanted, "member")
    if list_id is not None and member_id is not None:
        raise InvalidFilter(_("Choose a list or a member, not both."), field="member")
    if list_id is not None:
        found = MemberList.objects.filter(company=company, pk=list_id).first()
        if found is None:
            raise NotFound(_("There is no such list in your company."), field="list")
        return Scope(company, list=found)
    if member_id is not None:
        return Scope(company, member=find_person(company, member_id))
    return Scope(company)


def find_person(company: Company, pk: int) -> Member:
    """The company's member, removed ones too; NotFound for another. One query."""
    member = (
        Member.objects.select_related("company", "user", "list")
        .filter(company=company, pk=pk)
        .first()
    )
    if member is None:
        raise NotFound(_("There is no such member in your company."), field="member")
    return member


def read_id(wanted: Mapping[str, str], name: str) -> int | None:
    """The number that the parameter holds, None without it; InvalidFilter for anything else."""
    text = wanted.get(name, "").strip()
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and len(text) <= LONGEST_ID):
        raise InvalidFilter(_("Give its number."), field=name)
    return int(text)
