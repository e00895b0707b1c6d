"""Tokens for the API. Its one rule: only the SHA-256 of a token is kept."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from members.models.companies import Company
from members.models.people import Member


class ApiToken(models.Model):
    """A named key to the API.

    A token of a member can never do more than that member's role at that moment, within its
    scopes. A company token (``member`` null, scope ``calls`` only) outlives its maker.
    """

    class Scope(models.TextChoices):
        READ = "read", _("read")
        WRITE = "write", _("write")
        CALLS = "calls", _("calls")

    company = models.ForeignKey(Company, on_delete=models.PROTECT, related_name="tokens")
    member = models.ForeignKey(
        Member, null=True, blank=True, on_delete=models.PROTECT, related_name="tokens"
    )
    name = models.CharField(_("name"), max_length=80)
    token_hash = models.CharField(max_length=64, unique=True)
    scopes = ArrayField(models.CharField(max_length=5, choices=Scope))
    made_by = models.ForeignKey(Member, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = (
            models.CheckConstraint(
                condition=models.Q(member__isnull=False) | models.Q(scopes=["calls"]),
                name="token_of_company_only_calls",
            ),
        )

    def __str__(self) -> str:
        return self.name

    @property
    def is_usable(self) -> bool:
        """Whether it is neither revoked nor expired."""
        if self.revoked_at is not None:
            return False
        return self.expires_at is None or self.expires_at > timezone.now()

    @property
    def scope_labels(self) -> list[str]:
        """What it may do, in the reader's language."""
        return [str(self.Scope(scope).label) for scope in self.scopes]
