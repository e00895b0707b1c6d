"""Paying periods of features. Its one rule: one transfer for each period, under the key
``feature:<subscription>:<first day>``, in the transaction that stores the period.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from billing.features.periods import add_months, split_months
from billing.models import PeriodAllowance, Plan, Subscription, SubscriptionPeriod
from credit.accounts import Accounts
from credit.allowances import Wanted, open_allowances
from credit.ledger import Move, Posting
from credit.models import Transfer
from members.models import Company


@dataclass(frozen=True, slots=True)
class Paid:
    """One period to be paid: which feature, by which plan, from which day."""

    subscription: Subscription
    plan: Plan
    months: int
    price: Decimal
    starts_on: date

    @property
    def ends_on(self) -> date:
        """The first day that it does not cover."""
        anchor = self.subscription.anchor_day
        return add_months(self.starts_on, self.months, anchor_day=anchor)

    @property
    def key(self) -> str:
        """The name of the fact in the ledger."""
        return f"feature:{self.subscription.pk}:{self.starts_on}"


def pay_periods(
    company: Company,
    posting: Posting,
    accounts: Accounts,
    wanted: Sequence[Paid],
    *,
    now: datetime,
    actor_id: int | None = None,
) -> list[SubscriptionPeriod]:
    """The periods are paid from the company's purse, which the posting has locked and which must
    hold enough, and stored with their included minutes. A fixed number of statements. ``actor_id``
    is the member who gave them; a renewal has none.
    """
    for each in wanted:
        if each.price > 0:
            posting.transfer(
                Move(
                    kind=Transfer.Kind.FEATURE,
                    source=accounts.company,
                    destination=accounts.features,
                    amount=each.price,
                    key=each.key,
                    actor_id=actor_id,
                )
            )
    posting.write()
    posted = {each.key: posting.known(each.key) for each in wanted}
    periods = SubscriptionPeriod.objects.bulk_create(
        SubscriptionPeriod(
            company=company,
            subscription=each.subscription,
            plan=each.plan,
            starts_on=each.starts_on,
            ends_on=each.ends_on,
            months=each.months,
            price=each.price,
            currency=company.currency,
            transfer_id=found.id if (found := posted[each.key]) else None,
            created_at=now,
        )
        for each in wanted
    )
    _open_minutes(company, wanted, periods, now)
    return periods


def _open_minutes(
    company: Company,
    wanted: Sequence[Paid],
    periods: Sequence[SubscriptionPeriod],
    now: datetime,
) -> None:
    """Each month of a period has the minutes that the plan includes a month."""
    months = [
        (period, each, starts_on, ends_on)
        for period, each in zip(periods, wanted, strict=True)
        if each.plan.included_seconds
        for starts_on, ends_on in split_months(
            each.starts_on, each.months, anchor_day=each.subscription.anchor_day
        )
    ]
    allowances = open_allowances(
        company,
        [
            Wanted(
                member_id=each.subscription.member_id,
                prefixes=tuple(each.plan.prefixes),
                seconds=each.plan.included_seconds or 0,
                starts_at=company.start_of(starts_on),
                ends_at=company.start_of(ends_on),
            )
            for _period, each, starts_on, ends_on in months
        ],
        now=now,
    )
    PeriodAllowance.objects.bulk_create(
        PeriodAllowance(period=period, allowance=allowance)
        for (period, *_rest), allowance in zip(months, allowances, strict=True)
    )
