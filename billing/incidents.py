"""What about payments an operator must look at.

Its one rule: one row for each key, written in the transaction of the fact, and told to the
operators once; what is missing from the mail stands in the list.
"""

import logging
from datetime import datetime, timedelta
from smtplib import SMTPException
from typing import Any

from django.conf import settings
from django.db.models import Q
from django.urls import reverse
from django.utils.translation import gettext as _

from billing.errors import ResolutionMissing
from billing.models import PaymentIncident, Purchase
from members.models import Company, User
from skypemgr.lib.emails import send_templated
from skypemgr.lib.periods import utc_now
from skypemgr.lib.sweeping import OneOfMany
from skypemgr.lib.wake import wake

logger = logging.getLogger(__name__)

Kind = PaymentIncident.Kind
# A mail that was begun and not noted is begun again after as long.
CLAIM = timedelta(minutes=10)
GIVE_UP_AFTER = timedelta(days=3)
MAILED_AT_ONCE = 100


def report(
    kind: str,
    *,
    key: str,
    now: datetime,
    purchase: Purchase | None = None,
    company: Company | None = None,
    gateway: str = "",
    **data: Any,
) -> bool:
    """The incident is listed, once for this key; whether it is new. Belongs to the caller's
    transaction; the operators are mailed after it.
    """
    incident, is_new = PaymentIncident.objects.get_or_create(
        key=key,
        defaults={
            "kind": kind,
            "gateway": gateway or (purchase.gateway if purchase else ""),
            "purchase": purchase,
            "company": purchase.company if purchase else company,
            "data": data,
            "created_at": now,
        },
    )
    if is_new:
        logger.warning("payment incident %s: %s", kind, key)
        wake("incident.created", incident.pk)
    return is_new


def resolve(
    incident: PaymentIncident, *, user: User, text: str, now: datetime | None = None
) -> bool:
    """The incident is dealt with, as the operator says; the first word stays. Raises
    ResolutionMissing.
    """
    if not text.strip():
        raise ResolutionMissing(_("Say in a few words what came of it."), field="text")
    return bool(
        PaymentIncident.objects.filter(pk=incident.pk, resolved_at=None).update(
            resolved_at=now or utc_now(), resolved_by=user, resolution=text.strip()
        )
    )


def mail_incident(incident_id: int, *, now: datetime | None = None) -> bool:
    """The operators were mailed about the incident; False: there was nothing to do."""
    at = now or utc_now()
    mine = PaymentIncident.objects.filter(pk=incident_id).filter(_unmailed(at))
    if not settings.OPERATOR_EMAILS or not mine.update(mail_claimed_at=at):
        return False
    incident = PaymentIncident.objects.select_related("company").get(pk=incident_id)
    try:
        for address in settings.OPERATOR_EMAILS:
            send_templated(
                "payment_incident",
                to=address,
                language=settings.LANGUAGE_CODE,
                context=_facts(incident),
            )
    except (SMTPException, OSError) as error:
        logger.error("incident %s not mailed, left to the sweep: %s", incident_id, error)
        return False
    PaymentIncident.objects.filter(pk=incident_id).update(mailed_at=utc_now())
    return True


def mail_incidents(*, now: datetime | None = None) -> int:
    """Every incident whose mail got lost was tried once; gives the number of mails."""
    at = now or utc_now()
    waiting = PaymentIncident.objects.filter(_unmailed(at)).order_by("created_at")
    return sum(_try(pk, at) for pk in list(waiting.values_list("pk", flat=True)[:MAILED_AT_ONCE]))


def _try(incident_id: int, now: datetime) -> bool:
    with OneOfMany(logger, "incident %s cannot be mailed", incident_id):
        return mail_incident(incident_id, now=now)
    return False


def _unmailed(now: datetime) -> Q:
    is_free = Q(mail_claimed_at=None) | Q(mail_claimed_at__lt=now - CLAIM)
    return Q(mailed_at=None, created_at__gt=now - GIVE_UP_AFTER) & is_free


def _facts(incident: PaymentIncident) -> dict[str, Any]:
    path = reverse("admin:billing_paymentincident_change", args=[incident.pk])
    return {
        "incident": incident,
        "company": incident.company,
        "purchase_id": incident.purchase_id,
        "facts": incident.data,
        "url": settings.SITE_URL + path,
    }
