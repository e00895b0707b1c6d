"""Signed links of billing. Their one rule: whoever holds one may open the bank's page for that one
purchase while it waits, and nothing else.
"""

from datetime import timedelta

from django.core import signing
from django.urls import reverse

from billing.models import Purchase

_SALT = "billing.authenticate"
LINK_LASTS = timedelta(hours=24)


def authentication_link(purchase_id: int) -> str:
    """The path that leads the payer to the bank's page for 24 hours."""
    return reverse("purchase_authenticate", args=[signing.dumps(purchase_id, salt=_SALT)])


def return_path(purchase: Purchase) -> str:
    """Where the payer comes back to from the gateway's page: for an automatic purchase, which a
    mail led to, without signing in.
    """
    if purchase.is_automatic:
        return f"{authentication_link(purchase.pk)}?back=1"
    return reverse("purchase_return", args=[purchase.pk])


def read_authentication_link(token: str) -> int | None:
    """The purchase that the link names; None if it is forged or too old."""
    try:
        return int(signing.loads(token, salt=_SALT, max_age=LINK_LASTS))
    except signing.BadSignature:
        return None
