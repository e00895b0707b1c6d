"""Members' status. Its one rule: a company always has an active administrator; a status changes
for a whole set at once, inside the transaction of its verb.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db import connection
from django.utils.translation import gettext_lazy as _

from members.actors import Actor
from members.errors import InvalidField
from members.models import Member
from members.models.people import PRESENT, Role
from members.roles import require_administrator_besides

Status = Member.Status
# From which status each other is reached.
BEFORE: dict[str, tuple[str, ...]] = {
    Status.ACTIVE: (Status.SUSPENDED,),
    Status.SUSPENDED: (Status.ACTIVE,),
    Status.REMOVED: PRESENT,
    Status.LEFT: PRESENT,
}


@dataclass(frozen=True, slots=True)
class StatusChange:
    """``changed`` have the status now; ``unchanged`` had it before or are gone, as they are."""

    changed: list[Member]
    unchanged: list[Member]

    @property
    def changed_ids(self) -> list[int]:
        """Whose status is new."""
        return [member.pk for member in self.changed]


def change_status(
    *, actor: Actor, member_ids: Iterable[int], status: str, now: datetime
) -> StatusChange:
    """The members of the actor's company, locked in order of id, have the status; who is gone
    stays so. As many statements for one as for a thousand. Nothing else changes: the verbs of
    ``credit.standing`` and ``billing.leaving`` own the rest, and ask who may.

    Raises InvalidField (``unknown_member``), LastAdministrator.
    """
    if not connection.in_atomic_block:
        raise AssertionError("a status changes inside the transaction of its verb")
    wanted = set(member_ids)
    members = list(
        Member.objects.select_for_update(no_key=True, of=("self",))
        .select_related("company", "user", "list")
        .filter(company=actor.company, pk__in=wanted)
        .order_by("pk")
    )
    unknown = sorted(wanted - {member.pk for member in members})
    if unknown:
        raise InvalidField(
            _("There is no member %(id)s in your company.") % {"id": unknown[0]},
            field="members",
            code="unknown_member",
        )
    changed = [member for member in members if member.status in BEFORE[status]]
    if status != Status.ACTIVE:
        _require_somebody_left(actor, changed)
    ended_at = now if status not in PRESENT else None
    Member.objects.filter(pk__in=[member.pk for member in changed]).update(
        status=status, ended_at=ended_at
    )
    for member in changed:
        member.status, member.ended_at = status, ended_at
    changed_ids = {member.pk for member in changed}
    return StatusChange(changed, [member for member in members if member.pk not in changed_ids])


def _require_somebody_left(actor: Actor, members: list[Member]) -> None:
    stepping_down = [
        member.pk
        for member in members
        if member.role == Role.ADMINISTRATOR and member.status == Status.ACTIVE
    ]
    if stepping_down:
        require_administrator_besides(actor.company.pk, stepping_down)
