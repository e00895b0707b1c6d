"""``me/sessions``: where one is signed in. Its one rule: everybody's own only."""

from typing import Any, ClassVar

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.response import Response

from members.api.authentication import ApiRequest
from members.api.base import Door
from members.api.permissions import EVERYBODY
from members.api.schema import page_of
from members.sessions import end_session, end_sessions, own_sessions


class SessionAnswer(serializers.Serializer[Any]):
    """A browser in which the caller is signed in; ``used_at`` is right to some minutes."""

    id = serializers.IntegerField()
    browser = serializers.CharField(source="words")
    ip = serializers.CharField()
    signed_in_at = serializers.DateTimeField()
    used_at = serializers.DateTimeField(source="seen_at")


class OwnSessionsDoor(Door):
    """The caller's browsers."""

    roles: ClassVar[dict[str, tuple[str, ...]]] = {"GET": EVERYBODY, "DELETE": EVERYBODY}

    @extend_schema(operation_id="me_sessions_list", responses=page_of(SessionAnswer))
    def get(self, request: ApiRequest) -> Response:
        """Where the caller is signed in, the latest used first."""
        rows = SessionAnswer(own_sessions(request.actor), many=True).data
        return Response({"results": rows, "next": None, "previous": None})

    @extend_schema(operation_id="me_sessions_end_all", responses={204: None})
    def delete(self, request: ApiRequest) -> Response:
        """Signs the caller out in every browser; tokens stay."""
        end_sessions(actor=request.actor)
        return Response(status=204)


class OwnSessionDoor(Door):
    """One of the caller's browsers."""

    roles: ClassVar[dict[str, tuple[str, ...]]] = {"DELETE": EVERYBODY}

    @extend_schema(operation_id="me_sessions_end", responses={204: None})
    def delete(self, request: ApiRequest, session_id: str) -> Response:
        """Signs the caller out there."""
        end_session(actor=request.actor, session_id=int(session_id))
        return Response(status=204)
