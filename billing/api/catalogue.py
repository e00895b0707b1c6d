"""``plans`` and ``numbers``: what can be given, and which numbers there are to choose from.

Its one rule: prices are in the caller's company's currency; a number is the caller's only while it
is kept for the caller or given in the company.
"""

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.response import Response

from billing.errors import NumberNotAvailable, PlanNotOffered
from billing.features.destinations import country_codes
from billing.features.numbers import reserve_numbers
from billing.features.prices import find_plan, list_plans, monthly, prices_of
from billing.features.stock import list_areas
from billing.models import PERIODS, FeatureKind, NumberArea, Plan, Subscription
from members.access import find_member
from members.api.authentication import ApiRequest
from members.api.base import Door
from members.api.schema import page_of, refusal
from members.models import Company
from skypemgr.lib.amounts import currency_places
from skypemgr.lib.errors import NotFound
from skypemgr.lib.paging import CursorPagination
from skypemgr.lib.periods import utc_now
from skypemgr.lib.rest import MAX_ID, BadRequest, IdField, StrictSerializer, require_text

SECONDS_A_MINUTE = 60
KIND = OpenApiParameter("kind", str, enum=FeatureKind.values, description="Of one kind only.")
COUNTRY = OpenApiParameter("country", str, description="Of one country only (ISO 3166).")
MEMBER = OpenApiParameter("member", int, description="Of one member only.")


class PlanPriceAnswer(serializers.Serializer[Any]):
    """What a period costs; ``by_month`` is rounded to the currency's decimals."""

    months = serializers.ChoiceField(choices=PERIODS)
    price = serializers.CharField()
    by_month = serializers.CharField()


class PlanAnswer(serializers.Serializer[Any]):
    """Something that can be given to members for 1, 3 or 12 months, when it has a price for that.
    ``name`` is in the language of Accept-Language.
    """

    code = serializers.CharField()
    kind = serializers.ChoiceField(choices=FeatureKind.choices)
    name = serializers.CharField()
    country = serializers.CharField(help_text="Of a number; else empty.")
    included_minutes = serializers.IntegerField(
        allow_null=True, help_text="A month; of an unlimited subscription its fair use."
    )
    is_unlimited = serializers.BooleanField()
    destinations = serializers.ListField(
        child=serializers.CharField(), help_text="Countries that the minutes reach."
    )
    prefixes = serializers.ListField(
        child=serializers.CharField(), help_text="Beginnings of the numbers that they reach."
    )
    is_offered = serializers.BooleanField(help_text="Whether it can be given today.")
    valid_until = serializers.DateField(
        allow_null=True, help_text="First day on which it is neither given nor renewed."
    )
    currency = serializers.CharField()
    prices = PlanPriceAnswer(many=True)


class AreaAnswer(serializers.Serializer[Any]):
    """Where numbers can be had. ``note``: the rules of residence to accept, empty if none."""

    id = serializers.IntegerField()
    country = serializers.CharField()
    code = serializers.CharField()
    name = serializers.CharField()
    note = serializers.CharField()
    has_free = serializers.BooleanField(help_text="Whether a number is left.")


class ReservationWish(StrictSerializer):
    """So many numbers of an area, by its id."""

    area = IdField()
    count = serializers.IntegerField(min_value=1, max_value=1000, required=False, default=1)


class ReservedNumber(serializers.Serializer[Any]):
    """A number that is kept; ``id`` is what gives it."""

    id = serializers.IntegerField()
    number = serializers.CharField(source="e164", help_text="E.164.")


class ReservationAnswer(serializers.Serializer[Any]):
    """The numbers that nobody else can choose until then, and the rules to accept to have them."""

    area = serializers.IntegerField()
    note = serializers.CharField()
    reserved_until = serializers.DateTimeField()
    numbers = ReservedNumber(many=True)


class GivenNumber(serializers.Serializer[Any]):
    """A number that a member has."""

    number = serializers.CharField(source="number.e164", help_text="E.164.")
    country = serializers.CharField(source="number.area.country")
    area = serializers.CharField(source="number.area.name")
    member = serializers.IntegerField(source="member_id")
    member_name = serializers.CharField(source="member.name")
    subscription = serializers.IntegerField(source="pk", help_text="The feature that holds it.")
    plan = serializers.CharField(source="plan.code")
    months = serializers.ChoiceField(choices=PERIODS)
    status = serializers.ChoiceField(choices=Subscription.Status.choices)
    renews = serializers.BooleanField()
    paid_until = serializers.DateField(help_text="The first day that is not paid.")


class PlansDoor(Door):
    """What can be given."""

    @extend_schema(
        operation_id="plans_list",
        responses={200: page_of(PlanAnswer), 400: refusal(400, "unknown_kind")},
        parameters=[KIND],
    )
    def get(self, request: ApiRequest) -> Response:
        """The plans that can be given today, with their prices in the company's currency."""
        company, wanted = request.actor.company, require_text(request, "kind")
        if wanted and wanted not in FeatureKind.values:
            raise BadRequest(_("Choose a kind from the list."), code="unknown_kind", field="kind")
        on = company.day_at(utc_now())
        kinds = [wanted] if wanted else FeatureKind.values
        plans = [plan for kind in kinds for plan in list_plans(company, kind, on=on)]
        rows = _answer_plans(company, plans)
        return Response({"results": rows, "next": None, "previous": None})


