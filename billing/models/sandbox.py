"""The memory of the sandbox gateway, as a real gateway would keep its own.

Its one rule: one idempotency key, one charge.
"""

from django.db import models


class SandboxCharge(models.Model):
    """One pretended charge. ``settles_at`` is when a late answer comes."""

    idempotency_key = models.CharField(max_length=100, unique=True)
    card = models.CharField(max_length=19)
    amount = models.DecimalField(max_digits=18, decimal_places=4)
    currency = models.CharField(max_length=3)
    status = models.CharField(max_length=15)
    decline_code = models.CharField(max_length=40, blank=True)
    settles_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return self.idempotency_key
