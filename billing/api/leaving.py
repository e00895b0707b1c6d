"""``members/{id}`` (removing), ``me/leave`` and ``company/close``.

Its one rule: GET tells what will happen, in numbers, and changes nothing; asked twice, nothing
happens twice.
"""

from typing import Any, ClassVar

from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.response import Response

from billing.closing import ClosingPreview, close_company, preview_closing
from billing.leaving import (
    HeldNumber,
    LeavingPreview,
    Removed,
    leave_company,
    preview_leaving,
    preview_removal,
    remove_members,
)
from credit.api.members import MemberAnswer, MemberDoor, answer_member, own_member
from credit.api.standing import CHOSEN_EXAMPLE, ChosenMembers, chosen_members
from members.access import find_member
from members.api.authentication import ApiRequest
from members.api.base import Door
from members.api.permissions import ADMINISTRATORS, EVERYBODY
from members.api.schema import refusal
from members.errors import InvalidField
from members.models import Company
from skypemgr.lib.rest import AmountSerializerField, StrictSerializer


class HeldNumberAnswer(serializers.Serializer[HeldNumber]):
    """A number, and the feature that holds it."""

    number = serializers.CharField(source="e164", help_text="E.164.")
    subscription = serializers.IntegerField(source="feature_id")


class LeavingAnswer(serializers.Serializer[LeavingPreview]):
    """What ends and what stays; amounts in the company's currency."""

    members = serializers.IntegerField(source="count")
    already_gone = serializers.IntegerField(source="unchanged_count")
    balance = AmountSerializerField(help_text="Stays with them and can be spent.")
    held = AmountSerializerField(help_text="Of it set aside for calls in progress.")
    rules_ended = serializers.IntegerField(source="rules_count")
    requests_ended = serializers.IntegerField(source="requests_count")
    tokens_stopped = serializers.IntegerField(source="tokens_count")
    calls_tokens_stopped = serializers.IntegerField(
        source="calls_tokens_count", help_text="Of them such as report a phone system's calls."
    )
    features_ended = serializers.IntegerField(
        source="features_count", help_text="Stay usable to what is paid and are not renewed."
    )
    features_until = serializers.DateField(
        allow_null=True, help_text="The day on which the last of them ends."
    )
    numbers = HeldNumberAnswer(
        many=True, help_text="At most 20; can be handed on before (subscriptions/{id}/reallocate)."
    )
    blocked_by = serializers.CharField(
        help_text="The code with which it would be refused now; empty if it would not."
    )


class RemovedAnswer(serializers.Serializer[Removed]):
    """How many went, and what ended."""

    removed = serializers.IntegerField(source="count")
    unchanged = serializers.IntegerField(source="unchanged_count", help_text="Were gone before.")
    rules_ended = serializers.IntegerField(source="rules_count")
    requests_ended = serializers.IntegerField(source="requests_count")
    tokens_stopped = serializers.IntegerField(source="tokens_count")
    features_ended = serializers.IntegerField(source="features_count")


class ObstacleAnswer(serializers.Serializer[Any]):
    """Something to end first."""

    code = serializers.CharField()
    detail = serializers.CharField(source="message")


class ClosingAnswer(serializers.Serializer[ClosingPreview]):
    """What ends and what stays; amounts in the company's currency."""

    members = serializers.IntegerField(source="members_count")
    members_balance = AmountSerializerField(help_text="Stays with them and can be spent.")
    company_balance = AmountSerializerField(help_text="Must be 0: nothing is refunded.")
    rules_ended = serializers.IntegerField(source="rules_count")
    requests_ended = serializers.IntegerField(source="requests_count")
    invitations_ended = serializers.IntegerField(source="invitations_count")
    features_ended = serializers.IntegerField(
        source="features_count", help_text="Stay usable to what is paid and are not renewed."
    )
    auto_purchase_ended = serializers.BooleanField(source="has_auto_purchase")
    refusals = ObstacleAnswer(many=True)


