"""Giving features to members. Its one rule: all of it is paid from the company's balance and active
at once, or nothing happened.

Lock order: request, members, company, numbers, the company's purse, its phone stamp.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from itertools import zip_longest
from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from billing.errors import FeatureRefused, NumberNotAvailable
from billing.features.numbers import assign_numbers, lock_reserved, require_residence
from billing.features.paying import Paid, pay_periods
from billing.features.periods import add_months, charge_day
from billing.features.phone_feed import note_given
from billing.features.prices import price_for
from billing.models import (
    PERIODS,
    FeatureBan,
    FeatureKind,
    NumberArea,
    PhoneNumber,
    Plan,
    Subscription,
)
from credit.accounts import company_balance, ensure_accounts
from credit.allocation import Recipients, recipients_query
from credit.errors import NotEnoughCredit
from credit.ledger import Posting, atomically
from credit.money import require_active, require_active_state
from credit.requests import OutsideKey, answer_once
from members.actors import Actor
from members.audit import record
from members.models import Company, Member
from members.models.people import Role
from members.standing import hold_active_company
from skypemgr.lib.formats import format_money
from skypemgr.lib.periods import utc_now

# Of these a second one would do nothing.
ONE_EACH = (FeatureKind.VOICEMAIL, FeatureKind.CALL_FORWARDING, FeatureKind.CALLER_ID)
MOST_AT_ONCE = 1_000


@dataclass(frozen=True, slots=True)
class Wish:
    """What is to be given, for 1, 3 or 12 months, to whom. ``numbers`` are reserved numbers by pk,
    one for each recipient in order of pk; only for plans of numbers. ``accepts_residence``: the
    rules of the numbers' areas were read and are kept.
    """

    plan: Plan
    months: int
    recipients: Recipients
    numbers: tuple[int, ...] = ()
    accepts_residence: bool = False


@dataclass(frozen=True, slots=True)
class Given:
    """What a giving did. Amounts in the company's currency."""

    id: int
    count: int
    price: Decimal
    total: Decimal
    company_balance_after: Decimal
    subscription_ids: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class GivingPreview:
    """What a giving would do; nothing is reserved."""

    members: QuerySet[Member]
    count: int
    price: Decimal
    total: Decimal
    company_balance: Decimal
    company_balance_after: Decimal


def preview_giving(*, actor: Actor, wish: Wish, now: datetime | None = None) -> GivingPreview:
    """Who would get it, at what price, and what would be left. Raises as ``give_feature`` does."""
    actor.require(Role.ADMINISTRATOR, Role.FINANCE)
    on = actor.company.day_at(now or utc_now())
    price = _price(actor.company, wish, on=on)
    members = recipients_query(actor, wish.recipients)
    _check_members(wish.plan, members)
    count = members.count()
    balance = company_balance(actor.company)
    return GivingPreview(members, count, price, price * count, balance, balance - price * count)


def give_feature(
    *, actor: Actor, wish: Wish, request: OutsideKey, now: datetime | None = None
) -> Given:
    """Each recipient has the feature from today on, and the company has paid for all; once for the
    request's key.

    Raises NotAllowed, CompanyNotActive, PlanNotOffered, FeatureRefused, NumberNotAvailable,
    UnknownMember, MemberGone, NobodyChosen, NotEnoughCredit, IdempotencyConflict.
    """
    actor.require_administrator()
    require_active(actor.company)
    instant = now or utc_now()

    def work(request_id: int) -> dict[str, Any]:
        return _give(actor, wish, request_id, instant)

    answer = atomically(lambda: answer_once(actor.company.pk, request, work))
    return Given(
        id=answer["id"],
        count=answer["count"],
        price=Decimal(answer["price"]),
        total=Decimal(answer["total"]),
        company_balance_after=Decimal(answer["company_balance_after"]),
        subscription_ids=tuple(answer["subscriptions"]),
    )


