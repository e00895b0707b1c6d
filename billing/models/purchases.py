"""Purchases of credit and what the gateways said. Its one rule: a purchase is credited once,
under the key ``purchase:<pk>``, on the gateway's word alone.
"""

from decimal import Decimal

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from billing.gateways.base import Way
from billing.models.methods import PaymentMethod
from credit.models import Transfer
from members.models import Company, Member
from skypemgr.lib.periods import utc_now


class Purchase(models.Model):
    """Credit bought with money. ``amount`` is net and is what is credited; total = amount + VAT.

    States: created → pending → succeeded | declined | expired, with requires_action and unknown
    between. ``request_key`` is the form's or API's key: the same key is the same purchase.
    ``sent_at`` is when the gateway was first asked: without it nothing can have been charged.
    ``action_expires_at`` is until when the payer may pay or answer the bank at ``action_url``.
    ``way`` is how it is paid; ``method`` stays empty until the gateway has one to keep.
    ``payment_reference`` is what a bank transfer must carry. ``next_check_at`` is when the gateway
    is asked again. ``invoice_facts`` are all that its invoice will say, frozen when it is paid.
    Refunds and disputes stand beside the state: they change no credit.
    """

    class Status(models.TextChoices):
        CREATED = "created", _("Created")
        PENDING = "pending", _("Pending")
        REQUIRES_ACTION = "requires_action", _("Needs authentication")
        UNKNOWN = "unknown", _("Being checked")
        SUCCEEDED = "succeeded", _("Paid")
        DECLINED = "declined", _("Declined")
        EXPIRED = "expired", _("Expired")

    OPEN = (Status.CREATED, Status.PENDING, Status.REQUIRES_ACTION, Status.UNKNOWN)
    FINAL = (Status.SUCCEEDED, Status.DECLINED, Status.EXPIRED)
    # While one of these is open the company's auto-recharge waits.
    BLOCKING_WAYS = (Way.CARD, Way.PAYPAL)

    class Dispute(models.TextChoices):
        NONE = "", _("None")
        OPEN = "open", _("Disputed")
        WON = "won", _("Dispute won")
        LOST = "lost", _("Dispute lost")

    company = models.ForeignKey(Company, on_delete=models.PROTECT, related_name="purchases")
    request_key = models.CharField(max_length=120)
    content_hash = models.CharField(max_length=64)
    amount = models.DecimalField(max_digits=18, decimal_places=4)
    vat_rate = models.DecimalField(max_digits=6, decimal_places=3, default=Decimal(0))
    vat_reason = models.CharField(max_length=20, blank=True)
    vat_amount = models.DecimalField(max_digits=18, decimal_places=4, default=Decimal(0))
    total = models.DecimalField(max_digits=18, decimal_places=4)
    currency = models.CharField(max_length=3)
    gateway = models.CharField(max_length=10)
    way = models.CharField(max_length=10, choices=Way, default=Way.CARD)
    method = models.ForeignKey(
        PaymentMethod, null=True, blank=True, on_delete=models.PROTECT, related_name="purchases"
    )
    method_label = models.CharField(max_length=60)
    saves_method = models.BooleanField(default=False)
    payment_reference = models.CharField(max_length=30, blank=True)
    gateway_reference = models.CharField(max_length=100, blank=True)
    status = models.CharField(max_length=15, choices=Status, default=Status.CREATED)
    decline_code = models.CharField(max_length=40, blank=True)
    is_automatic = models.BooleanField(default=False)
    made_by = models.ForeignKey(
        Member, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    transfer = models.OneToOneField(
        Transfer, null=True, blank=True, on_delete=models.PROTECT, related_name="purchase"
    )
    action_url = models.CharField(max_length=2000, blank=True)
    action_expires_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(default=utc_now)
    sent_at = models.DateTimeField(null=True, blank=True)
    settled_at = models.DateTimeField(null=True, blank=True)
    checked_at = models.DateTimeField(null=True, blank=True)
    next_check_at = models.DateTimeField(null=True, blank=True)
    checks_count = models.PositiveIntegerField(default=0)
    invoice_facts = models.JSONField(null=True, blank=True, editable=False)
    refunded_amount = models.DecimalField(max_digits=18, decimal_places=4, default=Decimal(0))
    disputed_amount = models.DecimalField(max_digits=18, decimal_places=4, default=Decimal(0))
    dispute_state = models.CharField(max_length=4, choices=Dispute, blank=True, default="")

    class Meta:
        constraints = (
            models.UniqueConstraint("company", "request_key", name="purchase_request_once"),
            models.CheckConstraint(
                condition=Q(amount__gt=0, vat_amount__gte=0, total=F("amount") + F("vat_amount")),
                name="purchase_total_is_net_and_vat",
            ),
            models.CheckConstraint(
                condition=Q(status="succeeded", transfer__isnull=False)
                | (~Q(status="succeeded") & Q(transfer=None)),
                name="purchase_credited_if_paid",
            ),
            models.CheckConstraint(
                condition=Q(refunded_amount__gte=0, disputed_amount__gte=0),
                name="purchase_refunds_not_negative",
            ),
            models.UniqueConstraint(
                "payment_reference",
                condition=~Q(payment_reference=""),
                name="purchase_payment_reference_once",
            ),
            models.UniqueConstraint(
                "company",
                condition=Q(is_automatic=True)
                & Q(status__in=("created", "pending", "requires_action", "unknown")),
                name="purchase_one_automatic_in_flight",
            ),
        )
        indexes = (
            models.Index(fields=("company", "-id"), name="purchase_latest"),
            models.Index(
                fields=("next_check_at",),
                condition=Q(status__in=("created", "pending", "requires_action", "unknown")),
                name="purchase_to_check",
            ),
            # Events and day lists of a gateway may name a charge by nothing else.
            models.Index(
                fields=("gateway_reference",),
                condition=~Q(gateway_reference=""),
                name="purchase_by_reference",
            ),
            models.Index(
                fields=("gateway", "settled_at"),
                condition=Q(status="succeeded"),
                name="purchase_settled_on",
            ),
        )

    def __str__(self) -> str:
        return f"{self.amount} {self.currency}"

    @property
    def is_final(self) -> bool:
        """Whether nothing can change its state any more."""
        return self.status in self.FINAL


class PaymentEvent(models.Model):
    """What a gateway told us about a purchase, as told; never changed."""

    company = models.ForeignKey(Company, on_delete=models.PROTECT, related_name="+")
    purchase = models.ForeignKey(Purchase, on_delete=models.PROTECT, related_name="events")
    status = models.CharField(max_length=15, choices=Purchase.Status)
    data = models.JSONField(default=dict)
    created_at = models.DateTimeField(default=utc_now)

    def __str__(self) -> str:
        return self.status
