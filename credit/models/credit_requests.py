"""Members' requests for credit. Its one rule: at most one open request a member."""

from django.db import models
from django.db.models import Q
from django.utils.translation import pgettext_lazy

from members.models import Company, Member


class CreditRequest(models.Model):
    """A member asks for ``amount`` (4 decimals, in the company's currency) and says why.

    ``granted`` is what an approval allocated; ``answer`` is the word that came with a refusal.
    """

    class Status(models.TextChoices):
        OPEN = "open", pgettext_lazy("credit request", "open")
        APPROVED = "approved", pgettext_lazy("credit request", "approved")
        DECLINED = "declined", pgettext_lazy("credit request", "declined")
        WITHDRAWN = "withdrawn", pgettext_lazy("credit request", "withdrawn")

    company = models.ForeignKey(Company, on_delete=models.PROTECT, related_name="credit_requests")
    member = models.ForeignKey(Member, on_delete=models.PROTECT, related_name="credit_requests")
    amount = models.DecimalField(max_digits=18, decimal_places=4)
    reason = models.CharField(max_length=500)
    status = models.CharField(max_length=9, choices=Status, default=Status.OPEN)
    granted = models.DecimalField(max_digits=18, decimal_places=4, null=True, blank=True)
    answer = models.CharField(max_length=500, blank=True)
    answered_by = models.ForeignKey(
        Member, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    created_at = models.DateTimeField()
    answered_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                "company", "member", condition=Q(status="open"), name="credit_request_open_once"
            ),
            models.CheckConstraint(condition=Q(amount__gt=0), name="credit_request_positive"),
            models.CheckConstraint(
                condition=Q(status="approved", granted__gt=0)
                | (~Q(status="approved") & Q(granted=None)),
                name="credit_request_granted_if_approved",
            ),
        )
        indexes = (
            models.Index(fields=("company", "-id"), name="credit_request_by_company"),
            models.Index(
                fields=("company", "id"), condition=Q(status="open"), name="credit_request_open"
            ),
        )

    def __str__(self) -> str:
        return f"{self.member_id}: {self.amount}"

    @property
    def is_open(self) -> bool:
        """Whether it still waits for an answer."""
        return self.status == self.Status.OPEN
