"""``calls``, ``me/calls``, ``rates/lookup``: finished calls and prices for programs. Its one rule:
same lines as the page; single calls only where the reader may see them, digits hidden alike.
"""

from typing import Any, ClassVar

from django.http import HttpResponseBase
from django.utils.translation import gettext_lazy as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.response import Response
from rest_framework.utils.urls import remove_query_param, replace_query_param

from credit.api.calls import CallsDoor as ReportedCallsDoor
from credit.api.members import own_member
from credit.models import Rate
from credit.queries.calls import CallLine, CallSums
from credit.queries.prices import find_price
from members.api.authentication import ApiRequest
from members.api.base import Door
from members.api.permissions import EVERYBODY
from members.api.schema import refusal
from skypemgr.lib.exports import XLSX_TYPE
from skypemgr.lib.paging import CursorPagination
from skypemgr.lib.periods import utc_now
from skypemgr.lib.rest import AmountSerializerField, require_text
from skypemgr.portal.api import FILTERS, LONGEST_TEXT, SPAN, InvalidFormat
from skypemgr.portal.call_search import company_search, find_search, search_in
from skypemgr.portal.exporting_calls import FORMATS, download_calls
from skypemgr.portal.queries.calls import Search, read_calls, shown_number
from skypemgr.portal.scope import Scope

NARROW = (
    OpenApiParameter("country", str, description="Only calls to this country: FR."),
    OpenApiParameter("uncollected", str, description="1: only what was not wholly paid."),
)
OF_PEOPLE = tuple(parameter for parameter in FILTERS if parameter.name in ("list", "member"))
TEXTS = ("month", "year", "from", "to", "list", "member", "country", "uncollected")
FORMAT = OpenApiParameter(
    "format",
    str,
    enum=("json", *FORMATS),
    description="json without it; files hold all lines, a workbook at most 200,000 calls.",
)
FILES = {
    (200, "text/csv"): OpenApiTypes.STR,
    (200, XLSX_TYPE): OpenApiTypes.BINARY,
    400: refusal(400, "invalid_cursor"),
    422: refusal(422, "invalid_format", "too_many_rows"),
}
NUMBER = OpenApiParameter("number", str, required=True, description="+33142278186, or national.")


class SumsAnswer(serializers.Serializer[CallSums]):
    """Calls together; amounts in the company's currency, price = collected + uncollected."""

    calls = serializers.IntegerField(source="calls_count")
    duration_seconds = serializers.IntegerField()
    included_seconds = serializers.IntegerField(help_text="Paid by included minutes.")
    price = AmountSerializerField()
    collected = AmountSerializerField()
    uncollected = AmountSerializerField()


class CallLineAnswer(SumsAnswer):
    """One call, or the calls of one day (``id`` null): then what tells of one call is null."""

    day = serializers.DateField(help_text="The company's day of the start.")
    id = serializers.IntegerField(allow_null=True)
    member = serializers.IntegerField(allow_null=True)
    number = serializers.CharField(
        allow_null=True, help_text="The last four digits hidden, unless the calls are one's own."
    )
    country = serializers.CharField(allow_null=True)
    kind = serializers.CharField(allow_null=True)
    started_at = serializers.DateTimeField(allow_null=True)
    booked_on = serializers.DateField(allow_null=True)


class CallsListAnswer(serializers.Serializer[Any]):
    """One page, newest first; ``total`` is of all pages, ``others`` of one day's calls that are not
    shown one by one.
    """

    first = serializers.DateField()
    last = serializers.DateField()
    currency = serializers.CharField()
    total = SumsAnswer()
    others = SumsAnswer(allow_null=True)
    results = CallLineAnswer(many=True)
    next = serializers.URLField(allow_null=True)
    previous = serializers.URLField(allow_null=True)


class PriceAnswer(serializers.Serializer[Any]):
    """What a call costs now. Seconds are rounded up to the increment, at least the minimum."""

    number = serializers.CharField()
    currency = serializers.CharField()
    price_per_minute = AmountSerializerField()
    connection_fee = AmountSerializerField()
    minimum_seconds = serializers.IntegerField()
    increment_seconds = serializers.IntegerField()
    country = serializers.CharField(help_text="Empty for an emergency number.")
    kind = serializers.ChoiceField(choices=Rate.Kind.choices, allow_blank=True)
    is_own_price = serializers.BooleanField(help_text="The company's own price list.")
    included_seconds = serializers.IntegerField(help_text="Left of the caller's own minutes.")


