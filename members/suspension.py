"""A member's status. Its one rule: a company always has an active administrator."""

from django.db import connection
from django.utils.translation import gettext_lazy as _

from members.access import find_member
from members.actors import Actor
from members.errors import MemberGone
from members.models import Member
from members.roles import require_another_administrator


def change_status(*, actor: Actor, member_id: int, status: str) -> tuple[Member, bool]:
    """Inside the verb's transaction: the member, locked, is *active* or *suspended*; whether that
    is new. Nothing else changes: ``credit.standing`` owns the verbs.

    Raises NotAllowed, NotFound, MemberGone, LastAdministrator.
    """
    actor.require_administrator()
    if not connection.in_atomic_block:
        raise AssertionError("a status changes inside the transaction of its verb")
    find_member(actor, member_id)
    member = (
        Member.objects.select_for_update(no_key=True, of=("self",))
        .select_related("company", "user", "list")
        .get(pk=member_id)
    )
    if not member.is_present:
        raise MemberGone(_("%(name)s is no longer in the company.") % {"name": member.name})
    if member.status == status:
        return member, False
    if status == Member.Status.SUSPENDED and member.is_administrator:
        require_another_administrator(member)
    member.status = status
    member.save(update_fields=["status"])
    return member, True
