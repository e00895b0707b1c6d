"""``credit-requests`` and ``me/credit-requests``: members ask, administrators answer once."""

from typing import Any, ClassVar

from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.response import Response

from credit.api.members import own_member
from credit.credit_requests import (
    approve_request,
    decline_request,
    request_credit,
    withdraw_request,
)
from credit.models import CreditRequest
from credit.requests import OutsideKey
from members.api.authentication import ApiRequest
from members.api.base import Door
from members.api.permissions import ADMINISTRATORS, EVERYBODY
from members.api.schema import IDEMPOTENCY_KEY, page_of, refusal
from skypemgr.lib.paging import CursorPagination
from skypemgr.lib.rest import (
    AmountSerializerField,
    BadRequest,
    StrictSerializer,
    require_idempotency_key,
    require_text,
)


class CreditRequestWish(StrictSerializer):
    """How much, and why."""

    amount = AmountSerializerField()
    reason = serializers.CharField(max_length=500)


class Approval(StrictSerializer):
    """What is allocated; without it, what was asked."""

    amount = AmountSerializerField(required=False)


class Refusal(StrictSerializer):
    """The word that the member is told."""

    answer = serializers.CharField(max_length=500, required=False, allow_blank=True, default="")


class CreditRequestAnswer(serializers.Serializer[Any]):
    """A request; ``granted`` is what an approval allocated."""

    id = serializers.IntegerField()
    member = serializers.IntegerField(source="member_id")
    amount = AmountSerializerField()
    reason = serializers.CharField()
    status = serializers.ChoiceField(choices=CreditRequest.Status.choices)
    granted = AmountSerializerField(allow_null=True)
    answer = serializers.CharField()
    answered_by = serializers.IntegerField(source="answered_by_id", allow_null=True)
    created_at = serializers.DateTimeField()
    answered_at = serializers.DateTimeField(allow_null=True)


PAGE = page_of(CreditRequestAnswer)


class OwnRequestsDoor(Door):
    """The caller's requests for credit."""

    roles: ClassVar[dict[str, tuple[str, ...]]] = {"GET": EVERYBODY, "POST": EVERYBODY}
    newest_first = True

    @extend_schema(
        operation_id="me_credit_requests_list",
        responses=PAGE,
        parameters=[*CursorPagination.parameters],
    )
    def get(self, request: ApiRequest) -> Response:
        """The caller's own requests, newest first."""
        member = own_member(request)
        paginator = CursorPagination()
        found = CreditRequest.objects.filter(company=member.company, member=member)
        rows = paginator.paginate_queryset(found, request, self)
        return paginator.get_paginated_response(CreditRequestAnswer(rows, many=True).data)

    @extend_schema(
        request=CreditRequestWish,
        responses={
            201: CreditRequestAnswer,
            409: refusal(409, "request_already_open"),
            422: refusal(422, "invalid_amount", "company_frozen", "company_closed"),
        },
        examples=[
            OpenApiExample(
                "A trip", value={"amount": "20.00", "reason": "Trip to Oslo"}, request_only=True
            )
        ],
    )
    def post(self, request: ApiRequest) -> Response:
        """Asks the administrators for credit; one request at a time."""
        body = CreditRequestWish(data=request.data)
        body.is_valid(raise_exception=True)
        made = request_credit(actor=request.actor, **body.validated_data)
        return Response(CreditRequestAnswer(made).data, status=201)


class WithdrawDoor(Door):
    """Taking the own request back."""

    roles: ClassVar[dict[str, tuple[str, ...]]] = {"POST": EVERYBODY}

    @extend_schema(
        request=None,
        responses={200: CreditRequestAnswer, 409: refusal(409, "request_answered")},
    )
    def post(self, request: ApiRequest, request_id: str) -> Response:
        """The caller's request waits no longer."""
        wish = withdraw_request(actor=request.actor, request_id=int(request_id))
        return Response(CreditRequestAnswer(wish).data)


class CreditRequestsDoor(Door):
    """The company's requests for credit."""

    roles: ClassVar[dict[str, tuple[str, ...]]] = {"GET": ADMINISTRATORS}
    newest_first = True

    @extend_schema(
        operation_id="credit_requests_list",
        responses=PAGE,
        parameters=[
            OpenApiParameter("status", str, enum=CreditRequest.Status.values),
            *CursorPagination.parameters,
        ],
    )
    def get(self, request: ApiRequest) -> Response:
        """Who asked for how much, newest first."""
        found = CreditRequest.objects.filter(company=request.actor.company)
        status = require_text(request, "status")
        if status:
            if status not in CreditRequest.Status.values:
                raise BadRequest(_("There is no such status."), code="invalid", field="status")
            found = found.filter(status=status)
        paginator = CursorPagination()
        rows = paginator.paginate_queryset(found, request, self)
        return paginator.get_paginated_response(CreditRequestAnswer(rows, many=True).data)


class ApproveDoor(Door):
    """Approving a request."""

    @extend_schema(
        request=Approval,
        parameters=[IDEMPOTENCY_KEY],
        responses={
            200: CreditRequestAnswer,
            400: refusal(400, "idempotency_key_required", "invalid_idempotency_key"),
            409: refusal(409, "request_answered", "idempotency_conflict"),
            422: refusal(422, "invalid_amount", "not_enough_credit", "member_gone"),
        },
    )
    def post(self, request: ApiRequest, request_id: str) -> Response:
        """Allocates the amount to the member who asked, once."""
        key = require_idempotency_key(request)
        body = Approval(data=request.data)
        body.is_valid(raise_exception=True)
        wish = approve_request(
            actor=request.actor,
            request_id=int(request_id),
            amount=body.validated_data.get("amount"),
            outside=OutsideKey.of_api(key, "POST", request.path.rstrip("/"), request.data),
        )
        return Response(CreditRequestAnswer(wish).data)


class DeclineDoor(Door):
    """Declining a request."""

    @extend_schema(
        request=Refusal,
        responses={200: CreditRequestAnswer, 409: refusal(409, "request_answered")},
    )
    def post(self, request: ApiRequest, request_id: str) -> Response:
        """The request is declined and the member is told."""
        body = Refusal(data=request.data)
        body.is_valid(raise_exception=True)
        wish = decline_request(
            actor=request.actor,
            request_id=int(request_id),
            answer=body.validated_data["answer"],
        )
        return Response(CreditRequestAnswer(wish).data)
