"""What is known about a member. Its one rule: nobody but the person changes a sign-in address."""

from datetime import datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext_lazy as _

from members.actors import Actor
from members.addresses import normal_email
from members.audit import record
from members.errors import InvalidField
from members.joining import normal_name
from members.models import Member, MemberList, User
from members.models.people import PRESENT
from members.placement import note_placement
from members.roles import set_role
from skypemgr.lib.text import plain_line

TEXT_FIELDS = ("job_title", "work_phone", "cost_centre")
FIELDS = ("name", "work_email", *TEXT_FIELDS, "list", "role")
_TOO_LONG = _("This is too long.")


def update_member(
    *, actor: Actor, member: Member, now: datetime | None = None, **fields: Any
) -> Member:
    """The named fields of the member are changed, one audit entry says which.

    Fields: name, job_title, work_email, work_phone, cost_centre, list (MemberList or None), role.
    Raises InvalidField, or LastAdministrator for a role.
    """
    actor.require_administrator()
    unknown = set(fields) - set(FIELDS)
    if unknown:
        raise TypeError(f"not a member's field: {', '.join(sorted(unknown))}")
    with transaction.atomic():
        locked = (
            Member.objects.select_for_update(no_key=True, of=("self",))
            .select_related("company", "user", "list")
            .get(pk=member.pk, company=actor.company)
        )
        role = fields.pop("role", locked.role)
        changes = _apply(locked, fields)
        if changes:
            locked.set_name_keys()
            locked.save(update_fields=[*changes, "name_key", "search_text"])
            if "list" in changes or "cost_centre" in changes:
                note_placement(locked, now=now)
        if set_role(locked, role):
            changes["role"] = role
        if changes:
            record(actor, "update_member", subject=f"member:{locked.pk}", **changes)
    return locked


def refresh_search(user: User) -> None:
    """The login's present place is found by its present addresses; those it left learn nothing."""
    places = Member.objects.filter(user=user, status__in=PRESENT)
    for member in places.select_related("user"):
        member.set_name_keys()
        member.save(update_fields=["name_key", "search_text"])


def _apply(member: Member, fields: dict[str, Any]) -> dict[str, Any]:
    changes: dict[str, Any] = {}
    for name, value in fields.items():
        clean = _clean(member, name, value)
        if getattr(member, name) != clean:
            setattr(member, name, clean)
            changes[name] = clean.pk if isinstance(clean, MemberList) else clean
    return changes


def _clean(member: Member, name: str, value: Any) -> Any:
    if name == "list":
        if value is not None and (value.company_id != member.company_id or value.archived_at):
            raise InvalidField(_("Choose a list from the list."), field="list")
        return value
    text = plain_line(str(value))
    if name == "name":
        return normal_name(text)
    if name == "work_email":
        return normal_email(text, field="work_email") if text else ""
    try:
        member._meta.get_field(name).clean(text, member)  # type: ignore[union-attr]
    except ValidationError as error:
        raise InvalidField(_TOO_LONG, field=name) from error
    return text
