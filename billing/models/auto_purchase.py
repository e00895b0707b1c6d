"""The company's own auto-recharge. Its one rule: without a stored consent it never charges."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from billing.models.methods import PaymentMethod
from billing.models.purchases import Purchase
from members.models import Company, Member
from skypemgr.lib.periods import utc_now

# One of both says how much is bought: so much, or what brings the balance back to so much.
# Said with IS NOT NULL: a comparison with NULL is neither true nor false, and would pass.
HOW_MUCH = Q(amount__isnull=False, amount__gt=0, target=None) | Q(
    amount=None, target__isnull=False, target__gt=0
)


class Outcome(models.TextChoices):
    """What came of the last look at the rule that had something to decide."""

    STARTED = "started", _("A purchase was started")
    PURCHASED = "purchased", _("Credit was bought")
    DECLINED = "declined", _("The payment was declined")
    NEEDS_AUTHENTICATION = "needs_authentication", _("The bank asks for authentication")
    EXPIRED = "expired", _("The payment was not completed in time")
    LIMIT_REACHED = "limit_reached", _("The monthly limit would be passed")
    PURCHASE_LIMIT = "purchase_limit", _("A limit on purchases would be passed")
    AMOUNT_REFUSED = "amount_refused", _("The amount cannot be bought any more")
    STOPPED = "stopped", _("Stopped for now by the operator")
    METHOD_REMOVED = "method_removed", _("The payment method was removed")
    MANY_CHARGES = "many_charges", _("Three charges within ten minutes")


class PauseReason(models.TextChoices):
    """Why a paused rule waits for a person."""

    DECLINED = "declined", _("The payment was declined")
    NOT_AUTHENTICATED = "not_authenticated", _("The payment was not confirmed at the bank")
    METHOD_REMOVED = "method_removed", _("The payment method was removed")
    MANY_CHARGES = "many_charges", _("Three charges within ten minutes")


class AutoPurchaseRule(models.Model):
    """Buy with the saved method when the company's balance is below ``level``: ``amount`` each
    time, or what brings the balance back to ``target``; at most ``monthly_limit`` (net) a calendar
    month. Amounts in the company's currency.

    The consent is who agreed, when, and to which version of the text; every one ever given is
    an ``AutoPurchaseConsent``. After a decline, or when the month's limit is reached,
    ``next_attempt_at`` says when again; *paused* waits for a person, ``paused_because`` of what.
    ``resumed_at`` is when a person last switched it on: charges are counted from there.
    """

    class State(models.TextChoices):
        OFF = "off", _("Off")
        ON = "on", _("On")
        PAUSED = "paused", _("Paused")

    company = models.OneToOneField(
        Company, on_delete=models.PROTECT, related_name="auto_purchase_rule"
    )
    level = models.DecimalField(_("when balance falls below"), max_digits=18, decimal_places=4)
    amount = models.DecimalField(
        _("amount to buy"), max_digits=18, decimal_places=4, null=True, blank=True
    )
    target = models.DecimalField(
        _("bring back to"), max_digits=18, decimal_places=4, null=True, blank=True
    )
    monthly_limit = models.DecimalField(_("monthly limit"), max_digits=18, decimal_places=4)
    method = models.ForeignKey(PaymentMethod, on_delete=models.PROTECT, related_name="+")
    state = models.CharField(max_length=6, choices=State, default=State.OFF)
    paused_because = models.CharField(max_length=20, choices=PauseReason, blank=True)
    resumed_at = models.DateTimeField(null=True, blank=True)
    consent_by = models.ForeignKey(Member, on_delete=models.PROTECT, related_name="+")
    consent_at = models.DateTimeField()
    consent_version = models.CharField(max_length=20)
    declined_count = models.PositiveIntegerField(default=0)
    next_attempt_at = models.DateTimeField(null=True, blank=True)
    last_outcome = models.CharField(max_length=30, choices=Outcome, blank=True)
    last_outcome_at = models.DateTimeField(null=True, blank=True)
    outcome_since = models.DateTimeField(null=True, blank=True)
    changed_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = (
            models.CheckConstraint(
                condition=Q(level__gt=0, monthly_limit__gt=0),
                name="auto_purchase_amounts_positive",
            ),
            models.CheckConstraint(condition=HOW_MUCH, name="auto_purchase_amount_or_target"),
            models.CheckConstraint(
                condition=Q(state="paused") & ~Q(paused_because="")
                | ~Q(state="paused") & Q(paused_because=""),
                name="auto_purchase_paused_because",
            ),
        )

    def __str__(self) -> str:
        return f"{self.amount or self.target} < {self.level} ≤ {self.monthly_limit}"


class AutoPurchaseOutcome(models.Model):
    """One change of a rule's outcome, and the purchase it is about."""

    company = models.ForeignKey(Company, on_delete=models.PROTECT, related_name="+")
    rule = models.ForeignKey(AutoPurchaseRule, on_delete=models.PROTECT, related_name="outcomes")
    outcome = models.CharField(max_length=30, choices=Outcome)
    purchase = models.ForeignKey(
        Purchase, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    at = models.DateTimeField()

    class Meta:
        indexes = (models.Index(fields=("rule", "-id"), name="auto_purchase_outcome_latest"),)

    def __str__(self) -> str:
        return self.outcome


class AutoPurchaseConsent(models.Model):
    """One person's consent to be charged automatically, word for word; never changed.

    Given with a purchase it takes effect when that purchase is paid, and without a ``method`` it is
    about what that purchase is paid with. Amounts in the company's currency.
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
    method = models.ForeignKey(
        PaymentMethod, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    level = models.DecimalField(max_digits=18, decimal_places=4)
    amount = models.DecimalField(max_digits=18, decimal_places=4, null=True, blank=True)
    target = models.DecimalField(max_digits=18, decimal_places=4, null=True, blank=True)
    monthly_limit = models.DecimalField(max_digits=18, decimal_places=4)
    text_version = models.CharField(max_length=20)
    text = models.TextField()
    created_at = models.DateTimeField(default=utc_now)

    class Meta:
        constraints = (
            models.CheckConstraint(
                condition=HOW_MUCH
                & Q(level__gt=0)
                & (Q(amount=None) | Q(monthly_limit__gte=models.F("amount")))
                & (Q(target=None) | Q(monthly_limit__gte=models.F("target"))),
                name="auto_purchase_consent_amounts",
            ),
            models.CheckConstraint(
                condition=Q(method__isnull=False) | Q(purchase__isnull=False),
                name="auto_purchase_consent_names_payer",
            ),
        )

    def __str__(self) -> str:
        return f"{self.text_version} {self.created_at:%Y-%m-%d}"
