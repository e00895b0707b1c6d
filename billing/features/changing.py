"""Cancelling, taking a cancel back, changing, and forbidding kinds of features.

Its one rule: what is paid stays usable to its day, and nothing but the next renewal is changed.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from billing.errors import FeatureRefused
from billing.features.periods import charge_day
from billing.features.prices import price_for
from billing.models import PERIODS, FeatureBan, FeatureKind, Plan, Subscription
from credit.money import require_active
from members.access import find_member
from members.actors import Actor
from members.audit import record
from members.models import Member
from members.standing import hold_active_company
from skypemgr.lib.errors import NotFound
from skypemgr.lib.periods import utc_now
from skypemgr.lib.wake import wake

Status = Subscription.Status
MOST_AT_ONCE = 1_000


@dataclass(frozen=True, slots=True)
class FeaturesCancelled:
    """How many will not renew any more, and how many did not before."""

    count: int
    unchanged_count: int


def find_feature(actor: Actor, pk: int) -> Subscription:
    """The company's feature, ended ones too; any other is NotFound."""
    found = (
        Subscription.objects.select_related(
            "company", "member", "plan", "next_plan", "number__area"
        )
        .filter(company=actor.company, pk=pk)
        .first()
    )
    if found is None:
        raise NotFound(_("There is no such feature in your company."), code="unknown_feature")
    return found


def cancel_feature(
    *, actor: Actor, subscription_id: int, now: datetime | None = None
) -> Subscription:
    """The feature does not renew: it is usable before ``paid_until`` and nothing more is charged.
    Harmless when cancelled or ended already. Raises NotAllowed, NotFound.
    """
    actor.require_administrator()
    at = now or utc_now()
    with transaction.atomic():
        subscription = _lock(actor, subscription_id)
        if not subscription.renews or subscription.status == Status.ENDED:
            return subscription
        subscription.renews = False
        subscription.charge_on = None
        subscription.last_failed_on = None
        subscription.next_plan = None
        subscription.next_months = None
        subscription.cancelled_at = at
        subscription.cancelled_by = actor.member
        if subscription.status == Status.GRACE:
            # Nothing is paid any more: the sweep ends it at its next look.
            subscription.status, subscription.grace_until = Status.ACTIVE, None
        subscription.save(
            update_fields=[
                "renews",
                "charge_on",
                "last_failed_on",
                "next_plan",
                "next_months",
                "cancelled_at",
                "cancelled_by",
                "status",
                "grace_until",
            ]
        )
        record(actor, "cancel_feature", subject=f"subscription:{subscription.pk}")
    return subscription


def cancel_features(
    *, actor: Actor, subscription_ids: Collection[int], now: datetime | None = None
) -> FeaturesCancelled:
    """As ``cancel_feature`` for all of them or none, in a fixed number of statements; those that do
    not renew already are counted. Raises NotAllowed, FeatureRefused (``nothing_chosen``,
    ``too_many_features``), NotFound.
    """
    actor.require_administrator()
    wanted = set(subscription_ids)
    if not wanted:
        raise FeatureRefused(
            _("Choose at least one feature."), field="subscriptions", code="nothing_chosen"
        )
    if len(wanted) > MOST_AT_ONCE:
        raise FeatureRefused(
            _("At most 1,000 features can be cancelled at once."),
            field="subscriptions",
            code="too_many_features",
        )
    with transaction.atomic():
        found = list(
            Subscription.objects.filter(company=actor.company, pk__in=wanted)
            .order_by("pk")
            .select_for_update(no_key=True, of=("self",))
            .values_list("pk", "renews", "status")
        )
        if len(found) < len(wanted):
            raise NotFound(_("There is no such feature in your company."), code="unknown_feature")
        renewing = [pk for pk, renews, status in found if renews and status != Status.ENDED]
        run_out(renewing, cancelled_at=now or utc_now(), cancelled_by=actor.member)
        if renewing:
            record(actor, "cancel_features", features_count=len(renewing), features=renewing)
    return FeaturesCancelled(len(renewing), len(found) - len(renewing))


def undo_cancel(*, actor: Actor, subscription_id: int, now: datetime | None = None) -> Subscription:
    """A cancelled feature that has not ended renews again. Harmless when it does.

    Raises NotAllowed, NotFound, CompanyNotActive, FeatureRefused, PlanNotOffered.
    """
    actor.require_administrator()
    require_active(actor.company)
    at = now or utc_now()
    with transaction.atomic():
        _hold_place(actor, subscription_id)
        subscription = _lock(actor, subscription_id)
        if subscription.renews:
            return subscription
        _require_usable(subscription, at)
        _require_present(subscription.member)
        price_for(
            subscription.plan,
            subscription.months,
            company=subscription.company,
            on=subscription.paid_until,
        )
        subscription.renews = True
        subscription.charge_on = charge_day(
            subscription.paid_until, started_on=subscription.started_on
        )
        subscription.cancelled_at = None
        subscription.cancelled_by = None
        subscription.save(update_fields=["renews", "charge_on", "cancelled_at", "cancelled_by"])
        record(actor, "undo_cancel", subject=f"subscription:{subscription.pk}")
        if subscription.charge_on <= subscription.company.day_at(at):
            wake("feature.due", subscription.company_id)
    return subscription


