"""``payment-methods``. Its one rule: what pays for auto-recharge never goes silently."""

from typing import Any

from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.response import Response

from billing.auto_rules import terms_of
from billing.consent import VERSION, write_consent
from billing.errors import ConsentMissing, UnknownMethod
from billing.method_removal import remove_method, rests_on
from billing.methods import find_method, list_methods, method_name, reorder
from billing.models import PaymentMethod
from members.api.authentication import ApiRequest
from members.api.base import Door
from members.api.schema import page_of, refusal
from skypemgr.lib.errors import NotFound
from skypemgr.lib.rest import StrictSerializer


class MethodAnswer(serializers.Serializer[Any]):
    """A saved way to pay; ``position`` 1 is the default, then come the back-ups."""

    id = serializers.IntegerField()
    gateway = serializers.CharField()
    kind = serializers.ChoiceField(choices=PaymentMethod.Kind.choices)
    label = serializers.CharField()  # type: ignore[assignment]
    is_default = serializers.BooleanField()
    position = serializers.IntegerField()
    expires_on = serializers.DateField(allow_null=True)
    created_at = serializers.DateTimeField()


class MethodChange(StrictSerializer):
    """A new place in the order; or ``is_default: true``, which is the first place."""

    is_default = serializers.BooleanField(required=False)
    position = serializers.IntegerField(required=False, min_value=1, max_value=10_000)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """One of both, and nobody can be made not the default."""
        if attrs.get("is_default") is False:
            raise serializers.ValidationError(
                {"is_default": _("Make another payment method the default instead.")}
            )
        if len(attrs) != 1:
            raise serializers.ValidationError(_("Send is_default or position, one of both."))
        return attrs


class RemovalWish(serializers.Serializer[Any]):
    """What becomes of auto-recharge when it pays with the method."""

    successor = serializers.IntegerField(required=False, min_value=1, max_value=2**63 - 1)
    consent_version = serializers.CharField(
        required=False, default="", allow_blank=True, max_length=20
    )
    pause = serializers.BooleanField(required=False, default=False)


def _answers(methods: list[PaymentMethod]) -> list[dict[str, Any]]:
    """Places are counted in the list as it is; the column has gaps where methods were removed."""
    for place, method in enumerate(methods, 1):
        method.position = place
    return [dict(row) for row in MethodAnswer(methods, many=True).data]


class MethodsDoor(Door):
    """The company's saved ways to pay."""

    @extend_schema(operation_id="payment_methods_list", responses=page_of(MethodAnswer))
    def get(self, request: ApiRequest) -> Response:
        """The saved methods that can be used now: the default, then the back-ups in their order."""
        rows = _answers(list_methods(request.actor.company))
        return Response({"results": rows, "next": None, "previous": None})


class MethodDoor(Door):
    """One saved way to pay."""

    @extend_schema(
        operation_id="payment_methods_patch", request=MethodChange, responses=MethodAnswer
    )
    def patch(self, request: ApiRequest, method_id: str) -> Response:
        """Moves the method in the order; the first one is the default."""
        body = MethodChange(data=request.data)
        body.is_valid(raise_exception=True)
        request.actor.require_administrator()
        pk = int(method_id)
        ids = [method.pk for method in list_methods(request.actor.company) if method.pk != pk]
        place = body.validated_data.get("position", 1) - 1
        try:
            after = reorder(actor=request.actor, ids=[*ids[:place], pk, *ids[place:]])
        except UnknownMethod as error:
            raise NotFound(str(error)) from error
        return Response(next(row for row in _answers(after) if row["id"] == pk))

    @extend_schema(
        operation_id="payment_methods_delete",
        parameters=[
            OpenApiParameter(
                "successor",
                int,
                description="The saved method that pays for auto-recharge from now on, with"
                " consent_version.",
            ),
            OpenApiParameter(
                "consent_version",
                str,
                description="The version of the text that the caller agrees to. Without it the"
                " refusal consent_missing answers consent_text and consent_version.",
            ),
            OpenApiParameter(
                "pause", bool, description="true: auto-recharge pauses, administrators are told."
            ),
        ],
        responses={
            204: None,
            409: refusal(409, "payment_method_in_use"),
            422: refusal(
                422, "consent_missing", "unknown_payment_method", "payment_method_unsuitable"
            ),
        },
    )
    def delete(self, request: ApiRequest, method_id: str) -> Response:
        """Removes the method; it is not offered any more. While auto-recharge pays with it, say
        who takes over (`successor`) or that it pauses (`pause`).
        """
        query = RemovalWish(data=request.query_params.dict())
        query.is_valid(raise_exception=True)
        wish, actor, pk = query.validated_data, request.actor, int(method_id)
        actor.require_administrator()
        try:
            method = find_method(actor, pk)
        except UnknownMethod as error:
            raise NotFound(str(error)) from error
        successor = wish.get("successor")
        if successor is not None and wish["consent_version"] != VERSION:
            _ask_for_consent(request, method, successor)
        remove_method(
            actor=actor,
            pk=pk,
            successor=successor,
            consent_version=wish["consent_version"],
            pauses=wish["pause"],
        )
        return Response(status=204)


def _ask_for_consent(request: ApiRequest, method: PaymentMethod, successor: int) -> None:
    """ConsentMissing with the text, if auto-recharge pays with the method."""
    rule, actor = rests_on(method), request.actor
    if rule is None:
        return
    raise ConsentMissing(
        _("Read consent_text; to agree, send its consent_version."),
        field="consent_version",
        consent_version=VERSION,
        consent_text=write_consent(
            terms_of(rule),
            currency=actor.company.currency,
            card=method_name(find_method(actor, successor)),
        ),
    )
