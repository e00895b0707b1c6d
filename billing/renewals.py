"""Renewing features. Its one rule: each period is charged once, by day and key, however often, late
or by how many at once it is tried.

Due features are found by ``charge_on``, company by company; SKIP LOCKED lets workers share. What
cannot be paid is tried again each day, and at once when the company is credited. Lock order:
subscriptions by pk, numbers, the company's purse.
"""

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import partial

from django.db import connection
from django.db.models import Q, QuerySet

from billing.features.changing import run_out
from billing.features.numbers import rest_numbers
from billing.features.paying import Paid, pay_periods
from billing.features.periods import charge_day, grace_end
from billing.features.prices import prices_of
from billing.models import Subscription
from credit.accounts import ensure_accounts
from credit.ledger import Posting, atomically
from credit.posting_sql import array
from members.models import Company
from members.notices import NoticeKind, tell_administrators
from skypemgr.lib.periods import utc_now

logger = logging.getLogger(__name__)

Status = Subscription.Status
AT_ONCE = 1_000
COMPANIES_AT_ONCE = 1_000
A_DAY = timedelta(days=1)
STORE = """
UPDATE billing_subscription subscription
   SET plan_id = new.plan_id, months = new.months, paid_until = new.paid_until,
       charge_on = new.charge_on, next_plan_id = NULL, next_months = NULL, status = 'active',
       grace_until = NULL, last_failed_on = NULL
  FROM unnest(%(ids)s::bigint[], %(plans)s::bigint[], %(months)s::int[], %(until)s::date[],
              %(charge)s::date[])
    AS new (id, plan_id, months, paid_until, charge_on)
 WHERE subscription.id = new.id
"""


@dataclass(slots=True)
class Renewed:
    """What a run did: periods paid, features that could not be paid, and those not renewed because
    their plan is not offered any more.
    """

    paid_count: int = 0
    unpaid_count: int = 0
    discontinued_count: int = 0
    total: Decimal = field(default_factory=Decimal)

    def add(self, other: "Renewed") -> None:
        """Both together."""
        self.paid_count += other.paid_count
        self.unpaid_count += other.unpaid_count
        self.discontinued_count += other.discontinued_count
        self.total += other.total


def renew_due(*, now: datetime | None = None) -> Renewed:
    """Every feature whose next period is to be charged by now was paid, or marked as not payable;
    companies one after the other.
    """
    at = now or utc_now()
    found = Subscription.objects.filter(
        charge_on__lte=at.date() + A_DAY, company__state=Company.State.ACTIVE
    )
    renewed = Renewed()
    for company_id in _companies_of(found):
        try:
            renewed.add(renew_company(company_id, now=at))
        except Exception:
            # One company that cannot be renewed must not keep the others waiting.
            logger.exception("features of company %s could not be renewed", company_id)
    return renewed


def renew_company(company_id: int, *, now: datetime | None = None) -> Renewed:
    """The company's due features were paid, or marked, the oldest end first."""
    return _renew(company_id, now or utc_now(), is_retry=False)


def retry_company(company_id: int, *, now: datetime | None = None) -> Renewed:
    """The company was credited: what could not be paid is tried again at once."""
    return _renew(company_id, now or utc_now(), is_retry=True)


def end_overdue(*, now: datetime | None = None) -> int:
    """Every feature whose paid time and grace are over by now has ended; how many. Those that renew
    and could not be paid are in grace.
    """
    at = now or utc_now()
    found = Subscription.objects.filter(
        paid_until__lte=at.date() + A_DAY, status__in=Subscription.OPEN
    )
    count = 0
    for company_id in _companies_of(found):
        try:
            count += _end_company(company_id, at)
        except Exception:
            # One company that cannot be looked at must not keep the others waiting.
            logger.exception("features of company %s could not be ended", company_id)
    return count


def _companies_of(found: QuerySet[Subscription]) -> Iterator[int]:
    """The companies of these features, each once. Read a thousand at a time: those that are found
    again at every look, as while they cannot pay, keep no later one out.
    """
    after = 0
    while True:
        rest = found.filter(company__gt=after).order_by("company")
        ids = list(rest.values_list("company_id", flat=True).distinct()[:COMPANIES_AT_ONCE])
        yield from ids
        if len(ids) < COMPANIES_AT_ONCE:
            return
        after = ids[-1]


def _renew(company_id: int, at: datetime, *, is_retry: bool) -> Renewed:
    """Batch after batch, each begun after the last one's last; a period paid late may be followed
    by the next, which ends later and so comes after.
    """
    renewed, place = Renewed(), (date.min, 0)
    while True:
        found = atomically(partial(_renew_batch, company_id, at, place, is_retry=is_retry))
        if found is None:
            return renewed
        batch, place = found
        renewed.add(batch)


def _renew_batch(
    company_id: int, at: datetime, after: tuple[date, int], *, is_retry: bool
) -> tuple[Renewed, tuple[date, int]] | None:
    company = Company.objects.get(pk=company_id)
    if company.state != Company.State.ACTIVE:
        return None
    found = _lock(company, company.day_at(at), after, is_retry=is_retry)
    if not found:
        return None
    prices = prices_of(
        {plan for each in found for plan in (each.plan_id, each.next_plan_id) if plan},
        company.currency,
    )
    offered: list[Paid] = []
    discontinued: list[Subscription] = []
    for each in found:
        plan, months = each.next_plan or each.plan, each.next_months or each.months
        price = prices.get((plan.pk, months))
        if price is None or not plan.is_offered_on(each.paid_until):
            discontinued.append(each)
        else:
            offered.append(Paid(each, plan, months, price, each.paid_until))
    _discontinue(company, discontinued)
    paid, unpaid = _pay(company, offered, at)
    total = sum((each.price for each in paid), Decimal(0))
    renewed = Renewed(len(paid), len(unpaid), len(discontinued), total)
    return renewed, (found[-1].paid_until, found[-1].pk)


