"""What members called, by the day on which calls began. Its one rule: single calls never stand in a
report, and what it lists meets what was booked: started − booked later + started earlier = booked.
"""

from collections.abc import Callable, Iterable, Sequence
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext_lazy as _

from billing.features.destinations import country_name
from credit.models import Rate
from credit.usage import (
    By,
    Elsewhere,
    Measures,
    Usage,
    Within,
    booked_later,
    started_earlier,
    usage_by,
    usage_total,
)
from credit.usage_members import MemberUsage, usage_of_members
from members.models import Company, MemberList
from skypemgr.lib.periods import first_of_next_month
from skypemgr.portal.reports.base import (
    ZERO,
    Choice,
    Column,
    Filters,
    InvalidFilter,
    Meeting,
    Report,
    Row,
    choose,
    choose_sort,
    from_rows,
    sort_rows,
)
from skypemgr.portal.spans import A_DAY, Kind, Span

TITLE = _("Usage")
BY_MONTH_ALONE = _("Where one member called is told of whole months and years only, under Usage.")
CUTS = (
    Choice("member", _("By member")),
    Choice("day", _("By day")),
    Choice("month", _("By month")),
    Choice("list", _("By list")),
    Choice("cost_centre", _("By cost centre")),
    Choice("destination", _("By destination")),
)
MEASURES = (
    Column("calls", _("Calls"), "count"),
    Column("seconds", _("Duration"), "duration", shown_from="tablet"),
    Column("included_seconds", _("Included minutes"), "duration", is_rare=True, shown_from="wide"),
    Column("price", _("Price"), "money", shown_from="tablet"),
    Column("paid", _("Paid"), "money"),
    Column("uncollected", _("Not collected"), "money", is_rare=True, shown_from="wide"),
    Column("booked_later", _("Of it booked later"), "money", is_rare=True, shown_from="wide"),
)
SORTS = {
    "paid": "collected",
    "member": "name",
    "calls": "calls_count",
    "seconds": "billed_seconds",
    "included_seconds": "included_seconds",
    "price": "price",
    "uncollected": "uncollected",
}
DEFAULT_SORT = "-paid"
FIRST_PAGE = 50
_KINDS = {kind.value: kind.label for kind in Rate.Kind}


def read_usage(company: Company, span: Span, filters: Filters) -> Report:
    """The calls that began in the span, by member, day, month, list, cost centre or destination."""
    by = choose("by", filters.by, CUTS)
    if by == By.DESTINATION and filters.member_id and span.kind == Kind.DAYS:
        # A day of one member cut by destination would tell single calls.
        raise InvalidFilter(BY_MONTH_ALONE, field="by")
    within = Within(list_id=filters.list_id, member_id=filters.member_id)
    if by == "member":
        return _by_member(company, span, filters, within)
    found = usage_by(company, span.first, span.last, by=by, within=within)
    total = usage_total(company, span.first, span.last, within=within)
    columns, keys = _named(company, by)
    sorts = tuple(column.key for column in (*columns, *MEASURES) if column.form != "id")
    sort = choose_sort(filters.sort, sorts, by if by in (By.DAY, By.MONTH) else DEFAULT_SORT)
    rows = sort_rows(
        [(*keys(line), *_measured(line)) for line in found], (*columns, *MEASURES), sort
    )
    return _report(
        columns,
        len(rows),
        total,
        from_rows(rows),
        meeting=_meet(company, span, filters, total),
        sorts=sorts,
        sort=sort,
    )


def _by_member(company: Company, span: Span, filters: Filters, within: Within) -> Report:
    sort = choose_sort(filters.sort, tuple(SORTS), DEFAULT_SORT)
    order = ("-" if sort.startswith("-") else "") + SORTS[sort.removeprefix("-")]

    # Nothing began after today: a month that is not over is read as a whole one, from its sums.
    last = first_of_next_month(span.last) - A_DAY if span.is_running else span.last

    def usage(page: int, size: int) -> Any:
        return usage_of_members(
            company, span.first, last, within=within, sort=order, page=page, page_size=size
        )

    first = usage(1, FIRST_PAGE)

    def read(offset: int, limit: int) -> Sequence[Row]:
        if offset + limit <= FIRST_PAGE or first.count <= FIRST_PAGE:
            return [_of_member(line) for line in first.rows[offset : offset + limit]]
        if offset % limit:
            return read(0, offset + limit)[offset:]
        return [_of_member(line) for line in usage(offset // limit + 1, limit).rows]

    columns = (Column("member_id", _("Member"), "id"), Column("member", _("Member")))
    return _report(
        columns,
        first.count,
        first.total,
        read,
        meeting=_meet(company, span, filters, first.total),
        sorts=tuple(SORTS),
        sort=sort,
    )


def _of_member(line: MemberUsage) -> Row:
    return (line.member_id, line.name, *_measured(line))


def _measured(line: Usage | MemberUsage) -> tuple[int | Decimal, ...]:
    started = line.started
    return (
        started.calls_count,
        started.billed_seconds,
        started.included_seconds,
        started.price,
        started.collected,
        started.uncollected,
        line.booked_later.collected,
    )


def _named(
    company: Company, by: str
) -> tuple[tuple[Column, ...], Callable[[Usage], tuple[Any, ...]]]:
    """The columns that name a line, and their values."""
    if by == By.DAY:
        return (Column("day", _("Date"), "day"),), lambda line: (line.day,)
    if by == By.MONTH:
        return (Column("month", _("Month"), "month"),), lambda line: (line.day,)
    if by == By.LIST:
        names = dict(MemberList.objects.filter(company=company).values_list("pk", "name"))
        return (
            (Column("list_id", _("List"), "id"), Column("list", _("List"))),
            lambda line: (line.list_id, names.get(line.list_id or 0, "")),
        )
    if by == By.COST_CENTRE:
        return (Column("cost_centre", _("Cost centre")),), lambda line: (line.cost_centre,)
    columns = (
        Column("country", _("Country")),
        Column("kind", _("Kind of number")),
    )
    return columns, lambda line: (
        country_name(line.country) if line.country else "",
        str(_KINDS.get(line.kind, "")),
    )


def _report(
    columns: tuple[Column, ...],
    count: int,
    total: Usage,
    read: Callable[[int, int], Sequence[Row]],
    **more: Any,
) -> Report:
    return Report(
        name="usage",
        title=TITLE,
        columns=(*columns, *MEASURES),
        count=count,
        totals=dict(zip((column.key for column in MEASURES), _measured(total), strict=True)),
        read=read,
        cuts=CUTS,
        can_choose_people=True,
        **more,
    )


def _meet(company: Company, span: Span, filters: Filters, total: Usage) -> Meeting | None:
    """How what is listed meets what was booked in the span; only of the whole company."""
    if filters.list_id or filters.member_id:
        return None
    later = booked_later(company, span.first, span.last)
    earlier = started_earlier(company, span.first, span.last)
    return Meeting(
        started=total.started.collected,
        booked_later=_sum(later),
        started_earlier=_sum(earlier),
        later=tuple((each.day, each.measures.collected) for each in later),
    )


def _sum(found: Iterable[Elsewhere]) -> Decimal:
    return sum((each.measures for each in found), Measures()).collected or ZERO
