"""Removing a saved way to pay.

Its one rule: auto-recharge never stops silently because its card went.
"""

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from billing.auto_rules import lock_rule
from billing.errors import MethodInUse
from billing.methods import find_method, wish_forgotten
from billing.models import AutoPurchaseRule
from members.actors import Actor
from members.audit import record
from skypemgr.lib.periods import utc_now


def remove_method(*, actor: Actor, pk: int, now: datetime | None = None) -> None:
    """The method is not offered any more; MethodInUse while auto-recharge pays with it."""
    actor.require_administrator()
    at = now or utc_now()
    with transaction.atomic():
        lock_rule(actor.company.pk)
        method = find_method(actor, pk)
        rule = AutoPurchaseRule.objects.filter(company=actor.company, method=method)
        if rule.exclude(state=AutoPurchaseRule.State.OFF).exists():
            raise MethodInUse(
                _("This card pays for auto-recharge. Choose another card there first.")
            )
        method.removed_at = at
        method.is_default = False
        method.save(update_fields=["removed_at", "is_default"])
        wish_forgotten(method, now=at)
        record(actor, "remove_payment_method", subject=f"payment_method:{method.pk}")
