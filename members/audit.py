"""The record of what was decided by whom.

Its one rule: one entry per decision, in its transaction.
"""

import json
from collections.abc import Collection
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.db import connection

from members.actors import Actor
from members.models import AuditEntry
from skypemgr.lib.prepared import Call, Prepared

INSERT = Prepared("""
INSERT INTO members_auditentry (
  company_id, member_id, user_id, token_id, verb, subject, data, created_at)
VALUES (
  %(audit_company)s, %(audit_member)s, %(audit_user)s, %(audit_token)s, %(audit_verb)s,
  %(audit_subject)s, %(audit_data)s::jsonb, clock_timestamp())
""")


ABOUT = """
INSERT INTO members_auditedmember (company_id, entry_id, member_id)
SELECT %s, %s, unnest(%s::bigint[])
"""


def record(
    actor: Actor, verb: str, *, subject: str = "", about: Collection[int] = (), **data: Any
) -> None:
    """One entry says who did what to whom; amounts and times are kept as text. ``about``: the ids
    of the members, however many, whom it was done to; each of them is told it among the own events.
    """
    if len(about) == 1 and not subject:
        (only,) = about
        subject, about = f"member:{only}", ()
    made = AuditEntry.objects.create(
        company=actor.company,
        member=actor.member,
        user=actor.user,
        token=actor.token,
        verb=verb,
        subject=subject,
        data={key: _plain(value) for key, value in data.items()},
    )
    if about:
        with connection.cursor() as cursor:
            cursor.execute(ABOUT, [actor.company.pk, made.pk, sorted(set(about))])


def entry(actor: Actor, verb: str, *, subject: str = "", **data: Any) -> Call:
    """The entry that ``record`` would make, as a statement to be sent along with another."""
    return INSERT, {
        "audit_company": actor.company.pk,
        "audit_member": actor.member.pk if actor.member else None,
        "audit_user": actor.user.pk if actor.user else None,
        "audit_token": actor.token.pk if actor.token else None,
        "audit_verb": verb,
        "audit_subject": subject,
        "audit_data": json.dumps({key: _plain(value) for key, value in data.items()}),
    }


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
