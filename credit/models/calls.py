"""Rates and rated calls. Its one rule: (company, source, id) names a call once for ever."""

from decimal import Decimal

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from credit.models.accounts import Transfer
from members.models import Company, Member


class Rate(models.Model):
    """Price of a destination prefix (digits without ``+``) from a day on.

    ``company`` null: the installation's deck. Prices are per minute, in ``currency``; seconds are
    rounded as the module ``credit.rating`` says. ``valid_from`` is a UTC day.
    """

    class Kind(models.TextChoices):
        LANDLINE = "landline", _("landline")
        MOBILE = "mobile", _("mobile")
        OTHER = "other", _("other")

    company = models.ForeignKey(
        Company, null=True, blank=True, on_delete=models.PROTECT, related_name="rates"
    )
    prefix = models.CharField(max_length=15)
    # Two letters, or the three digits of a region: 001 for numbers of no one country.
    country = models.CharField(max_length=3, blank=True)
    kind = models.CharField(max_length=20, choices=Kind)
    price_per_minute = models.DecimalField(max_digits=18, decimal_places=4)
    connection_fee = models.DecimalField(max_digits=18, decimal_places=4, default=Decimal(0))
    minimum_seconds = models.PositiveIntegerField(default=0)
    increment_seconds = models.PositiveIntegerField(default=1)
    currency = models.CharField(max_length=3)
    valid_from = models.DateField()

    class Meta:
        constraints = (
            models.UniqueConstraint(
                "company",
                "currency",
                "prefix",
                "valid_from",
                name="rate_once_a_day",
                nulls_distinct=False,
            ),
            models.CheckConstraint(
                condition=Q(
                    price_per_minute__gte=0, connection_fee__gte=0, increment_seconds__gt=0
                ),
                name="rate_not_negative",
            ),
        )
        indexes = (models.Index(fields=("prefix", "currency"), name="rate_by_prefix"),)

    def __str__(self) -> str:
        return f"+{self.prefix} {self.price_per_minute} {self.currency}"


class Call(models.Model):
    """One rated call. price = collected + uncollected; ``transfer`` books what was collected.
    ``included_seconds`` of the billed ones were paid by allowances; the price is of the rest.

    ``destination`` is E.164 (or a short emergency number). ``booked_on`` is the company's day of
    the charge, ``started_on`` that of the start, in the zone in force at the charge and never after
    it; both stay as they are.
    """

    company = models.ForeignKey(
        Company,
        on_delete=models.PROTECT,
        related_name="calls",
        db_constraint=False,
        db_index=False,
    )
    # The composite key of migration 0002 ties the member and the company at once.
    member = models.ForeignKey(
        Member, on_delete=models.PROTECT, related_name="calls", db_constraint=False, db_index=False
    )
    source = models.CharField(max_length=40)
    external_id = models.CharField(max_length=100)
    destination = models.CharField(max_length=16)
    country = models.CharField(max_length=3, blank=True)
    kind = models.CharField(max_length=20, blank=True)
    started_at = models.DateTimeField()
    duration_seconds = models.PositiveIntegerField()
    billed_seconds = models.PositiveIntegerField()
    included_seconds = models.PositiveIntegerField(default=0, db_default=0)
    rate = models.ForeignKey(
        Rate, null=True, blank=True, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    price = models.DecimalField(max_digits=18, decimal_places=4)
    collected = models.DecimalField(max_digits=18, decimal_places=4)
    uncollected = models.DecimalField(max_digits=18, decimal_places=4)
    transfer = models.ForeignKey(
        Transfer, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    booked_on = models.DateField()
    started_on = models.DateField()
    created_at = models.DateTimeField()

    class Meta:
        constraints = (
            models.UniqueConstraint("company", "source", "external_id", name="call_charged_once"),
            models.CheckConstraint(
                condition=Q(price=F("collected") + F("uncollected"))
                & Q(collected__gte=0)
                & Q(uncollected__gte=0),
                name="call_price_is_collected_or_not",
            ),
            models.CheckConstraint(
                condition=Q(included_seconds__lte=F("billed_seconds")),
                name="call_included_seconds_are_billed",
            ),
            models.CheckConstraint(
                condition=Q(started_on__lte=F("booked_on")), name="call_started_before_booked"
            ),
        )
        indexes = (
            models.Index(fields=("member", "-started_at"), name="call_by_member"),
            models.Index(fields=("company", "booked_on"), name="call_by_day"),
        )

    def __str__(self) -> str:
        return f"{self.source}:{self.external_id}"
