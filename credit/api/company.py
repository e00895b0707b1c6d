"""``company``: the caller's company with its balance."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.response import Response

from credit.accounts import company_balance
from members.api.authentication import ApiRequest
from members.api.base import Door
from members.models import Company
from skypemgr.lib.rest import AmountSerializerField


class CompanyAnswer(serializers.Serializer[Any]):
    """The company; ``balance`` in its currency."""

    id = serializers.IntegerField()
    name = serializers.CharField()
    country = serializers.CharField()
    currency = serializers.CharField()
    time_zone = serializers.CharField(source="present_zone")
    language = serializers.CharField()
    state = serializers.ChoiceField(choices=Company.State.choices)
    balance = AmountSerializerField()


class CompanyDoor(Door):
    """The company."""

    @extend_schema(operation_id="company_get", responses=CompanyAnswer)
    def get(self, request: ApiRequest) -> Response:
        """The company with its balance."""
        company = request.actor.company
        company.balance = company_balance(company)  # type: ignore[attr-defined]
        return Response(CompanyAnswer(company).data)
