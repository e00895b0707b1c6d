"""Phone numbers that are chosen, given, handed on and returned.

Its one rule: a number's row is locked before it changes hands, and before any purse.
"""

from collections.abc import Sequence
from datetime import date, datetime, timedelta

from django.db import transaction
from django.db.models import F, QuerySet
from django.utils.translation import gettext as _

from billing.errors import FeatureRefused, NumberNotAvailable
from billing.features.phone_feed import note_moved
from billing.models import FeatureBan, NumberArea, PhoneNumber, Subscription
from members.access import find_member
from members.actors import Actor
from members.audit import record
from members.errors import MemberGone
from members.models import Company, Member
from members.standing import require_active_company
from skypemgr.lib.errors import NotFound
from skypemgr.lib.periods import utc_now

State = PhoneNumber.State
RESERVED_FOR = timedelta(minutes=15)
RESTS_FOR = timedelta(days=90)
RETURNED_AT_ONCE = 1_000
MOST_AT_ONCE = 1_000


def reserve_numbers(
    *, actor: Actor, area: NumberArea, count: int, now: datetime | None = None
) -> list[PhoneNumber]:
    """So many numbers of the area are kept for the actor's company for 15 minutes; those that the
    same member had chosen before are free again. Two people never get the same one.

    Raises CompanyNotActive, and NumberNotAvailable (``no_numbers_left``), with none kept, if there
    are not enough.
    """
    actor.require_administrator()
    require_active_company(actor.company)
    at = now or utc_now()
    if not 0 < count <= MOST_AT_ONCE:
        raise NumberNotAvailable(
            _("Choose between 1 and %(most)s numbers.") % {"most": MOST_AT_ONCE},
            field="count",
            code="invalid_count",
        )
    with transaction.atomic():
        if actor.member is not None:
            own = PhoneNumber.objects.filter(state=State.RESERVED, reserved_by=actor.member)
            # In the order in which giving takes them.
            locked = own.order_by("pk").select_for_update(no_key=True, of=("self",))
            _free(own.filter(pk__in=list(locked.values_list("pk", flat=True))))
        chosen = list(
            PhoneNumber.objects.filter(area=area, state=State.FREE)
            .order_by("e164")
            .select_for_update(no_key=True, skip_locked=True)[:count]
        )
        if len(chosen) < count:
            raise NumberNotAvailable(
                _("Only %(left)s numbers are left in %(area)s.")
                % {"left": len(chosen), "area": area.name},
                field="area",
                code="no_numbers_left",
            )
        until = at + RESERVED_FOR
        PhoneNumber.objects.filter(pk__in=[number.pk for number in chosen]).update(
            state=State.RESERVED,
            reserved_for=actor.company,
            reserved_by=actor.member,
            reserved_until=until,
        )
    for number in chosen:
        number.state, number.reserved_until = State.RESERVED, until
    return chosen


def lock_reserved(company: Company, numbers: Sequence[int], *, now: datetime) -> list[PhoneNumber]:
    """Inside a transaction: the company's reserved numbers, locked, in the given order.

    Raises NumberNotAvailable (``number_not_reserved``) if one is not or no longer kept for it.
    """
    locked = {
        number.pk: number
        for number in PhoneNumber.objects.filter(
            pk__in=numbers, state=State.RESERVED, reserved_for=company, reserved_until__gt=now
        )
        .order_by("pk")
        .select_for_update(no_key=True, of=("self",))
    }
    if len(set(numbers)) < len(numbers) or set(numbers) - locked.keys():
        raise NumberNotAvailable(
            _("The chosen numbers are not kept for you any more. Choose again."),
            field="numbers",
            code="number_not_reserved",
        )
    return [locked[pk] for pk in numbers]


def assign_numbers(numbers: Sequence[PhoneNumber]) -> None:
    """Inside the transaction that locked them: the numbers are given."""
    PhoneNumber.objects.filter(pk__in=[number.pk for number in numbers]).update(
        state=State.ASSIGNED, reserved_for=None, reserved_by=None, reserved_until=None
    )


def rest_numbers(numbers: Sequence[int], *, since: date) -> None:
    """Inside a transaction: the numbers rest for 90 days from the day on."""
    PhoneNumber.objects.filter(pk__in=numbers, state=State.ASSIGNED).update(
        state=State.RESTING, resting_until=since + RESTS_FOR
    )


