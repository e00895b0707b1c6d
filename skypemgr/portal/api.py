"""``reports``: the portal's reports for programs. Its one rule: same rows as the pages."""

from typing import Any

from django.http import HttpResponseBase
from django.utils.translation import gettext_lazy as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.response import Response
from rest_framework.utils.urls import replace_query_param

from credit.models import MonthClosing
from members.api.authentication import ApiRequest
from members.api.base import Door
from members.api.schema import page_of, refusal
from skypemgr.lib.errors import ProductError
from skypemgr.lib.paging import CursorPagination
from skypemgr.lib.periods import utc_now
from skypemgr.lib.rest import AmountSerializerField, BadRequest, require_text
from skypemgr.portal.downloads import FORMATS, download
from skypemgr.portal.exports.files import Source, head_of, plain_row
from skypemgr.portal.reports.base import Rows, read_filters
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
    OpenApiParameter("sort", str, description="A column's name; falling with `-` before it."),
)
PAGES = (
    OpenApiParameter("page", int, description="1 without it."),
    OpenApiParameter("limit", int, description="1 to 200; 50 without it."),
)
MOST_PAGES = 1_000_000
TEXTS = ("month", "year", "from", "to", "by", "kind", "list", "member", "sort")
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
    totals = serializers.DictField(help_text="Of all rows, not only those of the page.")
    count = serializers.IntegerField(help_text="Rows on all pages.")
    results = serializers.ListField(child=serializers.DictField())
    next = serializers.URLField(allow_null=True)
    previous = serializers.URLField(allow_null=True)


class MonthClosingAnswer(serializers.ModelSerializer[MonthClosing]):
    """One closed month: its balances and the digest of its figures, which contains the digest of
    the month before.
    """

    month = serializers.DateField(format="%Y-%m")
    company_opening = AmountSerializerField()
    company_closing = AmountSerializerField()
    members_opening = AmountSerializerField()
    members_closing = AmountSerializerField()

    class Meta:
        model = MonthClosing
        fields = (
            "id",
            "month",
            "company_opening",
            "company_closing",
            "members_opening",
            "members_closing",
            "digest",
            "closed_at",
        )


class ReportDoor(Door):
    """One report of one span of days."""

    @extend_schema(
        operation_id="report_get",
        parameters=[NAME, *SPAN, *FILTERS, *PAGES, FORMAT],
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
        filters = read_filters(company, wanted)
        source = Source(company, read_report(name, company, span, filters), span, filters, "en")
        if form != "json":
            return download(source, form=form)
        report = source.report
        page, limit = _read_page(request), CursorPagination().read_limit(request)
        keys = [column.key for column in report.columns]
        rows = Rows(report)[(page - 1) * limit : page * limit]
        return Response(
            {
                **head_of(source),
                "count": report.count,
                "results": [plain_row(keys, row) for row in rows],
                "next": _link(request, page + 1) if page * limit < report.count else None,
                "previous": _link(request, page - 1) if page > 1 else None,
            }
        )


class ClosingsDoor(Door):
    """The closed months."""

    newest_first = True

    @extend_schema(
        operation_id="closings_list",
        responses={200: page_of(MonthClosingAnswer), 400: refusal(400, "invalid_cursor")},
        parameters=list(CursorPagination.parameters),
    )
    def get(self, request: ApiRequest) -> Response:
        """Every closed month, newest first; nothing in them changes any more."""
        paginator = CursorPagination()
        found = MonthClosing.objects.filter(company=request.actor.company)
        rows = paginator.paginate_queryset(found, request, self)
        return paginator.get_paginated_response(MonthClosingAnswer(rows, many=True).data)


def _read_page(request: ApiRequest) -> int:
    text = require_text(request, "page", max_length=10) or "1"
    if not (text.isascii() and text.isdigit() and 0 < int(text) <= MOST_PAGES):
        raise BadRequest(_("Write a whole number above 0."), code="invalid", field="page")
    return int(text)


def _link(request: ApiRequest, page: int) -> str:
    return replace_query_param(request.build_absolute_uri(), "page", page)
