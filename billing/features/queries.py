"""What features cost the company, kind by kind. Its one rule: counted in the database, so that
many features take no longer to read than few.
"""

from dataclasses import astuple, dataclass, field
from datetime import date
from decimal import Decimal

from django.db.models import Case, Count, F, Q, QuerySet, When

from billing.features.kinds import KINDS, KindLooks
from billing.features.terms import Terms, TermsBook
from billing.features.wording import price_by_month
from billing.models import PlanPrice, Subscription
from credit.money import ZERO
from credit.queries.kept import KEPT_FROM, keep, key_of, recall
from members.models import Company

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


@dataclass(frozen=True, slots=True)
class Group:
    """So many features alike. ``ends_on`` is empty where no plan of theirs is withdrawn: then the
    day makes no difference.
    """

    kind: str
    plan_id: int
    months: int
    next_plan_id: int | None
    next_months: int | None
    renews: bool
    status: str
    is_due: bool
    ends_on: date | None
    count: int


def read_overview(company: Company, *, today: date, until: date) -> Overview:
    """Each kind: who has it, what it costs, what renews by the day; six queries at most."""
    found = {looks.kind.value: KindOverview(looks) for looks in KINDS}
    holders, groups = _count(company, today=today, until=until)
    for kind, count in holders:
        found[kind].members_count = count
    book = TermsBook(groups, currency=company.currency)
    for group in groups:
        # Whatever is offered without an end is offered then.
        goes_on = book.at_renewal(group, group.ends_on or date.max) if group.renews else None
        _add(found[group.kind], group, goes_on, company.currency)
    for kind, price_from in _lowest(company, today).items():
        found[kind].price_from = price_from
    return Overview(list(found.values()))


def _count(
    company: Company, *, today: date, until: date
) -> tuple[list[tuple[str, int]], list[Group]]:
    """How many members have each kind, and the features in groups; of many features as they were
    at most half a minute ago, if nothing happened since. Three queries at most.
    """
    key = key_of(company, "features", {"until": str(until)}, today)
    kept = recall(key)
    if kept:
        return kept[0], [Group(*row) for row in kept[1]]
    features = Subscription.objects.filter(company=company, status__in=Subscription.OPEN)
    counted = features.values("kind").annotate(count=Count("member", distinct=True))
    holders = list(counted.values_list("kind", "count"))
    groups = _read_groups(features, until)
    if sum(group.count for group in groups) >= KEPT_FROM:
        keep(key, (holders, [astuple(group) for group in groups]))
    return holders, groups


def _add(kind: KindOverview, group: Group, terms: Terms | None, currency: str) -> None:
    """The group's features join the figures of their kind."""
    kind.features_count += group.count
    if group.status == Status.GRACE:
        kind.grace_count += group.count
    if terms is None:
        kind.ending_count += group.count
        return
    kind.monthly += price_by_month(terms.price, terms.months, currency) * group.count
    if group.is_due:
        kind.due_count += group.count
        kind.due_total += terms.price * group.count


def _lowest(company: Company, today: date) -> dict[str, Decimal]:
    """By kind the lowest price of a month among what is offered on the day; one query."""
    offered = PlanPrice.objects.filter(
        Q(plan__valid_until=None) | Q(plan__valid_until__gt=today),
        plan__valid_from__lte=today,
        currency=company.currency,
    )
    lowest: dict[str, Decimal] = {}
    for kind, price, months in offered.values_list("plan__kind", "price", "months"):
        each = price_by_month(price, months, company.currency)
        lowest[kind] = min(each, lowest.get(kind, each))
    return lowest


def _read_groups(features: QuerySet[Subscription], until: date) -> list[Group]:
    """The features counted by how they go on; one query."""
    is_withdrawn = Q(plan__valid_until__isnull=False) | Q(next_plan__valid_until__isnull=False)
    rows = features.annotate(
        is_due=Case(When(charge_on__lte=until, then=True), default=False),
        ends_on=Case(When(is_withdrawn, then=F("paid_until"))),
    ).values_list(
        *("kind", "plan_id", "months", "next_plan_id", "next_months", "renews", "status"),
        *("is_due", "ends_on"),
    )
    return [Group(*row) for row in rows.annotate(count=Count("pk")).order_by()]
