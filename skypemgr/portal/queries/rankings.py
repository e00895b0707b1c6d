"""Who and what costs most this month. Its one rule: calls that began this month, at what was paid
for them; how many there are and what all cost together stands with the first few.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from urllib.parse import urlencode

from django.urls import reverse
from django.utils.translation import gettext as _

from billing.features.destinations import country_name
from credit.models import Rate
from credit.queries.kept import KEPT_FROM, keep, key_of, recall
from credit.usage import By, Within, usage_by
from credit.usage_tops import Spent, Tops, read_tops
from members.models import MemberList
from skypemgr.lib.periods import first_of_month, first_of_next_month
from skypemgr.lib.wide import wide_memory
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


@dataclass(frozen=True, slots=True)
class _Line:
    name: str
    url: str
    calls_count: int
    amount: Decimal


def read_rankings(scope: Scope, today: date) -> list[Ranking]:
    """Members, lists, destinations and cost centres, as far as the scope has several of them. A
    fixed number of queries.
    """
    if scope.member is not None:
        return [_of_lines("destinations", By.DESTINATION, scope, _of_member(scope, today))]
    cuts = (By.LIST, By.DESTINATION, By.COST_CENTRE)
    wanted = cuts if scope.is_company else cuts[1:]
    tops = _kept_tops(scope, today, wanted)
    found = [_members(scope, tops)]
    if scope.is_company:
        found.append(_lists(scope, tops.by[By.LIST]))
    found.append(_of_lines("destinations", By.DESTINATION, scope, tops.by[By.DESTINATION]))
    centres = tops.by[By.COST_CENTRE]
    if any(line.cost_centre for line in centres):
        found.append(_of_lines("cost_centres", By.COST_CENTRE, scope, centres))
    return found


def _kept_tops(scope: Scope, today: date, wanted: tuple[By, ...]) -> Tops:
    """Of many calls those of at most half a minute ago, if nothing moved or was decided since."""
    key = key_of(scope.company, "tops", scope.parameters, today)
    kept: Tops | None = recall(key)
    if kept is not None:
        return kept
    with wide_memory():
        tops = read_tops(scope.company, today, by=wanted, members=SHOWN, list_id=scope.list_id)
    if sum(row.calls_count for row in tops.by[By.DESTINATION]) >= KEPT_FROM:
        keep(key, tops)
    return tops


def _of_member(scope: Scope, today: date) -> list[Spent]:
    """What a member called, what cost most first; one query."""
    days = first_of_month(today), first_of_next_month(today) - timedelta(days=1)
    within = Within(member_id=scope.member_id)
    lines = [
        Spent(None, "", row.country, row.kind, row.started.calls_count, row.started.collected)
        for row in usage_by(scope.company, *days, by=By.DESTINATION, within=within)
    ]
    return sorted(lines, key=lambda line: (-line.collected, -line.calls_count))


def _members(scope: Scope, tops: Tops) -> Ranking:
    dashboard = reverse("dashboard")
    lines = [
        _Line(row.name, f"{dashboard}?member={row.member_id}", row.calls_count, row.collected)
        for row in tops.members
    ]
    # Every call goes to some destination.
    total = sum((row.collected for row in tops.by[By.DESTINATION]), ZERO)
    return _ranking("members", "member", scope, lines, total)


def _lists(scope: Scope, found: Sequence[Spent]) -> Ranking:
    names = dict(MemberList.objects.filter(company=scope.company).values_list("pk", "name"))
    dashboard = reverse("dashboard")

    def told(row: Spent) -> tuple[str, str]:
        if row.list_id is None:
            return _("In no list"), ""
        return names[row.list_id], f"{dashboard}?list={row.list_id}"

    return _of_lines("lists", By.LIST, scope, found, told)


def _destination(row: Spent) -> tuple[str, str]:
    kind = str(Rate.Kind(row.kind).label) if row.kind in Rate.Kind.values else ""
    country = country_name(row.country) if row.country else _("Elsewhere")
    if not kind or row.kind == Rate.Kind.OTHER:
        return country, ""
    return _("%(country)s, %(kind)s") % {"country": country, "kind": kind}, ""


def _cost_centre(row: Spent) -> tuple[str, str]:
    return row.cost_centre or _("No cost centre"), ""


_NAMED = {By.DESTINATION: _destination, By.COST_CENTRE: _cost_centre}


def _of_lines(
    name: str,
    by: By,
    scope: Scope,
    found: Sequence[Spent],
    told: Callable[[Spent], tuple[str, str]] | None = None,
) -> Ranking:
    """``found``: what cost most first."""
    named = told or _NAMED[by]
    lines = [_Line(*named(row), row.calls_count, row.collected) for row in found[:SHOWN]]
    total = sum((row.collected for row in found), ZERO)
    return _ranking(name, by, scope, lines, total)


def _ranking(name: str, by: str, scope: Scope, lines: Sequence[_Line], total: Decimal) -> Ranking:
    """The first few lines."""
    most = max((line.amount for line in lines), default=ZERO)
    rows = tuple(
        Ranked(
            name=line.name,
            calls_count=line.calls_count,
            amount=line.amount,
            width=int(line.amount * 100 / most) if most else 0,
            url=line.url,
        )
        for line in lines
    )
    query = urlencode({"by": by, **scope.parameters})
    return Ranking(name, rows, total, f"{reverse('report', args=('usage',))}?{query}")
