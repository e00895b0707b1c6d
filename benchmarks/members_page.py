"""The table of members in a large company: each page's time on the server, from the request to the
last byte of the answer, without the network.
"""

import statistics
from collections.abc import Iterator, Sequence

from django.core.cache import cache
from django.test import Client
from django.test.utils import override_settings

from benchmarks.figures import Figure, at_most, seconds
from benchmarks.people import House, analyze
from credit.generating import generate_members
from credit.queries.members import PAGE_SIZE, SORTS
from members.models import Member, MemberList
from skypemgr.lib.periods import utc_now

ROUNDS = 9
TARGET = 100
BULK = ("credit", "auto-recharge", "move", "suspend", "reactivate", "remove")
SEARCHES = ("q=dupre", "q=elodie+martin", "q=an", "q=0612")
FILTERS = (
    "list=none",
    "role=member",
    "role=finance",
    "status=active",
    "status=suspended",
    "status=gone",
    "status=all",
    "rule=on",
    "rule=suspended",
    "rule=waiting",
    "rule=off",
    "rule=none",
    "below=5",
    "below=1000",
    "due=1",
    "joined_from=2025-01-01",
    "joined_to=2025-01-01",
)


def measure(house: House, count: int) -> Iterator[Figure]:
    """The house gets so many members; then its pages, the slowest of each kind named."""
    company = house.company
    taken = seconds(lambda: generate_members(company, house.actor, count, seed=1, now=utc_now()))
    yield Figure(f"{count:,} members made up, with credit, calls and rules", f"{taken:.0f} s")
    analyze()
    client = Client(headers={"accept-language": "en"})
    client.force_login(
        house.administrator.user, backend="django.contrib.auth.backends.ModelBackend"
    )
    present = Member.objects.filter(company=company, status__in=("active", "suspended")).count()
    last = -(-present // PAGE_SIZE)
    chosen = MemberList.objects.filter(company=company).order_by("pk").values_list("pk", flat=True)
    filters = [*FILTERS, f"list={chosen[0]}"]
    with override_settings(ALLOWED_HOSTS=["testserver"], SECURE_SSL_REDIRECT=False):
        yield _slowest(client, "members, first page", [""])
        yield _slowest(client, "members, page in the middle", [f"?page={last // 2}"])
        yield _slowest(client, "members, last page", [f"?page={last}"])
        yield _slowest(client, "members, search", [f"?{query}" for query in SEARCHES])
        yield _slowest(client, "members, filter", [f"?{query}" for query in filters])
        yield _slowest(client, "members, sort", [f"?sort={sort}" for sort in SORTS])
        previews = [f"{page}/?every=1" for page in BULK]
        yield _slowest(client, "members, preview for all", previews)
        cold = _median(client, "", is_cold=True)
        yield Figure("members, first page, totals summed up anew each time", f"{cold:.0f} ms")


def _slowest(client: Client, subject: str, addresses: Sequence[str]) -> Figure:
    times = {address: _median(client, address) for address in addresses}
    worst = max(times, key=lambda address: times[address])
    named = f"{subject} (slowest of {len(times)}: {worst})" if len(times) > 1 else subject
    return at_most(named, times[worst], TARGET, " ms")


def _median(client: Client, address: str, *, is_cold: bool = False) -> float:
    times = []
    for _round in range(ROUNDS):
        if is_cold:
            cache.clear()
        times.append(seconds(lambda: _open(client, address)) * 1000)
    return statistics.median(times)


def _open(client: Client, address: str) -> None:
    response = client.get(f"/members/{address}")
    assert response.status_code == 200, (address, response.status_code)
