"""The kill switches, of a company and of the installation. Their one rule: they stop what was not
sent yet; a charge already sent is still settled.
"""

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from billing.errors import PurchasesStopped
from billing.models import BillingProfile, BillingSwitch
from billing.profile import lock_profile
from members.actors import Actor
from members.audit import record
from members.models import Company, User
from skypemgr.lib.periods import utc_now

LONGEST_REASON = 200


def require_purchases_on(company: Company, *, automatic: bool) -> None:
    """Returns only if the company may buy now (by itself, if ``automatic``); PurchasesStopped."""
    sentence = explain_stop(company, automatic=automatic)
    if sentence:
        raise PurchasesStopped(sentence)


def are_purchases_on(company: Company, *, automatic: bool) -> bool:
    """Whether the company may buy now (by itself, if ``automatic``)."""
    return not explain_stop(company, automatic=automatic)


def explain_stop(company: Company, *, automatic: bool) -> str:
    """Why the company cannot buy now and what to do, for its administrators; empty if it can."""
    switch = BillingSwitch.objects.first() or BillingSwitch()
    profile = BillingProfile.objects.filter(company=company).first() or BillingProfile()
    for row, reason in ((switch, switch.reason), (profile, profile.stopped_reason)):
        if row.purchases_stopped_at is not None:
            return _with_reason(
                _(
                    "Buying credit is paused for now by the operator of this service. Everything "
                    "else works, and nothing is lost. Try again later, or contact the operator."
                ),
                reason,
            )
        if automatic and row.automatic_stopped_at is not None:
            return _with_reason(
                _(
                    "Auto-recharge is paused for now by the operator of this service. It goes on "
                    "by itself later; until then you can buy credit yourself."
                ),
                reason,
            )
    return ""


def stop_purchases(
    *,
    company: Company | None = None,
    automatic_only: bool = False,
    reason: str = "",
    user: User | None = None,
    now: datetime | None = None,
) -> None:
    """Nothing more is bought (or only nothing by itself), in the company or everywhere.

    ``reason`` is shown to administrators. Repeated, only the reason changes.
    """
    at, words = now or utc_now(), reason.strip()[:LONGEST_REASON]
    if company is None:
        set_switch(
            stops_purchases=None if automatic_only else True,
            stops_automatic=True if automatic_only else None,
            reason=words,
            user=user,
            now=at,
        )
        return
    field = "automatic_stopped_at" if automatic_only else "purchases_stopped_at"
    with transaction.atomic():
        profile = lock_profile(company.pk)
        setattr(profile, field, getattr(profile, field) or at)
        profile.stopped_reason = words
        profile.save(update_fields=[field, "stopped_reason"])
        record(
            _operator(user, company),
            "stop_purchases",
            subject=f"company:{company.pk}",
            automatic_only=automatic_only,
            reason=words,
        )


def resume_purchases(
    *, company: Company | None = None, user: User | None = None, now: datetime | None = None
) -> None:
    """Both switches are off again, of the company or of the installation."""
    if company is None:
        set_switch(stops_purchases=False, stops_automatic=False, reason="", user=user, now=now)
        return
    with transaction.atomic():
        profile = lock_profile(company.pk)
        if profile.purchases_stopped_at is None and profile.automatic_stopped_at is None:
            return
        profile.purchases_stopped_at = profile.automatic_stopped_at = None
        profile.stopped_reason = ""
        profile.save(
            update_fields=["purchases_stopped_at", "automatic_stopped_at", "stopped_reason"]
        )
        record(_operator(user, company), "resume_purchases", subject=f"company:{company.pk}")


def ensure_switch() -> BillingSwitch:
    """The installation's switches as they stand; the row exists."""
    BillingSwitch.objects.bulk_create([BillingSwitch()], ignore_conflicts=True)
    return BillingSwitch.objects.get(pk=BillingSwitch.THE_ROW)


def set_switch(
    *,
    stops_purchases: bool | None,
    stops_automatic: bool | None,
    reason: str,
    user: User | None,
    now: datetime | None = None,
) -> BillingSwitch:
    """The installation's switches are so, None leaves one as it is; since when is kept of those
    that were on before.
    """
    at = now or utc_now()
    ensure_switch()
    with transaction.atomic():
        switch = BillingSwitch.objects.select_for_update(no_key=True).get()
        if stops_purchases is not None:
            switch.purchases_stopped_at = (
                (switch.purchases_stopped_at or at) if stops_purchases else None
            )
        if stops_automatic is not None:
            switch.automatic_stopped_at = (
                (switch.automatic_stopped_at or at) if stops_automatic else None
            )
        is_on = switch.purchases_stopped_at is None and switch.automatic_stopped_at is None
        switch.reason = "" if is_on else reason.strip()[:LONGEST_REASON]
        switch.changed_by, switch.changed_at = user, at
        switch.save(
            update_fields=[
                "purchases_stopped_at",
                "automatic_stopped_at",
                "reason",
                "changed_by",
                "changed_at",
            ]
        )
    return switch


def _operator(user: User | None, company: Company) -> Actor:
    return Actor.of_operator(user, company) if user else Actor.system(company)


def _with_reason(sentence: str, reason: str) -> str:
    if not reason:
        return sentence
    given = _("The reason given: %(reason)s") % {"reason": reason}
    return f"{sentence} {given}"
