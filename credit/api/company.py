"""``company``: the caller's company with its balance."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.response import Response

from credit.accounts import company_balance
from members.api.authentication import ApiRequest
from members.api.base import Door
from members.call_details import switch_call_details
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
    call_details = serializers.BooleanField(source="call_details_on")
    balance = AmountSerializerField()


class CompanyChange(StrictSerializer):
    """What an administrator may change of the company."""

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
        company = request.actor.company
        if "call_details" in body.validated_data:
            company = switch_call_details(
                actor=request.actor, on=body.validated_data["call_details"]
            )
        return Response(_answer(company))


def _answer(company: Company) -> dict[str, Any]:
    company.balance = company_balance(company)  # type: ignore[attr-defined]
    return dict(CompanyAnswer(company).data)
