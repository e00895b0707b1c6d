"""The table of who has a kind of features. Its one rule: a fixed number of queries, however many
members and features.
"""

from dataclasses import astuple, dataclass
from datetime import date
from typing import Any

from django.core.paginator import Page
from django.db.models import Count, Max, Min, Q, QuerySet, Window
from django.db.models.functions import RowNumber

from billing.features.filters import FeatureFilters, with_feature
from billing.features.lines import FeatureLine, price_features, with_names
from billing.models import FeatureBan
from credit.member_filters import filtered_members
from credit.queries.kept import KEPT_FROM, keep, key_of, recall
from credit.queries.members import cut_page, find_page, place_among
from members.models import Company, Member
from members.models.people import PRESENT
from skypemgr.lib.wide import wide_memory

# What is read of the members themselves.
OF_MEMBER = (
    *("name", "status", "company", "list__name", "work_email", "work_phone"),
    *("user__email", "user__username", "user__phone"),
)
# Of each member; all stand on the member's own page.
SHOWN_OF_EACH = 5
DEFAULT_SORT = "name"
# Only among those who have the kind: nobody else has such a day.
SORTS_BY_DAY = ("until", "-until")
SORTS = ("name", "-name", *SORTS_BY_DAY)


@dataclass(frozen=True, slots=True)
class HolderRow:
    """A member and the features of a kind: those shown, and how many more there are."""

    member: Member
    lines: list[FeatureLine]
    more_count: int
    is_allowed: bool


@dataclass(frozen=True, slots=True)
class HoldersTotals:
    """Of all members that the filters leave; ``present_count`` of them can be given something.
    ``features_count`` is what they have of the kind, when only those who have it are asked for.
    """

    count: int
    present_count: int
    features_count: int | None = None


def read_holders(
    company: Company, filters: FeatureFilters, *, sort: str, page: str, today: date
) -> tuple[Page, list[HolderRow], HoldersTotals]:  # type: ignore[type-arg]
    """One page of the members with what they have of the kind, and the totals of all."""
    with wide_memory():
        totals = _read_totals(company, filters, today)
        if sort in SORTS_BY_DAY and filters.has == "yes":
            place = place_among(totals.count, page)
            pks = cut_page(_by_day(company, filters, sort, today), place, name="member_id")
        else:
            place, pks = find_page(
                company, filters.members, count=totals.count, sort=sort, page=page, today=today
            )
        rows = _read_rows(company, filters, pks)
    return place, rows, totals


def _read_totals(company: Company, filters: FeatureFilters, today: date) -> HoldersTotals:
    """The totals; of many as they were at most half a minute ago, if nothing happened since. Three
    queries at most.
    """
    subject = f"holders:{filters.kind}:{filters.has}"
    key = key_of(company, subject, filters.members.content(), today)
    kept = recall(key)
    if kept:
        return HoldersTotals(*kept)
    totals = _count(company, filters, today)
    if totals.count >= KEPT_FROM:
        keep(key, astuple(totals))
    return totals


def _count(company: Company, filters: FeatureFilters, today: date) -> HoldersTotals:
    """Two queries at most."""
    if filters.has == "no":
        # All less those who have it: quicker than looking at each whether it has.
        whoever = filtered_members(company, filters.whoever, today=today)
        found = with_feature(company, filters.kind).values("member")
        count, present_count = _sizes(whoever)
        holders, present_holders = _sizes(whoever.filter(pk__in=found))
        return HoldersTotals(count - holders, present_count - present_holders)
    members = filtered_members(company, filters.members, today=today)
    features_count = None
    if filters.has == "yes":
        features = with_feature(company, filters.kind, filters.state)
        if filters.typed.is_narrowed:
            features = features.filter(member__in=members.values("pk"))
        features_count = features.count()
    return HoldersTotals(*_sizes(members), features_count)


def _sizes(members: QuerySet[Member]) -> tuple[int, int]:
    """How many there are, and how many of them are in the company; one query."""
    sizes = members.aggregate(count=Count("pk"), present=Count("pk", filter=Q(status__in=PRESENT)))
    return sizes["count"], sizes["present"]


def _by_day(
    company: Company, filters: FeatureFilters, sort: str, today: date
) -> QuerySet[Any, Any]:
    """Who has it, by the day on which their first feature of it is paid until, or their last."""
    found = with_feature(company, filters.kind, filters.state)
    if filters.typed.is_narrowed:
        members = filtered_members(company, filters.members, today=today)
        found = found.filter(member__in=members.values("pk"))
    by_member = found.values("member_id")
    if sort == "until":
        return by_member.annotate(day=Min("paid_until")).order_by("day", "member_id")
    return by_member.annotate(day=Max("paid_until")).order_by("-day", "-member_id")


def _read_rows(company: Company, filters: FeatureFilters, pks: list[int]) -> list[HolderRow]:
    """The members' lines in the order given; five queries."""
    members = Member.objects.select_related("user", "list").only(*OF_MEMBER)
    found = {member.pk: member for member in members.filter(company=company, pk__in=pks)}
    order = Window(RowNumber(), partition_by="member", order_by=("paid_until", "pk"))
    each = Window(Count("pk"), partition_by="member")
    features = with_names(with_feature(company, filters.kind, filters.state))
    shown = (
        features.filter(member__in=pks)
        .annotate(place=order, of_member=each)
        .filter(place__lte=SHOWN_OF_EACH)
        .order_by("member", "place")
    )
    lines: dict[int, list[FeatureLine]] = {}
    for line in price_features(company, list(shown)):
        lines.setdefault(line.feature.member_id, []).append(line)
    banned = set(
        FeatureBan.objects.filter(company=company, kind=filters.kind, member__in=pks).values_list(
            "member_id", flat=True
        )
    )
    return [
        HolderRow(
            member=found[pk],
            lines=lines.get(pk, []),
            more_count=_more(lines.get(pk, [])),
            is_allowed=pk not in banned,
        )
        for pk in pks
        if pk in found
    ]


def _more(lines: list[FeatureLine]) -> int:
    """How many of the member's are not among those shown."""
    if not lines:
        return 0
    of_member: int = lines[0].feature.of_member  # type: ignore[attr-defined]
    return of_member - len(lines)
