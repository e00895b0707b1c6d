"""Requests from outside that move credit. Its one rule: inserted first, in the same transaction
as what it causes, so that a repetition finds it or waits for it.
"""

from django.db import models

from members.models import Company


class OutsideRequest(models.Model):
    """One wish with its idempotency key, the hash of what was wished, and the first answer."""

    company = models.ForeignKey(Company, on_delete=models.PROTECT, related_name="+", db_index=False)
    key = models.CharField(max_length=120)
    content_hash = models.CharField(max_length=64)
    answer = models.JSONField(null=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = (models.UniqueConstraint("company", "key", name="request_key_unique"),)

    def __str__(self) -> str:
        return self.key
