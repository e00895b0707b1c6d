"""The record of what was decided by whom.

Its one rule: one entry per decision, in its transaction.
"""

from datetime import date, datetime
from decimal import Decimal
from typing import Any

from members.actors import Actor
from members.models import AuditEntry


def record(actor: Actor, verb: str, *, subject: str = "", **data: Any) -> None:
    """One entry says who did what to whom; amounts and times are kept as text."""
    AuditEntry.objects.create(
        company=actor.company,
        member=actor.member,
        user=actor.user,
        token=actor.token,
        verb=verb,
        subject=subject,
        data={key: _plain(value) for key, value in data.items()},
    )


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, list | tuple | set):
        return [_plain(item) for item in value]
    if value is None or isinstance(value, bool | int | str):
        return value
    return str(value)
