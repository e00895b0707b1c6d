"""A person's own profile. Its one rule: everybody changes their own, and nobody else's."""

from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext_lazy as _

from members.actors import Actor
from members.audit import record
from members.countries import time_zone_choices
from members.errors import InvalidField
from members.joining import normal_name
from members.models import Member, User
from skypemgr.lib.errors import NotAllowed

FIELDS = ("name", "language", "time_zone")


def update_profile(*, actor: Actor, **fields: str) -> Member:
    """The acting member's name, language and time zone are those given; others stay.

    An empty language or zone means: as the company. Raises NotAllowed, InvalidField.
    """
    if actor.member is None:
        raise NotAllowed(_("A token of the company is nobody's."))
    unknown = set(fields) - set(FIELDS)
    if unknown:
        raise TypeError(f"not a profile's field: {', '.join(sorted(unknown))}")
    clean = {name: _clean(name, value) for name, value in fields.items()}
    with transaction.atomic():
        member = (
            Member.objects.select_for_update(no_key=True, of=("self", "user"))
            .select_related("user", "company", "list")
            .get(pk=actor.member.pk)
        )
        user = member.user
        before = {"name": member.name, "language": user.language, "time_zone": user.time_zone}
        changes: dict[str, Any] = {
            name: value for name, value in clean.items() if before[name] != value
        }
        if changes:
            _save(member, user, changes)
            record(actor, "update_profile", subject=f"member:{member.pk}", **changes)
    return member


def _save(member: Member, user: User, changes: dict[str, str]) -> None:
    for name, value in changes.items():
        setattr(user, name, value)
    user.save(update_fields=list(changes))
    if "name" in changes:
        member.name = changes["name"]
        member.set_name_keys()
        member.save(update_fields=["name", "name_key", "search_text"])


def _clean(name: str, value: Any) -> str:
    if name == "name":
        return normal_name(value)
    if name == "language" and value and value not in dict(settings.LANGUAGES):
        raise InvalidField(_("Choose a language from the list."), field=name)
    if name == "time_zone" and value and value not in dict(time_zone_choices()):
        raise InvalidField(_("Choose a time zone from the list."), field=name)
    return str(value)