def require_residence(numbers: Sequence[PhoneNumber], *, is_accepted: bool) -> None:
    """NumberNotAvailable (``residence_not_accepted``) if an area of the numbers has rules of
    residence that were not accepted.
    """
    if is_accepted or not numbers:
        return
    areas = NumberArea.objects.filter(pk__in={number.area_id for number in numbers})
    found = areas.exclude(note_en="").order_by("position", "pk").first()
    if found is not None:
        raise NumberNotAvailable(
            _("Accept the rules of residence of %(area)s first: %(note)s")
            % {"area": found.name, "note": found.note},
            field="residence_accepted",
            code="residence_not_accepted",
        )


def reallocate_number(
    *,
    actor: Actor,
    subscription_id: int,
    member_id: int,
    accepts_residence: bool = False,
) -> Subscription:
    """The number is another member's, with what is paid of it; nothing is charged.

    Raises NotAllowed, NotFound, MemberGone, FeatureRefused (``feature_not_allowed``),
    NumberNotAvailable (``not_a_number``, ``feature_ended``, ``residence_not_accepted``),
    SettingsRefused (``forwarding_loop``).
    """
    actor.require_administrator()
    receiver = find_member(actor, member_id)
    with transaction.atomic():
        # Before the feature, in the order in which leaving takes them.
        status = (
            Member.objects.select_for_update(no_key=True, of=("self",))
            .values_list("status", flat=True)
            .get(pk=receiver.pk)
        )
        found = Subscription.objects.filter(company=actor.company, pk=subscription_id)
        # Locked first, then read: its member may change while the lock is waited for.
        list(found.select_for_update(no_key=True, of=("self",)).values_list("pk", flat=True))
        subscription = found.select_related("number", "member", "company", "plan").first()
        if subscription is None:
            raise NotFound(_("There is no such feature in your company."), code="unknown_feature")
        if subscription.number is None:
            raise NumberNotAvailable(_("Only a number can be handed on."), code="not_a_number")
        if subscription.status == Subscription.Status.ENDED:
            raise NumberNotAvailable(_("This number has ended."), code="feature_ended")
        if status not in (Member.Status.ACTIVE, Member.Status.SUSPENDED):
            raise MemberGone(_("%(name)s is no longer in the company.") % {"name": receiver.name})
        before = subscription.member_id
        if before != receiver.pk:
            _require_may_have(receiver, subscription.kind)
            require_residence([subscription.number], is_accepted=accepts_residence)
            subscription.member = receiver
            subscription.save(update_fields=["member"])
            note_moved(subscription.company, subscription.number, before=before, after=receiver.pk)
            record(
                actor,
                "reallocate_number",
                subject=f"subscription:{subscription.pk}",
                number=subscription.number.e164,
                before=before,
                after=receiver.pk,
            )
    return subscription


def _require_may_have(member: Member, kind: str) -> None:
    if FeatureBan.objects.filter(member=member, kind=kind).exists():
        raise FeatureRefused(
            _("%(name)s may not have numbers. Allow it on the member's page first.")
            % {"name": member.name},
            field="member",
            code="feature_not_allowed",
        )


def whose_number(e164: str, *, company: Company | None = None) -> Subscription | None:
    """The feature that holds the number now, of the company or of any; None if nobody has it."""
    found = Subscription.objects.filter(number__e164=e164, status__in=Subscription.OPEN)
    if company is not None:
        found = found.filter(company=company)
    return found.select_related("member", "company", "number").first()


def return_numbers(*, now: datetime | None = None) -> int:
    """Numbers kept for somebody too long, and those that have rested, are free again; how many."""
    at = now or utc_now()
    reserved = PhoneNumber.objects.filter(state=State.RESERVED, reserved_until__lte=at)
    resting = PhoneNumber.objects.filter(state=State.RESTING, resting_until__lte=at.date())
    count = 0
    for numbers in (reserved.order_by(F("reserved_until")), resting.order_by("resting_until")):
        with transaction.atomic():
            pks = list(
                numbers.select_for_update(no_key=True, skip_locked=True).values_list(
                    "pk", flat=True
                )[:RETURNED_AT_ONCE]
            )
            count += _free(PhoneNumber.objects.filter(pk__in=pks))
    return count


def _free(numbers: QuerySet[PhoneNumber]) -> int:
    return numbers.update(
        state=State.FREE,
        reserved_for=None,
        reserved_by=None,
        reserved_until=None,
        resting_until=None,
    )
