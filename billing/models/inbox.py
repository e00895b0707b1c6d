"""What a gateway told us unasked, and what about payments a person must look at.

Its one rule: nothing here is credit; a row is kept as it came and never changed but to say that it
was dealt with.
"""

from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from billing.gateways.base import NewsKind
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


class GatewayEvent(models.Model):
    """One event that a gateway told, as it came, its signature verified before it was stored.

    ``body`` and ``headers`` are the proof; ``news`` is what it says in our words. It is dealt with
    by the worker (``processed_at``); until then ``next_try_at`` says when it is tried (again), and
    ``problem`` why it was not. Without either nobody tries any more and there is an incident.
    """

    gateway = models.CharField(max_length=20)
    event_id = models.CharField(max_length=200)
    kind = models.CharField(max_length=10, choices=[(kind.value, kind.value) for kind in NewsKind])
    text = models.CharField(max_length=100)
    body = models.TextField()
    headers = models.JSONField(default=dict)
    news = models.JSONField(default=dict, encoder=DjangoJSONEncoder)
    purchase = models.ForeignKey(
        Purchase, null=True, blank=True, on_delete=models.PROTECT, related_name="gateway_events"
    )
    occurred_at = models.DateTimeField(null=True, blank=True)
    received_at = models.DateTimeField(default=utc_now)
    processed_at = models.DateTimeField(null=True, blank=True)
    tries_count = models.PositiveIntegerField(default=0)
    next_try_at = models.DateTimeField(null=True, blank=True)
    problem = models.CharField(max_length=500, blank=True)

    class Meta:
        constraints = (
            models.UniqueConstraint("gateway", "event_id", name="gateway_event_stored_once"),
        )
        indexes = (
            models.Index(
                fields=("next_try_at",),
                condition=Q(processed_at=None, next_try_at__isnull=False),
                name="gateway_event_to_process",
            ),
        )

    def __str__(self) -> str:
        return self.text or self.event_id


class GatewayDay(models.Model):
    """A finished day (UTC) of a gateway beside ours, charge by charge.

    Sums are totals by currency, as text. ``differences`` is a list of ``{what, key, ours,
    theirs}``; empty when each charge of that day is a purchase paid with the same amount and the
    other way round.
    """

    gateway = models.CharField(max_length=20)
    day = models.DateField()
    ours_count = models.PositiveIntegerField(default=0)
    theirs_count = models.PositiveIntegerField(default=0)
    ours_sums = models.JSONField(default=dict)
    theirs_sums = models.JSONField(default=dict)
    differences = models.JSONField(default=list)
    compared_at = models.DateTimeField()

    class Meta:
        constraints = (models.UniqueConstraint("gateway", "day", name="gateway_day_compared_once"),)

    def __str__(self) -> str:
        return f"{self.gateway} {self.day}"