def change_feature(
    *, actor: Actor, subscription_id: int, plan: Plan, months: int, now: datetime | None = None
) -> Subscription:
    """From its next renewal on the feature has the plan and period; until then nothing changes. One
    that was to end because its own plan is not offered any more renews again.

    Raises NotAllowed, NotFound, CompanyNotActive, FeatureRefused (``feature_cancelled``,
    ``other_kind``, ``other_country``, ``invalid_period``), PlanNotOffered.
    """
    actor.require_administrator()
    require_active(actor.company)
    at = now or utc_now()
    with transaction.atomic():
        _hold_place(actor, subscription_id)
        subscription = _lock(actor, subscription_id)
        _require_usable(subscription, at)
        if not subscription.renews:
            if subscription.cancelled_at is not None:
                raise FeatureRefused(
                    _("This feature is cancelled. Take the cancel back first."),
                    code="feature_cancelled",
                )
            _require_present(subscription.member)
        _require_change(subscription, plan, months)
        is_same = (plan.pk, months) == (subscription.plan_id, subscription.months)
        subscription.next_plan = None if is_same else plan
        subscription.next_months = None if is_same else months
        if not subscription.renews:
            subscription.renews = True
            subscription.charge_on = charge_day(
                subscription.paid_until, started_on=subscription.started_on
            )
        subscription.save(update_fields=["next_plan", "next_months", "renews", "charge_on"])
        if subscription.charge_on and subscription.charge_on <= subscription.company.day_at(at):
            wake("feature.due", subscription.company_id)
        record(
            actor,
            "change_feature",
            subject=f"subscription:{subscription.pk}",
            plan=plan.code,
            months=months,
        )
    return subscription


def allow_kind(*, actor: Actor, member_id: int, kind: str, is_allowed: bool) -> None:
    """The member may have features of the kind, or not; what they have already stays."""
    actor.require_administrator()
    member = find_member(actor, member_id)
    if kind not in FeatureKind.values:
        raise FeatureRefused(_("Choose a kind from the list."), field="kind", code="unknown_kind")
    with transaction.atomic():
        bans = FeatureBan.objects.filter(member=member, kind=kind)
        if is_allowed:
            is_changed = bans.delete()[0] > 0
        else:
            _ban, is_changed = FeatureBan.objects.get_or_create(
                company=member.company, member=member, kind=kind
            )
        if is_changed:
            record(
                actor,
                "allow_feature",
                subject=f"member:{member.pk}",
                kind=kind,
                is_allowed=is_allowed,
            )


def allow_kinds(*, actor: Actor, member_id: int, kinds: Collection[str]) -> None:
    """The member may have features of these kinds and of no other; what they have stays."""
    unknown = set(kinds) - set(FeatureKind.values)
    if unknown:
        raise FeatureRefused(_("Choose a kind from the list."), field="kinds", code="unknown_kind")
    with transaction.atomic():
        for kind in FeatureKind.values:
            allow_kind(actor=actor, member_id=member_id, kind=kind, is_allowed=kind in kinds)


def end_renewals(company_id: int, member_ids: list[int] | None = None) -> int:
    """Inside the transaction of leaving or closing: the features of these members (all of the
    company's if None) run out and are not renewed; how many.
    """
    features = Subscription.objects.filter(
        company=company_id, renews=True, status__in=Subscription.OPEN
    )
    if member_ids is not None:
        features = features.filter(member__in=member_ids)
    pks = list(
        features.order_by("pk")
        .select_for_update(no_key=True, of=("self",))
        .values_list("pk", flat=True)
    )
    return run_out(pks)


def run_out(subscription_ids: Collection[int], **cancelled: Any) -> int:
    """Inside the transaction that locked them: the features stay usable to what is paid and nothing
    more is charged; how many. ``cancelled`` says by whom and when it was wished.
    """
    return Subscription.objects.filter(pk__in=subscription_ids).update(
        renews=False,
        charge_on=None,
        last_failed_on=None,
        next_plan=None,
        next_months=None,
        status=Status.ACTIVE,
        grace_until=None,
        **cancelled,
    )


def _hold_place(actor: Actor, pk: int) -> None:
    """Before the feature is locked: its member and the company stay as they are until the end. A
    cancelled feature is not among those that leaving and closing wait for.
    """
    of_feature = Subscription.objects.filter(company=actor.company, pk=pk).values("member")
    members = Member.objects.filter(company=actor.company, pk__in=of_feature)
    list(members.select_for_update(no_key=True, of=("self",)).values_list("pk", flat=True))
    hold_active_company(actor.company.pk)


def _lock(actor: Actor, pk: int) -> Subscription:
    """Locked first, then read: what is joined to a row that changes while its lock is waited for
    is what it was before.
    """
    rows = Subscription.objects.filter(company=actor.company, pk=pk)
    list(rows.select_for_update(no_key=True, of=("self",)).values_list("pk", flat=True))
    return find_feature(actor, pk)


def _require_usable(subscription: Subscription, at: datetime) -> None:
    on = subscription.company.day_at(at)
    is_over = subscription.paid_until <= on and subscription.status != Status.GRACE
    if subscription.status == Status.ENDED or is_over:
        raise FeatureRefused(_("This feature has ended. Give it anew."), code="feature_ended")


def _require_change(subscription: Subscription, plan: Plan, months: int) -> None:
    if plan.kind != subscription.kind:
        raise FeatureRefused(_("Choose a plan of the same kind."), field="plan", code="other_kind")
    if plan.kind == FeatureKind.NUMBER and plan.country != subscription.plan.country:
        raise FeatureRefused(
            _("A number stays in its country."), field="plan", code="other_country"
        )
    if months not in PERIODS:
        raise FeatureRefused(_("Choose 1, 3 or 12 months."), field="months", code="invalid_period")
    price_for(plan, months, company=subscription.company, on=subscription.paid_until)


def _require_present(member: Member) -> None:
    if not member.is_present:
        raise FeatureRefused(
            _("%(name)s is no longer in the company.") % {"name": member.name},
            field="member",
            code="member_gone",
        )
