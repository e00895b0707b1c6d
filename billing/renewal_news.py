"""What administrators are told about renewals. Its one rule: one digest for a company, a day and a
fact, however many features it is about.
"""

import logging
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, timedelta
from functools import partial

from django.db.models import QuerySet

from billing.features.kinds import looks_of
from billing.features.paying import Paid
from billing.features.upcoming import sum_alike
from billing.models import PhoneNumber, Plan, Subscription
from credit.accounts import company_balance
from members.models import Company
from members.notices import NoticeKind, tell_administrators
from skypemgr.lib.periods import utc_now
from skypemgr.lib.sweeping import OneOfMany

logger = logging.getLogger(__name__)

TOLD_BEFORE = (timedelta(days=7), timedelta(days=1))
A_DAY = timedelta(days=1)
NUMBERS_TOLD = 20
PAGE = "/features/renewals/"


def announce_renewals(*, now: datetime | None = None) -> int:
    """The administrators of each company know what is charged in seven days and tomorrow, once for
    each day of charge, and what could not be paid today; how many companies were looked at.
    """
    at = now or utc_now()
    active = Subscription.objects.filter(company__state=Company.State.ACTIVE)
    # The company's day is at most one away from the day in UTC.
    shifts = (-A_DAY, timedelta(0), A_DAY)
    count = 0
    for before in TOLD_BEFORE:
        days = [at.date() + before + shift for shift in shifts]
        count += _each(
            active.filter(charge_on__in=days, last_failed_on=None),
            partial(_announce, before=before, at=at),
        )
    failed = active.filter(
        charge_on__isnull=False, last_failed_on__in=[at.date() + shift for shift in shifts]
    )
    _each(failed, partial(tell_unpaid, now=at))
    return count


def tell_unpaid(company_id: int, *, now: datetime) -> None:
    """The administrators know how many features could not be paid today, once a day."""
    company = Company.objects.get(pk=company_id)
    today = company.day_at(now)
    told = sum_alike(
        company,
        Subscription.objects.filter(company=company, charge_on__isnull=False, last_failed_on=today),
    )
    if told.count:
        tell_administrators(
            company,
            NoticeKind.RENEWALS_UNPAID,
            key=f"renewals_unpaid:{today}",
            count=told.count,
            total=str(told.total),
            currency=company.currency,
            url=PAGE,
        )


def tell_discontinued(
    company: Company, found: Sequence[Subscription], plans: Mapping[int, Plan]
) -> None:
    """The administrators know the truth about when these features end, whose plan is not offered
    any more: a digest for a plan and a day.
    """
    digests: dict[tuple[int, date], list[Subscription]] = defaultdict(list)
    for each in found:
        digests[each.plan_id, each.paid_until].append(each)
    for (plan_id, ends_on), features in digests.items():
        plan = plans[plan_id]
        tell_administrators(
            company,
            NoticeKind.PLAN_DISCONTINUED,
            # With the day: kept by a change, it may come to such an end again.
            key=f"plan_discontinued:{features[0].pk}:{ends_on}",
            plan_en=plan.name_en,
            plan_fr=plan.name_fr,
            count=len(features),
            number=", ".join(_numbers(features)),
            ends_on=ends_on.isoformat(),
            url=f"/features/{looks_of(plan.kind).slug}/",
        )


def tell_changes_dropped(company: Company, paid: Sequence[Paid], plans: Mapping[int, Plan]) -> None:
    """The administrators know that features were renewed as they were: what they were to change to
    is not offered any more.
    """
    digests: dict[int, list[Subscription]] = defaultdict(list)
    for each in paid:
        wanted = each.subscription.next_plan_id
        is_as_wished = (each.plan.pk, each.months) == (wanted, each.subscription.next_months)
        if wanted is not None and not is_as_wished:
            digests[wanted].append(each.subscription)
    for plan_id, features in digests.items():
        plan = plans[plan_id]
        tell_administrators(
            company,
            NoticeKind.PLAN_DISCONTINUED,
            key=f"change_dropped:{features[0].pk}:{features[0].paid_until}",
            is_change=True,
            plan_en=plan.name_en,
            plan_fr=plan.name_fr,
            count=len(features),
            url=f"/features/{looks_of(plan.kind).slug}/",
        )


def tell_ended(company: Company, ended: Sequence[Subscription]) -> None:
    """The administrators know that these features have ended because they could not be paid."""
    if ended:
        tell_administrators(
            company,
            NoticeKind.FEATURES_ENDED,
            key=f"features_ended:{ended[0].pk}",
            count=len(ended),
            numbers=_numbers(ended),
            url=PAGE,
        )


def _each(found: QuerySet[Subscription], tell: Callable[[int], object]) -> int:
    count = 0
    for company_id in found.order_by("company").values_list("company_id", flat=True).distinct():
        with OneOfMany(logger, "renewals of company %s could not be announced", company_id):
            tell(company_id)
            count += 1
    return count


def _announce(company_id: int, *, before: timedelta, at: datetime) -> None:
    company = Company.objects.get(pk=company_id)
    on = company.day_at(at) + before
    told = sum_alike(
        company,
        Subscription.objects.filter(company=company, charge_on=on, last_failed_on=None),
    )
    if not told.total:
        return
    tell_administrators(
        company,
        NoticeKind.RENEWALS_SOON,
        key=f"renewals_soon:{on}:{before.days}",
        count=told.count,
        total=str(told.total),
        currency=company.currency,
        on=on.isoformat(),
        is_short=company_balance(company) < told.total,
        url=PAGE,
    )


def _numbers(features: Sequence[Subscription]) -> list[str]:
    pks = [each.number_id for each in features if each.number_id]
    found = PhoneNumber.objects.filter(pk__in=pks).order_by("e164")
    return list(found.values_list("e164", flat=True)[:NUMBERS_TOLD])