def _give(actor: Actor, wish: Wish, request_id: int, now: datetime) -> dict[str, Any]:
    company = Company.objects.get(pk=actor.company.pk)
    members = _lock_members(actor, wish)
    # Opened before the company is held: opening needs it for itself alone.
    accounts = ensure_accounts(company)
    # Who closes it ends renewals, this one too, and so waits.
    hold_active_company(company.pk)
    numbers = lock_reserved(company, wish.numbers, now=now)
    _check_numbers(wish, numbers, len(members))
    posting = Posting.open(company.pk, [accounts.company, accounts.features], keys=(), now=now)
    require_active_state(posting.company_state)
    starts_on = posting.booked_on(accounts.company)
    price = _price(company, wish, on=starts_on)
    total = price * len(members)
    purse = posting.purses[accounts.company]
    if purse.available < total:
        raise NotEnoughCredit(
            _("The company's credit is too low: %(total)s are needed, %(available)s are there.")
            % {
                "total": format_money(total, company.currency),
                "available": format_money(purse.available, company.currency),
            },
            field="members",
            missing=total - purse.available,
        )
    assign_numbers(numbers)
    given = Subscription.objects.bulk_create(
        _begin(wish, member, number, starts_on=starts_on, by=actor.member, now=now)
        for member, number in zip_longest(members, numbers)
    )
    pay_periods(
        company,
        posting,
        accounts,
        [Paid(each, wish.plan, wish.months, price, starts_on) for each in given],
        now=now,
        actor_id=actor.member.pk if actor.member else None,
    )
    note_given(company, given)
    record(
        actor,
        "give_feature",
        subject=f"plan:{wish.plan.code}",
        kind=wish.plan.kind,
        months=wish.months,
        members_count=len(members),
        price=price,
        total=total,
        accepts_residence=wish.accepts_residence,
    )
    return {
        "id": request_id,
        "count": len(given),
        "price": str(price),
        "total": str(total),
        "company_balance_after": str(purse.balance),
        "subscriptions": [each.pk for each in given],
    }


def _check_numbers(wish: Wish, numbers: Sequence[PhoneNumber], count: int) -> None:
    """One number of the plan's country for each of so many if it is of numbers, none otherwise."""
    wanted = count if wish.plan.kind == FeatureKind.NUMBER else 0
    if len(numbers) != wanted:
        raise FeatureRefused(
            _("Choose one number for each member."), field="numbers", code="numbers_missing"
        )
    areas = NumberArea.objects.filter(pk__in={number.area_id for number in numbers})
    if numbers and areas.exclude(country=wish.plan.country).exists():
        raise NumberNotAvailable(
            _("Choose numbers of the plan's country."),
            field="numbers",
            code="number_of_other_country",
        )
    require_residence(numbers, is_accepted=wish.accepts_residence)


def _begin(
    wish: Wish,
    member: Member,
    number: PhoneNumber | None,
    *,
    starts_on: date,
    by: Member | None,
    now: datetime,
) -> Subscription:
    """The feature that the member is given from the day on; not stored yet."""
    paid_until = add_months(starts_on, wish.months, anchor_day=starts_on.day)
    return Subscription(
        company_id=member.company_id,
        member=member,
        plan=wish.plan,
        kind=wish.plan.kind,
        number=number,
        months=wish.months,
        anchor_day=starts_on.day,
        started_on=starts_on,
        paid_until=paid_until,
        charge_on=charge_day(paid_until, started_on=starts_on),
        given_by=by,
        created_at=now,
    )


def _price(company: Company, wish: Wish, *, on: date) -> Decimal:
    if wish.months not in PERIODS:
        raise FeatureRefused(_("Choose 1, 3 or 12 months."), field="months", code="invalid_period")
    return price_for(wish.plan, wish.months, company=company, on=on)


def _lock_members(actor: Actor, wish: Wish) -> Sequence[Member]:
    """The recipients in order of pk, locked so that nobody goes meanwhile."""
    chosen = recipients_query(actor, wish.recipients)
    members = list(
        Member.objects.filter(pk__in=chosen.values("pk"))
        .order_by("pk")
        .select_for_update(no_key=True, of=("self",))
    )
    if len(members) > MOST_AT_ONCE:
        raise FeatureRefused(
            _("At most 1,000 members can be given a feature at once."),
            field="members",
            code="too_many_members",
        )
    # Whoever went while the lock was waited for is refused now.
    recipients_query(actor, Recipients(member_ids=tuple(member.pk for member in members)))
    _check_members(wish.plan, Member.objects.filter(pk__in=[member.pk for member in members]))
    return members


def _check_members(plan: Plan, members: QuerySet[Member]) -> None:
    banned = FeatureBan.objects.filter(kind=plan.kind, member__in=members.values("pk"))
    first = banned.select_related("member").order_by("member__name_key").first()
    if first is not None:
        raise FeatureRefused(
            _("%(name)s may not have this kind of feature. Allow it on the member's page first.")
            % {"name": first.member.name},
            field="members",
            code="feature_not_allowed",
        )
    if plan.kind in ONE_EACH:
        have = Subscription.objects.filter(
            kind=plan.kind, status__in=Subscription.OPEN, member__in=members.values("pk")
        )
        other = have.select_related("member").order_by("member__name_key").first()
        if other is not None:
            raise FeatureRefused(
                _("%(name)s has this feature already.") % {"name": other.member.name},
                field="members",
                code="feature_already_there",
            )
