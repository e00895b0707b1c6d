"""What was decided by whom, and what people are to be told.

Its one rule: written in the transaction of the fact, never changed afterwards (a notice only
gains ``mail_claimed_at``, ``mailed_at``, ``read_at``).
"""

from django.conf import settings
from django.db import models

from members.models.companies import Company
from members.models.people import Member


class AuditEntry(models.Model):
    """One decision of a person or token; a bulk action is one entry with counts in ``data``.

    ``verb`` is the name of the function (``allocate``), ``subject`` says what it was done to
    (``member:12``; several members are ``AuditedMember`` rows), ``data`` holds amounts as strings.
    """

    company = models.ForeignKey(Company, on_delete=models.PROTECT, related_name="+", db_index=False)
    member = models.ForeignKey(
        Member, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    # Users and tokens are never deleted, and no page starts from them: an index would only cost.
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
        db_index=False,
    )
    token = models.ForeignKey(
        "members.ApiToken",
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
        db_index=False,
    )
    verb = models.CharField(max_length=40)
    subject = models.CharField(max_length=80, blank=True)
    data = models.JSONField(default=dict)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        indexes = (
            models.Index(fields=("company", "-id"), name="audit_by_company"),
            models.Index(
                fields=("company", "subject", "-id"),
                condition=~models.Q(subject=""),
                name="audit_by_subject",
            ),
        )
        verbose_name_plural = "audit entries"

    def __str__(self) -> str:
        return f"{self.verb} {self.subject}"


class AuditedMember(models.Model):
    """One of the several members whom a decision was about."""

    company = models.ForeignKey(
        Company, on_delete=models.PROTECT, related_name="+", db_index=False, db_constraint=False
    )
    entry = models.ForeignKey(
        AuditEntry, on_delete=models.PROTECT, related_name="about", db_index=False
    )
    member = models.ForeignKey(Member, on_delete=models.PROTECT, related_name="+", db_index=False)

    class Meta:
        constraints = (models.UniqueConstraint("member", "entry", name="audited_member_once"),)

    def __str__(self) -> str:
        return f"{self.entry_id}: {self.member_id}"


class Notice(models.Model):
    """Something one member is to be told. ``key`` keeps a fact from being told twice."""

    company = models.ForeignKey(Company, on_delete=models.PROTECT, related_name="+")
    member = models.ForeignKey(Member, on_delete=models.PROTECT, related_name="notices")
    kind = models.CharField(max_length=40)
    key = models.CharField(max_length=120)
    data = models.JSONField(default=dict)
    created_at = models.DateTimeField(auto_now_add=True)
    mail_claimed_at = models.DateTimeField(null=True, blank=True)
    mailed_at = models.DateTimeField(null=True, blank=True)
    read_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = (
            models.UniqueConstraint("company", "member", "key", name="notice_told_once"),
        )
        indexes = (
            models.Index(fields=("id",), condition=models.Q(mailed_at=None), name="notice_to_mail"),
            models.Index(fields=("member", "-id"), name="notice_by_member"),
            models.Index(
                fields=("member",), condition=models.Q(read_at=None), name="notice_unread"
            ),
        )

    def __str__(self) -> str:
        return f"{self.kind} → {self.member_id}"


class MutedNotice(models.Model):
    """A kind of notice that a member does not want by mail; it still stands behind the bell."""

    company = models.ForeignKey(Company, on_delete=models.PROTECT, related_name="+", db_index=False)
    member = models.ForeignKey(
        Member, on_delete=models.PROTECT, related_name="muted_notices", db_index=False
    )
    kind = models.CharField(max_length=40)

    class Meta:
        constraints = (models.UniqueConstraint("member", "kind", name="notice_muted_once"),)

    def __str__(self) -> str:
        return f"{self.member_id}: {self.kind}"
