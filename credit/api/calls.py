"""``calls``: what phone systems report. Its one rule: each row is judged alone, in order. The
portal, which lists them at the same address, gives it its place.
"""

from typing import Any, ClassVar

from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.response import Response

from credit.call_rows import CallRow
from credit.calls import charge_calls
from members.api.authentication import ApiRequest
from members.api.base import Door
from members.api.permissions import PHONE_SYSTEMS
from members.api.schema import refusal
from members.models import ApiToken
from skypemgr.lib.rest import AmountSerializerField, StrictSerializer

MAX_ROWS = 10_000
STATUSES = ("charged", "already_there", "refused")


class CallsWish(StrictSerializer):
    """Up to 10,000 calls. A row's fields are judged by the row, so they are passed on raw."""

    calls = serializers.ListField(child=serializers.DictField(), max_length=MAX_ROWS)


class CallRowForm(serializers.Serializer[Any]):
    """One call, for the description. Other fields are ignored."""

    source = serializers.CharField(  # type: ignore[assignment]
        help_text="The phone system; without a colon."
    )
    id = serializers.CharField(help_text="The call's id there; without a colon.")
    member = serializers.CharField(help_text="An id (number) or, as a string, a user name.")
    destination = serializers.CharField(help_text="The called number, E.164 or national.")
    started_at = serializers.DateTimeField()
    duration_seconds = serializers.IntegerField()


class CallsForm(serializers.Serializer[Any]):
    """Up to 10,000 calls, for the description."""

    calls = CallRowForm(many=True)


class CallAnswer(serializers.Serializer[Any]):
    """What became of one row. Amounts in the company's currency."""

    source = serializers.CharField()  # type: ignore[assignment]
    id = serializers.CharField()
    status = serializers.ChoiceField(choices=STATUSES)
    price = AmountSerializerField()
    collected = AmountSerializerField()
    uncollected = AmountSerializerField()
    code = serializers.CharField(help_text="Why it was refused; empty if it was not.")


class CallsAnswer(serializers.Serializer[Any]):
    """One result a row, in the order of the rows."""

    results = CallAnswer(many=True)


EXAMPLE = OpenApiExample(
    "One call",
    value={
        "calls": [
            {
                "source": "pbx",
                "id": "2026-0001",
                "member": "bob.martin",
                "destination": "+33142278900",
                "started_at": "2026-11-03T09:15:00+01:00",
                "duration_seconds": 125,
            }
        ]
    },
    request_only=True,
)


class CallsDoor(Door):
    """Finished calls."""

    scopes: ClassVar[dict[str, str]] = {"POST": ApiToken.Scope.CALLS}
    roles: ClassVar[dict[str, tuple[str, ...]]] = {"POST": PHONE_SYSTEMS}

    @extend_schema(
        request=CallsForm,
        responses={200: CallsAnswer, 422: refusal(422, "required", "max_length")},
        examples=[EXAMPLE],
    )
    def post(self, request: ApiRequest) -> Response:
        """Charges each call once; (source, id) is the key, so a repetition changes nothing.

        A refused row has a `code`: `unknown_member`, `malformed_number`, `invalid_date`,
        `invalid_duration`, `no_rate`, `in_future`, `call_conflict`, `missing_id`.
        """
        body = CallsWish(data=request.data)
        body.is_valid(raise_exception=True)
        rows = [_row(row) for row in body.initial_data["calls"]]
        results = charge_calls(request.actor.company, rows)
        return Response({"results": CallAnswer(results, many=True).data})


def _row(row: dict[str, Any]) -> CallRow:
    return CallRow(
        source=row.get("source"),
        id=row.get("id"),
        member=row.get("member"),
        destination=row.get("destination"),
        started_at=row.get("started_at"),
        duration_seconds=row.get("duration_seconds"),
    )
