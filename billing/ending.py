"""The operator ends a purchase for which something else was paid.

Its one rule: nothing is credited, and the word of why stands in the company's audit log.
"""

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from billing.errors import NotCancellable
from billing.gateways.base import ChargeResult, ChargeStatus
from billing.incidents import Kind, resolve
from billing.models import PaymentIncident, Purchase
from billing.settlement import apply_result, lock_purchase
from members.actors import Actor
from members.audit import record
from members.models import User
from skypemgr.lib.errors import NotAllowed
from skypemgr.lib.periods import utc_now

DIFFERING = (Kind.AMOUNT_DIFFERS, Kind.CURRENCY_DIFFERS, Kind.OTHER_COMPANY)


def end_purchase(
    *, user: User, purchase_id: int, text: str, now: datetime | None = None
) -> Purchase:
    """A purchase for which another amount or currency was paid, or by another company, has expired,
    nothing credited, and holds up auto-recharge no longer; its incidents are dealt with. What came
    is sent back at the gateway, by hand.

    Raises NotAllowed, NotCancellable (``nothing_differs``, ``purchase_not_cancellable``),
    ResolutionMissing.
    """
    if not user.is_superuser:
        raise NotAllowed(_("Only operators may do this."))
    at = now or utc_now()
    with transaction.atomic():
        purchase, _rule = lock_purchase(purchase_id)
        if purchase.is_final:
            raise NotCancellable(_("This purchase does not wait for a payment any more."))
        incidents = list(
            PaymentIncident.objects.filter(purchase=purchase, kind__in=DIFFERING, resolved_at=None)
        )
        if not incidents:
            raise NotCancellable(
                _("Only a purchase for which something else was paid can be ended here."),
                code="nothing_differs",
            )
        for incident in incidents:
            resolve(incident, user=user, text=text, now=at)
        record(
            Actor.of_operator(user, purchase.company),
            "end_purchase",
            subject=f"purchase:{purchase.pk}",
            reason=text[:200],
        )
        return apply_result(purchase_id, ChargeResult(status=ChargeStatus.EXPIRED), now=at)
