"""Renewing features. Its one rule: each period is charged once, by day and key, however often, late
or by how many at once it is tried.

Due features are found by ``charge_on``, company by company; SKIP LOCKED lets workers share. What
cannot be paid is tried again each day, and as soon as the company's balance has moved. Lock order:
subscriptions, numbers, the company's purse, its phone stamp.
"""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import partial

from django.db import connection
from django.db.models import Exists, OuterRef, Q, QuerySet

from billing.features.changing import run_out
from billing.features.numbers import rest_numbers
from billing.features.paying import Paid, pay_periods
from billing.features.periods import charge_day, grace_end
from billing.features.phone_feed import note_ended
from billing.features.terms import TermsBook
from billing.models import Subscription
from billing.renewal_news import tell_changes_dropped, tell_discontinued, tell_ended, tell_unpaid
from credit.accounts import ensure_accounts
from credit.ledger import Posting, atomically
from credit.models import Account
from members.models import Company
from skypemgr.lib.arrays import array
from skypemgr.lib.periods import utc_now
from skypemgr.lib.sweeping import OneOfMany

logger = logging.getLogger(__name__)

Status = Subscription.Status
AT_ONCE = 1_000
COMPANIES_AT_ONCE = 1_000
A_DAY = timedelta(days=1)
STORE = """
UPDATE billing_subscription subscription
   SET plan_id = new.plan_id, months = new.months, paid_until = new.paid_until,
       charge_on = new.charge_on, next_plan_id = NULL, next_months = NULL, status = 'active',
       grace_until = NULL, last_failed_on = NULL, failed_at_version = NULL
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


@dataclass(slots=True)
class Batch:
    """What one transaction did, and where the next one of the same pass begins."""

    renewed: Renewed
    place: tuple[date, int]


def renew_due(*, now: datetime | None = None) -> Renewed:
    """Every feature whose next period is to be charged by now was paid, or marked as not payable;
    what could not be paid was tried again where the company's balance has moved since.
    """
    at = now or utc_now()
    renewed = Renewed()
    charged = Subscription.objects.filter(company__state=Company.State.ACTIVE)
    due = charged.filter(charge_on__lte=at.date() + A_DAY)
    _each_company(due, lambda pk: renewed.add(renew_company(pk, now=at)))
    moved = Account.objects.filter(
        company=OuterRef("company"),
        kind=Account.Kind.COMPANY,
        member=None,
        version__gt=OuterRef("failed_at_version"),
    )
    failed = charged.filter(Exists(moved), charge_on__isnull=False, last_failed_on__isnull=False)
    _each_company(failed, lambda pk: renewed.add(retry_company(pk, now=at)))
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
    ended: list[int] = []
    over = Subscription.objects.filter(_over(at.date() + A_DAY))
    _each_company(over, lambda pk: ended.append(_end_company(pk, at)))
    return sum(ended)


def _each_company(found: QuerySet[Subscription], work: Callable[[int], object]) -> None:
    """The work was done for the company of each of these features, one after the other. A thousand
    at a time: those that are found again at every look, as while they cannot pay, keep no later
    one out.
    """
    after = 0
    while True:
        rest = found.filter(company__gt=after).order_by("company")
        ids = list(rest.values_list("company_id", flat=True).distinct()[:COMPANIES_AT_ONCE])
        for company_id in ids:
            with OneOfMany(logger, "features of company %s could not be looked at", company_id):
                work(company_id)
        if len(ids) < COMPANIES_AT_ONCE:
            return
        after = ids[-1]


def _renew(company_id: int, at: datetime, *, is_retry: bool) -> Renewed:
    """Batch after batch until nothing is due: a period paid late may be followed by the next, which
    may end before others that are paid already.
    """
    renewed = Renewed()
    place: tuple[date, int] | None = (date.min, 0) if is_retry else None
    while True:
        batch = atomically(partial(_renew_batch, company_id, at, place))
        if batch is not None:
            renewed.add(batch.renewed)
            place = batch.place if place else None
        elif place:
            # Each of those that failed before was tried once; what is due now is not among them.
            place = None
        else:
            break
    if renewed.unpaid_count:
        tell_unpaid(company_id, now=at)
    return renewed


def _renew_batch(company_id: int, at: datetime, after: tuple[date, int] | None) -> Batch | None:
    company = Company.objects.get(pk=company_id)
    if company.state != Company.State.ACTIVE:
        return None
    found = _lock(company, company.day_at(at), after)
    if not found:
        return None
    book = TermsBook(found, currency=company.currency)
    offered: list[Paid] = []
    discontinued: list[Subscription] = []
    for each in found:
        terms = book.at_renewal(each, each.paid_until)
        if terms is None:
            discontinued.append(each)
        else:
            offered.append(Paid(each, terms.plan, terms.months, terms.price, each.paid_until))
    if discontinued:
        run_out([each.pk for each in discontinued])
        tell_discontinued(company, discontinued, book.plans)
    paid, unpaid = _pay(company, offered, at)
    tell_changes_dropped(company, paid, book.plans)
    total = sum((each.price for each in paid), Decimal(0))
    renewed = Renewed(len(paid), len(unpaid), len(discontinued), total)
    return Batch(renewed, (found[-1].paid_until, found[-1].pk))


def _lock(company: Company, today: date, after: tuple[date, int] | None) -> list[Subscription]:
    """The next due features in the order in which they are served; behind a place, those that
    failed before too. Those that another worker holds are its own; nothing is waited for.

    The rows alone: what is joined to a row that changes while it is locked is what it was before.
    """
    due = Q(charge_on__lte=today)
    if after is not None:
        day, pk = after
        due |= Q(charge_on__isnull=False, last_failed_on__isnull=False)
        due &= Q(paid_until__gt=day) | Q(paid_until=day, pk__gt=pk)
    return list(
        Subscription.objects.filter(due, company=company, status__in=Subscription.OPEN)
        .order_by("paid_until", "pk")
        .select_for_update(no_key=True, skip_locked=True, of=("self",))[:AT_ONCE]
    )


def _pay(company: Company, wanted: Sequence[Paid], at: datetime) -> tuple[list[Paid], list[Paid]]:
    """What the purse can pay, in the order given; one that is too dear keeps no other waiting."""
    if not wanted:
        return [], []
    accounts = ensure_accounts(company)
    posting = Posting.open(company.pk, [accounts.company, accounts.features], keys=(), now=at)
    purse = posting.purses[accounts.company]
    left = purse.available
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
        charge_on=today + A_DAY, last_failed_on=today, failed_at_version=purse.version
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


def _over(today: date) -> Q:
    """What is paid no longer, or whose grace is over."""
    return Q(status=Status.ACTIVE, paid_until__lte=today) | Q(
        status=Status.GRACE, paid_until__lte=today, grace_until__lte=today
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
        Subscription.objects.filter(_over(today), company=company, pk__gt=after)
        .order_by("pk")
        .select_for_update(no_key=True, skip_locked=True, of=("self",))[:AT_ONCE]
    )
    if not over:
        return None
    waiting = [each for each in over if _is_in_grace(each, today)]
    for each in waiting:
        each.status, each.grace_until = Status.GRACE, grace_end(each.kind, each.paid_until)
    Subscription.objects.bulk_update(waiting, ["status", "grace_until"], batch_size=AT_ONCE)
    ended = [each for each in over if not _is_in_grace(each, today)]
    Subscription.objects.filter(pk__in=[each.pk for each in ended]).update(
        status=Status.ENDED, charge_on=None, grace_until=None, ended_at=at
    )
    numbers = [each.number_id for each in ended if each.number_id]
    rest_numbers(numbers, since=today)
    note_ended(company.pk, ended)
    tell_ended(company, [each for each in ended if each.renews])
    return len(ended), over[-1].pk


def _is_in_grace(subscription: Subscription, today: date) -> bool:
    """Whether it may still be paid: it renews, and its grace is not over. None ends that was not
    tried when its grace was over, as when no job ran for weeks or its company could not be looked
    at.
    """
    if not subscription.renews:
        return False
    end = grace_end(subscription.kind, subscription.paid_until)
    tried_on = subscription.last_failed_on
    return today < end or tried_on is None or tried_on < end
