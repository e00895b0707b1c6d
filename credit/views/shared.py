"""What the pages of credit have in common: who was chosen, and why nothing can be added."""

from dataclasses import dataclass

from django.http import QueryDict
from django.utils.translation import gettext as _

from credit.allocation import Recipients
from credit.errors import CompanyNotActive
from credit.money import require_active
from members.access import find_list
from members.actors import Actor
from members.models import Company, Member, MemberList
from skypemgr.lib.errors import NotFound

SHOWN_MEMBERS = 50
MAX_ID_DIGITS = 18


@dataclass(frozen=True, slots=True)
class Choice:
    """Who was chosen by the address of the page."""

    recipients: Recipients
    list: MemberList | None = None

    def content(self) -> dict[str, object]:
        """What identifies the choice, for a form's key."""
        return {
            "members": sorted(set(self.recipients.member_ids)),
            "list": self.recipients.list_id,
            "all": self.recipients.all_members,
        }


def read_choice(actor: Actor, values: QueryDict) -> Choice:
    """Who is named by ``member=…``, ``list=…`` or ``all=1``; NotFound for another company's."""
    if values.get("all") == "1":
        return Choice(Recipients(all_members=True))
    chosen = values.get("list")
    if chosen:
        found = find_list(actor, _whole(chosen))
        return Choice(Recipients(list_id=found.pk), found)
    ids = tuple(dict.fromkeys(_whole(text) for text in values.getlist("member")))
    known = Member.objects.filter(company=actor.company, pk__in=ids).count()
    if known < len(ids):
        raise NotFound(_("There is no such member in your company."), code="unknown_member")
    return Choice(Recipients(member_ids=ids))


def _whole(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= MAX_ID_DIGITS):
        raise NotFound(_("There is no such member in your company."), code="unknown_member")
    return int(text)


def why_nothing_can_be_added(company: Company, member: Member | None = None) -> str:
    """The sentence that stands in place of a form; empty when credit can be added."""
    try:
        require_active(company)
    except CompanyNotActive as error:
        return str(error)
    if member is not None and not member.is_present:
        return _("%(name)s is no longer in the company: nothing is added any more.") % {
            "name": member.name
        }
    return ""
