"""``members/{id}/suspend`` and ``…/reactivate``. Its one rule: asked twice, the same answer."""

from drf_spectacular.utils import extend_schema
from rest_framework.response import Response

from credit.api.members import MemberAnswer, answer_member
from credit.standing import reactivate_member, suspend_member
from members.api.authentication import ApiRequest
from members.api.base import Door
from members.api.schema import refusal


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
