"""``payment-methods``. Its one rule: what pays for auto-recharge never goes silently."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.response import Response

from billing.errors import UnknownMethod
from billing.method_removal import remove_method
from billing.methods import list_methods
from billing.models import PaymentMethod
from members.api.authentication import ApiRequest
from members.api.base import Door
from members.api.schema import page_of, refusal
from skypemgr.lib.errors import NotFound


class MethodAnswer(serializers.Serializer[Any]):
    """A saved way to pay."""

    id = serializers.IntegerField()
    gateway = serializers.CharField()
    kind = serializers.ChoiceField(choices=PaymentMethod.Kind.choices)
    label = serializers.CharField()  # type: ignore[assignment]
    is_default = serializers.BooleanField()
    created_at = serializers.DateTimeField()


class MethodsDoor(Door):
    """The company's saved ways to pay."""

    @extend_schema(operation_id="payment_methods_list", responses=page_of(MethodAnswer))
    def get(self, request: ApiRequest) -> Response:
        """The saved methods that can be used now, the default first."""
        rows = MethodAnswer(list_methods(request.actor.company), many=True).data
        return Response({"results": rows, "next": None, "previous": None})


class MethodDoor(Door):
    """One saved way to pay."""

    @extend_schema(
        operation_id="payment_methods_delete",
        responses={204: None, 409: refusal(409, "payment_method_in_use")},
    )
    def delete(self, request: ApiRequest, method_id: str) -> Response:
        """Removes the method; it is not offered any more."""
        try:
            remove_method(actor=request.actor, pk=int(method_id))
        except UnknownMethod as error:
            raise NotFound(str(error)) from error
        return Response(status=204)
