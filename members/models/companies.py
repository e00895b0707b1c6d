"""Companies, the customers. Its one rule: the currency never changes once a purse exists."""

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy


class Company(models.Model):
    """A customer; owns one ledger.

    *Frozen*: nothing moves but calls; rules and purchases stop. *Closed*: nothing moves any more.
    ``max_call_seconds`` bounds what one call in progress may hold.
    """

    class State(models.TextChoices):
        ACTIVE = "active", pgettext_lazy("company", "active")
        FROZEN = "frozen", _("frozen")
        CLOSED = "closed", _("closed")

    name = models.CharField(_("company name"), max_length=150)
    country = models.CharField(_("country"), max_length=2)
    currency = models.CharField(_("currency"), max_length=3)
    currency_fixed_at = models.DateTimeField(null=True, blank=True, editable=False)
    time_zone = models.CharField(_("time zone"), max_length=64)
    language = models.CharField(_("language"), max_length=5)
    state = models.CharField(max_length=8, choices=State, default=State.ACTIVE)
    max_call_seconds = models.PositiveIntegerField(
        _("longest call in seconds"),
        default=3600,
        validators=[MinValueValidator(60), MaxValueValidator(86400)],
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name_plural = "companies"

    def __str__(self) -> str:
        return self.name
