"""What a gateway told us unasked, and what about payments a person must look at.

Its one rule: nothing here is credit; a row is kept as it came and never changed but to say that it
was dealt with.
"""

from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from billing.models.purchases import Purchase
from members.models import Company, User
from skypemgr.lib.periods import utc_now


class PaymentIncident(models.Model):
    """Something about payments that an operator must look at; one row for each ``key``.

    ``data`` holds the facts as they were. It is open until somebody says what came of it
    (``resolved_at``, ``resolved_by``, ``resolution``).
    """

    class Kind(models.TextChoices):
        UNKNOWN_PURCHASE = "unknown_purchase", _("Money for a purchase we do not know")
        AMOUNT_DIFFERS = "amount_differs", _("Another amount was paid")
        CURRENCY_DIFFERS = "currency_differs", _("Another currency was paid")
        OTHER_COMPANY = "other_company", _("Paid for another company")
        PAID_AFTER_END = "paid_after_end", _("Paid after the purchase had ended")
        REFUND = "refund", _("Money was given back")
        DISPUTE = "dispute", _("The payer disputes a payment")
        MANY_CHARGES = "many_charges", _("Many charges in a short time")
        TOTALS_DIFFER = "totals_differ", _("The gateway's totals differ from ours")
        TRANSFER_DIFFERS = "transfer_differs", _("A transfer with another amount")
        TRANSFER_UNMATCHED = "transfer_unmatched", _("A transfer that fits no purchase")
        BAD_SIGNATURES = "bad_signatures", _("Events with a wrong signature")
        EVENT_FAILED = "event_failed", _("An event could not be dealt with")

    kind = models.CharField(max_length=30, choices=Kind)
    key = models.CharField(max_length=200, unique=True)
    gateway = models.CharField(max_length=20, blank=True)
    purchase = models.ForeignKey(
        Purchase, null=True, blank=True, on_delete=models.PROTECT, related_name="incidents"
    )
    company = models.ForeignKey(
        Company, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    data = models.JSONField(default=dict, encoder=DjangoJSONEncoder)
    created_at = models.DateTimeField(default=utc_now)
    mail_claimed_at = models.DateTimeField(null=True, blank=True)
    mailed_at = models.DateTimeField(null=True, blank=True)
    resolved_at = models.DateTimeField(null=True, blank=True)
    resolved_by = models.ForeignKey(
        User, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    resolution = models.TextField(blank=True)

    class Meta:
        constraints = (
            models.CheckConstraint(
                condition=Q(resolved_at=None, resolved_by=None, resolution="")
                | (Q(resolved_at__isnull=False, resolved_by__isnull=False) & ~Q(resolution="")),
                name="payment_incident_resolved_by_somebody_who_says_how",
            ),
        )
        indexes = (
            models.Index(
                fields=("-id",), condition=Q(resolved_at=None), name="payment_incident_open"
            ),
            models.Index(
                fields=("created_at",),
                condition=Q(mailed_at=None),
                name="payment_incident_to_mail",
            ),
        )

    def __str__(self) -> str:
        return self.get_kind_display()
