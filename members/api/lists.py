"""``lists``: named sets of members, and moving members. Its one rule: a list is never deleted."""

from typing import Any

from django.db.models import Count, Q, QuerySet
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.response import Response

from members.access import find_list
from members.actors import Actor
from members.api.authentication import ApiRequest
from members.api.base import Door
from members.api.schema import page_of, refusal
from members.lists import archive_list, create_list, move_members, rename_list
from members.models import Company, MemberList
from members.models.people import PRESENT
from skypemgr.lib.errors import NotFound, ProductError
from skypemgr.lib.paging import CursorPagination
from skypemgr.lib.rest import IdField, StrictSerializer

MAX_MOVED = 5_000


class ListWish(StrictSerializer):
    """A list to create."""

    name = serializers.CharField(max_length=80)


class ListAnswer(serializers.Serializer[Any]):
    """A list; ``members_count`` counts those who are in the company."""

    id = serializers.IntegerField()
    name = serializers.CharField()
    members_count = serializers.IntegerField()
    created_at = serializers.DateTimeField()


class MoveWish(StrictSerializer):
    """Members and the list they go to; null: none."""

    members = serializers.ListField(
        child=IdField(), min_length=1, max_length=MAX_MOVED, help_text="Their ids."
    )
    list = IdField(allow_null=True)


class MovedAnswer(serializers.Serializer[Any]):
    """How many members changed their list, and how many were in it before."""

    moved = serializers.IntegerField(source="count")
    unchanged = serializers.IntegerField(source="unchanged_count")


class ArchivedAnswer(serializers.Serializer[Any]):
    """How many members are in no list now."""

    moved = serializers.IntegerField(source="count")


def lists_of(company: Company) -> QuerySet[MemberList, Any]:
    """The company's lists in use, with the number of their members."""
    return MemberList.objects.filter(company=company, archived_at=None).annotate(
        members_count=Count("members", filter=Q(members__status__in=PRESENT))
    )


def list_of_body(actor: Actor, pk: int | None) -> MemberList | None:
    """The list that a body names; ProductError ``unknown_list`` if it is not the company's."""
    if pk is None:
        return None
    try:
        return find_list(actor, pk)
    except NotFound as error:
        raise ProductError(
            _("There is no such list in your company."), code="unknown_list", field="list"
        ) from error


class ListsDoor(Door):
    """The company's lists."""

    @extend_schema(
        operation_id="lists_list",
        responses=page_of(ListAnswer),
        parameters=[*CursorPagination.parameters],
    )
    def get(self, request: ApiRequest) -> Response:
        """The lists in use, in the order in which they were made."""
        paginator = CursorPagination()
        rows = paginator.paginate_queryset(lists_of(request.actor.company), request, self)
        return paginator.get_paginated_response(ListAnswer(rows, many=True).data)

    @extend_schema(
        request=ListWish,
        responses={201: ListAnswer, 422: refusal(422, "duplicate_list", "invalid")},
        examples=[OpenApiExample("Sales", value={"name": "Sales"}, request_only=True)],
    )
    def post(self, request: ApiRequest) -> Response:
        """Creates a list without members."""
        body = ListWish(data=request.data)
        body.is_valid(raise_exception=True)
        created = create_list(actor=request.actor, name=body.validated_data["name"])
        answer = lists_of(request.actor.company).get(pk=created.pk)
        return Response(ListAnswer(answer).data, status=201)


class ListDoor(Door):
    """One list."""

    @extend_schema(operation_id="lists_get", responses=ListAnswer)
    def get(self, request: ApiRequest, list_id: str) -> Response:
        """The list with the number of its members."""
        found = find_list(request.actor, int(list_id))
        return Response(ListAnswer(lists_of(request.actor.company).get(pk=found.pk)).data)

    @extend_schema(
        operation_id="lists_rename",
        request=ListWish,
        responses={200: ListAnswer, 422: refusal(422, "duplicate_list", "invalid")},
    )
    def patch(self, request: ApiRequest, list_id: str) -> Response:
        """Renames the list."""
        find_list(request.actor, int(list_id))
        body = ListWish(data=request.data)
        body.is_valid(raise_exception=True)
        name = body.validated_data["name"]
        changed = rename_list(actor=request.actor, list_id=int(list_id), name=name)
        return Response(ListAnswer(lists_of(request.actor.company).get(pk=changed.pk)).data)

    @extend_schema(operation_id="lists_archive", responses={200: ArchivedAnswer})
    def delete(self, request: ApiRequest, list_id: str) -> Response:
        """Archives the list: its members are in no list then, its name is free again, and reports
        of past days keep it. See ``members_count`` before.
        """
        moved = archive_list(actor=request.actor, list_id=int(list_id))
        return Response(ArchivedAnswer(moved).data)


class MoveDoor(Door):
    """Moves several members."""

    @extend_schema(
        operation_id="members_move",
        request=MoveWish,
        responses={200: MovedAnswer, 422: refusal(422, "unknown_list")},
        examples=[
            OpenApiExample("Two members", value={"members": [7, 8], "list": 3}, request_only=True)
        ],
    )
    def post(self, request: ApiRequest) -> Response:
        """Moves the members to the list, or to none; all or nothing."""
        body = MoveWish(data=request.data)
        body.is_valid(raise_exception=True)
        chosen = list_of_body(request.actor, body.validated_data["list"])
        moved = move_members(
            actor=request.actor,
            member_ids=body.validated_data["members"],
            list_id=chosen.pk if chosen else None,
        )
        return Response(MovedAnswer(moved).data)
