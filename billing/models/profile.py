"""What billing knows of a company, and what the operator sets: rates, limits, switches.

Its one rule: an empty table means the defaults of the code; a row overrides them.
"""

from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from billing.gateways.base import Way
from members.models import Company, User
from skypemgr.lib.periods import utc_now

_COUNTRY = RegexValidator(r"^[A-Z]{2}$", _("Two capital letters, such as FR."))
_CURRENCY = RegexValidator(r"^[A-Z]{3}$", _("Three capital letters, such as EUR."))


class BillingProfile(models.Model):
    """One company as a payer, made on demand. Amounts are net, in the company's currency.

    ``company_limit`` is the most that the company lets itself buy in a calendar month.
    *Verified* is the operator's word and raises the system's limits. ``vat_number_checked`` is the
    number that ``vat_state`` speaks of: another number is unchecked, whatever stands here.
    ``vat_valid_at`` is when it was last found valid, by ``vat_source``; ``vat_next_check_at`` when
    it is asked about again.
    """

    class VatState(models.TextChoices):
        UNCHECKED = "unchecked", _("Not checked yet")
        VALID = "valid", _("Valid")
        INVALID = "invalid", _("Not valid")
        UNAVAILABLE = "unavailable", _("Could not be checked")

    class VatSource(models.TextChoices):
        OPERATOR = "operator", _("Operator")
        VIES = "vies", "VIES"

    company = models.OneToOneField(
        Company, on_delete=models.PROTECT, related_name="billing_profile"
    )
    company_limit = models.DecimalField(
        _("own monthly limit"), max_digits=18, decimal_places=4, null=True, blank=True
    )
    verified_at = models.DateTimeField(_("verified"), null=True, blank=True)
    verified_by = models.ForeignKey(
        User, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    purchases_stopped_at = models.DateTimeField(_("purchases stopped"), null=True, blank=True)
    automatic_stopped_at = models.DateTimeField(_("auto-recharge stopped"), null=True, blank=True)
    stopped_reason = models.CharField(_("reason"), max_length=200, blank=True)
    vat_number_checked = models.CharField(_("VAT number"), max_length=20, blank=True)
    vat_state = models.CharField(
        _("VAT number's state"), max_length=11, choices=VatState, default=VatState.UNCHECKED
    )
    vat_source = models.CharField(_("checked by"), max_length=8, choices=VatSource, blank=True)
    vat_checked_at = models.DateTimeField(_("last checked"), null=True, blank=True)
    vat_valid_at = models.DateTimeField(_("last found valid"), null=True, blank=True)
    vat_proof = models.CharField(_("consultation number"), max_length=40, blank=True)
    vat_next_check_at = models.DateTimeField(_("checked again"), null=True, blank=True)

    class Meta:
        verbose_name = _("billing profile")
        verbose_name_plural = _("billing profiles")
        constraints = (
            models.CheckConstraint(
                condition=Q(company_limit=None) | Q(company_limit__gt=0),
                name="billing_profile_limit_positive",
            ),
            models.CheckConstraint(
                condition=~Q(vat_state="valid")
                | (~Q(vat_number_checked="") & Q(vat_valid_at__isnull=False)),
                name="billing_profile_valid_number_known",
            ),
        )
        indexes = (
            models.Index(
                fields=("vat_next_check_at",),
                condition=Q(vat_next_check_at__isnull=False),
                name="billing_profile_to_check",
            ),
        )

    def __str__(self) -> str:
        return f"billing {self.company_id}"

    @property
    def is_verified(self) -> bool:
        """Whether the operator vouched for the company."""
        return self.verified_at is not None


class VatRate(models.Model):
    """A country's standard rate in percent from a day on; overrides the file's."""

    country = models.CharField(_("country"), max_length=2, validators=[_COUNTRY])
    rate = models.DecimalField(
        _("rate in percent"),
        max_digits=6,
        decimal_places=3,
        validators=[MinValueValidator(0), MaxValueValidator(100)],
    )
    valid_from = models.DateField(_("valid from"))

    class Meta:
        verbose_name = _("VAT rate")
        verbose_name_plural = _("VAT rates")
        constraints = (
            models.UniqueConstraint("country", "valid_from", name="vat_rate_one_a_day"),
            models.CheckConstraint(
                condition=Q(rate__gte=0, rate__lte=100), name="vat_rate_in_percent"
            ),
        )

    def __str__(self) -> str:
        return f"{self.country} {self.rate} % {self.valid_from}"


class PurchaseLimit(models.Model):
    """The most that may be bought one way, at once and in a calendar month; overrides the code's.

    Net, in the currency. Unverified companies have rows of their own.
    """

    way = models.CharField(_("way"), max_length=10, choices=Way)
    currency = models.CharField(_("currency"), max_length=3, validators=[_CURRENCY])
    is_verified = models.BooleanField(_("verified companies"))
    single_most = models.DecimalField(_("at once at most"), max_digits=18, decimal_places=4)
    monthly_most = models.DecimalField(_("a month at most"), max_digits=18, decimal_places=4)

    class Meta:
        verbose_name = _("purchase limit")
        verbose_name_plural = _("purchase limits")
        constraints = (
            models.UniqueConstraint("way", "currency", "is_verified", name="purchase_limit_once"),
            models.CheckConstraint(
                condition=Q(single_most__gte=0, monthly_most__gte=0),
                name="purchase_limit_not_negative",
            ),
        )

    def __str__(self) -> str:
        return f"{self.way} {self.currency} {self.monthly_most}"


class BillingSwitch(models.Model):
    """The installation's switches, in one row: whether anything is bought, by hand or by itself."""

    THE_ROW = 1

    id = models.PositiveSmallIntegerField(primary_key=True, default=THE_ROW, editable=False)
    purchases_stopped_at = models.DateTimeField(_("purchases stopped"), null=True, blank=True)
    automatic_stopped_at = models.DateTimeField(_("auto-recharge stopped"), null=True, blank=True)
    reason = models.CharField(_("reason"), max_length=200, blank=True)
    changed_by = models.ForeignKey(
        User, null=True, blank=True, on_delete=models.PROTECT, related_name="+", editable=False
    )
    changed_at = models.DateTimeField(default=utc_now, editable=False)

    class Meta:
        verbose_name = _("payment switches")
        verbose_name_plural = _("payment switches")
        constraints = (models.CheckConstraint(condition=Q(id=1), name="billing_switch_one_row"),)

    def __str__(self) -> str:
        return str(_("Payment switches"))
