"""What can be given to members, and at what price. Its one rule: a plan never becomes another
one; it is withdrawn by a day, and what was given keeps its paid period.
"""

from datetime import date

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from skypemgr.lib.formats import format_money

PERIODS = (1, 3, 12)


class FeatureKind(models.TextChoices):
    """The kinds of features."""

    NUMBER = "number", _("Number")
    SUBSCRIPTION = "subscription", _("Subscription")
    VOICEMAIL = "voicemail", _("Voicemail")
    CALL_FORWARDING = "call_forwarding", _("Call forwarding")
    CALLER_ID = "caller_id", _("Caller ID")


class Plan(models.Model):
    """One thing that can be given, offered from ``valid_from`` until the day before
    ``valid_until``; from that day on it is not renewed either.

    ``country`` is that of a number. ``prefixes`` are the destinations (E.164 digits without ``+``)
    that a subscription includes: ``included_seconds`` a month, which an unlimited plan calls its
    fair use.
    """

    code = models.SlugField(max_length=60, unique=True)
    kind = models.CharField(max_length=15, choices=FeatureKind)
    name_en = models.CharField(_("name in English"), max_length=100)
    name_fr = models.CharField(_("name in French"), max_length=100)
    country = models.CharField(max_length=2, blank=True)
    prefixes = ArrayField(models.CharField(max_length=15), default=list, blank=True)
    included_seconds = models.PositiveIntegerField(null=True, blank=True)
    is_unlimited = models.BooleanField(default=False)
    valid_from = models.DateField()
    valid_until = models.DateField(null=True, blank=True)
    position = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = (
            models.CheckConstraint(
                condition=Q(valid_until=None) | Q(valid_until__gt=F("valid_from")),
                name="plan_ends_after_start",
            ),
            models.CheckConstraint(
                condition=Q(kind="subscription", included_seconds__gt=0)
                | (~Q(kind="subscription") & Q(included_seconds=None, is_unlimited=False)),
                name="plan_minutes_only_of_subscriptions",
            ),
            models.CheckConstraint(
                condition=~Q(kind="number") | ~Q(country=""), name="plan_number_has_country"
            ),
        )

    def __str__(self) -> str:
        return self.name

    @property
    def name(self) -> str:
        """The name in the reader's language."""
        return self.name_fr if (get_language() or "").startswith("fr") else self.name_en

    def is_offered_on(self, day: date) -> bool:
        """Whether it can be given on the day, and a period that begins then be renewed."""
        return self.valid_from <= day and (self.valid_until is None or day < self.valid_until)


class PlanPrice(models.Model):
    """What a plan costs for 1, 3 or 12 months in a currency; 0 is free."""

    plan = models.ForeignKey(Plan, on_delete=models.CASCADE, related_name="prices")
    currency = models.CharField(max_length=3)
    months = models.PositiveSmallIntegerField()
    price = models.DecimalField(max_digits=18, decimal_places=4)

    class Meta:
        constraints = (
            models.UniqueConstraint("plan", "currency", "months", name="plan_price_once"),
            models.CheckConstraint(
                condition=Q(price__gte=0, months__in=PERIODS), name="plan_price_not_negative"
            ),
        )

    def __str__(self) -> str:
        return f"{format_money(self.price, self.currency)} / {self.months}"