def _lock(
    company: Company, today: date, after: tuple[date, int], *, is_retry: bool
) -> list[Subscription]:
    """The next due features in the order in which they are served. Those that another worker holds
    are its own; nothing is waited for.
    """
    day, pk = after
    due = Q(charge_on__lte=today)
    if is_retry:
        due |= Q(charge_on__isnull=False, last_failed_on__isnull=False)
    return list(
        Subscription.objects.filter(due, company=company, status__in=Subscription.OPEN)
        .filter(Q(paid_until__gt=day) | Q(paid_until=day, pk__gt=pk))
        .select_related("plan", "next_plan", "number")
        .order_by("paid_until", "pk")
        .select_for_update(no_key=True, skip_locked=True, of=("self",))[:AT_ONCE]
    )


def _pay(company: Company, wanted: Sequence[Paid], at: datetime) -> tuple[list[Paid], list[Paid]]:
    """What the purse can pay, in the order given; one that is too dear keeps no other waiting."""
    if not wanted:
        return [], []
    accounts = ensure_accounts(company)
    posting = Posting.open(company.pk, [accounts.company, accounts.features], keys=(), now=at)
    left = posting.purses[accounts.company].available
    paid: list[Paid] = []
    unpaid: list[Paid] = []
    is_active = posting.company_state == Company.State.ACTIVE
    for each in wanted:
        if is_active and each.price <= left:
            left -= each.price
            paid.append(each)
        else:
            unpaid.append(each)
    if paid:
        pay_periods(company, posting, accounts, paid, now=at)
        _store(paid)
    today = company.day_at(at)
    Subscription.objects.filter(pk__in=[each.subscription.pk for each in unpaid]).update(
        charge_on=today + A_DAY, last_failed_on=today
    )
    if unpaid:
        tell_administrators(
            company,
            NoticeKind.RENEWALS_UNPAID,
            key=f"renewals_unpaid:{today}",
            count=len(unpaid),
            total=str(sum(each.price for each in unpaid)),
            currency=company.currency,
            url="/features/renewals/",
        )
    return paid, unpaid


def _store(paid: Sequence[Paid]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            STORE,
            {
                "ids": array(each.subscription.pk for each in paid),
                "plans": array(each.plan.pk for each in paid),
                "months": array(each.months for each in paid),
                "until": array(each.ends_on for each in paid),
                "charge": array(
                    charge_day(each.ends_on, started_on=each.starts_on) for each in paid
                ),
            },
        )


def _discontinue(company: Company, found: Sequence[Subscription]) -> None:
    """They run out; the administrators are told the truth about when."""
    if not found:
        return
    run_out([each.pk for each in found])
    for each in found:
        tell_administrators(
            company,
            NoticeKind.PLAN_DISCONTINUED,
            key=f"plan_discontinued:{each.pk}",
            plan_en=each.plan.name_en,
            plan_fr=each.plan.name_fr,
            number=each.number.e164 if each.number else "",
            ends_on=each.paid_until.isoformat(),
            url=f"/members/{each.member_id}/features/",
        )


def _end_company(company_id: int, at: datetime) -> int:
    """Batch after batch: those in grace keep no later one from ending."""
    count, place = 0, 0
    while True:
        found = atomically(partial(_end_batch, company_id, at, place))
        if found is None:
            return count
        ended_count, place = found
        count += ended_count


def _end_batch(company_id: int, at: datetime, after: int) -> tuple[int, int] | None:
    """How many of the next that are over have ended, and the last one's pk; None after the last."""
    company = Company.objects.get(pk=company_id)
    today = company.day_at(at)
    over = list(
        Subscription.objects.filter(
            company=company, pk__gt=after, paid_until__lte=today, status__in=Subscription.OPEN
        )
        .select_related("number")
        .order_by("pk")
        .select_for_update(no_key=True, skip_locked=True, of=("self",))[:AT_ONCE]
    )
    if not over:
        return None
    ended = [each for each in over if not _is_in_grace(each, today)]
    waiting = [each for each in over if _is_in_grace(each, today)]
    for each in waiting:
        if each.status != Status.GRACE:
            each.status, each.grace_until = Status.GRACE, grace_end(each.kind, each.paid_until)
    Subscription.objects.bulk_update(waiting, ["status", "grace_until"], batch_size=AT_ONCE)
    Subscription.objects.filter(pk__in=[each.pk for each in ended]).update(
        status=Status.ENDED, charge_on=None, grace_until=None, ended_at=at
    )
    rest_numbers([each.number_id for each in ended if each.number_id], since=today)
    unpaid = [each for each in ended if each.renews]
    if unpaid:
        tell_administrators(
            company,
            NoticeKind.FEATURES_ENDED,
            key=f"features_ended:{today}",
            count=len(unpaid),
            numbers=[each.number.e164 for each in unpaid if each.number],
            url="/features/renewals/",
        )
    return len(ended), over[-1].pk


def _is_in_grace(subscription: Subscription, today: date) -> bool:
    """Whether it may still be paid: it renews, and its grace is not over. None ends that was not
    tried on the last day of its grace or later, as when no job ran for weeks.
    """
    if not subscription.renews:
        return False
    end = grace_end(subscription.kind, subscription.paid_until)
    tried_on = subscription.last_failed_on
    return today < end or tried_on is None or tried_on < end - A_DAY