class ClosingWish(StrictSerializer):
    """The company's name, so that it is not closed by mistake."""

    confirm = serializers.CharField(max_length=150, help_text="The company's name, exactly.")


class StateAnswer(serializers.Serializer[Company]):
    """The company and its state."""

    id = serializers.IntegerField()
    name = serializers.CharField()
    state = serializers.ChoiceField(choices=Company.State.choices)


class PlaceDoor(MemberDoor):
    """One member, who can be removed."""

    @extend_schema(
        operation_id="members_remove",
        responses={204: None, 422: refusal(422, "last_administrator", "yourself")},
    )
    def delete(self, request: ApiRequest, member_id: str) -> Response:
        """The member is removed for good: balance, login and statement stay, nothing is added."""
        member = find_member(request.actor, int(member_id))
        remove_members(actor=request.actor, member_ids=[member.pk])
        return Response(status=204)


class RemovalDoor(Door):
    """What removing a member would do."""

    roles: ClassVar[dict[str, tuple[str, ...]]] = {"GET": ADMINISTRATORS}

    @extend_schema(operation_id="members_removal", responses=LeavingAnswer)
    def get(self, request: ApiRequest, member_id: str) -> Response:
        """What ends and what stays if the member is removed now."""
        member = find_member(request.actor, int(member_id))
        return Response(LeavingAnswer(preview_removal(request.actor, [member.pk])).data)


class RemoveManyDoor(Door):
    """Removes several members."""

    @extend_schema(
        operation_id="members_remove_many",
        request=ChosenMembers,
        responses={
            200: RemovedAnswer,
            422: refusal(422, "last_administrator", "unknown_member", "yourself"),
        },
        examples=[CHOSEN_EXAMPLE],
    )
    def post(self, request: ApiRequest) -> Response:
        """All of them are removed for good, or none is."""
        done = remove_members(actor=request.actor, member_ids=chosen_members(request))
        return Response(RemovedAnswer(done).data)


class LeaveDoor(Door):
    """The caller leaves the company."""

    roles: ClassVar[dict[str, tuple[str, ...]]] = {"GET": EVERYBODY, "POST": EVERYBODY}

    @extend_schema(operation_id="me_leave_preview", responses=LeavingAnswer)
    def get(self, request: ApiRequest) -> Response:
        """What ends and what stays if the caller leaves now."""
        own_member(request)
        return Response(LeavingAnswer(preview_leaving(request.actor)).data)

    @extend_schema(
        operation_id="me_leave",
        request=None,
        responses={200: MemberAnswer, 422: refusal(422, "last_administrator")},
    )
    def post(self, request: ApiRequest) -> Response:
        """The caller has left: balance, login and statement stay, this token stops."""
        own_member(request)
        return Response(answer_member(leave_company(actor=request.actor)))


class CloseDoor(Door):
    """Closes the company for good."""

    roles: ClassVar[dict[str, tuple[str, ...]]] = {"GET": ADMINISTRATORS}

    @extend_schema(operation_id="company_close_preview", responses=ClosingAnswer)
    def get(self, request: ApiRequest) -> Response:
        """What ends and what stays, and what has to be ended first."""
        return Response(ClosingAnswer(preview_closing(request.actor)).data)

    @extend_schema(
        operation_id="company_close",
        request=ClosingWish,
        responses={
            200: StateAnswer,
            409: refusal(
                409, "calls_in_progress", "purchase_open", "company_has_credit", "company_closed"
            ),
            422: refusal(422, "confirm_mismatch", "company_frozen"),
        },
        examples=[
            OpenApiExample("Close Acme", value={"confirm": "Acme"}, request_only=True),
        ],
    )
    def post(self, request: ApiRequest) -> Response:
        """The company is closed: nothing is added any more, members spend what they have."""
        body = ClosingWish(data=request.data)
        body.is_valid(raise_exception=True)
        if body.validated_data["confirm"] != request.actor.company.name:
            raise InvalidField(
                _("Write the company's name exactly as it is."),
                field="confirm",
                code="confirm_mismatch",
            )
        return Response(StateAnswer(close_company(actor=request.actor)).data)
