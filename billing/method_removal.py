"""Removing a saved way to pay.

Its one rule: auto-recharge never stops silently because what it charges went: another method takes
over with a consent of its own, or it pauses and every administrator is told. Lock order: rule,
methods, purses.
"""

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from billing.auto_rules import activate_rule, pause_without_method, store_consent, terms_of
from billing.auto_state import State, lock_rule
from billing.errors import MethodInUse, UnknownMethod
from billing.methods import find_method, wish_forgotten
from billing.models import AutoPurchaseRule, PaymentMethod
from members.actors import Actor
from members.audit import record
from members.standing import hold_active_company
from skypemgr.lib.periods import utc_now


def rests_on(method: PaymentMethod) -> AutoPurchaseRule | None:
    """The company's rule, if it is not off and pays with the method."""
    rule = AutoPurchaseRule.objects.exclude(state=State.OFF)
    return rule.filter(company=method.company_id, method=method).first()


def remove_method(
    *,
    actor: Actor,
    pk: int,
    successor: int | None = None,
    consent_version: str = "",
    pauses: bool = False,
    now: datetime | None = None,
) -> None:
    """The method is not offered any more and the gateway is to forget it; what is being paid with
    it is still finished.

    While auto-recharge pays with it, either ``successor`` takes over on the same terms, with the
    actor's consent, or, with ``pauses``, auto-recharge pauses and every administrator is told; else
    MethodInUse. Raises UnknownMethod, ConsentMissing, MethodUnsuitable.
    """
    actor.require_administrator()
    at = now or utc_now()
    with transaction.atomic():
        method = _lock(actor, pk, successor)
        rule = rests_on(method)
        if rule is not None and successor is not None:
            _take_over(actor, rule, successor, consent_version, at)
        elif rule is not None and pauses:
            pause_without_method(rule, now=at)
        elif rule is not None:
            raise MethodInUse(
                _(
                    "Auto-recharge pays with this. Choose which other payment method takes over, "
                    "or let auto-recharge pause."
                )
            )
        method.removed_at = at
        method.is_default = False
        method.save(update_fields=["removed_at", "is_default"])
        _promote_next(method)
        wish_forgotten(method, now=at)
        record(
            actor,
            "remove_payment_method",
            subject=f"payment_method:{method.pk}",
            successor=successor if rule else None,
            auto_purchase_paused=rule is not None and successor is None,
        )


def _lock(actor: Actor, pk: int, successor: int | None) -> PaymentMethod:
    """The rule if there is one, then the methods, each locked until the end.

    The company's first rule may be saved while this waits for the method: then the method is let
    go, and the rule, which is there to be locked now, comes first again.
    """
    find_method(actor, pk)
    for _attempt in range(2):
        rule = lock_rule(actor.company.pk)
        with transaction.atomic():
            method = _hold(actor, pk, successor)
            is_new = (
                rule is None and AutoPurchaseRule.objects.filter(company=actor.company).exists()
            )
            if is_new:
                transaction.set_rollback(True)
        if not is_new:
            return method
    raise AssertionError("a rule is never deleted")


def _hold(actor: Actor, pk: int, successor: int | None) -> PaymentMethod:
    # All of them, as putting them in order does: the next default may be any.
    rows = PaymentMethod.objects.select_for_update(no_key=True).filter(company=actor.company)
    wanted = [pk] if successor is None else [pk, successor]
    found = {row.pk: row for row in rows.filter(removed_at=None).order_by("pk")}
    for wish in wanted:
        if wish not in found:
            raise UnknownMethod(
                _("There is no such payment method in your company."), field="payment_method"
            )
    return found[pk]


def _take_over(
    actor: Actor, rule: AutoPurchaseRule, successor: int, version: str, now: datetime
) -> None:
    if successor == rule.method_id:
        raise UnknownMethod(_("Choose another payment method."), field="successor")
    hold_active_company(actor.company.pk)
    consent = store_consent(
        actor=actor,
        method=find_method(actor, successor),
        terms=terms_of(rule),
        version=version,
        now=now,
    )
    activate_rule(consent, now=now)


def _promote_next(gone: PaymentMethod) -> None:
    """The company's next method is its default."""
    own = PaymentMethod.objects.filter(
        company=gone.company_id, removed_at=None, confirmed_at__isnull=False
    )
    first = own.order_by("-is_default", "position", "pk").first()
    if first is not None and not first.is_default:
        own.filter(pk=first.pk).update(is_default=True)
