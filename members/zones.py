"""A company's time zone. Its one rule: another one is in force from the 1st of a month on, so that
no month is cut in two.
"""

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from members.actors import Actor
from members.audit import record
from members.countries import time_zone_choices
from members.errors import InvalidField
from members.models import Company
from skypemgr.lib.periods import day_in, first_of_next_month, utc_now


def change_time_zone(*, actor: Actor, zone: str, now: datetime | None = None) -> Company:
    """The zone (such as Europe/Paris) is in force from 00:00 there of the 1st of the next month.

    What was to come before is replaced; the zone in force now takes it back. NotAllowed,
    InvalidField for an unknown zone.
    """
    actor.require_administrator()
    if zone not in dict(time_zone_choices()):
        raise InvalidField(_("Choose a time zone from the list."), field="time_zone")
    instant = now or utc_now()
    with transaction.atomic():
        company = Company.objects.select_for_update(no_key=True).get(pk=actor.company.pk)
        before = company.zone_at(instant)
        company.time_zone, company.next_time_zone, company.next_time_zone_on = before, "", None
        if zone != before:
            # The later of both days: at the turn of a month the change is still to come.
            today = max(day_in(before, instant), day_in(zone, instant))
            company.next_time_zone = zone
            company.next_time_zone_on = first_of_next_month(today)
        company.save(update_fields=["time_zone", "next_time_zone", "next_time_zone_on"])
        record(
            actor,
            "change_time_zone",
            subject=f"company:{company.pk}",
            before=before,
            after=zone,
            on=company.next_time_zone_on,
        )
    return company
