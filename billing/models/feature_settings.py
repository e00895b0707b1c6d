"""What a phone system does for a member: voicemail, forwarding, caller ID.

Its one rule: one row a member, because a phone system reads and replaces a member as a whole; its
stamp ``updated_at`` is later than any other of the company that was committed before it.
"""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from billing.models.numbers import PhoneNumber
from members.models import Company, Member

MOST_TARGETS = 3
MOST_SECONDS = 120


class PhoneFeed(models.Model):
    """The company's latest stamp. Whoever changes what phone systems read locks this row until the
    commit, so stamps become visible in their order; see ``billing.features.phone_feed``.
    """

    company = models.OneToOneField(
        Company, primary_key=True, on_delete=models.PROTECT, related_name="+"
    )
    updated_at = models.DateTimeField()

    def __str__(self) -> str:
        return str(self.updated_at)


class PhoneSettings(models.Model):
    """How a member wants to be reached. It is there from the first such feature on and stays; what
    of it is in effect follows from the member's features and is never stored.

    ``caller_id`` is one of the member's own numbers, empty as soon as it is not. The greeting's
    text is read out when ``greeting`` says so.
    """

    class Greeting(models.TextChoices):
        STANDARD = "standard", _("A standard greeting")
        NAME = "name", _("A greeting with the member's name")
        TEXT = "text", _("Own words, read out")

    class Language(models.TextChoices):
        ENGLISH = "en", _("English")
        FRENCH = "fr", _("French")

    member = models.OneToOneField(
        Member, primary_key=True, on_delete=models.PROTECT, related_name="phone_settings"
    )
    company = models.ForeignKey(Company, on_delete=models.PROTECT, related_name="+", db_index=False)
    voicemail_on = models.BooleanField(default=True)
    answer_after_seconds = models.PositiveSmallIntegerField(default=20)
    greeting = models.CharField(max_length=8, choices=Greeting, default=Greeting.STANDARD)
    greeting_language = models.CharField(max_length=2, choices=Language)
    greeting_text = models.CharField(max_length=500, blank=True)
    voicemail_email = models.EmailField(blank=True)
    caller_id = models.ForeignKey(
        PhoneNumber, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    updated_at = models.DateTimeField()

    class Meta:
        verbose_name_plural = "phone settings"
        constraints = (
            models.CheckConstraint(
                condition=Q(answer_after_seconds__lte=MOST_SECONDS),
                name="voicemail_answers_in_time",
            ),
            models.CheckConstraint(
                condition=~Q(greeting="text") | ~Q(greeting_text=""),
                name="voicemail_text_to_read_out",
            ),
            models.UniqueConstraint("member", "company", name="phone_settings_of_company"),
        )
        indexes = (
            models.Index(fields=("company", "updated_at", "member"), name="phone_settings_changed"),
        )

    def __str__(self) -> str:
        return str(self.member_id)


class ForwardingTarget(models.Model):
    """Where calls go that the member does not answer: ``number`` (E.164) rings when nobody answered
    for so many seconds where it rang before.
    """

    company = models.ForeignKey(Company, on_delete=models.PROTECT, related_name="+", db_index=False)
    settings = models.ForeignKey(
        PhoneSettings, on_delete=models.PROTECT, related_name="targets", db_index=False
    )
    position = models.PositiveSmallIntegerField()
    number = models.CharField(max_length=16)
    delay_seconds = models.PositiveSmallIntegerField()

    class Meta:
        constraints = (
            models.UniqueConstraint("settings", "position", name="forwarding_position_once"),
            models.UniqueConstraint("settings", "number", name="forwarding_number_once"),
            models.CheckConstraint(
                condition=Q(
                    position__gte=1, position__lte=MOST_TARGETS, delay_seconds__lte=MOST_SECONDS
                ),
                name="forwarding_within_bounds",
            ),
        )
        indexes = (models.Index(fields=("company", "number"), name="forwarding_by_number"),)

    def __str__(self) -> str:
        return self.number