class PlanDoor(Door):
    """One plan."""

    @extend_schema(operation_id="plans_get", responses=PlanAnswer)
    def get(self, request: ApiRequest, code: str) -> Response:
        """The plan, also when it is withdrawn; ``prices`` is empty without one in the currency."""
        try:
            plan = find_plan(code)
        except PlanNotOffered as error:
            raise NotFound(str(error)) from error
        return Response(_answer_plans(request.actor.company, [plan])[0])


class AreasDoor(Door):
    """Where numbers can be had."""

    @extend_schema(
        operation_id="numbers_areas_list",
        responses=page_of(AreaAnswer),
        parameters=[COUNTRY, *CursorPagination.parameters],
    )
    def get(self, request: ApiRequest) -> Response:
        """The areas, with the rules of residence to accept."""
        country = require_text(request, "country", max_length=2).upper()
        paginator = CursorPagination()
        rows = paginator.paginate_queryset(list_areas(country), request, self)
        return paginator.get_paginated_response(AreaAnswer(rows, many=True).data)


class ReserveDoor(Door):
    """Numbers to be given."""

    @extend_schema(
        operation_id="numbers_reserve",
        request=ReservationWish,
        responses={
            201: ReservationAnswer,
            422: refusal(
                422,
                "unknown_area",
                "no_numbers_left",
                "invalid_count",
                "company_frozen",
                "company_closed",
            ),
        },
    )
    def post(self, request: ApiRequest) -> Response:
        """Keeps free numbers of the area for 15 minutes, all or none. Those that the caller had
        chosen before are free again; nothing is charged until they are given.
        """
        body = ReservationWish(data=request.data)
        body.is_valid(raise_exception=True)
        wish, actor = body.validated_data, request.actor
        actor.require_administrator()
        area = NumberArea.objects.filter(pk=wish["area"]).first()
        if area is None:
            raise NumberNotAvailable(
                _("There is no such area. Choose one of GET numbers/areas."),
                field="area",
                code="unknown_area",
            )
        numbers = reserve_numbers(actor=actor, area=area, count=wish["count"])
        answer = {
            "area": area.pk,
            "note": area.note,
            "reserved_until": numbers[0].reserved_until,
            "numbers": numbers,
        }
        return Response(ReservationAnswer(answer).data, status=201)


class NumbersDoor(Door):
    """The company's numbers."""

    @extend_schema(
        operation_id="numbers_list",
        responses=page_of(GivenNumber),
        parameters=[MEMBER, *CursorPagination.parameters],
    )
    def get(self, request: ApiRequest) -> Response:
        """The numbers that members have now, whoever came first."""
        given = Subscription.objects.filter(
            company=request.actor.company,
            kind=FeatureKind.NUMBER,
            status__in=Subscription.OPEN,
        ).select_related("member", "plan", "number__area")
        member = _read_id(request, "member")
        if member is not None:
            given = given.filter(member=find_member(request.actor, member))
        paginator = CursorPagination()
        rows = paginator.paginate_queryset(given, request, self)
        return paginator.get_paginated_response(GivenNumber(rows, many=True).data)


def _answer_plans(company: Company, plans: Iterable[Plan]) -> list[dict[str, Any]]:
    """Each plan as it is answered. One query for all prices."""
    plans = list(plans)
    prices = prices_of([plan.pk for plan in plans], company.currency)
    today, places = company.day_at(utc_now()), currency_places(company.currency)

    def priced(plan: Plan) -> list[dict[str, Any]]:
        return [
            {
                "months": months,
                "price": _write(price, places),
                "by_month": _write(monthly(price, months, places), places),
            }
            for months in PERIODS
            if (price := prices.get((plan.pk, months))) is not None
        ]

    return [
        {
            "code": plan.code,
            "kind": plan.kind,
            "name": plan.name,
            "country": plan.country,
            "included_minutes": (
                plan.included_seconds // SECONDS_A_MINUTE if plan.included_seconds else None
            ),
            "is_unlimited": plan.is_unlimited,
            "destinations": sorted(country_codes(plan.prefixes)),
            "prefixes": plan.prefixes,
            "is_offered": plan.is_offered_on(today),
            "valid_until": plan.valid_until.isoformat() if plan.valid_until else None,
            "currency": company.currency,
            "prices": priced(plan),
        }
        for plan in plans
    ]


def _write(price: Decimal, places: int) -> str:
    return f"{price:.{places}f}"


def _read_id(request: ApiRequest, name: str) -> int | None:
    text = require_text(request, name)
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and 0 < int(text) <= MAX_ID):
        raise BadRequest(_("Write a whole number above 0."), code="invalid", field=name)
    return int(text)
