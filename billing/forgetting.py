"""Letting the gateway forget methods that were removed, and telling before cards expire.

Its one rule: both may run any number of times; a method in use by an open payment is not forgotten
before that has ended.
"""

import logging
from datetime import datetime, timedelta

from django.db.models import Exists, F, OuterRef, QuerySet
from django.urls import reverse

from billing.errors import GatewayNotConfigured
from billing.gateways.base import GatewayUnavailable
from billing.gateways.registry import find_gateway
from billing.models import AutoPurchaseRule, ForgetWish, PaymentMethod, Purchase
from members.models import Company
from members.notices import NoticeKind, tell_administrators
from skypemgr.lib.periods import utc_now
from skypemgr.lib.sweeping import OneOfMany

logger = logging.getLogger(__name__)

# What was begun and not noted is begun again after as long; the next tries come slower and slower.
CLAIM = timedelta(minutes=10)
SLOWEST = timedelta(days=1)
TOLD_BEFORE = timedelta(days=31)
FORGOTTEN_AT_ONCE = 200


def forget_method(wish_id: int, *, now: datetime | None = None) -> bool:
    """The gateway was asked to forget the method; whether it did. Never inside a transaction."""
    at = now or utc_now()
    claimed = _open_wishes(at).filter(pk=wish_id)
    if not claimed.update(next_try_at=at + CLAIM, tries_count=F("tries_count") + 1):
        return False
    wish = ForgetWish.objects.get(pk=wish_id)
    if _is_saved_again(wish):
        wish.delete()
        return False
    try:
        find_gateway(wish.gateway).detach(wish.reference)
    except (GatewayUnavailable, GatewayNotConfigured):
        wait = min(SLOWEST, timedelta(minutes=2 ** min(wish.tries_count, 12)))
        ForgetWish.objects.filter(pk=wish.pk).update(next_try_at=at + wait)
        return False
    ForgetWish.objects.filter(pk=wish.pk).update(forgotten_at=at)
    return True


def forget_methods(*, now: datetime | None = None) -> int:
    """Every removed method that is due was tried, at most 200; returns how many are forgotten."""
    at = now or utc_now()
    due = _open_wishes(at).order_by("next_try_at").values_list("pk", flat=True)
    return sum(_try(pk, now) for pk in list(due[:FORGOTTEN_AT_ONCE]))


def tell_of_expiring(*, now: datetime | None = None) -> int:
    """Administrators know of every saved card whose last month has come, once for each card and
    date; returns how many cards there are.
    """
    at = now or utc_now()
    found = list_expiring(at).select_related("company")
    return sum(_try_to_tell(method, at) for method in found.iterator())


def _try_to_tell(method: PaymentMethod, at: datetime) -> bool:
    with OneOfMany(logger, "nobody was told that payment method %s expires", method.pk):
        return _tell_of_expiring(method, at)
    return False


def _tell_of_expiring(method: PaymentMethod, at: datetime) -> bool:
    today = method.company.day_at(at)
    if method.expires_on is None or not today <= method.expires_on <= today + TOLD_BEFORE:
        return False
    tell_administrators(
        method.company,
        NoticeKind.PAYMENT_METHOD_EXPIRES,
        key=f"payment_method_expires:{method.pk}:{method.expires_on.isoformat()}",
        card=method.label,
        expires_on=method.expires_on.isoformat(),
        pays=_pays_by_itself(method),
        url=reverse("payment_settings"),
    )
    return True


def list_expiring(at: datetime) -> "QuerySet[PaymentMethod]":
    """Usable methods that expire within about a month, wherever the company is."""
    today = at.date()
    return PaymentMethod.objects.filter(
        expires_on__gte=today - timedelta(days=1),
        expires_on__lte=today + TOLD_BEFORE + timedelta(days=1),
        removed_at=None,
        confirmed_at__isnull=False,
    ).exclude(company__state=Company.State.CLOSED)


def _pays_by_itself(method: PaymentMethod) -> bool:
    rule = AutoPurchaseRule.objects.filter(company=method.company_id, method=method)
    return rule.exclude(state=AutoPurchaseRule.State.OFF).exists()


def _open_wishes(at: datetime) -> "QuerySet[ForgetWish]":
    paying = Purchase.objects.filter(method=OuterRef("method"), status__in=Purchase.OPEN)
    return ForgetWish.objects.filter(~Exists(paying), forgotten_at=None, next_try_at__lte=at)


def _is_saved_again(wish: ForgetWish) -> bool:
    """Whether the gateway's name for it is in use again: then it must not be forgotten."""
    return PaymentMethod.objects.filter(
        gateway=wish.gateway, reference=wish.reference, company=wish.company_id, removed_at=None
    ).exists()


def _try(wish_id: int, now: datetime | None) -> bool:
    with OneOfMany(logger, "payment method of wish %s cannot be forgotten", wish_id):
        return forget_method(wish_id, now=now)
    return False
