"""Where a member belonged on a day. Its one rule: the verbs that place a member say so here, in
their transaction.
"""

from datetime import date, datetime

from members.models import Member, MemberPlacement
from skypemgr.lib.periods import utc_now


def note_placement(member: Member, *, now: datetime | None = None) -> None:
    """From the company's today on (never before the last row) the member is in the list and cost
    centre that the row says; a later change of the same day replaces. The member must be locked.
    """
    day = member.company.day_at(now or utc_now())
    rows = MemberPlacement.objects.filter(member=member).order_by("-valid_from")
    last = rows.values_list("valid_from", flat=True).first()
    MemberPlacement.objects.bulk_create(
        [
            MemberPlacement(
                company_id=member.company_id,
                member=member,
                valid_from=max(day, last) if last else day,
                list_id=member.list_id,
                cost_centre=member.cost_centre,
            )
        ],
        update_conflicts=True,
        unique_fields=("member", "valid_from"),
        update_fields=("list", "cost_centre"),
    )


def placement_on(member: Member, day: date) -> MemberPlacement | None:
    """Where the member belonged on the company's day; None for a member never placed."""
    rows = MemberPlacement.objects.filter(member=member).select_related("list")
    found = rows.filter(valid_from__lte=day).order_by("-valid_from").first()
    return found or rows.order_by("valid_from").first()
