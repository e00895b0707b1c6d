"""``calls/authorize``, ``settle``, ``release``: calls in progress.

Its one rule: what a call says of itself is judged as in ``calls``, with the same codes; only a body
of another shape is refused.
"""

from typing import Any, ClassVar

from drf_spectacular.utils import OpenApiExample, extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.response import Response

from credit.api.calls import CallAnswer
from credit.holds import authorize_call, release_hold, settle_call
from members.api.authentication import ApiRequest
from members.api.base import Door
from members.api.permissions import PHONE_SYSTEMS
from members.api.schema import refusal
from members.models import ApiToken
from skypemgr.lib.rest import StrictSerializer


@extend_schema_field({})
class RawField(serializers.Field[Any, Any, Any, Any]):
    """A value passed on as it came; None when it is absent. The call is judged, not the body."""

    def __init__(self) -> None:
        super().__init__(required=False, allow_null=True, default=None)

    def to_internal_value(self, data: Any) -> Any:
        """The value itself."""
        return data


class AuthorizeWish(StrictSerializer):
    """A call about to start."""

    source = RawField()  # type: ignore[assignment]
    id = RawField()
    member = RawField()
    destination = RawField()


class SettleWish(StrictSerializer):
    """A call that has ended."""

    started_at = RawField()
    duration_seconds = RawField()


class AuthorizeForm(serializers.Serializer[Any]):
    """A call about to start, for the description."""

    source = serializers.CharField(  # type: ignore[assignment]
        help_text="The phone system; without a colon."
    )
    id = serializers.CharField(help_text="The call's id there; without a colon.")
    member = serializers.CharField(help_text="An id (number) or, as a string, a user name.")
    destination = serializers.CharField(help_text="The number to call, E.164, or an emergency one.")


class SettleForm(serializers.Serializer[Any]):
    """A call that has ended, for the description."""

    started_at = serializers.DateTimeField()
    duration_seconds = serializers.IntegerField()


class AuthorizeAnswer(serializers.Serializer[Any]):
    """Whether the call may start, and for how long."""

    allowed = serializers.BooleanField()
    code = serializers.CharField(help_text="Why it may not; empty if it may.")
    hold = serializers.IntegerField(
        source="hold_id", allow_null=True, help_text="Names the call for settle and release."
    )
    max_seconds = serializers.IntegerField(help_text="End the call after so many seconds.")


class ReleaseAnswer(serializers.Serializer[Any]):
    """Whether the credit was given back now; false if the call had ended already."""

    released = serializers.BooleanField()


class PhoneDoor(Door):
    """What a phone system may open: a company token, or an administrator's with ``calls``."""

    scopes: ClassVar[dict[str, str]] = {"POST": ApiToken.Scope.CALLS}
    roles: ClassVar[dict[str, tuple[str, ...]]] = {"POST": PHONE_SYSTEMS}


class AuthorizeDoor(PhoneDoor):
    """Calls about to start."""

    @extend_schema(
        operation_id="calls_authorize",
        request=AuthorizeForm,
        responses={200: AuthorizeAnswer, 422: refusal(422, "invalid", "unknown_field")},
        examples=[
            OpenApiExample(
                "A call",
                value={
                    "source": "pbx",
                    "id": "2026-0002",
                    "member": "bob.martin",
                    "destination": "+33142278900",
                },
                request_only=True,
            )
        ],
    )
    def post(self, request: ApiRequest) -> Response:
        """Sets credit aside for the longest call that can be paid; asked again, answers the same.

        A call that may not start has a `code`: `unknown_member`, `malformed_number`, `no_rate`,
        `member_suspended`, `not_enough_credit`, `call_conflict`, `missing_id`. Emergency numbers
        are never refused.
        """
        body = AuthorizeWish(data=request.data)
        body.is_valid(raise_exception=True)
        answer = authorize_call(request.actor.company, **body.validated_data)
        return Response(AuthorizeAnswer(answer).data)


class SettleDoor(PhoneDoor):
    """Authorised calls that have ended."""

    @extend_schema(
        operation_id="calls_settle",
        request=SettleForm,
        responses={200: CallAnswer, 422: refusal(422, "invalid", "unknown_field")},
        examples=[
            OpenApiExample(
                "Two minutes",
                value={"started_at": "2026-11-03T09:15:00+01:00", "duration_seconds": 120},
                request_only=True,
            )
        ],
    )
    def post(self, request: ApiRequest, hold_id: str) -> Response:
        """Charges the call as one row of `calls`: from what was set aside, then from the balance.

        Late or repeated it is charged once. A refused one has a `code`: `invalid_date`,
        `invalid_duration`, `in_future`, `no_rate`, `call_conflict`; the credit stays set aside.
        """
        body = SettleWish(data=request.data)
        body.is_valid(raise_exception=True)
        result = settle_call(request.actor.company, int(hold_id), **body.validated_data)
        return Response(CallAnswer(result).data)


class ReleaseDoor(PhoneDoor):
    """Authorised calls that did not take place."""

    @extend_schema(operation_id="calls_release", request=None, responses=ReleaseAnswer)
    def post(self, request: ApiRequest, hold_id: str) -> Response:
        """Gives back what was set aside; a call that ended already is left as it is."""
        released = release_hold(request.actor.company, int(hold_id))
        return Response(ReleaseAnswer({"released": released}).data)
