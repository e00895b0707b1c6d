"""Who is told when the company's balance gets low. Its one rule: one alert a company."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from members.models import Company, Member


class LowBalanceAlert(models.Model):
    """Tell when the company's balance falls below ``level`` (> 0, 4 decimals, its currency).

    Without a level it is off. ``is_below``: how the balance stood at the version of the purse that
    was looked at last. That version, and a copy of the level, are the purse's ``alert_…`` columns.
    """

    company = models.OneToOneField(
        Company, on_delete=models.PROTECT, related_name="low_balance_alert"
    )
    level = models.DecimalField(_("level"), max_digits=18, decimal_places=4, null=True, blank=True)
    is_below = models.BooleanField(default=False)
    changed_at = models.DateTimeField()

    class Meta:
        constraints = (
            models.CheckConstraint(condition=Q(level__gt=0), name="low_balance_level_positive"),
        )

    def __str__(self) -> str:
        return f"< {self.level}"


class LowBalanceRecipient(models.Model):
    """A member who is told; without any, all administrators are."""

    company = models.ForeignKey(Company, on_delete=models.PROTECT, related_name="+", db_index=False)
    alert = models.ForeignKey(
        LowBalanceAlert, on_delete=models.CASCADE, related_name="recipients", db_index=False
    )
    member = models.ForeignKey(Member, on_delete=models.PROTECT, related_name="+")

    class Meta:
        constraints = (
            models.UniqueConstraint("alert", "member", name="low_balance_recipient_once"),
        )

    def __str__(self) -> str:
        return f"{self.alert_id} → {self.member_id}"
