"""Sums of whole days. Its one rule: ``credit.rollup`` alone writes them, from daily totals."""

from django.db import models

from credit.models.accounts import Transfer
from members.models import Company, MemberList


class RolledTotal(models.Model):
    """What moved in and out on one day, by kind of transfer, of the company's purse, of all
    members' purses together, of those of a list (null: of none) and of those of a cost centre.

    It counts only while every daily total of that company and day is marked as rolled.
    """

    class Level(models.TextChoices):
        """Never shown to anybody."""

        COMPANY = "company"
        MEMBERS = "members"
        LIST = "list"
        COST_CENTRE = "cost_centre"

    company = models.ForeignKey(
        Company, on_delete=models.PROTECT, related_name="+", db_index=False, db_constraint=False
    )
    level = models.CharField(max_length=11, choices=Level)
    day = models.DateField()
    list = models.ForeignKey(
        MemberList, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    cost_centre = models.CharField(max_length=40, blank=True)
    kind = models.CharField(max_length=13, choices=Transfer.Kind)
    incoming = models.DecimalField(max_digits=18, decimal_places=4)
    outgoing = models.DecimalField(max_digits=18, decimal_places=4)
    moves_count = models.IntegerField()

    class Meta:
        constraints = (
            models.UniqueConstraint(
                "company",
                "level",
                "day",
                "list",
                "cost_centre",
                "kind",
                name="rolled_total_unique",
                nulls_distinct=False,
            ),
        )

    def __str__(self) -> str:
        return f"{self.level} {self.day} {self.kind}"
