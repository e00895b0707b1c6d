"""The ways to pay that a company saved. Its one rule: the card stays with the gateway; here is its
name, and it is offered again only once a payment with it succeeded.

Lock order: rule, purchase, methods by pk, purses.
"""

from collections.abc import Collection, Sequence
from datetime import datetime

from django.db import IntegrityError, transaction
from django.db.models import Max
from django.urls import reverse
from django.utils.translation import gettext as _

from billing.errors import UnknownMethod
from billing.gateways.base import SavedMethod
from billing.gateways.registry import find_gateway, list_gateways
from billing.gateways.sandbox import SandboxGateway
from billing.models import AutoPurchaseRule, ForgetWish, GatewayCustomer, PaymentMethod
from members.actors import Actor
from members.audit import record
from members.models import Company, Member
from members.notices import NoticeKind, tell_administrators
from skypemgr.lib.wake import wake

# More digits than any id has, and than the database can compare.
LONGEST_ID = 18


def list_methods(company: Company) -> list[PaymentMethod]:
    """The saved methods that can be used now: the default, then the back-ups in their order."""
    names = [gateway.name for gateway in list_gateways()]
    return list(
        PaymentMethod.objects.filter(
            company=company, gateway__in=names, removed_at=None, confirmed_at__isnull=False
        ).order_by("-is_default", "position", "pk")
    )


def find_method(actor: Actor, pk: int) -> PaymentMethod:
    """The company's own method that was not removed; UnknownMethod else."""
    method = PaymentMethod.objects.filter(company=actor.company, pk=pk, removed_at=None).first()
    if method is None:
        raise UnknownMethod(
            _("There is no such payment method in your company."), field="payment_method"
        )
    return method


def find_method_named(actor: Actor, name: str) -> PaymentMethod:
    """The company's own method by its id as text, digits only; UnknownMethod else."""
    if len(name) > LONGEST_ID:
        raise UnknownMethod(
            _("There is no such payment method in your company."), field="payment_method"
        )
    return find_method(actor, int(name))


def choose_method(actor: Actor, payment_method: str) -> PaymentMethod:
    """The method that a machine named: a saved one by id, or a gateway by name, which then uses
    its default card (the sandbox's succeeds). Raises UnknownMethod or GatewayNotConfigured.
    """
    if payment_method.isascii() and payment_method.isdigit():
        return find_method_named(actor, payment_method)
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


def keep_method(
    company: Company,
    gateway: str,
    saved: SavedMethod,
    *,
    member: Member | None,
    now: datetime,
    customer_reference: str = "",
) -> PaymentMethod:
    """Inside a transaction: the company has the method that the gateway saved, once for the same
    card or payer. Saved anew it has the newer name, and the gateway is to forget the older one. It
    is offered only after ``confirm_method``.
    """
    fields = {
        "kind": saved.kind,
        "reference": saved.reference,
        "label": saved.label[:60],
        "expires_on": saved.expires_on,
        "customer_reference": customer_reference,
    }
    known = PaymentMethod.objects.select_for_update(no_key=True).filter(
        company=company, gateway=gateway, fingerprint=saved.fingerprint, removed_at=None
    )
    method = known.first()
    if method is None:
        try:
            with transaction.atomic():
                return PaymentMethod.objects.create(
                    company=company,
                    gateway=gateway,
                    fingerprint=saved.fingerprint,
                    added_by=member,
                    created_at=now,
                    **fields,
                )
        except IntegrityError:
            # Saved by another payment at this moment.
            method = known.get()
    if method.reference != saved.reference:
        wish_forgotten(method, now=now)
        for name, value in fields.items():
            setattr(method, name, value)
        method.save(update_fields=list(fields))
    return method


def wish_forgotten(method: PaymentMethod, *, now: datetime) -> None:
    """Inside a transaction: the gateway is to forget the method under its present name."""
    wish, _is_new = ForgetWish.objects.get_or_create(
        method=method,
        reference=method.reference,
        defaults={
            "company_id": method.company_id,
            "gateway": method.gateway,
            "wished_at": now,
            "next_try_at": now,
        },
    )
    wake("method.removed", wish.pk)


def customer_of(company: Company, gateway: str) -> str:
    """Under which name the gateway knows the company; empty if it does not yet."""
    found = GatewayCustomer.objects.filter(company=company, gateway=gateway)
    return found.values_list("reference", flat=True).first() or ""


def keep_customer(company: Company, gateway: str, reference: str) -> str:
    """The gateway's name for the company is kept, the first one for good; returns that one."""
    GatewayCustomer.objects.bulk_create(
        [GatewayCustomer(company=company, gateway=gateway, reference=reference)],
        ignore_conflicts=True,
    )
    return customer_of(company, gateway)


def confirm_method(method: PaymentMethod, *, now: datetime) -> None:
    """The method is offered again, after the others; the company's first one is its default."""
    own = PaymentMethod.objects.filter(company=method.company_id, removed_at=None)
    # Held until the end: who removes it, or lets auto-recharge pay with it, waits.
    own.select_for_update(no_key=True).filter(pk=method.pk).exists()
    last = own.aggregate(last=Max("position"))["last"] or 0
    own.filter(pk=method.pk, confirmed_at=None).update(confirmed_at=now, position=last + 1)
    if not own.filter(is_default=True).exists():
        try:
            with transaction.atomic():
                own.filter(pk=method.pk).update(is_default=True)
        except IntegrityError:
            # Another payment settled at this moment and made its card the default.
            return


def set_default(*, actor: Actor, pk: int) -> list[PaymentMethod]:
    """The method comes first, the others after it as they were; raises UnknownMethod."""
    return reorder(actor=actor, ids=[pk])


def reorder(*, actor: Actor, ids: Sequence[int]) -> list[PaymentMethod]:
    """The named methods come first in this order, the others after them as they were; the first is
    the default. What auto-recharge pays with stays: that takes a consent. Raises UnknownMethod.
    """
    actor.require_administrator()
    with transaction.atomic():
        own = PaymentMethod.objects.filter(company=actor.company, removed_at=None)
        list(own.select_for_update(no_key=True).order_by("pk").values_list("pk", flat=True))
        before = list_methods(actor.company)
        usable = {method.pk: method for method in before}
        if not ids or not usable.keys() >= set(ids):
            raise UnknownMethod(
                _("There is no such payment method in your company."), field="payment_method"
            )
        after = list({usable[pk].pk: usable[pk] for pk in [*ids, *usable]}.values())
        if [method.pk for method in after] == [method.pk for method in before]:
            return before
        # No two may be the default at any moment.
        own.filter(is_default=True).update(is_default=False)
        for position, method in enumerate(after, 1):
            method.position, method.is_default = position, position == 1
            method.save(update_fields=["position", "is_default"])
        record(
            actor,
            "order_payment_methods",
            subject=f"payment_method:{after[0].pk}",
            order=[method.pk for method in after],
        )
    return after


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
    if method.gateway == SandboxGateway.name:
        return str(_("Test card %(number)s") % {"number": method.label})
    if method.kind == PaymentMethod.Kind.PAYPAL:
        return str(_("PayPal %(account)s") % {"account": method.label})
    if method.kind == PaymentMethod.Kind.SEPA_DEBIT:
        return str(_("Direct debit %(account)s") % {"account": method.label})
    return method.label
