"""``statement`` of a member, of oneself, of the company.

Its one rule: single calls are shown to nobody but the member, at ``me/statement``.
"""

from typing import Any, ClassVar

from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.response import Response
from rest_framework.utils.urls import remove_query_param, replace_query_param

from credit.api.members import own_member
from credit.models import Transfer
from credit.statement import (
    Line,
    Statement,
    read_company_statement,
    read_member_statement,
    read_own_statement,
)
from members.access import find_member
from members.api.authentication import ApiRequest
from members.api.base import Door
from members.api.permissions import EVERYBODY
from members.api.schema import page_of, refusal
from skypemgr.lib.paging import CursorPagination
from skypemgr.lib.rest import AmountSerializerField, require_text


@extend_schema_field({"type": "string", "pattern": r"^-?\d+\.\d{4}$", "example": "-0.1900"})
class SignedAmountField(AmountSerializerField):
    """An amount that may be below 0: a string with 4 decimals."""


class LineAnswer(serializers.Serializer[Line]):
    """One movement, or the calls of a day. Amounts in the company's currency."""

    kind = serializers.ChoiceField(choices=Transfer.Kind.choices)
    booked_on = serializers.DateField(source="day", help_text="The day on which it counts.")
    at = serializers.DateTimeField(
        allow_null=True,
        help_text="When it was booked; a call: when it began; null for the calls of a day.",
    )
    amount = SignedAmountField(help_text="Above 0: came in; below 0: went out.")
    balance_before = AmountSerializerField()
    balance_after = AmountSerializerField()
    made_by = serializers.CharField(help_text="Who decided it; empty if nobody did.")
    calls = serializers.IntegerField(
        source="calls_count", help_text="How many calls the line stands for; 0 for all else."
    )


class CompanyLineAnswer(LineAnswer):
    """One movement of the company's purse; ``member`` is who received it."""

    member = serializers.IntegerField(source="member_id", allow_null=True)


class OwnLineAnswer(LineAnswer):
    """One own movement; of a call, where it went."""

    destination = serializers.CharField(source="call.destination", default=None, allow_null=True)
    duration_seconds = serializers.IntegerField(
        source="call.duration_seconds", default=None, allow_null=True
    )
    uncollected = AmountSerializerField(source="call.uncollected", default=None, allow_null=True)


BAD_CURSOR = refusal(400, "invalid_cursor")


def _page(
    request: ApiRequest, statement: Statement, form: type[serializers.Serializer[Line]]
) -> Response:
    address = remove_query_param(request.build_absolute_uri(), "cursor")

    def link(cursor: str) -> str | None:
        return replace_query_param(address, "cursor", cursor) if cursor else None

    return Response(
        {
            "results": [form(line).data for line in statement.lines],
            "next": link(statement.older),
            "previous": link(statement.newer),
        }
    )


def _where(request: ApiRequest) -> dict[str, Any]:
    return {
        "cursor": require_text(request, "cursor"),
        "limit": CursorPagination().read_limit(request),
    }


class MemberStatementDoor(Door):
    """A member's statement as others see it."""

    @extend_schema(
        operation_id="members_statement",
        responses={200: page_of(LineAnswer), 400: BAD_CURSOR},
        parameters=list(CursorPagination.parameters),
    )
    def get(self, request: ApiRequest, member_id: str) -> Response:
        """Every movement with the balance before and after, newest first.

        The calls of a day are one line, counted at the end of the day, so the balances beside the
        day's other movements are those without its calls.
        """
        member = find_member(request.actor, int(member_id))
        return _page(request, read_member_statement(member, **_where(request)), LineAnswer)


class OwnStatementDoor(Door):
    """The caller's own statement."""

    roles: ClassVar[dict[str, tuple[str, ...]]] = {"GET": EVERYBODY}

    @extend_schema(
        operation_id="me_statement",
        responses={200: page_of(OwnLineAnswer), 400: BAD_CURSOR},
        parameters=list(CursorPagination.parameters),
    )
    def get(self, request: ApiRequest) -> Response:
        """Every own movement with the balance before and after, each call by itself."""
        return _page(
            request, read_own_statement(own_member(request), **_where(request)), OwnLineAnswer
        )


class CompanyStatementDoor(Door):
    """The company's statement."""

    @extend_schema(
        operation_id="company_statement",
        responses={200: page_of(CompanyLineAnswer), 400: BAD_CURSOR},
        parameters=list(CursorPagination.parameters),
    )
    def get(self, request: ApiRequest) -> Response:
        """Every movement of the company's purse with the balance before and after."""
        statement = read_company_statement(request.actor.company, **_where(request))
        return _page(request, statement, CompanyLineAnswer)
