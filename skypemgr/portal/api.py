"""``reports``: the portal's reports for programs. Its one rule: same rows as the pages."""

from datetime import date
from decimal import Decimal
from typing import Any

from django.http import HttpResponseBase
from django.utils.translation import gettext_lazy as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.response import Response

from members.api.authentication import ApiRequest
from members.api.base import Door
from skypemgr.lib.errors import ProductError
from skypemgr.lib.periods import utc_now
from skypemgr.lib.rest import AmountSerializerField, require_text
from skypemgr.portal.downloads import FORMATS, download
from skypemgr.portal.queries import figures
from skypemgr.portal.reports.base import read_filters
from skypemgr.portal.reports.catalogue import REPORTS, read_report
from skypemgr.portal.spans import Kind, find_span

SPAN = (
    OpenApiParameter("month", str, description="YYYY-MM; the current month without any of these."),
    OpenApiParameter("year", str, description="YYYY."),
    OpenApiParameter("from", str, description="YYYY-MM-DD, together with `to`; at most 5 years."),
    OpenApiParameter("to", str, description="YYYY-MM-DD, included."),
)
FILTERS = (
    OpenApiParameter("by", str, description="What a row stands for, where the report lets choose."),
    OpenApiParameter("kind", str, description="Only this kind, where the report has kinds."),
    OpenApiParameter("list", int, description="Only members of this list on the day."),
    OpenApiParameter("member", int, description="Only this member."),
)
TEXTS = ("month", "year", "from", "to", "by", "kind", "list", "member")
LONGEST_TEXT = 40
FORMAT = OpenApiParameter(
    "format", str, enum=("json", *FORMATS), description="json without it; files hold all rows."
)
NAME = OpenApiParameter("name", str, OpenApiParameter.PATH, enum=tuple(REPORTS))


class InvalidFormat(ProductError):
    """There is no such form of a report."""

    code = "invalid_format"


class ReportAnswer(serializers.Serializer[Any]):
    """Some days of the company, both included: opening + in − out = closing, and its rows."""

    name = serializers.ChoiceField(choices=tuple(REPORTS))
    month = serializers.CharField(required=False, help_text="Only of a whole month.")
    first = serializers.DateField()
    last = serializers.DateField()
    currency = serializers.CharField()
    opening = AmountSerializerField()
    incoming = AmountSerializerField()
    outgoing = AmountSerializerField()
    closing = AmountSerializerField()
    totals = serializers.DictField()
    results = serializers.ListField(child=serializers.DictField())


class ReportDoor(Door):
    """One report of one span of days."""

    @extend_schema(
        operation_id="report_get",
        parameters=[NAME, *SPAN, *FILTERS, FORMAT],
        responses={
            (200, "application/json"): ReportAnswer,
            (200, "text/csv"): OpenApiTypes.STR,
            (200, "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"): (
                OpenApiTypes.BINARY
            ),
        },
    )
    def get(self, request: ApiRequest, name: str) -> HttpResponseBase:
        """The report. Days to come or before the company are 404, what is no span or filter 422."""
        company = request.actor.company
        form = require_text(request, "format", max_length=10) or "json"
        if form not in ("json", *FORMATS):
            raise InvalidFormat(_("Ask for json, csv or xlsx."), field="format")
        wanted = {key: require_text(request, key, max_length=LONGEST_TEXT) for key in TEXTS}
        span = find_span(company, wanted, now=utc_now())
        report = read_report(name, company, span, read_filters(company, wanted))
        if form != "json":
            return download(report, span=span, currency=company.currency, form=form, language="en")
        strip = figures.read_strip(company, span.first, span.last)
        keys = [column.key for column in report.columns]
        return Response(
            {
                "name": report.name,
                **({"month": span.slug} if span.kind == Kind.MONTH else {}),
                "first": span.first.isoformat(),
                "last": span.last.isoformat(),
                "currency": company.currency,
                "opening": _plain(strip.opening),
                "incoming": _plain(strip.incoming),
                "outgoing": _plain(strip.outgoing),
                "closing": _plain(strip.closing),
                "totals": {key: _plain(value) for key, value in report.totals.items()},
                "results": [
                    {key: _plain(value) for key, value in zip(keys, row, strict=True)}
                    for row in report.rows()
                ],
            }
        )


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        return f"{value:.4f}"
    return value.isoformat() if isinstance(value, date) else value
