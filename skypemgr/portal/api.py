"""``reports``: the portal's monthly reports for programs. Its one rule: same rows as the pages."""

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
from skypemgr.portal.queries import figures, reports

MONTH = OpenApiParameter("month", str, description="YYYY-MM; the current month without it.")
FORMAT = OpenApiParameter(
    "format", str, enum=("json", *FORMATS), description="json without it; files hold all rows."
)
NAME = OpenApiParameter("name", str, OpenApiParameter.PATH, enum=tuple(reports.REPORTS))


class InvalidFormat(ProductError):
    """There is no such form of a report."""

    code = "invalid_format"


class ReportAnswer(serializers.Serializer[Any]):
    """A month of the company: opening + in − out = closing, and the report's rows."""

    name = serializers.ChoiceField(choices=tuple(reports.REPORTS))
    month = serializers.CharField()
    currency = serializers.CharField()
    opening = AmountSerializerField()
    incoming = AmountSerializerField()
    outgoing = AmountSerializerField()
    closing = AmountSerializerField()
    totals = serializers.DictField()
    results = serializers.ListField(child=serializers.DictField())


class ReportDoor(Door):
    """One report of one month."""

    @extend_schema(
        operation_id="report_get",
        parameters=[NAME, MONTH, FORMAT],
        responses={
            (200, "application/json"): ReportAnswer,
            (200, "text/csv"): OpenApiTypes.STR,
            (200, "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"): (
                OpenApiTypes.BINARY
            ),
        },
    )
    def get(self, request: ApiRequest, name: str) -> HttpResponseBase:
        """The report. A month to come or before the company is 404, no month 422."""
        company = request.actor.company
        form = require_text(request, "format", max_length=10) or "json"
        if form not in ("json", *FORMATS):
            raise InvalidFormat(_("Ask for json, csv or xlsx."), field="format")
        text = require_text(request, "month", max_length=20)
        month = reports.find_month(company, text, utc_now()).first
        report = reports.read_report(name, company, month)
        if form != "json":
            return download(
                report, month=month, currency=company.currency, form=form, language="en"
            )
        strip = figures.read_strip(company, month)
        keys = [column.key for column in report.columns]
        return Response(
            {
                "name": report.name,
                "month": f"{month:%Y-%m}",
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
