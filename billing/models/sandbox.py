"""The memory of the sandbox gateway, as a real gateway would keep its own.

Its one rule: one idempotency key, one charge.
"""

import secrets

from django.db import models

from skypemgr.lib.periods import utc_now


def make_reference() -> str:
    """A name that cannot be guessed."""
    return secrets.token_hex(16)


class SandboxCharge(models.Model):
    """One pretended charge. ``settles_at`` is when a late or lost answer comes,
    ``answered_at`` when the payer answered the pretended bank, ``reference``
    names the charge in the address of its authentication page.
    """

    idempotency_key = models.CharField(max_length=100, unique=True)
    reference = models.CharField(max_length=32, unique=True, default=make_reference)
    card = models.CharField(max_length=19)
    amount = models.DecimalField(max_digits=18, decimal_places=4)
    currency = models.CharField(max_length=3)
    status = models.CharField(max_length=15)
    decline_code = models.CharField(max_length=40, blank=True)
    settles_at = models.DateTimeField(null=True, blank=True)
    answered_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(default=utc_now)

    def __str__(self) -> str:
        return self.idempotency_key
