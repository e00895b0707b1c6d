"""Where the figures of a report lead. Its one rule: to what they are made of, in the same days."""

from collections.abc import Mapping
from datetime import date
from typing import Any
from urllib.parse import urlencode

from django.urls import reverse

from credit.models import Transfer
from skypemgr.lib.periods import first_of_next_month
from skypemgr.portal.reports.base import Filters
from skypemgr.portal.spans import A_DAY, Span
from skypemgr.portal.spans import Kind as SpanKind

Kind = Transfer.Kind
Values = Mapping[str, Any]
# What stands in a line of the summary by list, and the allocations that it sums.
GIVEN = {"allocations": Kind.ALLOCATION, "recharges": Kind.AUTO_RECHARGE}


def link_of(name: str, key: str, values: Values, span: Span, filters: Filters) -> str:
    """The address behind the value of that column in a line of the report; empty if none is."""
    value = values[key]
    if key == "member" and values.get("member_id"):
        return reverse("member", args=(values["member_id"],))
    if key == "purchase" and value:
        return reverse("purchase", args=(value,))
    if key == "day" and name == "usage":
        return _of_day(value, span, filters)
    if key == "month":
        return _of_month(name, value, span, filters)
    if name == "statement" and key == "kind" and values.get("purchase_id"):
        return reverse("purchase", args=(values["purchase_id"],))
    if name == "summary" and key == "kind":
        return _of_kind(value, span)
    if name == "usage" and key == "paid" and "member_id" in values:
        chosen = {**_people(filters), "member": values["member_id"]}
        return report_url("usage", span, by="day", **chosen)
    if values.get("list_id"):
        return _of_list(name, key, values["list_id"], span, filters)
    return ""


def report_url(name: str, span: Span, **filters: object) -> str:
    """The address of a report of those days."""
    return _address(name, span.parameters, filters)


def _of_day(day: date, span: Span, filters: Filters) -> str:
    if span.first == span.last:
        return ""
    only = {"from": day.isoformat(), "to": day.isoformat()}
    if filters.member_id:
        # There the reader sees what may be seen of the calls.
        return f"{reverse('calls')}?{urlencode({**only, 'member': filters.member_id})}"
    kept = {**filters.parameters, "by": "member"}
    kept.pop("sort", None)
    return _address("usage", only, kept)


def _of_month(name: str, month: date, span: Span, filters: Filters) -> str:
    if span.kind == SpanKind.MONTH:
        return ""
    kept = {**filters.parameters, "by": "day" if name == "usage" else "kind"}
    kept.pop("sort", None)
    end = first_of_next_month(month) - A_DAY
    first, last = max(month, span.first), min(end, span.last)
    if (first, last) == (month, end):
        return _address(name, {"month": f"{month:%Y-%m}"}, kept)
    # The days break into the month: the figure is of some of its days alone.
    return _address(name, {"from": first.isoformat(), "to": last.isoformat()}, kept)


def _of_kind(kind: str, span: Span) -> str:
    if kind == Kind.PURCHASE:
        return report_url("purchases", span)
    if kind in (Kind.ALLOCATION, Kind.AUTO_RECHARGE, Kind.FEATURE):
        return report_url("allocations", span, kind=kind)
    return report_url("statement", span, kind=kind)


def _of_list(name: str, key: str, list_id: int, span: Span, filters: Filters) -> str:
    if name == "allocations":
        return report_url(name, span, list=list_id) if key == "list" else ""
    if name == "summary" and key in GIVEN:
        return report_url("allocations", span, kind=str(GIVEN[key]), list=list_id)
    if key in ("list", "calls", "paid") and not (name == "usage" and key == "calls"):
        chosen = {**_people(filters), "list": list_id} if name == "usage" else {"list": list_id}
        return report_url("usage", span, by="member", **chosen)
    return ""


def _people(filters: Filters) -> dict[str, str]:
    """Whose figures those of the report are: they stay so behind its links."""
    chosen = filters.parameters
    return {name: chosen[name] for name in ("list", "member") if name in chosen}


def _address(name: str, days: Mapping[str, str], filters: Mapping[str, object]) -> str:
    return f"{reverse('report', args=(name,))}?{urlencode({**days, **filters})}"
