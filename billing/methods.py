"""The ways to pay that a company saved. Its one rule: the card stays with the gateway; here is its
name, and it is offered again only once a payment with it succeeded.
"""

from collections.abc import Collection
from datetime import datetime

from django.db import IntegrityError, transaction
from django.urls import reverse
from django.utils.translation import gettext as _

from billing.errors import MethodInUse, UnknownMethod
from billing.gateways.registry import find_gateway, list_gateways
from billing.models import AutoPurchaseRule, PaymentMethod
from members.actors import Actor
from members.audit import record
from members.models import Company
from members.notices import NoticeKind, tell_administrators
from skypemgr.lib.periods import utc_now


def list_methods(company: Company) -> list[PaymentMethod]:
    """The saved methods that can be used now, the default first."""
    names = [gateway.name for gateway in list_gateways()]
    return list(
        PaymentMethod.objects.filter(
            company=company, gateway__in=names, removed_at=None, confirmed_at__isnull=False
        ).order_by("-is_default", "pk")
    )


def find_method(actor: Actor, pk: int) -> PaymentMethod:
    """The company's own method that was not removed; UnknownMethod else."""
    method = PaymentMethod.objects.filter(company=actor.company, pk=pk, removed_at=None).first()
    if method is None:
        raise UnknownMethod(
            _("There is no such payment method in your company."), field="payment_method"
        )
    return method


def choose_method(actor: Actor, payment_method: str) -> PaymentMethod:
    """The method that a machine named: a saved one by id, or a gateway by name, which then uses
    its default card (the sandbox's succeeds). Raises UnknownMethod or GatewayNotConfigured.
    """
    if payment_method.isascii() and payment_method.isdigit():
        if len(payment_method) > 18:
            raise UnknownMethod(
                _("There is no such payment method in your company."), field="payment_method"
            )
        return find_method(actor, int(payment_method))
    gateway = find_gateway(payment_method)
    return save_card(actor=actor, gateway=gateway.name, number=gateway.default_card)


def save_card(*, actor: Actor, gateway: str, number: str) -> PaymentMethod:
    """The company has the card, once however often it is typed in; raises CardNotAccepted."""
    actor.require_administrator()
    saved = find_gateway(gateway).save_method(number)
    try:
        with transaction.atomic():
            method, is_new = PaymentMethod.objects.get_or_create(
                company=actor.company,
                gateway=gateway,
                fingerprint=saved.fingerprint,
                removed_at=None,
                defaults={
                    "kind": saved.kind,
                    "reference": saved.reference,
                    "label": saved.label,
                    "added_by": actor.member,
                },
            )
            if is_new:
                record(actor, "save_card", subject=f"payment_method:{method.pk}")
    except IntegrityError:
        return PaymentMethod.objects.get(
            company=actor.company, gateway=gateway, fingerprint=saved.fingerprint, removed_at=None
        )
    return method


def confirm_method(method: PaymentMethod, *, now: datetime) -> None:
    """The method is offered again; the company's first one is its default."""
    PaymentMethod.objects.filter(pk=method.pk, confirmed_at=None).update(confirmed_at=now)
    others = PaymentMethod.objects.filter(company=method.company_id, removed_at=None)
    if not others.filter(is_default=True).exists():
        try:
            with transaction.atomic():
                others.filter(pk=method.pk).update(is_default=True)
        except IntegrityError:
            # Another payment settled at this moment and made its card the default.
            return


def remove_method(*, actor: Actor, pk: int, now: datetime | None = None) -> None:
    """The method is not offered any more; MethodInUse while auto-recharge pays with it."""
    actor.require_administrator()
    with transaction.atomic():
        method = find_method(actor, pk)
        rule = AutoPurchaseRule.objects.select_for_update(no_key=True).filter(
            company=actor.company, method=method
        )
        if rule.exclude(state=AutoPurchaseRule.State.OFF).exists():
            raise MethodInUse(
                _("This card pays for auto-recharge. Choose another card there first.")
            )
        method.removed_at = now or utc_now()
        method.is_default = False
        method.save(update_fields=["removed_at", "is_default"])
        record(actor, "remove_payment_method", subject=f"payment_method:{method.pk}")


def note_people_gone(company: Company, member_ids: Collection[int], *, now: datetime) -> None:
    """Inside the verb's transaction: administrators know which cards these people entered and
    whether auto-recharge rests on their consent. Both go on; nothing stops silently.
    """
    cards = PaymentMethod.objects.filter(
        company=company, added_by__in=member_ids, removed_at=None, confirmed_at__isnull=False
    )
    labels = [method_name(card) for card in cards.order_by("pk")]
    rule = AutoPurchaseRule.objects.filter(company=company, consent_by__in=member_ids)
    consented = rule.exclude(state=AutoPurchaseRule.State.OFF).exists()
    if labels or consented:
        tell_administrators(
            company,
            NoticeKind.PAYER_GONE,
            key=f"payer_gone:{now.isoformat()}",
            cards=", ".join(labels),
            consented=consented,
            url=reverse("payment_settings"),
        )


def method_name(method: PaymentMethod) -> str:
    """The method as people call it."""
    return str(_("Test card %(number)s") % {"number": method.label})
