"""``members/{id}/suspend`` and ``…/reactivate``, for one and for many. Its one rule: asked twice,
the same answer.
"""

from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.response import Response

from credit.api.members import MemberAnswer, answer_member
from credit.ledger import MOVES_LIMIT
from credit.standing import (
    StandingChanged,
    reactivate_member,
    reactivate_members,
    suspend_member,
    suspend_members,
)
from members.api.authentication import ApiRequest
from members.api.base import Door
from members.api.schema import refusal
from skypemgr.lib.rest import IdField, StrictSerializer


class ChosenMembers(StrictSerializer):
    """Members of the company by id."""

    members = serializers.ListField(child=IdField(), min_length=1, max_length=MOVES_LIMIT)


class StandingAnswer(serializers.Serializer[StandingChanged]):
    """How many changed."""

    changed = serializers.IntegerField(source="count")
    unchanged = serializers.IntegerField(
        source="unchanged_count", help_text="Stood so before, or are no longer in the company."
    )


CHOSEN_EXAMPLE = OpenApiExample("Two of them", value={"members": [12, 15]}, request_only=True)


def chosen_members(request: ApiRequest) -> list[int]:
    """The ids that the body names."""
    body = ChosenMembers(data=request.data)
    body.is_valid(raise_exception=True)
    ids: list[int] = body.validated_data["members"]
    return ids


class SuspendDoor(Door):
    """Stops a member's calls and rule."""

    @extend_schema(
        request=None,
        responses={200: MemberAnswer, 422: refusal(422, "last_administrator", "member_gone")},
    )
    def post(self, request: ApiRequest, member_id: str) -> Response:
        """The member is suspended: no call may start, the rule stops, credit stays."""
        member = suspend_member(actor=request.actor, member_id=int(member_id))
        return Response(answer_member(member))


class ReactivateDoor(Door):
    """Takes a suspended member back."""

    @extend_schema(request=None, responses={200: MemberAnswer, 422: refusal(422, "member_gone")})
    def post(self, request: ApiRequest, member_id: str) -> Response:
        """The member is active again and the rule has been evaluated."""
        member = reactivate_member(actor=request.actor, member_id=int(member_id))
        return Response(answer_member(member))


class SuspendManyDoor(Door):
    """Stops several members' calls and rules."""

    @extend_schema(
        operation_id="members_suspend_many",
        request=ChosenMembers,
        responses={
            200: StandingAnswer,
            422: refusal(422, "last_administrator", "unknown_member"),
        },
        examples=[CHOSEN_EXAMPLE],
    )
    def post(self, request: ApiRequest) -> Response:
        """All of them are suspended, or none is."""
        done = suspend_members(actor=request.actor, member_ids=chosen_members(request))
        return Response(StandingAnswer(done).data)


class ReactivateManyDoor(Door):
    """Takes several suspended members back."""

    @extend_schema(
        operation_id="members_reactivate_many",
        request=ChosenMembers,
        responses={200: StandingAnswer, 422: refusal(422, "unknown_member")},
        examples=[CHOSEN_EXAMPLE],
    )
    def post(self, request: ApiRequest) -> Response:
        """All of them are active, or none is changed."""
        done = reactivate_members(actor=request.actor, member_ids=chosen_members(request))
        return Response(StandingAnswer(done).data)
