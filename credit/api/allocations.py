"""``allocations``: credit from the company to members. Its one rule: once for each key."""

from collections.abc import Sequence
from typing import Any

from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.response import Response

from credit.allocation import Recipients, allocate
from credit.errors import NobodyChosen, UnknownMember
from credit.ledger import MOVES_LIMIT
from credit.requests import OutsideKey
from members.api.authentication import ApiRequest
from members.api.base import Door
from members.api.lists import list_of_body
from members.api.schema import IDEMPOTENCY_KEY, refusal
from skypemgr.lib.rest import (
    AmountSerializerField,
    IdField,
    StrictSerializer,
    require_idempotency_key,
)

WAYS = ("member", "members", "list", "all")


class AllocationWish(StrictSerializer):
    """Who receives, in one of four ways, and what each receives."""

    default_error_messages = {
        "one_way": _("Name who receives by exactly one of: member, members, list, all."),
        "all_true": _("The only value of all is true."),
        "repeated": _("A member is named twice."),
    }

    member = IdField(required=False)
    members = serializers.ListField(
        child=IdField(), required=False, min_length=1, max_length=MOVES_LIMIT
    )
    list = IdField(required=False)
    all = serializers.BooleanField(required=False)
    amount = AmountSerializerField(help_text="What each receives.")

    def validate_all(self, value: bool) -> bool:
        """Only ``true`` says something."""
        if self.initial_data["all"] is not True:
            self.fail("all_true")
        return value

    def validate_members(self, value: Sequence[int]) -> Sequence[int]:
        """Nobody is named twice."""
        if len(set(value)) < len(value):
            self.fail("repeated")
        return value

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Exactly one way is used."""
        if sum(way in attrs for way in WAYS) != 1:
            self.fail("one_way")
        return attrs


class AllocationAnswer(serializers.Serializer[Any]):
    """What was allocated: ``total`` is the sum, ``transfers`` the number of members."""

    id = serializers.IntegerField()
    amount = AmountSerializerField()
    total = AmountSerializerField()
    transfers = serializers.IntegerField(source="transfers_count")
    company_balance = AmountSerializerField(source="company_balance_after")


class AllocationsDoor(Door):
    """Allocations."""

    @extend_schema(
        request=AllocationWish,
        parameters=[IDEMPOTENCY_KEY],
        responses={
            201: AllocationAnswer,
            400: refusal(400, "idempotency_key_required", "invalid_idempotency_key"),
            409: refusal(409, "idempotency_conflict"),
            422: refusal(
                422,
                "invalid_amount",
                "not_enough_credit",
                "unknown_member",
                "unknown_list",
                "member_gone",
                "nobody_chosen",
                "company_frozen",
                "company_closed",
            ),
        },
        examples=[
            OpenApiExample("One", value={"member": 12, "amount": "25.00"}, request_only=True),
            OpenApiExample("A list", value={"list": 3, "amount": "10.00"}, request_only=True),
            OpenApiExample("All", value={"all": True, "amount": "5"}, request_only=True),
        ],
    )
    def post(self, request: ApiRequest) -> Response:
        """Each member receives the amount; all or nothing. It cannot be taken back."""
        key = require_idempotency_key(request)
        body = AllocationWish(data=request.data)
        body.is_valid(raise_exception=True)
        wish = body.validated_data
        try:
            allocation = allocate(
                actor=request.actor,
                amount=wish["amount"],
                recipients=read_recipients(wish),
                request=OutsideKey.of_api(key, "POST", "allocations", request.data),
            )
        except UnknownMember as error:
            error.field = "member" if "member" in wish else "members"
            raise
        except NobodyChosen:
            # A list of another company, or none at all, looks empty to the verb.
            list_of_body(request.actor, wish.get("list"))
            raise
        return Response(AllocationAnswer(allocation).data, status=201)


def read_recipients(wish: dict[str, Any]) -> Recipients:
    """Who the body names."""
    named = [wish["member"]] if "member" in wish else wish.get("members", [])
    return Recipients(
        member_ids=tuple(named), list_id=wish.get("list"), all_members=bool(wish.get("all"))
    )
