"""``billing-profile``: the company as a payer. Its one rule: of it, only the own limit is set."""

from decimal import Decimal
from typing import Any

from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.response import Response

from billing.gateways.base import Way
from billing.limits import describe_own, describe_ways
from billing.models import BillingProfile
from billing.profile import find_profile, missing_details, set_company_limit
from billing.switches import are_purchases_on
from billing.vat import VatReason, vat_of
from billing.vat_checks import number_state
from members.api.authentication import ApiRequest
from members.api.base import Door
from members.api.schema import refusal
from members.models import Company
from skypemgr.lib.periods import utc_now
from skypemgr.lib.rest import AmountSerializerField, StrictSerializer


class ProfileWish(StrictSerializer):
    """The company's own monthly limit, net; null for none."""

    company_limit = AmountSerializerField(allow_null=True)


class WayLimits(serializers.Serializer[Any]):
    """What may be bought one way, net, in the calendar month of the company's zone; null where
    nothing limits."""

    gateway = serializers.CharField()
    way = serializers.ChoiceField(choices=Way.choices)
    single_most = AmountSerializerField()
    monthly_most = AmountSerializerField(allow_null=True)
    used = AmountSerializerField()
    left = AmountSerializerField(allow_null=True)


class ProfileAnswer(serializers.Serializer[Any]):
    """The company as a payer. ``used_this_month`` counts what is paid and what is being paid.

    ``missing_details`` are the company's fields that invoices need and that are empty.
    """

    company_limit = AmountSerializerField(allow_null=True)
    used_this_month = AmountSerializerField()
    left_this_month = AmountSerializerField(allow_null=True)
    is_verified = serializers.BooleanField()
    purchases_on = serializers.BooleanField()
    auto_purchases_on = serializers.BooleanField()
    missing_details = serializers.ListField(child=serializers.CharField())
    vat_rate = serializers.DecimalField(max_digits=6, decimal_places=3)
    vat_reason = serializers.ChoiceField(choices=VatReason.choices)
    vat_number = serializers.CharField()
    vat_number_state = serializers.ChoiceField(
        choices=BillingProfile.VatState.choices,
        allow_null=True,
        help_text="Null where no number is given or it changes nothing.",
    )
    ways = WayLimits(many=True)


def _answer(company: Company) -> dict[str, Any]:
    now = utc_now()
    own, vat = describe_own(company, now=now), vat_of(company, on=company.day_at(now))
    values = {
        "company_limit": own.limit,
        "used_this_month": own.used,
        "left_this_month": own.left,
        "is_verified": find_profile(company).is_verified,
        "purchases_on": are_purchases_on(company, automatic=False),
        "auto_purchases_on": are_purchases_on(company, automatic=True),
        "missing_details": missing_details(company),
        "vat_rate": vat.rate.quantize(Decimal("0.001")),
        "vat_reason": vat.reason,
        "vat_number": company.vat_number,
        "vat_number_state": number_state(company) or None,
        "ways": describe_ways(company, now=now),
    }
    return dict(ProfileAnswer(values).data)


class ProfileDoor(Door):
    """The company as a payer."""

    @extend_schema(operation_id="billing_profile_get", responses=ProfileAnswer)
    def get(self, request: ApiRequest) -> Response:
        """Limits, VAT and what is missing for an invoice."""
        return Response(_answer(request.actor.company))

    @extend_schema(
        operation_id="billing_profile_set",
        request=ProfileWish,
        responses={200: ProfileAnswer, 422: refusal(422, "invalid_amount")},
        examples=[
            OpenApiExample(
                "At most 500 a month", value={"company_limit": "500.00"}, request_only=True
            )
        ],
    )
    def put(self, request: ApiRequest) -> Response:
        """Sets the company's own monthly limit, or removes it with null."""
        body = ProfileWish(data=request.data)
        body.is_valid(raise_exception=True)
        set_company_limit(actor=request.actor, limit=body.validated_data["company_limit"])
        return Response(_answer(request.actor.company))
