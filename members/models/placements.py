"""Where members belonged on which day. Its one rule: at most one row per member and day; what was
true on a day that is over is never changed.
"""

from django.db import models

from members.models.companies import Company
from members.models.people import Member, MemberList


class MemberPlacement(models.Model):
    """From the company's day ``valid_from`` on, until the next row, the member was in this list and
    cost centre. Before the first row the first one holds.
    """

    company = models.ForeignKey(Company, on_delete=models.PROTECT, related_name="+", db_index=False)
    member = models.ForeignKey(
        Member, on_delete=models.PROTECT, related_name="placements", db_index=False
    )
    valid_from = models.DateField()
    list = models.ForeignKey(
        MemberList, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    cost_centre = models.CharField(max_length=40, blank=True)

    class Meta:
        constraints = (
            models.UniqueConstraint("member", "valid_from", name="placement_once_a_day"),
        )

    def __str__(self) -> str:
        return f"{self.member_id} from {self.valid_from}"
