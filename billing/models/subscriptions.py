"""Features given to members, and what was paid for each period.

Its one rule: a period is paid once; its row is never changed.
"""

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from billing.models.numbers import PhoneNumber
from billing.models.plans import PERIODS, FeatureKind, Plan
from credit.models import Allowance, Transfer
from members.models import Company, Member


class Subscription(models.Model):
    """One feature given to one member. All days are the company's.

    It is usable before ``paid_until``, the first day that is not paid; in *grace* before
    ``grace_until``. ``charge_on`` is the day from which the next period is charged, empty when it
    does not renew. ``anchor_day`` keeps a period that begins on the 31st on the last day of shorter
    months. ``next_plan`` and ``next_months`` take effect at the renewal.
    Where that could not be paid, ``failed_at_version`` is the version of the company's purse at the
    last attempt.
    """

    class Status(models.TextChoices):
        ACTIVE = "active", _("active")
        GRACE = "grace", _("in grace")
        ENDED = "ended", _("ended")

    OPEN = (Status.ACTIVE, Status.GRACE)

    company = models.ForeignKey(
        Company, on_delete=models.PROTECT, related_name="subscriptions", db_index=False
    )
    member = models.ForeignKey(Member, on_delete=models.PROTECT, related_name="subscriptions")
    plan = models.ForeignKey(Plan, on_delete=models.PROTECT, related_name="+", db_index=False)
    kind = models.CharField(max_length=15, choices=FeatureKind)
    number = models.ForeignKey(
        PhoneNumber, null=True, blank=True, on_delete=models.PROTECT, related_name="subscriptions"
    )
    months = models.PositiveSmallIntegerField()
    anchor_day = models.PositiveSmallIntegerField()
    started_on = models.DateField()
    paid_until = models.DateField()
    renews = models.BooleanField(default=True)
    next_plan = models.ForeignKey(
        Plan, null=True, blank=True, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    next_months = models.PositiveSmallIntegerField(null=True, blank=True)
    status = models.CharField(max_length=6, choices=Status, default=Status.ACTIVE)
    charge_on = models.DateField(null=True, blank=True)
    grace_until = models.DateField(null=True, blank=True)
    last_failed_on = models.DateField(null=True, blank=True)
    failed_at_version = models.BigIntegerField(null=True, blank=True)
    given_by = models.ForeignKey(
        Member, null=True, blank=True, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    cancelled_at = models.DateTimeField(null=True, blank=True)
    cancelled_by = models.ForeignKey(
        Member, null=True, blank=True, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    created_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = (
            models.CheckConstraint(
                condition=Q(months__in=PERIODS, anchor_day__gte=1, anchor_day__lte=31)
                & Q(paid_until__gt=F("started_on")),
                name="subscription_period_valid",
            ),
            models.CheckConstraint(
                condition=Q(status="ended", ended_at__isnull=False, charge_on=None)
                | (~Q(status="ended") & Q(ended_at=None)),
                name="subscription_ended_or_open",
            ),
            models.CheckConstraint(
                condition=Q(renews=True) | Q(charge_on=None),
                name="subscription_charged_only_if_renewing",
            ),
            models.CheckConstraint(
                condition=Q(status="grace", grace_until__isnull=False)
                | (~Q(status="grace") & Q(grace_until=None)),
                name="subscription_grace_until_a_day",
            ),
            models.CheckConstraint(
                condition=Q(kind="number", number__isnull=False)
                | (~Q(kind="number") & Q(number=None)),
                name="subscription_of_number_has_one",
            ),
            models.UniqueConstraint(
                "number",
                condition=Q(number__isnull=False) & ~Q(status="ended"),
                name="subscription_number_given_once",
            ),
            models.UniqueConstraint("id", "company", name="subscription_of_company"),
        )
        indexes = (
            models.Index(fields=("company",), name="subscription_by_company"),
            models.Index(
                fields=("charge_on", "company"),
                condition=Q(charge_on__isnull=False),
                name="subscription_to_charge",
            ),
            models.Index(
                fields=("company",),
                condition=Q(charge_on__isnull=False, last_failed_on__isnull=False),
                name="subscription_to_retry",
            ),
            models.Index(
                fields=("company", "paid_until"),
                include=(
                    "plan",
                    "months",
                    "next_plan",
                    "next_months",
                    "anchor_day",
                    "last_failed_on",
                    "charge_on",
                ),
                condition=Q(charge_on__isnull=False),
                name="subscription_ahead",
            ),
            models.Index(
                fields=("paid_until",), condition=~Q(status="ended"), name="subscription_to_end"
            ),
            models.Index(
                fields=("company", "kind", "member"),
                include=("paid_until", "status", "renews"),
                condition=~Q(status="ended"),
                name="subscription_who_has_what",
            ),
        )

    def __str__(self) -> str:
        return f"{self.kind} {self.pk}"


class SubscriptionPeriod(models.Model):
    """One paid period, from ``starts_on`` to the day before ``ends_on``; ``transfer`` is empty when
    it was free. Never changed.
    """

    company = models.ForeignKey(Company, on_delete=models.PROTECT, related_name="+", db_index=False)
    subscription = models.ForeignKey(
        Subscription, on_delete=models.PROTECT, related_name="periods", db_index=False
    )
    plan = models.ForeignKey(Plan, on_delete=models.PROTECT, related_name="+", db_index=False)
    starts_on = models.DateField()
    ends_on = models.DateField()
    months = models.PositiveSmallIntegerField()
    price = models.DecimalField(max_digits=18, decimal_places=4)
    currency = models.CharField(max_length=3)
    transfer = models.OneToOneField(
        Transfer, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    created_at = models.DateTimeField()

    class Meta:
        constraints = (
            models.UniqueConstraint("subscription", "starts_on", name="period_paid_once"),
            models.CheckConstraint(
                condition=Q(ends_on__gt=F("starts_on")) & Q(price__gte=0),
                name="period_ends_after_start",
            ),
            models.CheckConstraint(
                condition=Q(price=0, transfer=None) | Q(price__gt=0, transfer__isnull=False),
                name="period_paid_by_its_transfer",
            ),
        )

    def __str__(self) -> str:
        return f"{self.starts_on} – {self.ends_on}"


class PeriodAllowance(models.Model):
    """The included minutes of one month of a paid period."""

    period = models.ForeignKey(
        SubscriptionPeriod, on_delete=models.PROTECT, related_name="allowances"
    )
    allowance = models.OneToOneField(Allowance, on_delete=models.PROTECT, related_name="+")

    def __str__(self) -> str:
        return str(self.allowance)


class FeatureBan(models.Model):
    """A kind of features that an administrator does not let a member have."""

    company = models.ForeignKey(Company, on_delete=models.PROTECT, related_name="+")
    member = models.ForeignKey(Member, on_delete=models.PROTECT, related_name="feature_bans")
    kind = models.CharField(max_length=15, choices=FeatureKind)

    class Meta:
        constraints = (models.UniqueConstraint("member", "kind", name="feature_ban_once"),)

    def __str__(self) -> str:
        return self.kind
