"""A person's place in a company, and the lists that order them.

Its one rule: a login has at most one place that is active or suspended, in one company.
"""

from collections.abc import Iterable

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from members.models.companies import Company
from skypemgr.lib.text import search_key


class Role(models.TextChoices):
    """What a member may do in the company."""

    ADMINISTRATOR = "administrator", _("Administrator")
    FINANCE = "finance", _("Finance")
    MEMBER = "member", _("Member")


class MemberList(models.Model):
    """A named set of members, typically a department. Archived, never deleted."""

    company = models.ForeignKey(Company, on_delete=models.PROTECT, related_name="lists")
    name = models.CharField(_("list name"), max_length=80)
    name_key = models.CharField(max_length=160, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    archived_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                "company", "name_key", condition=Q(archived_at=None), name="list_name_unique"
            ),
            models.UniqueConstraint("id", "company", name="list_of_company"),
        )

    def __str__(self) -> str:
        return self.name


class Member(models.Model):
    """A login's place in one company.

    ``name_key`` sorts; ``search_text`` holds name, addresses, user name and phone for look-ups;
    both are set by ``set_name_keys`` and saved by the verbs of ``members.details``.
    """

    class Status(models.TextChoices):
        ACTIVE = "active", _("active")
        SUSPENDED = "suspended", _("suspended")
        REMOVED = "removed", _("removed")
        LEFT = "left", _("left")

    company = models.ForeignKey(Company, on_delete=models.PROTECT, related_name="members")
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="memberships"
    )
    role = models.CharField(_("role"), max_length=13, choices=Role, default=Role.MEMBER)
    status = models.CharField(max_length=9, choices=Status, default=Status.ACTIVE)
    list = models.ForeignKey(
        MemberList, null=True, blank=True, on_delete=models.PROTECT, related_name="members"
    )
    name = models.CharField(_("name"), max_length=150)
    name_key = models.CharField(max_length=300, editable=False)
    search_text = models.TextField(editable=False)
    job_title = models.CharField(_("job title"), max_length=100, blank=True)
    work_email = models.EmailField(_("work e-mail"), blank=True)
    work_phone = models.CharField(_("work phone"), max_length=32, blank=True)
    cost_centre = models.CharField(_("cost centre"), max_length=40, blank=True)
    call_details_consent_at = models.DateTimeField(null=True, blank=True, editable=False)
    joined_at = models.DateTimeField(auto_now_add=True)
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                "user", condition=Q(status__in=("active", "suspended")), name="user_in_one_company"
            ),
            models.UniqueConstraint("id", "company", name="member_of_company"),
        )
        # The table of members counts and pages by these alone, without reading the wide rows.
        # A further one, by parts of search_text, is made by the migration that adds them.
        indexes = (
            models.Index(fields=("company", "name_key", "id"), name="member_by_name"),
            models.Index(
                fields=("company", "name_key", "id"),
                condition=Q(status__in=("active", "suspended")),
                name="member_present_by_name",
            ),
            # Few have another role than that of most.
            models.Index(
                fields=("company", "role", "name_key", "id"),
                condition=~Q(role="member"),
                name="member_with_role",
            ),
            models.Index(
                fields=("company", "status", "id"),
                include=("role", "list", "joined_at"),
                name="member_by_status",
            ),
        )

    def __str__(self) -> str:
        return self.name

    def set_name_keys(self) -> None:
        """Recomputes the stored keys from the name and the sign-in and work addresses."""
        user = self.user
        self.name_key = search_key(self.name)[:300]
        self.search_text = search_key(
            " ".join(
                (
                    self.name,
                    user.email,
                    user.username or "",
                    str(user.phone or ""),
                    self.work_email,
                    self.work_phone,
                )
            )
        )

    @property
    def is_present(self) -> bool:
        """Whether the member is still in the company (suspended ones are)."""
        return self.status in PRESENT

    @property
    def sign_in_email(self) -> str:
        """The address of the login; empty for who is gone: how they sign in now is theirs alone."""
        return self.user.email if self.is_present else ""

    @property
    def sign_in_name(self) -> str | None:
        """The user name of the login, as long as they are in the company."""
        return self.user.username if self.is_present else None

    @property
    def contact(self) -> str:
        """What tells two of the same name apart, see ``contact_of``."""
        user = self.user
        sign_in = (user.email, user.username, str(user.phone or ""))
        return contact_of(self.status, sign_in, (self.work_email, self.work_phone))

    @property
    def is_administrator(self) -> bool:
        """Whether the member administers the company."""
        return self.role == Role.ADMINISTRATOR


# Those who are still in the company.
PRESENT = (Member.Status.ACTIVE, Member.Status.SUSPENDED)


def contact_of(status: str, sign_in: Iterable[str | None], work: Iterable[str]) -> str:
    """What tells two of the same name apart: how they sign in, of who is gone the work contact that
    the company noted; the first of those that are not empty.
    """
    return next(filter(None, sign_in if status in PRESENT else work), None) or ""
