"""``lists``: named sets of members."""

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
from members.lists import create_list
from members.models import Company, Member, MemberList
from skypemgr.lib.errors import NotFound, ProductError
from skypemgr.lib.paging import CursorPagination
from skypemgr.lib.rest import StrictSerializer

PRESENT = (Member.Status.ACTIVE, Member.Status.SUSPENDED)


class ListWish(StrictSerializer):
    """A list to create."""

    name = serializers.CharField(max_length=80)


class ListAnswer(serializers.Serializer[Any]):
    """A list; ``members_count`` counts those who are in the company."""

    id = serializers.IntegerField()
    name = serializers.CharField()
    members_count = serializers.IntegerField()
    created_at = serializers.DateTimeField()


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
