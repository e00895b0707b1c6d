"""``members/{id}/activity``. Its one rule: what the Activity tab shows, no calls."""

from typing import Any

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.response import Response
from rest_framework.utils.urls import replace_query_param

from credit.queries.activity import NAMES, read_activity
from members.access import find_member
from members.api.authentication import ApiRequest
from members.api.base import Door
from members.api.schema import page_of, refusal
from skypemgr.lib.paging import CursorPagination
from skypemgr.lib.rest import require_text


class EventAnswer(serializers.Serializer[Any]):
    """Something that happened; ``by`` is empty if nobody decided it."""

    at = serializers.DateTimeField()
    kind = serializers.ChoiceField(choices=list(NAMES.values()))
    title = serializers.CharField()
    detail = serializers.CharField(source="text")
    by = serializers.CharField(source="who")
    token = serializers.CharField(source="by_token", help_text="The token's name, if by one.")


class ActivityDoor(Door):
    """What happened about a member."""

    @extend_schema(
        operation_id="members_activity",
        parameters=[
            OpenApiParameter("cursor", str, description="As given in next."),
            OpenApiParameter("limit", int, description="1 to 200; 50 without it."),
        ],
        responses={200: page_of(EventAnswer), 400: refusal(400, "invalid_cursor")},
    )
    def get(self, request: ApiRequest, member_id: str) -> Response:
        """Newest first, in the language of the request; ``previous`` is always null. Finance reads
        what concerns credit and status only.
        """
        member = find_member(request.actor, int(member_id))
        administers = request.actor.member is not None and request.actor.member.is_administrator
        events, following = read_activity(
            member,
            viewer_administers=administers,
            cursor=require_text(request, "cursor"),
            limit=CursorPagination().read_limit(request),
        )
        address = request.build_absolute_uri()
        older = replace_query_param(address, "cursor", following) if following else None
        results = EventAnswer(events, many=True).data
        return Response({"results": results, "next": older, "previous": None})
