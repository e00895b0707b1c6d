"""What is to be renewed: told beforehand, and listed. Its one rule: one digest for a company and a
day of charge, a week and a day before.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal

from django.db.models import QuerySet

from billing.features.prices import prices_of
from billing.models import Subscription
from credit.accounts import company_balance
from members.models import Company
from members.notices import NoticeKind, tell_administrators
from skypemgr.lib.periods import utc_now

logger = logging.getLogger(__name__)

Status = Subscription.Status
TOLD_BEFORE = (timedelta(days=7), timedelta(days=1))
A_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Upcoming:
    """One renewal to come: what it will cost and when it is taken; no price when the plan is not
    offered any more and it runs out instead.
    """

    subscription: Subscription
    charge_on: date
    price: Decimal | None


@dataclass(frozen=True, slots=True)
class UpcomingTotal:
    """All renewals of a span of days. ``missing`` is what the balance lacks for them now."""

    count: int
    total: Decimal
    balance: Decimal
    missing: Decimal


def upcoming(company: Company, *, until: date) -> QuerySet[Subscription]:
    """The features that renew and are charged by that day, the next ones first."""
    return (
        Subscription.objects.filter(
            company=company, status__in=Subscription.OPEN, charge_on__lte=until
        )
        .select_related("member", "plan", "next_plan", "number")
        .order_by("charge_on", "pk")
    )


def price_upcoming(company: Company, found: Sequence[Subscription]) -> list[Upcoming]:
    """Each with its price at its renewal. One query."""
    prices = prices_of(
        {pk for each in found for pk in (each.plan_id, each.next_plan_id) if pk}, company.currency
    )
    priced = []
    for each in found:
        plan, months = each.next_plan or each.plan, each.next_months or each.months
        price = prices.get((plan.pk, months))
        if not plan.is_offered_on(each.paid_until):
            price = None
        priced.append(Upcoming(each, each.charge_on or each.paid_until, price))
    return priced


def total_upcoming(company: Company, *, until: date) -> UpcomingTotal:
    """What the renewals by that day cost together, against the balance now."""
    rows = price_upcoming(company, list(upcoming(company, until=until)))
    total = sum((row.price for row in rows if row.price is not None), Decimal(0))
    balance = company_balance(company)
    return UpcomingTotal(len(rows), total, balance, max(Decimal(0), total - balance))


def announce_renewals(*, now: datetime | None = None) -> int:
    """The administrators of each company know what is charged in seven days and tomorrow, once for
    each day of charge; how many companies were looked at.
    """
    at = now or utc_now()
    count = 0
    for before in TOLD_BEFORE:
        # The company's day is at most one away from the day in UTC.
        days = [at.date() + before + shift for shift in (-A_DAY, timedelta(0), A_DAY)]
        found = Subscription.objects.filter(
            charge_on__in=days, company__state=Company.State.ACTIVE, last_failed_on=None
        )
        companies = found.order_by("company").values_list("company_id", flat=True).distinct()
        count += sum(_try(company_id, before, at) for company_id in list(companies))
    return count


def _try(company_id: int, before: timedelta, at: datetime) -> bool:
    try:
        _announce(Company.objects.get(pk=company_id), before, at)
    except Exception:
        # One company that cannot be told must not keep the others waiting.
        logger.exception("renewals of company %s could not be announced", company_id)
        return False
    return True


def _announce(company: Company, before: timedelta, at: datetime) -> None:
    on = company.day_at(at) + before
    found = list(upcoming(company, until=on).filter(charge_on=on, last_failed_on=None))
    rows = [row for row in price_upcoming(company, found) if row.price]
    if not rows:
        return
    total = sum((row.price for row in rows if row.price), Decimal(0))
    tell_administrators(
        company,
        NoticeKind.RENEWALS_SOON,
        key=f"renewals_soon:{on}:{before.days}",
        count=len(rows),
        total=str(total),
        currency=company.currency,
        on=on.isoformat(),
        is_short=company_balance(company) < total,
        url="/features/renewals/",
    )
