"""Credit set aside for calls in progress. Its one rule: (company, source, id) names a call once."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from credit.models.accounts import Account
from credit.models.calls import Call, Rate
from members.models import Company, Member


class Hold(models.Model):
    """One authorised call. ``amount`` is what was set aside, in the company's currency, beside the
    ``included_seconds`` set aside in allowances.

    ``max_seconds`` is how long the call may last; after ``expires_at`` an open hold gives all back.
    A call that is settled later is charged all the same.
    """

    class Status(models.TextChoices):
        OPEN = "open", _("in progress")
        SETTLED = "settled", _("settled")
        RELEASED = "released", _("released")
        EXPIRED = "expired", _("expired")

    company = models.ForeignKey(
        Company, on_delete=models.PROTECT, related_name="holds", db_constraint=False, db_index=False
    )
    member = models.ForeignKey(Member, on_delete=models.PROTECT, related_name="holds")
    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="+", db_index=False)
    source = models.CharField(max_length=40)
    external_id = models.CharField(max_length=100)
    destination = models.CharField(max_length=16)
    rate = models.ForeignKey(
        Rate, null=True, blank=True, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    amount = models.DecimalField(max_digits=18, decimal_places=4)
    included_seconds = models.PositiveIntegerField(default=0, db_default=0)
    max_seconds = models.PositiveIntegerField()
    status = models.CharField(max_length=8, choices=Status, default=Status.OPEN)
    call = models.ForeignKey(
        Call, null=True, blank=True, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = (
            models.UniqueConstraint("company", "source", "external_id", name="hold_once"),
            models.CheckConstraint(condition=Q(amount__gte=0), name="hold_not_negative"),
        )
        indexes = (
            models.Index(fields=("expires_at",), condition=Q(status="open"), name="hold_open"),
            models.Index(
                fields=("company", "-id"), condition=Q(status="expired"), name="hold_expired"
            ),
        )

    def __str__(self) -> str:
        return f"{self.source}:{self.external_id}"
