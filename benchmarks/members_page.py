"""The table of members in a large company: each page's time on the server, from the request to the
last byte of the answer, without the network.
"""

from collections.abc import Iterator

from benchmarks.figures import Figure, seconds
from benchmarks.pages import browser, cold_median, slowest
from benchmarks.people import House, analyze
from credit.generating import generate_members
from credit.queries.members import PAGE_SIZE, SORTS
from members.models import Member, MemberList
from skypemgr.lib.periods import utc_now

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
    client, base = browser(house.administrator), "/members/"
    present = Member.objects.filter(company=company, status__in=("active", "suspended")).count()
    last = -(-present // PAGE_SIZE)
    chosen = MemberList.objects.filter(company=company).order_by("pk").values_list("pk", flat=True)
    filters = [*FILTERS, f"list={chosen[0]}"]
    yield slowest(client, "members, first page", [""], base=base)
    yield slowest(client, "members, page in the middle", [f"?page={last // 2}"], base=base)
    yield slowest(client, "members, last page", [f"?page={last}"], base=base)
    yield slowest(client, "members, search", [f"?{query}" for query in SEARCHES], base=base)
    yield slowest(client, "members, filter", [f"?{query}" for query in filters], base=base)
    yield slowest(client, "members, sort", [f"?sort={sort}" for sort in SORTS], base=base)
    previews = [f"{page}/?every=1" for page in BULK]
    yield slowest(client, "members, preview for all", previews, base=base)
    cold = cold_median(client, base)
    yield Figure("members, first page, totals summed up anew each time", f"{cold:.0f} ms")
