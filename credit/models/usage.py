"""Sums of calls. Its one rule: ``credit.usage_rollup`` alone writes them, each call once, from the
calls alone.
"""

from django.db import models
from django.db.models import F, Q

from credit.models.calls import Call
from members.models import Company, Member, MemberList


class UsageMeasures(models.Model):
    """What is summed. Seconds are seconds; amounts have 4 decimals, in the company's currency;
    price = collected + uncollected.
    """

    calls_count = models.IntegerField()
    duration_seconds = models.BigIntegerField()
    billed_seconds = models.BigIntegerField()
    included_seconds = models.BigIntegerField()
    price = models.DecimalField(max_digits=18, decimal_places=4)
    collected = models.DecimalField(max_digits=18, decimal_places=4)
    uncollected = models.DecimalField(max_digits=18, decimal_places=4)

    class Meta:
        abstract = True


class UsageDay(UsageMeasures):
    """The calls started on one day and booked on one day, all together or by what the level names.

    List (null: none) and cost centre are the member's on the day of the start; country and kind
    are the call's. Columns that the level does not name are empty.
    """

    class Level(models.TextChoices):
        """Never shown to anybody."""

        COMPANY = "company"
        LIST = "list"
        COST_CENTRE = "cost_centre"
        DESTINATION = "destination"
        LIST_COST_CENTRE = "list_cost_centre"
        LIST_DESTINATION = "list_destination"
        COST_CENTRE_DESTINATION = "cost_centre_destination"

    company = models.ForeignKey(
        Company, on_delete=models.PROTECT, related_name="+", db_index=False, db_constraint=False
    )
    booked_on = models.DateField()
    started_on = models.DateField()
    level = models.CharField(max_length=23, choices=Level)
    list = models.ForeignKey(
        MemberList,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
        db_index=False,
    )
    cost_centre = models.CharField(max_length=40, blank=True)
    country = models.CharField(max_length=3, blank=True)
    kind = models.CharField(max_length=20, blank=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                "company",
                "level",
                "started_on",
                "list",
                "cost_centre",
                "country",
                "kind",
                "booked_on",
                name="usage_day_unique",
                nulls_distinct=False,
            ),
            models.CheckConstraint(
                condition=Q(booked_on__gte=F("started_on")), name="usage_day_booked_after_start"
            ),
        )
        indexes = (
            models.Index(
                fields=("company", "level", "list", "started_on"),
                condition=Q(level__in=("list_cost_centre", "list_destination")),
                name="usage_day_within_list",
            ),
            models.Index(
                fields=("company", "level", "cost_centre", "started_on"),
                condition=Q(level__in=("list_cost_centre", "cost_centre_destination")),
                name="usage_day_within_cost_centre",
            ),
        )

    def __str__(self) -> str:
        return f"{self.level} {self.started_on}"


class UsageMember(UsageMeasures):
    """The calls of one member started in one month (year) and booked in one month (year), by list
    (null: none) and cost centre of the day of the start. Both are named by their first day.
    """

    class Period(models.TextChoices):
        """Never shown to anybody."""

        MONTH = "month"
        YEAR = "year"

    company = models.ForeignKey(
        Company, on_delete=models.PROTECT, related_name="+", db_index=False, db_constraint=False
    )
    period = models.CharField(max_length=5, choices=Period)
    month = models.DateField()
    booked_month = models.DateField()
    member = models.ForeignKey(Member, on_delete=models.PROTECT, related_name="+", db_index=False)
    list = models.ForeignKey(
        MemberList,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
        db_index=False,
    )
    cost_centre = models.CharField(max_length=40, blank=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                "company",
                "period",
                "month",
                "member",
                "list",
                "cost_centre",
                "booked_month",
                name="usage_member_unique",
                nulls_distinct=False,
            ),
            models.CheckConstraint(
                condition=Q(month__day=1, booked_month__day=1, booked_month__gte=F("month")),
                name="usage_member_by_months",
            ),
        )
        indexes = (
            models.Index(
                fields=("company", "period", "month", "member"),
                include=("collected", "calls_count"),
                name="usage_member_told",
            ),
        )

    def __str__(self) -> str:
        return f"{self.member_id} {self.month:%Y-%m}"


class UsageRolled(models.Model):
    """Every call booked from ``since`` to ``through``, both included, is once in the sums of its
    company, or in ``UsageLate``.
    """

    company = models.OneToOneField(
        Company, primary_key=True, on_delete=models.PROTECT, related_name="+", db_constraint=False
    )
    since = models.DateField()
    through = models.DateField()

    class Meta:
        constraints = (
            models.CheckConstraint(
                condition=Q(through__gte=F("since")), name="usage_rolled_through_after_since"
            ),
        )

    def __str__(self) -> str:
        return f"{self.company_id} {self.since} {self.through}"


class UsageLate(models.Model):
    """A call that was stored into a day already summed, and is not in the sums yet."""

    call = models.OneToOneField(Call, primary_key=True, on_delete=models.PROTECT, related_name="+")
    company = models.ForeignKey(
        Company, on_delete=models.PROTECT, related_name="+", db_constraint=False
    )

    def __str__(self) -> str:
        return str(self.call_id)
