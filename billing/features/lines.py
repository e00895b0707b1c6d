"""Features as people see them: until when, and at what price. Its one rule: what was paid is told
from the period paid, what comes from the prices of today.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.db.models import F, QuerySet

from billing.features.prices import prices_of
from billing.models import FeatureBan, PeriodAllowance, Subscription, SubscriptionPeriod
from credit.models import Allowance
from credit.money import ZERO
from members.models import Company, Member
from skypemgr.lib.formats import currency_decimals

Status = Subscription.Status
# More than that stand on the table of their kind.
SHOWN_OF_MEMBER = 200
SHOWN_ENDED = 20


@dataclass(frozen=True, slots=True)
class FeatureLine:
    """A feature with its prices in the company's currency: ``price`` was paid for the period until
    ``paid_until``; the renewal costs ``next_price``, None when it ends then. ``is_discontinued``:
    it would renew, and its plan is not offered any more.
    """

    feature: Subscription
    price: Decimal
    next_price: Decimal | None
    is_discontinued: bool
    decimals: int

    @property
    def per_month(self) -> Decimal:
        """The price of a month of the period paid."""
        return monthly(self.price, self.feature.months, self.decimals)

    @property
    def renews(self) -> bool:
        """Whether another period follows."""
        return self.feature.renews and not self.is_discontinued

    @property
    def is_in_grace(self) -> bool:
        """Whether the paid time is over and it may still be paid."""
        return self.feature.status == Status.GRACE

    @property
    def is_unpaid(self) -> bool:
        """Whether its renewal was tried and could not be paid."""
        return self.feature.last_failed_on is not None

    @property
    def next_months(self) -> int:
        """How many months the next period has."""
        return self.feature.next_months or self.feature.months

    @property
    def changes(self) -> bool:
        """Whether the next period is another one, or costs something else."""
        has_other_price = self.next_price is not None and self.next_price != self.price
        return self.renews and (self.feature.next_plan is not None or has_other_price)


@dataclass(frozen=True, slots=True)
class OwnFeature:
    """A feature as its member sees it: no price, but the minutes left of those included now, None
    without any.
    """

    feature: Subscription
    minutes: Allowance | None


def read_features_of(member: Member) -> tuple[list[FeatureLine], list[FeatureLine]]:
    """The member's open features and the last ended ones, each with its prices; four queries."""
    company = member.company
    features = with_names(Subscription.objects.filter(member=member, company=company))
    open_ones = features.filter(status__in=Subscription.OPEN).order_by("kind", "created_at", "pk")
    ended = features.filter(status=Status.ENDED).order_by("-ended_at", "-pk")
    found = [*open_ones[:SHOWN_OF_MEMBER], *ended[:SHOWN_ENDED]]
    lines = price_features(company, found)
    return (
        [line for line in lines if line.feature.status != Status.ENDED],
        [line for line in lines if line.feature.status == Status.ENDED],
    )


def read_banned_kinds(member: Member) -> set[str]:
    """The kinds that the member may not have; one query."""
    return set(FeatureBan.objects.filter(member=member).values_list("kind", flat=True))


def price_features(company: Company, found: Sequence[Subscription]) -> list[FeatureLine]:
    """Each with what was paid for it and what its renewal costs; two queries. Plans are at hand."""
    paid = dict(
        SubscriptionPeriod.objects.filter(
            subscription__in=[each.pk for each in found], ends_on=F("subscription__paid_until")
        ).values_list("subscription_id", "price")
    )
    prices = prices_of({(each.next_plan or each.plan).pk for each in found}, company.currency)
    decimals = currency_decimals(company.currency)
    lines = []
    for each in found:
        plan = each.next_plan or each.plan
        price = prices.get((plan.pk, each.next_months or each.months))
        is_offered = price is not None and plan.is_offered_on(each.paid_until)
        renews = each.renews and each.status != Status.ENDED
        lines.append(
            FeatureLine(
                feature=each,
                price=paid.get(each.pk, ZERO),
                next_price=price if renews and is_offered else None,
                is_discontinued=renews and not is_offered,
                decimals=decimals,
            )
        )
    return lines


def monthly(price: Decimal, months: int, decimals: int) -> Decimal:
    """The price of one month of so many, rounded to the currency's decimals."""
    return (price / months).quantize(Decimal(1).scaleb(-decimals))


def read_own_features(member: Member, *, now: datetime) -> list[OwnFeature]:
    """The open features of the member, with the minutes included this month; two queries."""
    found = list(
        with_names(
            Subscription.objects.filter(
                member=member, company=member.company_id, status__in=Subscription.OPEN
            )
        ).order_by("kind", "created_at", "pk")[:SHOWN_OF_MEMBER]
    )
    opened = PeriodAllowance.objects.filter(
        period__subscription__in=[each.pk for each in found],
        allowance__starts_at__lte=now,
        allowance__ends_at__gt=now,
    ).select_related("allowance", "period")
    minutes = {each.period.subscription_id: each.allowance for each in opened}
    return [OwnFeature(each, minutes.get(each.pk)) for each in found]


def with_names(features: QuerySet[Subscription]) -> QuerySet[Subscription]:
    """The features with their plans and numbers at hand."""
    return features.select_related("plan", "next_plan", "number")
