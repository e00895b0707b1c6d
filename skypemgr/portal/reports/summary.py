"""What came in and went out, by kind, list, cost centre or month. Its one rule: every figure is a
sum of the ledger's totals, so that it equals the strip above it.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import date
from decimal import Decimal

from django.utils.translation import gettext_lazy as _

from credit.figures import Level, Total, totals
from credit.models import Transfer
from members.models import Company, MemberList
from skypemgr.lib.periods import add_months, first_of_month
from skypemgr.portal.queries.figures import read_strip
from skypemgr.portal.reports.base import (
    ZERO,
    Choice,
    Column,
    Filters,
    Report,
    Row,
    choose,
    choose_sort,
    from_rows,
    sort_rows,
)
from skypemgr.portal.spans import Span

TITLE = _("Summary")
Kind = Transfer.Kind
CUTS = (
    Choice("kind", _("By kind")),
    Choice("month", _("By month")),
    Choice("list", _("By list")),
    Choice("cost_centre", _("By cost centre")),
)
MONEY = {
    "movements": Column("movements", _("Movements"), "count", shown_from="tablet"),
    "in": Column("in", _("In"), "money"),
    "out": Column("out", _("Out"), "money"),
}


def read_summary(company: Company, span: Span, filters: Filters) -> Report:
    """The company's purse by kind or month, or what members received and spent by list or cost
    centre. Two queries at most.
    """
    by = choose("by", filters.by, CUTS)
    if by == "kind":
        return _by_kind(company, span, filters)
    if by == "month":
        return _by_month(company, span, filters)
    return _by_place(company, span, filters, by)


def _by_kind(company: Company, span: Span, filters: Filters) -> Report:
    moved: dict[str, list[Decimal | int]] = {}
    for row in totals(company, span.first, span.last, Level.COMPANY):
        line = moved.setdefault(row.kind, [0, ZERO, ZERO])
        line[0] += row.moves_count
        line[1] += row.incoming
        line[2] += row.outgoing
    rows = [(kind, *line) for kind, line in sorted(moved.items())]
    columns = (Column("kind", _("Kind"), "kind"), *MONEY.values())
    return _report(columns, rows, filters)


def _by_month(company: Company, span: Span, filters: Filters) -> Report:
    moved: dict[date, list[Decimal]] = defaultdict(lambda: [ZERO, ZERO])
    for row in totals(company, span.first, span.last, Level.COMPANY):
        moved[row.month][0] += row.incoming
        moved[row.month][1] += row.outgoing
    balance = read_strip(company, span.first, span.last).opening
    rows: list[Row] = []
    month = first_of_month(max(span.first, span.earliest))
    while month <= min(span.last, span.today):
        came, went = moved[month]
        rows.append((month, balance, came, went, balance + came - went))
        balance += came - went
        month = add_months(month, 1)
    columns = (
        Column("month", _("Month"), "month"),
        Column("opening", _("Opening balance"), "money", shown_from="tablet"),
        MONEY["in"],
        MONEY["out"],
        Column("closing", _("Closing balance"), "money"),
    )
    return _report(columns, rows, filters)


def _by_place(company: Company, span: Span, filters: Filters, by: str) -> Report:
    level = Level.LIST if by == "list" else Level.COST_CENTRE
    found = totals(company, span.first, span.last, level)
    columns: tuple[Column, ...]
    if by == "list":
        names = dict(MemberList.objects.filter(company=company).values_list("pk", "name"))
        rows = _placed(((row.list_id, names.get(row.list_id or 0, "")), row) for row in found)
        columns = (Column("list_id", _("List"), "id"), Column("list", _("List")))
    else:
        rows = _placed(((row.cost_centre,), row) for row in found)
        columns = (Column("cost_centre", _("Cost centre")),)
    columns = (
        *columns,
        Column("allocations", _("Allocations"), "money"),
        Column("recharges", _("Auto-recharges"), "money", shown_from="tablet"),
        Column("calls", _("Calls"), "money"),
    )
    return _report(columns, rows, filters)


def _placed(found: Iterable[tuple[Row, Total]]) -> list[Row]:
    """By place: what members received by hand and by rule, and what their calls cost less what was
    given back; the biggest spender first.
    """
    sums: dict[Row, list[Decimal]] = defaultdict(lambda: [ZERO, ZERO, ZERO])
    for place, row in found:
        line = sums[place]
        if row.kind == Kind.ALLOCATION:
            line[0] += row.incoming
        elif row.kind == Kind.AUTO_RECHARGE:
            line[1] += row.incoming
        elif row.kind in (Kind.CALL, Kind.REVERSAL):
            line[2] += row.outgoing - row.incoming
    lines = sorted(sums.items(), key=lambda line: str(line[0][-1]))
    lines.sort(key=lambda line: (-line[1][2], -line[1][0] - line[1][1]))
    return [(*place, *line) for place, line in lines]


def _report(columns: tuple[Column, ...], rows: Sequence[Row], filters: Filters) -> Report:
    """The rows with the sums of their columns; balances are not added up."""
    summed = {
        column.key: sum((row[place] for row in rows), ZERO if column.form == "money" else 0)
        for place, column in enumerate(columns)
        if column.form in ("money", "count") and column.key not in ("opening", "closing")
    }
    sorts = tuple(column.key for column in columns if column.form != "id")
    sort = choose_sort(filters.sort, sorts, "")
    return Report(
        name="summary",
        title=TITLE,
        columns=columns,
        count=len(rows),
        totals=summed,
        read=from_rows(sort_rows(rows, columns, sort)),
        cuts=CUTS,
        sorts=sorts,
        sort=sort,
    )
