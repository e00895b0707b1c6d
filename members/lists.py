"""Lists of members. Its one rule: a name is used once among a company's lists in use.

A list is archived, never deleted: reports of days gone by keep it. Whoever is still in it is then
in no list; an invitation into it still counts and leads into no list.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from members.access import find_list
from members.actors import Actor
from members.audit import record
from members.errors import DuplicateList, InvalidField
from members.models import Member, MemberList
from members.models.people import PRESENT
from members.placement import note_placements
from skypemgr.lib.errors import NotFound
from skypemgr.lib.periods import utc_now
from skypemgr.lib.text import plain_line, search_key

MAX_LIST_NAME_LENGTH = 80
_TAKEN = _("Your company already has a list of that name.")


@dataclass(frozen=True)
class Moved:
    """Which members changed their list, and how many were in it before."""

    member_ids: tuple[int, ...]
    unchanged_count: int

    @property
    def count(self) -> int:
        """How many changed their list."""
        return len(self.member_ids)


def create_list(*, actor: Actor, name: str) -> MemberList:
    """The company has a new, empty list; DuplicateList if it has one of that name already."""
    actor.require_administrator()
    name = normal_list_name(name)
    try:
        with transaction.atomic():
            member_list = MemberList.objects.create(
                company=actor.company, name=name, name_key=search_key(name)
            )
            record(actor, "create_list", subject=f"list:{member_list.pk}", name=name)
    except IntegrityError as error:
        if "list_name_unique" not in str(error):
            raise
        raise DuplicateList(_TAKEN, field="name") from error
    return member_list


def rename_list(*, actor: Actor, list_id: int, name: str) -> MemberList:
    """The list in use has the name; NotFound, DuplicateList or InvalidField."""
    actor.require_administrator()
    name = normal_list_name(name)
    try:
        with transaction.atomic():
            member_list = _lock_list(actor, list_id)
            before = member_list.name
            if before == name:
                return member_list
            member_list.name, member_list.name_key = name, search_key(name)
            member_list.save(update_fields=["name", "name_key"])
            subject = f"list:{member_list.pk}"
            record(actor, "rename_list", subject=subject, name=name, before=before)
    except IntegrityError as error:
        if "list_name_unique" not in str(error):
            raise
        raise DuplicateList(_TAKEN, field="name") from error
    return member_list


def archive_list(*, actor: Actor, list_id: int, now: datetime | None = None) -> Moved:
    """The list is no longer in use, its name free; its present members are in no list."""
    actor.require_administrator()
    with transaction.atomic():
        member_list = _lock_list(actor, list_id)
        moved = _move(list(_lock_members(actor).filter(list=member_list).order_by("pk")), None, now)
        member_list.archived_at = now or utc_now()
        member_list.save(update_fields=["archived_at"])
        record(
            actor,
            "archive_list",
            subject=f"list:{member_list.pk}",
            about=moved.member_ids,
            members=moved.count,
        )
    return moved


def move_members(
    *,
    actor: Actor,
    member_ids: Iterable[int],
    list_id: int | None,
    now: datetime | None = None,
) -> Moved:
    """The members are in the list, or in none; all or nothing.

    Raises NotFound for a list not in use or a member who is not, or no longer, in the company.
    """
    actor.require_administrator()
    wanted = set(member_ids)
    with transaction.atomic():
        member_list = find_list(actor, list_id) if list_id is not None else None
        members = list(_lock_members(actor).filter(pk__in=wanted).order_by("pk"))
        if len(members) < len(wanted):
            raise NotFound(_("There is no such member in your company."), code="unknown_member")
        moved = _move(members, member_list, now)
        if moved.count:
            record(actor, "move_members", about=moved.member_ids, list=list_id, members=moved.count)
    return moved


def normal_list_name(text: str) -> str:
    """The name with single blanks; InvalidField if it is empty or too long."""
    name = plain_line(text)
    if not name or len(name) > MAX_LIST_NAME_LENGTH:
        raise InvalidField(_("Give the list a name of at most 80 characters."), field="name")
    return name


def _lock_list(actor: Actor, list_id: int) -> MemberList:
    found = (
        MemberList.objects.select_for_update(no_key=True)
        .filter(company=actor.company, pk=list_id, archived_at=None)
        .first()
    )
    if found is None:
        raise NotFound(_("There is no such list in your company."), code="unknown_list")
    return found


def _lock_members(actor: Actor) -> QuerySet[Member]:
    return (
        Member.objects.select_for_update(no_key=True, of=("self",))
        .select_related("company")
        .filter(company=actor.company, status__in=PRESENT)
    )


def _move(members: list[Member], member_list: MemberList | None, now: datetime | None) -> Moved:
    target = member_list.pk if member_list else None
    moving = [member for member in members if member.list_id != target]
    Member.objects.filter(pk__in=[member.pk for member in moving]).update(list=member_list)
    for member in moving:
        member.list = member_list
    note_placements(moving, now=now)
    return Moved(tuple(member.pk for member in moving), len(members) - len(moving))