class CallsDoor(ReportedCallsDoor):
    """Finished calls: reported by phone systems, read by administrators and finance."""

    @extend_schema(
        operation_id="calls_list",
        parameters=[*SPAN, *OF_PEOPLE, *NARROW, FORMAT, *CursorPagination.parameters],
        responses={(200, "application/json"): CallsListAnswer, **FILES},
    )
    def get(self, request: ApiRequest) -> HttpResponseBase:
        """Calls that began in the span: one line a day, or single calls of a `member` who agreed to
        it (of all such members if the span is one day), for administrators if call details are on.
        """
        wanted = _wanted(request)
        viewer = request.actor.member
        if viewer is None:
            search = company_search(request.actor.company, wanted, now=utc_now())
        else:
            search = find_search(viewer, wanted, now=utc_now())
        return _answer(request, search)


class OwnCallsDoor(Door):
    """The caller's own calls."""

    roles: ClassVar[dict[str, tuple[str, ...]]] = {"GET": EVERYBODY}

    @extend_schema(
        operation_id="me_calls",
        parameters=[*SPAN, *NARROW, FORMAT, *CursorPagination.parameters],
        responses={(200, "application/json"): CallsListAnswer, **FILES},
    )
    def get(self, request: ApiRequest) -> HttpResponseBase:
        """Every own call of the span with its whole number, newest first."""
        member = own_member(request)
        scope = Scope(member.company, member=member)
        return _answer(request, search_in(scope, _wanted(request), viewer=member, now=utc_now()))


class PriceDoor(Door):
    """What a call costs."""

    roles: ClassVar[dict[str, tuple[str, ...]]] = {"GET": EVERYBODY}

    @extend_schema(
        operation_id="rates_lookup",
        parameters=[NUMBER],
        responses={200: PriceAnswer, 404: refusal(404, "not_found")},
    )
    def get(self, request: ApiRequest) -> Response:
        """The price of a call to `number` if it began now; emergency numbers are free."""
        number = require_text(request, "number", max_length=LONGEST_TEXT)
        company = request.actor.company
        price = find_price(company, number, member=request.actor.member, now=utc_now())
        tariff = price.tariff
        return Response(
            {
                "number": price.number,
                "currency": company.currency,
                "price_per_minute": f"{tariff.price_per_minute if tariff else 0:.4f}",
                "connection_fee": f"{tariff.connection_fee if tariff else 0:.4f}",
                "minimum_seconds": tariff.minimum_seconds if tariff else 0,
                "increment_seconds": tariff.increment_seconds if tariff else 1,
                "country": tariff.country if tariff else "",
                "kind": tariff.kind if tariff else "",
                "is_own_price": price.is_own,
                "included_seconds": price.included_seconds,
            }
        )


def _wanted(request: ApiRequest) -> dict[str, str]:
    return {name: require_text(request, name, max_length=LONGEST_TEXT) for name in TEXTS}


def _answer(request: ApiRequest, search: Search) -> HttpResponseBase:
    form = require_text(request, "format", max_length=10) or "json"
    if form in FORMATS:
        reader = search.viewer
        zone = (reader.user.time_zone if reader else "") or search.scope.company.present_zone
        return download_calls(search, form=form, language="en", zone=zone)
    if form != "json":
        raise InvalidFormat(_("Ask for json, csv or xlsx."), field="format")
    limit = CursorPagination().read_limit(request)
    calls = read_calls(search, cursor=require_text(request, "cursor"), limit=limit)
    address = remove_query_param(request.build_absolute_uri(), "cursor")
    lines = [_single(search, line) for line in calls.singles] or [
        {**SumsAnswer(line.sums).data, **_NOT_SINGLE, "day": line.day.isoformat()}
        for line in calls.days
    ]
    return Response(
        {
            "first": search.span.first.isoformat(),
            "last": search.span.last.isoformat(),
            "currency": search.scope.company.currency,
            "total": SumsAnswer(calls.total).data,
            "others": SumsAnswer(calls.others).data if calls.others else None,
            "results": lines,
            "next": replace_query_param(address, "cursor", calls.older) if calls.older else None,
            "previous": (
                replace_query_param(address, "cursor", calls.newer) if calls.newer else None
            ),
        }
    )


_NOT_SINGLE = dict.fromkeys(
    ("id", "member", "number", "country", "kind", "started_at", "booked_on")
)


def _single(search: Search, line: CallLine) -> dict[str, Any]:
    sums = CallSums(
        1,
        line.duration_seconds,
        line.included_seconds,
        line.price,
        line.collected,
        line.uncollected,
    )
    return {
        **SumsAnswer(sums).data,
        "day": line.started_on.isoformat(),
        "id": line.id,
        "member": line.member_id,
        "number": shown_number(search, line),
        "country": line.country,
        "kind": line.kind,
        "started_at": line.started_at.isoformat().replace("+00:00", "Z"),
        "booked_on": line.booked_on.isoformat(),
    }
