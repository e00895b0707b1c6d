"""The pages of features in a large company: each page's time on the server, from the request to the
last byte of the answer, without the network.
"""

from collections.abc import Iterator, Sequence
from itertools import cycle, islice
from uuid import uuid4

from benchmarks.figures import Figure, seconds
from benchmarks.pages import browser, slowest
from benchmarks.people import House, analyze
from billing.features.catalogue import PLANS, import_plans
from billing.features.changing import cancel_features
from billing.features.giving import MOST_AT_ONCE, Wish, give_feature
from billing.features.numbers import reserve_numbers
from billing.models import FeatureKind, NumberArea, PhoneNumber, Plan, Subscription
from credit.allocation import Recipients
from credit.generating import generate_members
from credit.queries.members import PAGE_SIZE
from credit.requests import OutsideKey
from members.models import Member
from skypemgr.lib.periods import utc_now

# Of thirty features so many of each kind.
SHARES = {
    FeatureKind.SUBSCRIPTION: 12,
    FeatureKind.VOICEMAIL: 8,
    FeatureKind.NUMBER: 5,
    FeatureKind.CALL_FORWARDING: 3,
    FeatureKind.CALLER_ID: 2,
}
TENTH = 10
QUERIES = (
    "",
    "has=yes",
    "has=no",
    "state=renews",
    "state=ends",
    "state=grace",
    "has=yes&sort=until",
    "has=yes&sort=-until",
    "has=yes&sort=-name",
    "list=none",
    "has=no&list=none",
    "status=all",
    "q=dupre",
    "has=yes&q=an",
    "has=no&q=an",
)


def measure(house: House, members_count: int, count: int) -> Iterator[Figure]:
    """The house has so many members and features; then its pages, the slowest of each named."""
    company = house.company
    missing = members_count - Member.objects.filter(company=company).count()
    if missing > members_count // TENTH:
        generate_members(company, house.actor, missing, seed=1, now=utc_now())
    taken = seconds(lambda: _give(house, count))
    yield Figure(f"{count:,} features given, a thousand at a time", f"{taken:.0f} s")
    analyze()
    client = browser(house.administrator)
    holder = Subscription.objects.filter(company=company).values_list("member", flat=True)[0]
    present = Member.objects.filter(company=company, status__in=("active", "suspended")).count()
    pages = [f"?page={page}" for page in (-(-present // PAGE_SIZE) // 2, -(-present // PAGE_SIZE))]
    yield slowest(client, "features, all kinds", ["/features/"])
    kinds = ("subscription", "number", "caller-id")
    tables = [f"/features/{kind}/?{query}" for kind in kinds for query in QUERIES]
    yield slowest(client, "features, who has what", tables)
    further = [f"/features/subscription/{page}" for page in pages]
    yield slowest(client, "features, who has what, further pages", further)
    found = ["/features/number/?q=0199", "/features/number/?q=199000012&has=yes"]
    yield slowest(client, "features, who has a number", found)
    yield slowest(client, "features of a member", [f"/members/{holder}/features/"])


def _give(house: House, count: int) -> None:
    """Features in sets of a thousand; every tenth set is cancelled again."""
    with PLANS.open("rb") as file:
        import_plans(file)
    members = list(
        Member.objects.filter(company=house.company, status="active")
        .order_by("pk")
        .values_list("pk", flat=True)
    )
    area = NumberArea.objects.create(country="FR", code="bench", name="Measured")
    total = sum(SHARES.values())
    for kind, share in SHARES.items():
        wanted = count * share // total
        if kind == FeatureKind.NUMBER:
            PhoneNumber.objects.bulk_create(
                PhoneNumber(e164=f"+33199{number:06}", area=area) for number in range(wanted)
            )
        plans = Plan.objects.filter(kind=kind, country__in=("", "FR")).order_by("position", "pk")
        ways = cycle([(plan, months) for plan in plans for months in (1, 1, 3, 12)])
        starts = range(0, wanted, MOST_AT_ONCE)
        for place, (start, (plan, months)) in enumerate(zip(starts, ways, strict=False)):
            chosen = tuple(islice(members, start, min(start + MOST_AT_ONCE, wanted)))
            given = _give_set(house, plan, months, chosen, area)
            if place % TENTH == 1:
                cancel_features(actor=house.actor, subscription_ids=given)


def _give_set(
    house: House, plan: Plan, months: int, members: Sequence[int], area: NumberArea
) -> tuple[int, ...]:
    numbers: tuple[int, ...] = ()
    if plan.kind == FeatureKind.NUMBER:
        kept = reserve_numbers(actor=house.actor, area=area, count=len(members))
        numbers = tuple(number.pk for number in kept)
    wish = Wish(
        plan=plan,
        months=months,
        recipients=Recipients(member_ids=tuple(members)),
        numbers=numbers,
        accepts_residence=True,
    )
    request = OutsideKey.of_form(str(uuid4()), None)
    return give_feature(actor=house.actor, wish=wish, request=request).subscription_ids
