"""The company's own auto-recharge. Its one rule: without a stored consent it never charges."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from billing.models.methods import PaymentMethod
from billing.models.purchases import Purchase
from members.models import Company, Member
from skypemgr.lib.periods import utc_now


class AutoPurchaseRule(models.Model):
    """Buy ``amount`` with the saved method when the company's balance falls below ``level``, at
    most ``monthly_limit`` (net) a calendar month. Amounts in the company's currency.

    The consent is who agreed, when, and to which version of the text; every one ever given is
    an ``AutoPurchaseConsent``. After a decline, or when the month's limit is reached,
    ``next_attempt_at`` says when again; *paused* waits for a person.
    """

    class State(models.TextChoices):
        OFF = "off", _("Off")
        ON = "on", _("On")
        PAUSED = "paused", _("Paused")

    class Outcome(models.TextChoices):
        STARTED = "started", _("A purchase was started")
        PURCHASED = "purchased", _("Credit was bought")
        DECLINED = "declined", _("The payment was declined")
        NEEDS_AUTHENTICATION = "needs_authentication", _("The bank asks for authentication")
        EXPIRED = "expired", _("The payment was not completed in time")
        LIMIT_REACHED = "limit_reached", _("The monthly limit would be passed")

    company = models.OneToOneField(
        Company, on_delete=models.PROTECT, related_name="auto_purchase_rule"
    )
    level = models.DecimalField(_("when balance falls below"), max_digits=18, decimal_places=4)
    amount = models.DecimalField(_("amount to buy"), max_digits=18, decimal_places=4)
    monthly_limit = models.DecimalField(_("monthly limit"), max_digits=18, decimal_places=4)
    method = models.ForeignKey(PaymentMethod, on_delete=models.PROTECT, related_name="+")
    state = models.CharField(max_length=6, choices=State, default=State.OFF)
    consent_by = models.ForeignKey(Member, on_delete=models.PROTECT, related_name="+")
    consent_at = models.DateTimeField()
    consent_version = models.CharField(max_length=20)
    declined_count = models.PositiveIntegerField(default=0)
    next_attempt_at = models.DateTimeField(null=True, blank=True)
    last_outcome = models.CharField(max_length=30, choices=Outcome, blank=True)
    last_outcome_at = models.DateTimeField(null=True, blank=True)
    changed_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = (
            models.CheckConstraint(
                condition=Q(level__gt=0, amount__gt=0, monthly_limit__gt=0),
                name="auto_purchase_amounts_positive",
            ),
        )

    def __str__(self) -> str:
        return f"{self.amount} < {self.level} ≤ {self.monthly_limit}"


class AutoPurchaseConsent(models.Model):
    """One person's consent to be charged automatically, word for word; never changed.

    Given with a purchase it takes effect when that purchase is paid. Amounts in the company's
    currency.
    """

    company = models.ForeignKey(Company, on_delete=models.PROTECT, related_name="+")
    member = models.ForeignKey(Member, on_delete=models.PROTECT, related_name="+")
    purchase = models.OneToOneField(
        Purchase,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="auto_purchase_consent",
    )
    method = models.ForeignKey(PaymentMethod, on_delete=models.PROTECT, related_name="+")
    level = models.DecimalField(max_digits=18, decimal_places=4)
    amount = models.DecimalField(max_digits=18, decimal_places=4)
    monthly_limit = models.DecimalField(max_digits=18, decimal_places=4)
    text_version = models.CharField(max_length=20)
    text = models.TextField()
    created_at = models.DateTimeField(default=utc_now)

    class Meta:
        constraints = (
            models.CheckConstraint(
                condition=Q(level__gt=0, amount__gt=0, monthly_limit__gte=models.F("amount")),
                name="auto_purchase_consent_amounts",
            ),
        )

    def __str__(self) -> str:
        return f"{self.text_version} {self.created_at:%Y-%m-%d}"
