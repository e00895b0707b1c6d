"""Included minutes. Its one rule: what is left is never below 0, nor below what calls in progress
have set aside.
"""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q

from credit.models.calls import Call
from credit.models.holds import Hold
from members.models import Company, Member


class Allowance(models.Model):
    """Seconds that a member may call some destinations without paying, in one period.

    ``prefixes`` are E.164 digits without ``+``. A call counts by its start, from ``starts_at`` on
    and before ``ends_at``; billed seconds are taken. ``seconds_held`` of ``seconds_left`` are set
    aside for calls in progress.
    """

    company = models.ForeignKey(
        Company, on_delete=models.PROTECT, related_name="+", db_constraint=False, db_index=False
    )
    member = models.ForeignKey(
        Member, on_delete=models.PROTECT, related_name="allowances", db_index=False
    )
    prefixes = ArrayField(models.CharField(max_length=15))
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    seconds_total = models.PositiveIntegerField()
    seconds_left = models.PositiveIntegerField()
    seconds_held = models.PositiveIntegerField(default=0)
    created_at = models.DateTimeField()

    class Meta:
        constraints = (
            models.CheckConstraint(
                condition=Q(seconds_held__gte=0)
                & Q(seconds_left__gte=F("seconds_held"))
                & Q(seconds_total__gte=F("seconds_left")),
                name="allowance_left_within_total",
            ),
            models.CheckConstraint(
                condition=Q(ends_at__gt=F("starts_at")), name="allowance_ends_after_start"
            ),
        )
        indexes = (
            models.Index(
                fields=("member", "ends_at"),
                condition=Q(seconds_left__gt=0),
                name="allowance_to_use",
            ),
        )

    def __str__(self) -> str:
        return f"{self.seconds_left}/{self.seconds_total} s"

    @property
    def seconds_free(self) -> int:
        """What no call in progress has set aside."""
        return self.seconds_left - self.seconds_held


class AllowanceUse(models.Model):
    """Seconds that one call took from one allowance; never changed."""

    call = models.ForeignKey(Call, on_delete=models.PROTECT, related_name="allowance_uses")
    allowance = models.ForeignKey(Allowance, on_delete=models.PROTECT, related_name="uses")
    seconds = models.PositiveIntegerField()

    class Meta:
        constraints = (
            models.UniqueConstraint("call", "allowance", name="allowance_used_once_by_call"),
            models.CheckConstraint(condition=Q(seconds__gt=0), name="allowance_use_positive"),
        )

    def __str__(self) -> str:
        return f"{self.seconds} s"


class AllowanceHold(models.Model):
    """Seconds of one allowance that one call in progress has set aside, while its hold is open."""

    hold = models.ForeignKey(Hold, on_delete=models.PROTECT, related_name="allowance_holds")
    allowance = models.ForeignKey(Allowance, on_delete=models.PROTECT, related_name="holds")
    seconds = models.PositiveIntegerField()

    class Meta:
        constraints = (
            models.UniqueConstraint("hold", "allowance", name="allowance_held_once_by_call"),
            models.CheckConstraint(condition=Q(seconds__gt=0), name="allowance_hold_positive"),
        )

    def __str__(self) -> str:
        return f"{self.seconds} s"
