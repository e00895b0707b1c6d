"""``company/low-balance-alert``. Its one rule: what the page does, by id."""

from typing import Any, ClassVar

from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.response import Response

from credit.low_balance import AlertStatus, describe_alert, save_alert, switch_off_alert
from members.api.authentication import ApiRequest
from members.api.base import Door
from members.api.permissions import ADMINISTRATORS
from members.api.schema import refusal
from skypemgr.lib.rest import AmountSerializerField, IdField, StrictSerializer

MAX_RECIPIENTS = 500


class AlertWish(StrictSerializer):
    """Tell these members below ``level``; without any, all administrators."""

    level = AmountSerializerField()
    recipients = serializers.ListField(
        child=IdField(), max_length=MAX_RECIPIENTS, required=False, default=list
    )


class AlertAnswer(serializers.Serializer[Any]):
    """How the alert stands; off without a level. ``recipients`` are members' ids."""

    level = AmountSerializerField(allow_null=True)
    balance = AmountSerializerField()
    is_below = serializers.BooleanField()
    recipients = serializers.ListField(child=serializers.IntegerField())


def _answer(status: AlertStatus) -> Response:
    values = {
        "level": status.level,
        "balance": status.balance,
        "is_below": status.is_below,
        "recipients": [member.pk for member in status.recipients],
    }
    return Response(AlertAnswer(values).data)


class AlertDoor(Door):
    """The company's low-balance alert."""

    roles: ClassVar[dict[str, tuple[str, ...]]] = {"GET": ADMINISTRATORS}

    @extend_schema(operation_id="low_balance_alert_get", responses=AlertAnswer)
    def get(self, request: ApiRequest) -> Response:
        """The level, who is told, and whether the balance is below."""
        return _answer(describe_alert(request.actor.company))

    @extend_schema(
        operation_id="low_balance_alert_set",
        request=AlertWish,
        responses={200: AlertAnswer, 422: refusal(422, "invalid_amount", "unknown_member")},
        examples=[
            OpenApiExample(
                "Below 50", value={"level": "50.00", "recipients": [12]}, request_only=True
            )
        ],
    )
    def put(self, request: ApiRequest) -> Response:
        """The recipients, active administrators or finance, get one mail each time the balance
        falls below the level; at once if it is below already.
        """
        body = AlertWish(data=request.data)
        body.is_valid(raise_exception=True)
        wish = body.validated_data
        save_alert(actor=request.actor, level=wish["level"], recipient_ids=wish["recipients"])
        return _answer(describe_alert(request.actor.company))

    @extend_schema(operation_id="low_balance_alert_delete", responses={204: None})
    def delete(self, request: ApiRequest) -> Response:
        """Nobody is told any more."""
        switch_off_alert(actor=request.actor)
        return Response(status=204)
