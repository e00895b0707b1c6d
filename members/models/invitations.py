"""Invitations to a company. Its one rule: the stored hash, not the table, opens the door."""

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from members.models.companies import Company
from members.models.people import Member, MemberList, Role


class Invitation(models.Model):
    """One person asked to join. *Expired* is not stored: it is pending past ``expires_at``.

    ``address`` is the normalised e-mail address, user name or phone number; the accepting login
    must own it. ``token_hash`` is the SHA-256 of the secret in the link. ``link_shown`` says that
    an administrator was shown the present link: having it proves no address then.
    """

    class Way(models.TextChoices):
        EMAIL = "email", _("e-mail address")
        USERNAME = "username", _("user name")
        PHONE = "phone", _("phone number")

    class Status(models.TextChoices):
        PENDING = "pending", _("pending")
        ACCEPTED = "accepted", _("accepted")
        DECLINED = "declined", _("declined")
        REVOKED = "revoked", _("revoked")

    company = models.ForeignKey(Company, on_delete=models.PROTECT, related_name="invitations")
    way = models.CharField(max_length=8, choices=Way)
    address = models.CharField(max_length=254)
    name = models.CharField(max_length=150, blank=True)
    role = models.CharField(max_length=13, choices=Role, default=Role.MEMBER)
    list = models.ForeignKey(MemberList, null=True, blank=True, on_delete=models.PROTECT)
    language = models.CharField(max_length=5)
    status = models.CharField(max_length=8, choices=Status, default=Status.PENDING)
    token_hash = models.CharField(max_length=64, unique=True)
    link_shown = models.BooleanField(default=False)
    invited_by = models.ForeignKey(Member, on_delete=models.PROTECT, related_name="+")
    member = models.ForeignKey(
        Member, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    created_at = models.DateTimeField(auto_now_add=True)
    claimed_at = models.DateTimeField(null=True, blank=True)
    sent_at = models.DateTimeField(null=True, blank=True)
    expires_at = models.DateTimeField()
    answered_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                "company",
                "way",
                "address",
                condition=Q(status="pending"),
                name="invitation_pending_once",
            ),
        )

    def __str__(self) -> str:
        return self.address

    @property
    def is_expired(self) -> bool:
        """Whether it is still pending but too old to be accepted."""
        return self.status == self.Status.PENDING and self.expires_at <= timezone.now()
