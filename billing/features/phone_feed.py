"""What phone systems must hear of, in an order in which nothing is missed.

Its one rule: whoever changes what a phone system reads takes the company's next stamp first, inside
the same transaction, and holds it until the commit. So of two changes the one with the later stamp
is committed later: who has read up to a stamp has read everything before it, however long
transactions last. The lock is the last one taken, after members, features, numbers and purses.
"""

from collections.abc import Collection, Sequence
from datetime import datetime

from django.db import connection
from django.utils.translation import gettext as _

from billing.errors import SettingsRefused
from billing.models import (
    FeatureKind,
    ForwardingTarget,
    PhoneNumber,
    PhoneSettings,
    Subscription,
)
from members.models import Company

# The database's clock, so that machines need not agree; never back, never the same twice.
NEXT_STAMP = """
INSERT INTO billing_phonefeed (company_id, updated_at) VALUES (%s, clock_timestamp())
ON CONFLICT (company_id) DO UPDATE
   SET updated_at = greatest(
         clock_timestamp(), billing_phonefeed.updated_at + interval '1 microsecond')
RETURNING updated_at
"""
# Whom calls may reach from these members on, by forwarding to numbers of the company, in any number
# of steps; UNION ends at whoever was reached before. One number is taken for nobody's.
REACHED = """
WITH RECURSIVE reached (member_id) AS (
  SELECT unnest(%(members)s::bigint[])
  UNION
  SELECT subscription.member_id
    FROM reached
    JOIN billing_forwardingtarget target ON target.settings_id = reached.member_id
    JOIN billing_phonenumber number
      ON number.e164 = target.number AND number.id IS DISTINCT FROM %(moving)s
    JOIN billing_subscription subscription
      ON subscription.number_id = number.id AND subscription.status <> 'ended'
     AND subscription.company_id = target.company_id
)
SELECT member_id FROM reached WHERE member_id = ANY(%(wanted)s::bigint[])
"""


def next_stamp(company_id: int) -> datetime:
    """Inside a transaction: the company's next stamp, later than every one committed before; other
    changes of the company wait until the end.
    """
    with connection.cursor() as cursor:
        cursor.execute(NEXT_STAMP, [company_id])
        stamp: datetime = cursor.fetchone()[0]
    return stamp


def reached_members(
    members: Collection[int], wanted: Collection[int], *, moving: int | None = None
) -> set[int]:
    """Those of the wanted that calls to these members may reach by forwarding, themselves included;
    without the number ``moving`` (its pk). One query.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            REACHED, {"members": list(members), "wanted": list(wanted), "moving": moving}
        )
        return {pk for (pk,) in cursor.fetchall()}


def note_given(company: Company, given: Sequence[Subscription]) -> None:
    """Inside the transaction that gave them: phone systems hear of it. Who forwarded to one of
    these numbers meant whoever had it before, and does not any more.
    """
    members = {each.member_id for each in given if each.kind != FeatureKind.SUBSCRIPTION}
    if not members:
        return
    stamp = next_stamp(company.pk)
    _open(company, members, stamp)
    _stamp(_drop_targets(company.pk, _numbers_of(given)), stamp)


def note_ended(company_id: int, ended: Sequence[Subscription]) -> None:
    """Inside the transaction that ended them: phone systems hear of it, no caller ID is a number
    that has ended, and nobody forwards to one.
    """
    members = {each.member_id for each in ended if each.kind != FeatureKind.SUBSCRIPTION}
    if not members:
        return
    stamp = next_stamp(company_id)
    numbers = _numbers_of(ended)
    if numbers:
        _clear_caller_ids(company_id, numbers)
    _stamp(members | _drop_targets(company_id, numbers), stamp)


def note_moved(company: Company, number: PhoneNumber, *, before: int, after: int) -> None:
    """Inside the transaction that hands the number on: phone systems hear of it, and it is nobody's
    caller ID any more. Raises SettingsRefused (``forwarding_loop``) if calls would go in a circle.
    """
    stamp = next_stamp(company.pk)
    forwarding = ForwardingTarget.objects.filter(company=company, number=number.e164)
    in_circle = reached_members(
        [after], forwarding.values_list("settings_id", flat=True), moving=number.pk
    )
    if in_circle:
        first = PhoneSettings.objects.select_related("member").get(pk=min(in_circle))
        raise SettingsRefused(
            _(
                "Calls would go in a circle: %(name)s forwards calls to %(number)s. "
                "Change that forwarding first."
            )
            % {"name": first.member.name, "number": number.e164},
            field="member",
            code="forwarding_loop",
        )
    _clear_caller_ids(company.pk, [number.e164])
    _open(company, {before, after}, stamp)


def _open(company: Company, members: Collection[int], stamp: datetime) -> None:
    """These members have a row, with the stamp; what it says stays, a new one has voicemail on."""
    languages = PhoneSettings.Language
    is_french = company.language == languages.FRENCH
    PhoneSettings.objects.bulk_create(
        (
            PhoneSettings(
                member_id=pk,
                company=company,
                greeting_language=languages.FRENCH if is_french else languages.ENGLISH,
                updated_at=stamp,
            )
            for pk in sorted(members)
        ),
        update_conflicts=True,
        unique_fields=["member"],
        update_fields=["updated_at"],
    )


def _numbers_of(features: Sequence[Subscription]) -> list[str]:
    ids = [each.number_id for each in features if each.number_id is not None]
    found = PhoneNumber.objects.filter(pk__in=ids) if ids else PhoneNumber.objects.none()
    return list(found.values_list("e164", flat=True))


def _drop_targets(company_id: int, numbers: Collection[str]) -> set[int]:
    """Nobody of the company forwards to these numbers; who did."""
    if not numbers:
        return set()
    targets = ForwardingTarget.objects.filter(company=company_id, number__in=numbers)
    members = set(targets.values_list("settings_id", flat=True))
    if members:
        targets.delete()
    return members


def _clear_caller_ids(company_id: int, numbers: Collection[str]) -> None:
    PhoneSettings.objects.filter(company=company_id, caller_id__e164__in=numbers).update(
        caller_id=None
    )


def _stamp(members: Collection[int], stamp: datetime) -> None:
    if members:
        PhoneSettings.objects.filter(pk__in=members).update(updated_at=stamp)
