"""``lists/balances``: what each list holds and spends. Its one rule: the numbers of the page."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.response import Response

from credit.queries.lists import read_lists_table
from members.api.authentication import ApiRequest
from members.api.base import Door
from skypemgr.lib.periods import utc_now
from skypemgr.lib.rest import AmountSerializerField


class ListBalance(serializers.Serializer[Any]):
    """A list; ``id`` null and an empty name stand for those who are in none."""

    id = serializers.IntegerField(allow_null=True)
    name = serializers.CharField()
    members_count = serializers.IntegerField()
    balance = AmountSerializerField(help_text="Of its members together.")
    spent_this_month = AmountSerializerField(source="spent", help_text="By calls.")


class ListBalances(serializers.Serializer[Any]):
    """All lists in use."""

    results = ListBalance(many=True)


class ListBalancesDoor(Door):
    """The lists with what their members hold and spend."""

    @extend_schema(operation_id="lists_balances", responses=ListBalances)
    def get(self, request: ApiRequest) -> Response:
        """Every list in use by name, then those in no list; amounts in the company's currency."""
        company = request.actor.company
        table = read_lists_table(company, today=company.day_at(utc_now()))
        return Response(ListBalances({"results": [*table.rows, table.without]}).data)
