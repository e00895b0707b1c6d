"""``me/notices``: one's own notices, and which come by mail. Its one rule: everybody's own only."""

from typing import Any, ClassVar

from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.response import Response

from members.api.authentication import ApiRequest
from members.api.base import Door
from members.api.permissions import EVERYBODY
from members.api.schema import page_of, refusal
from members.inbox import mark_read, own_notices, tell
from members.models import Member
from members.notice_choices import mute_notices, read_choices
from skypemgr.lib.errors import NotFound
from skypemgr.lib.paging import CursorPagination
from skypemgr.lib.rest import IdField, StrictSerializer

MAX_IDS = 200


class ChoiceAnswer(serializers.Serializer[Any]):
    """A kind of notice; ``can_switch`` false: always by mail."""

    kind = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment]
    by_mail = serializers.BooleanField()
    can_switch = serializers.BooleanField()


class ChoicesAnswer(serializers.Serializer[Any]):
    """The kinds that the caller can get."""

    kinds = ChoiceAnswer(many=True)


class MuteWish(StrictSerializer):
    """The kinds that are not to come by mail; all others do."""

    off = serializers.ListField(child=serializers.CharField(max_length=40), max_length=100)


class NoticeAnswer(serializers.Serializer[Any]):
    """A notice; ``path`` is the page about it, empty if there is none."""

    id = serializers.IntegerField()
    kind = serializers.CharField()
    title = serializers.CharField()
    path = serializers.CharField(allow_blank=True)
    at = serializers.DateTimeField()
    is_read = serializers.BooleanField()


class ReadWish(StrictSerializer):
    """The notices that were read; without ``ids`` all."""

    ids = serializers.ListField(child=IdField(), max_length=MAX_IDS, required=False, default=None)


class ReadAnswer(serializers.Serializer[Any]):
    """How many were not read before."""

    read = serializers.IntegerField()


class OwnNoticeChoicesDoor(Door):
    """Which notices come by mail."""

    roles: ClassVar[dict[str, tuple[str, ...]]] = {"GET": EVERYBODY, "PUT": EVERYBODY}

    @extend_schema(operation_id="me_notices_get", responses=ChoicesAnswer)
    def get(self, request: ApiRequest) -> Response:
        """Every kind that the caller can get."""
        return _choices(_own(request))

    @extend_schema(
        operation_id="me_notices_set",
        request=MuteWish,
        responses={200: ChoicesAnswer, 422: refusal(422, "invalid")},
        examples=[
            OpenApiExample("No receipts", value={"off": ["purchase_succeeded"]}, request_only=True)
        ],
    )
    def put(self, request: ApiRequest) -> Response:
        """These kinds stay behind the bell only. Kinds about money that goes wrong and about
        security are refused.
        """
        member = _own(request)
        body = MuteWish(data=request.data)
        body.is_valid(raise_exception=True)
        mute_notices(actor=request.actor, kinds=body.validated_data["off"])
        return _choices(member)


class OwnNoticesDoor(Door):
    """The caller's notices."""

    roles: ClassVar[dict[str, tuple[str, ...]]] = {"GET": EVERYBODY}
    newest_first = True

    @extend_schema(
        operation_id="me_notices_list",
        responses=page_of(NoticeAnswer),
        parameters=[*CursorPagination.parameters],
    )
    def get(self, request: ApiRequest) -> Response:
        """Own notices, newest first, in the language of the request."""
        member = _own(request)
        paginator = CursorPagination()
        rows = paginator.paginate_queryset(own_notices(member), request, self)
        lines = [tell(notice, member) for notice in rows]
        return paginator.get_paginated_response(NoticeAnswer(lines, many=True).data)


class OwnNoticesReadDoor(Door):
    """Marks notices as read."""

    roles: ClassVar[dict[str, tuple[str, ...]]] = {"POST": EVERYBODY}

    @extend_schema(operation_id="me_notices_read", request=ReadWish, responses=ReadAnswer)
    def post(self, request: ApiRequest) -> Response:
        """The caller's named notices, or all, count as read; others' are left alone."""
        member = _own(request)
        body = ReadWish(data=request.data)
        body.is_valid(raise_exception=True)
        count = mark_read(member, body.validated_data["ids"])
        return Response(ReadAnswer({"read": count}).data)


def _own(request: ApiRequest) -> Member:
    if request.actor.member is None:
        raise NotFound(_("A token of the company is nobody's."))
    return request.actor.member


def _choices(member: Member) -> Response:
    return Response(ChoicesAnswer({"kinds": read_choices(member)}).data)
