"""The stock of phone numbers. Its one rule: a number is free, reserved, given or at rest, and never
two of these at once.
"""

from django.db import models
from django.db.models import Q
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from members.models import Company, Member


class NumberArea(models.Model):
    """A country's area, with what must be accepted to hold a number there (empty: nothing)."""

    country = models.CharField(max_length=2)
    code = models.CharField(max_length=10)
    name = models.CharField(max_length=100)
    note_en = models.TextField(blank=True)
    note_fr = models.TextField(blank=True)
    position = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = (models.UniqueConstraint("country", "code", name="number_area_once"),)

    def __str__(self) -> str:
        return f"{self.country} {self.name}"

    @property
    def note(self) -> str:
        """The rules of residence in the reader's language."""
        return self.note_fr if (get_language() or "").startswith("fr") else self.note_en


class PhoneNumber(models.Model):
    """One number that can be given. E.164 with ``+``.

    *Reserved* while an administrator chooses, until ``reserved_until``; *assigned* while a feature
    holds it; *resting* until the day ``resting_until``, then free again.
    """

    class State(models.TextChoices):
        FREE = "free", _("free")
        RESERVED = "reserved", _("reserved")
        ASSIGNED = "assigned", _("assigned")
        RESTING = "resting", _("resting")
        WITHDRAWN = "withdrawn", _("withdrawn")

    e164 = models.CharField(max_length=16, unique=True)
    area = models.ForeignKey(NumberArea, on_delete=models.PROTECT, related_name="numbers")
    state = models.CharField(max_length=9, choices=State, default=State.FREE)
    reserved_for = models.ForeignKey(
        Company, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    reserved_by = models.ForeignKey(
        Member, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    reserved_until = models.DateTimeField(null=True, blank=True)
    resting_until = models.DateField(null=True, blank=True)

    class Meta:
        constraints = (
            models.CheckConstraint(
                condition=Q(
                    state="reserved", reserved_for__isnull=False, reserved_until__isnull=False
                )
                | (~Q(state="reserved") & Q(reserved_for=None, reserved_until=None)),
                name="number_reserved_for_somebody",
            ),
            models.CheckConstraint(
                condition=Q(state="resting", resting_until__isnull=False)
                | (~Q(state="resting") & Q(resting_until=None)),
                name="number_rests_until_a_day",
            ),
        )
        indexes = (
            models.Index(fields=("area", "e164"), condition=Q(state="free"), name="number_free"),
            models.Index(
                fields=("reserved_until",), condition=Q(state="reserved"), name="number_reserved"
            ),
            models.Index(
                fields=("resting_until",), condition=Q(state="resting"), name="number_resting"
            ),
        )

    def __str__(self) -> str:
        return self.e164
