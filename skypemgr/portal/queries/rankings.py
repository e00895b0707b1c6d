"""Who and what costs most this month. Its one rule: calls that began this month, at what was paid
for them; how many there are and what all cost together stands with the first few.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from urllib.parse import urlencode

from django.urls import reverse
from django.utils.translation import gettext as _

from billing.features.destinations import country_name
from credit.models import Rate
from credit.usage import By, Measures, Usage, Within, usage_by
from credit.usage_members import usage_of_members
from members.models import MemberList
from skypemgr.lib.periods import first_of_month, first_of_next_month
from skypemgr.portal.scope import Scope

SHOWN = 6
ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class Ranked:
    """One line; ``width`` is that of its bar in percent of the longest, ``url`` leads to the
    dashboard of what it names, if it has one.
    """

    name: str
    calls_count: int
    amount: Decimal
    width: int
    url: str = ""


@dataclass(frozen=True, slots=True)
class Ranking:
    """The first few by what was paid; ``total`` is that of all of them. ``report_url`` leads to all
    of them.
    """

    name: str
    rows: tuple[Ranked, ...]
    total: Decimal
    report_url: str

    @property
    def rest(self) -> Decimal:
        """What all the others cost."""
        return self.total - sum((row.amount for row in self.rows), ZERO)


def read_rankings(scope: Scope, today: date) -> list[Ranking]:
    """Members, lists, destinations and cost centres, as far as the scope has several of them. At
    most six queries.
    """
    first = first_of_month(today)
    days = (first, first_of_next_month(today) - timedelta(days=1))
    within = Within(list_id=scope.list_id, member_id=scope.member_id)
    found: list[Ranking] = []
    if scope.member is None:
        found.append(_members(scope, days, within))
    if scope.is_company:
        found.append(_lists(scope, days, within))
    destinations = usage_by(scope.company, *days, by=By.DESTINATION, within=within)
    found.append(_of_usage("destinations", By.DESTINATION, scope, destinations, _destination))
    if scope.member is None:
        centres = usage_by(scope.company, *days, by=By.COST_CENTRE, within=within)
        if any(row.cost_centre for row in centres):
            found.append(_of_usage("cost_centres", By.COST_CENTRE, scope, centres, _cost_centre))
    return found


def _members(scope: Scope, days: tuple[date, date], within: Within) -> Ranking:
    page = usage_of_members(scope.company, *days, within=within, sort="-collected", page_size=SHOWN)
    dashboard = reverse("dashboard")
    lines = [(row.name, f"{dashboard}?member={row.member_id}", row.started) for row in page.rows]
    return _ranking("members", "member", scope, lines, page.total.started.collected)


def _lists(scope: Scope, days: tuple[date, date], within: Within) -> Ranking:
    names = dict(MemberList.objects.filter(company=scope.company).values_list("pk", "name"))
    dashboard = reverse("dashboard")

    def told(row: Usage) -> tuple[str, str]:
        if row.list_id is None:
            return _("In no list"), ""
        return names[row.list_id], f"{dashboard}?list={row.list_id}"

    found = usage_by(scope.company, *days, by=By.LIST, within=within)
    return _of_usage("lists", By.LIST, scope, found, told)


def _destination(row: Usage) -> tuple[str, str]:
    kind = str(Rate.Kind(row.kind).label) if row.kind in Rate.Kind.values else ""
    country = country_name(row.country) if row.country else _("Elsewhere")
    if not kind or row.kind == Rate.Kind.OTHER:
        return country, ""
    return _("%(country)s, %(kind)s") % {"country": country, "kind": kind}, ""


def _cost_centre(row: Usage) -> tuple[str, str]:
    return row.cost_centre or _("No cost centre"), ""


def _of_usage(
    name: str,
    by: str,
    scope: Scope,
    found: Iterable[Usage],
    told: Callable[[Usage], tuple[str, str]],
) -> Ranking:
    known = sorted(found, key=lambda row: (-row.started.collected, -row.started.calls_count))
    lines = [(*told(row), row.started) for row in known]
    total = sum((row.started.collected for row in known), ZERO)
    return _ranking(name, by, scope, lines, total)


def _ranking(
    name: str,
    by: str,
    scope: Scope,
    lines: Sequence[tuple[str, str, Measures]],
    total: Decimal,
) -> Ranking:
    """The first few lines: name, address, measures."""
    most = max((sums.collected for _label, _url, sums in lines), default=ZERO)
    rows = tuple(
        Ranked(
            name=label,
            calls_count=sums.calls_count,
            amount=sums.collected,
            width=int(sums.collected * 100 / most) if most else 0,
            url=url,
        )
        for label, url, sums in lines[:SHOWN]
    )
    query = urlencode({"by": by, **scope.parameters})
    return Ranking(name, rows, total, f"{reverse('report', args=('usage',))}?{query}")
