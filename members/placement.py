"""Where a member belonged on a day. Its one rule: the verbs that place a member say so here, in
their transaction.
"""

from collections.abc import Sequence
from datetime import date, datetime, timedelta

from django.db.models import DateField, ExpressionWrapper, F, Max, Min

from members.models import Member, MemberPlacement
from skypemgr.lib.periods import utc_now

A_DAY = timedelta(days=1)


def note_placement(member: Member, *, now: datetime | None = None) -> None:
    """As note_placements, for one member."""
    note_placements([member], now=now)


def note_placements(members: Sequence[Member], *, now: datetime | None = None) -> None:
    """From the company's today on (never before the last row) each member is in the list and cost
    centre that its row says; a later change of the same day replaces. The days before one's first
    stay where they were, unless that was nowhere. The members must be locked and of one company;
    two queries for all, three on the first day of one of them.
    """
    if not members:
        return
    day = members[0].company.day_at(now or utc_now())
    placed = {
        pk: (first, last)
        for pk, first, last in MemberPlacement.objects.filter(
            member__in=[member.pk for member in members]
        )
        .values_list("member_id")
        .annotate(first=Min("valid_from"), last=Max("valid_from"))
    }
    _keep_past([pk for pk, (first, last) in placed.items() if first == last >= day])
    MemberPlacement.objects.bulk_create(
        [
            MemberPlacement(
                company_id=member.company_id,
                member=member,
                valid_from=max(day, *placed.get(member.pk, (day,))),
                list_id=member.list_id,
                cost_centre=member.cost_centre,
            )
            for member in members
        ],
        update_conflicts=True,
        unique_fields=("member", "valid_from"),
        update_fields=("list", "cost_centre"),
    )


def _keep_past(members: Sequence[int]) -> None:
    """What counts before these members' only day, which is to be replaced, goes on counting there:
    sums may have been made of it. Who was nowhere yet takes the past along.
    """
    if members:
        placed = MemberPlacement.objects.filter(member__in=members)
        placed.exclude(list=None, cost_centre="").update(
            valid_from=ExpressionWrapper(F("valid_from") - A_DAY, output_field=DateField())
        )


def placement_on(member: Member, day: date) -> MemberPlacement | None:
    """Where the member belonged on the company's day; None for a member never placed."""
    rows = MemberPlacement.objects.filter(member=member).select_related("list")
    found = rows.filter(valid_from__lte=day).order_by("-valid_from").first()
    return found or rows.order_by("valid_from").first()
