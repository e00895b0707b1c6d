"""The ways to pay that a company saved. Their one rule: the card or account stays with the gateway;
here is its name, and what people need to tell one from another.
"""

from django.db import models
from django.db.models import Q

from billing.gateways.base import Way
from members.models import Company, Member
from skypemgr.lib.periods import utc_now


class GatewayCustomer(models.Model):
    """Under which name a gateway knows the company: always the same one."""

    company = models.ForeignKey(Company, on_delete=models.PROTECT, related_name="+")
    gateway = models.CharField(max_length=10)
    reference = models.CharField(max_length=100)
    created_at = models.DateTimeField(default=utc_now)

    class Meta:
        constraints = (
            models.UniqueConstraint("company", "gateway", name="gateway_customer_once"),
            models.CheckConstraint(condition=~Q(reference=""), name="gateway_customer_named"),
        )

    def __str__(self) -> str:
        return self.reference


class PaymentMethod(models.Model):
    """A way to pay that the company saved. The card itself stays with the gateway.

    ``reference`` is the gateway's name for it, ``customer_reference`` that of the customer it is
    kept for; ``fingerprint`` tells the same card or payer again. It is offered again once a payment
    with it succeeded (``confirmed_at``). The default comes first, then the back-ups by
    ``position``. ``expires_on`` is the last day on which a card is valid.
    """

    class Kind(models.TextChoices):
        CARD = Way.CARD.value, Way.CARD.label
        PAYPAL = Way.PAYPAL.value, Way.PAYPAL.label
        SEPA_DEBIT = Way.SEPA_DEBIT.value, Way.SEPA_DEBIT.label

    # Only these can be charged by themselves when the balance is low: the answer comes at once.
    AUTOMATIC_KINDS = (Kind.CARD, Kind.PAYPAL)

    company = models.ForeignKey(Company, on_delete=models.PROTECT, related_name="payment_methods")
    gateway = models.CharField(max_length=10)
    kind = models.CharField(max_length=10, choices=Kind)
    reference = models.CharField(max_length=100)
    customer_reference = models.CharField(max_length=100, blank=True)
    fingerprint = models.CharField(max_length=100)
    label = models.CharField(max_length=60)
    expires_on = models.DateField(null=True, blank=True)
    added_by = models.ForeignKey(
        Member, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    is_default = models.BooleanField(default=False)
    position = models.PositiveIntegerField(default=0)
    created_at = models.DateTimeField(default=utc_now)
    confirmed_at = models.DateTimeField(null=True, blank=True)
    removed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                "company",
                condition=Q(is_default=True, removed_at=None),
                name="payment_method_one_default",
            ),
            models.UniqueConstraint(
                "company",
                "gateway",
                "fingerprint",
                condition=Q(removed_at=None),
                name="payment_method_saved_once",
            ),
        )
        indexes = (
            models.Index(
                fields=("expires_on",),
                condition=Q(removed_at=None, expires_on__isnull=False),
                name="payment_method_expiring",
            ),
        )

    def __str__(self) -> str:
        return self.label

    @property
    def can_recharge(self) -> bool:
        """Whether the company's auto-recharge may pay with it."""
        return self.kind in self.AUTOMATIC_KINDS


class ForgetWish(models.Model):
    """A saved method that the gateway is to forget, tried until it did (``forgotten_at``)."""

    company = models.ForeignKey(Company, on_delete=models.PROTECT, related_name="+")
    method = models.ForeignKey(PaymentMethod, on_delete=models.PROTECT, related_name="+")
    gateway = models.CharField(max_length=10)
    reference = models.CharField(max_length=100)
    wished_at = models.DateTimeField(default=utc_now)
    next_try_at = models.DateTimeField(default=utc_now)
    tries_count = models.PositiveIntegerField(default=0)
    forgotten_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = (models.UniqueConstraint("method", "reference", name="forget_wish_once"),)
        indexes = (
            models.Index(
                fields=("next_try_at",),
                condition=Q(forgotten_at=None),
                name="forget_wish_open",
            ),
        )

    def __str__(self) -> str:
        return self.reference
