"""``company``: the caller's company with its balance."""

from typing import Any

from django.db import transaction
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.response import Response

from credit.accounts import company_balance
from members.api.authentication import ApiRequest
from members.api.base import Door
from members.call_details import switch_call_details
from members.company_profile import update_company
from members.models import Company
from skypemgr.lib.rest import AmountSerializerField, StrictSerializer


class CompanyAnswer(serializers.Serializer[Any]):
    """The company; ``balance`` in its currency."""

    id = serializers.IntegerField()
    name = serializers.CharField()
    country = serializers.CharField()
    currency = serializers.CharField()
    time_zone = serializers.CharField(source="present_zone")
    language = serializers.CharField()
    state = serializers.ChoiceField(choices=Company.State.choices)
    address_line_1 = serializers.CharField()
    address_line_2 = serializers.CharField()
    postcode = serializers.CharField()
    city = serializers.CharField()
    phone = serializers.CharField()
    website = serializers.CharField()
    terms_url = serializers.CharField()
    privacy_url = serializers.CharField()
    siren = serializers.CharField()
    vat_number = serializers.CharField()
    max_call_seconds = serializers.IntegerField()
    call_details = serializers.BooleanField(source="call_details_on")
    balance = AmountSerializerField()


class CompanyChange(StrictSerializer):
    """What an administrator may change of the company; a zone counts from the next month on."""

    name = serializers.CharField(max_length=150, required=False)
    address_line_1 = serializers.CharField(max_length=150, required=False, allow_blank=True)
    address_line_2 = serializers.CharField(max_length=150, required=False, allow_blank=True)
    postcode = serializers.CharField(max_length=20, required=False, allow_blank=True)
    city = serializers.CharField(max_length=100, required=False, allow_blank=True)
    country = serializers.CharField(max_length=2, required=False)
    phone = serializers.CharField(max_length=32, required=False, allow_blank=True)
    website = serializers.CharField(max_length=200, required=False, allow_blank=True)
    terms_url = serializers.CharField(max_length=200, required=False, allow_blank=True)
    privacy_url = serializers.CharField(max_length=200, required=False, allow_blank=True)
    siren = serializers.CharField(max_length=20, required=False, allow_blank=True)
    vat_number = serializers.CharField(max_length=30, required=False, allow_blank=True)
    language = serializers.CharField(max_length=5, required=False)
    time_zone = serializers.CharField(max_length=64, required=False)
    currency = serializers.CharField(max_length=3, required=False)
    max_call_seconds = serializers.IntegerField(min_value=60, max_value=86_400, required=False)
    call_details = serializers.BooleanField(required=False)


class CompanyDoor(Door):
    """The company."""

    @extend_schema(operation_id="company_get", responses=CompanyAnswer)
    def get(self, request: ApiRequest) -> Response:
        """The company with its balance."""
        return Response(_answer(request.actor.company))

    @extend_schema(
        operation_id="company_change", request=CompanyChange, responses={200: CompanyAnswer}
    )
    def patch(self, request: ApiRequest) -> Response:
        """Changes the named settings of the company."""
        body = CompanyChange(data=request.data)
        body.is_valid(raise_exception=True)
        fields = dict(body.validated_data)
        call_details = fields.pop("call_details", None)
        with transaction.atomic():
            company = update_company(actor=request.actor, **fields)
            if call_details is not None:
                company = switch_call_details(actor=request.actor, on=call_details)
        return Response(_answer(company))


def _answer(company: Company) -> dict[str, Any]:
    company.balance = company_balance(company)  # type: ignore[attr-defined]
    return dict(CompanyAnswer(company).data)
