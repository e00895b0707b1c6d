"""``reports``: the portal's reports for programs. Its one rule: same rows as the pages."""

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
from skypemgr.portal.exports.files import Source, head_of, plain_row
from skypemgr.portal.reports.base import read_filters
from skypemgr.portal.reports.catalogue import REPORTS, read_report
from skypemgr.portal.spans import find_span

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
            (200, "application/pdf"): OpenApiTypes.BINARY,
        },
    )
    def get(self, request: ApiRequest, name: str) -> HttpResponseBase:
        """The report. Days to come or before the company are 404, what is no span or filter 422."""
        company = request.actor.company
        form = require_text(request, "format", max_length=10) or "json"
        if form not in ("json", *FORMATS):
            raise InvalidFormat(_("Ask for json, csv, xlsx or pdf."), field="format")
        wanted = {key: require_text(request, key, max_length=LONGEST_TEXT) for key in TEXTS}
        span = find_span(company, wanted, now=utc_now())
        report = read_report(name, company, span, read_filters(company, wanted))
        if form != "json":
            return download(report, company=company, span=span, form=form, language="en")
        keys = [column.key for column in report.columns]
        rows = [plain_row(keys, row) for row in report.rows()]
        return Response({**head_of(Source(company, report, span, "en")), "results": rows})
