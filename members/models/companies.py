"""Companies, the customers. Its one rule: the currency never changes once a purse exists."""

from datetime import date, datetime

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from skypemgr.lib.periods import day_in, start_of_day, utc_now


class Company(models.Model):
    """A customer; owns one ledger.

    *Frozen*: nothing moves but calls; rules and purchases stop. *Closed*: nothing is added any
    more; members spend what they have.
    ``max_call_seconds`` bounds what one call in progress may hold. ``next_time_zone`` is in force
    from 00:00 (there) of ``next_time_zone_on``, without any job: ask ``zone_at``, never the column.
    Nothing is booked before ``booked_from``, the first day of the month that is not closed;
    ``closing_since`` is when it was moved there, until the months before are frozen.
    ``call_details_on`` alone shows nothing: ``members.call_details.may_show_calls`` decides.
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
    next_time_zone = models.CharField(max_length=64, blank=True, editable=False)
    next_time_zone_on = models.DateField(null=True, blank=True, editable=False)
    booked_from = models.DateField(null=True, blank=True, editable=False)
    closing_since = models.DateTimeField(null=True, blank=True, editable=False)
    language = models.CharField(_("language"), max_length=5)
    state = models.CharField(max_length=8, choices=State, default=State.ACTIVE)
    max_call_seconds = models.PositiveIntegerField(
        _("longest call in seconds"),
        default=3600,
        validators=[MinValueValidator(60), MaxValueValidator(86400)],
    )
    address_line_1 = models.CharField(_("address"), max_length=150, blank=True)
    address_line_2 = models.CharField(max_length=150, blank=True)
    postcode = models.CharField(_("postcode"), max_length=20, blank=True)
    city = models.CharField(_("city"), max_length=100, blank=True)
    siren = models.CharField("SIREN", max_length=9, blank=True)
    vat_number = models.CharField(_("VAT number"), max_length=20, blank=True)
    phone = models.CharField(_("phone number"), max_length=32, blank=True)
    website = models.URLField(_("web site"), blank=True)
    terms_url = models.URLField(blank=True)
    privacy_url = models.URLField(blank=True)
    call_details_on = models.BooleanField(_("call details"), default=False)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name_plural = "companies"
        constraints = (
            models.CheckConstraint(
                condition=models.Q(next_time_zone="", next_time_zone_on=None)
                | (~models.Q(next_time_zone="") & models.Q(next_time_zone_on__isnull=False)),
                name="company_next_time_zone_complete",
            ),
        )
        indexes = (
            models.Index(fields=("booked_from",), name="company_booked_from"),
            models.Index(
                fields=("id",),
                condition=models.Q(closing_since__isnull=False),
                name="company_closing_waits",
            ),
        )

    def __str__(self) -> str:
        return self.name

    def zone_at(self, at: datetime) -> str:
        """The time zone in force at the instant."""
        return zone_in_force(self.time_zone, self.next_time_zone, self.next_time_zone_on, at)

    def day_at(self, at: datetime) -> date:
        """The company's day at the instant."""
        return day_in(self.zone_at(at), at)

    def start_of(self, day: date) -> datetime:
        """The instant at which the company's day begins."""
        changes_on = self.next_time_zone_on
        is_after = changes_on is not None and day >= changes_on
        return start_of_day(self.next_time_zone if is_after else self.time_zone, day)

    @property
    def present_zone(self) -> str:
        """The time zone in force now."""
        return self.zone_at(utc_now())

    @property
    def coming_zone(self) -> tuple[str, date] | None:
        """The zone that will be in force and from which day; None unless a change is to come."""
        if self.next_time_zone_on is None or self.present_zone == self.next_time_zone:
            return None
        return self.next_time_zone, self.next_time_zone_on


def zone_in_force(zone: str, next_zone: str, changes_on: date | None, at: datetime) -> str:
    """The time zone in force at the instant, from a company's three columns."""
    if changes_on is not None and at >= start_of_day(next_zone, changes_on):
        return next_zone
    return zone
