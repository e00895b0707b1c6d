"""What features cost the company, kind by kind. Its one rule: counted in the database, so that
many features take no longer to read than few.
"""

from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

from django.db.models import Case, Count, F, Q, QuerySet, When
from django.db.models.functions import Coalesce

from billing.features.kinds import KINDS, KindLooks
from billing.features.lines import monthly
from billing.features.prices import prices_of
from billing.models import PlanPrice, Subscription
from credit.money import ZERO
from members.models import Company
from skypemgr.lib.formats import currency_decimals

Status = Subscription.Status


@dataclass(slots=True)
class KindOverview:
    """A kind in the company. ``monthly`` is what all that renew cost a month; ``due_count`` renew
    by the day asked about and cost ``due_total``. ``price_from`` is the lowest offered a month,
    None when nothing is offered in the company's currency.
    """

    looks: KindLooks
    members_count: int = 0
    features_count: int = 0
    ending_count: int = 0
    grace_count: int = 0
    monthly: Decimal = ZERO
    due_count: int = 0
    due_total: Decimal = ZERO
    price_from: Decimal | None = None


@dataclass(slots=True)
class Overview:
    """All kinds together."""

    kinds: list[KindOverview] = field(default_factory=list)

    @property
    def features_count(self) -> int:
        """How many features there are."""
        return sum(each.features_count for each in self.kinds)

    @property
    def due_count(self) -> int:
        """How many renew by the day."""
        return sum(each.due_count for each in self.kinds)

    @property
    def due_total(self) -> Decimal:
        """What these cost together."""
        return sum((each.due_total for each in self.kinds), ZERO)

    @property
    def monthly(self) -> Decimal:
        """What all that renew cost a month."""
        return sum((each.monthly for each in self.kinds), ZERO)

    @property
    def is_offered(self) -> bool:
        """Whether anything can be given."""
        return any(each.price_from is not None for each in self.kinds)


def read_overview(company: Company, *, today: date, until: date) -> Overview:
    """Each kind: who has it, what it costs, what renews by the day; four queries."""
    found = {looks.kind.value: KindOverview(looks) for looks in KINDS}
    features = Subscription.objects.filter(company=company, status__in=Subscription.OPEN)
    holders = features.values("kind").annotate(count=Count("member", distinct=True))
    for kind, count in holders.values_list("kind", "count"):
        found[kind].members_count = count
    groups = _grouped(features, until)
    prices = prices_of({group["next_id"] for group in groups}, company.currency)
    decimals = currency_decimals(company.currency)
    for group in groups:
        _add(found[group["kind"]], group, prices, decimals)
    for kind, price_from in _lowest(company, today, decimals).items():
        found[kind].price_from = price_from
    return Overview(list(found.values()))


def _add(
    kind: KindOverview,
    group: dict[str, Any],
    prices: dict[tuple[int, int], Decimal],
    decimals: int,
) -> None:
    """The group's features join the figures of their kind."""
    count = group["count"]
    kind.features_count += count
    if group["status"] == Status.GRACE:
        kind.grace_count += count
    price = prices.get((group["next_id"], group["months_each"]))
    if not group["goes_on"] or price is None:
        kind.ending_count += count
        return
    kind.monthly += monthly(price, group["months_each"], decimals) * count
    if group["is_due"]:
        kind.due_count += count
        kind.due_total += price * count


def _lowest(company: Company, today: date, decimals: int) -> dict[str, Decimal]:
    """By kind the lowest price of a month among what is offered on the day; one query."""
    offered = PlanPrice.objects.filter(
        Q(plan__valid_until=None) | Q(plan__valid_until__gt=today),
        plan__valid_from__lte=today,
        currency=company.currency,
    )
    lowest: dict[str, Decimal] = {}
    for kind, price, months in offered.values_list("plan__kind", "price", "months"):
        each = monthly(price, months, decimals)
        lowest[kind] = min(each, lowest.get(kind, each))
    return lowest


def _grouped(features: QuerySet[Subscription], until: date) -> list[dict[str, Any]]:
    """The features counted by what their renewal is, and whether it comes by the day."""
    has_next = Q(next_plan__isnull=False)
    offered_from = Case(
        When(has_next, then=F("next_plan__valid_from")), default=F("plan__valid_from")
    )
    offered_until = Case(
        When(has_next, then=F("next_plan__valid_until")), default=F("plan__valid_until")
    )
    groups = (
        features.alias(offered_from=offered_from, offered_until=offered_until)
        .annotate(
            next_id=Coalesce("next_plan", "plan"),
            months_each=Coalesce("next_months", "months"),
            goes_on=Case(
                When(
                    Q(renews=True, offered_from__lte=F("paid_until"))
                    & (Q(offered_until=None) | Q(offered_until__gt=F("paid_until"))),
                    then=True,
                ),
                default=False,
            ),
            is_due=Case(When(charge_on__lte=until, then=True), default=False),
        )
        .values("kind", "next_id", "months_each", "goes_on", "is_due", "status")
        .annotate(count=Count("pk"))
        .order_by()
    )
    return [{**group} for group in groups]
