"""``voicemail``, ``call-forwarding`` and ``caller-id`` of members. Their one rule: a body says all
that is set; what it does not say is as in a new one.
"""

from abc import ABC, abstractmethod
from typing import Any, ClassVar

from drf_spectacular.utils import OpenApiExample, extend_schema, extend_schema_view
from rest_framework import serializers
from rest_framework.response import Response

from billing.features.phones import Phone, Target, VoicemailTerms
from billing.features.settings import (
    LONGEST_TEXT,
    read_settings,
    set_caller_id,
    set_forwarding,
    set_voicemail,
)
from billing.models import MOST_SECONDS, MOST_TARGETS, PhoneSettings
from credit.api.members import own_member
from members.api.authentication import ApiRequest
from members.api.base import Door
from members.api.permissions import ADMINISTRATORS, EVERYBODY
from members.api.schema import refusal
from skypemgr.lib.rest import StrictSerializer

OWN: dict[str, tuple[str, ...]] = {"GET": EVERYBODY, "PUT": EVERYBODY}
ACTIVE = "Whether it is in effect: chosen, and the member has the feature."


class VoicemailWish(StrictSerializer):
    """How voicemail answers."""

    is_on = serializers.BooleanField()
    answer_after_seconds = serializers.IntegerField(min_value=0, max_value=MOST_SECONDS, default=20)
    greeting = serializers.ChoiceField(
        choices=PhoneSettings.Greeting.choices, default=PhoneSettings.Greeting.STANDARD
    )
    greeting_language = serializers.ChoiceField(choices=PhoneSettings.Language.choices)
    greeting_text = serializers.CharField(
        max_length=LONGEST_TEXT, allow_blank=True, default="", help_text="Read out with `text`."
    )
    email = serializers.CharField(
        max_length=254, allow_blank=True, default="", help_text="Told of messages; empty: nobody."
    )


class TargetWish(StrictSerializer):
    """A number, and for how many seconds it rings elsewhere before."""

    number = serializers.CharField(max_length=40, help_text="E.164, or as dialled in the country.")
    delay_seconds = serializers.IntegerField(min_value=0, max_value=MOST_SECONDS)


class ForwardingWish(StrictSerializer):
    """Where calls go, in order; nowhere if empty."""

    targets = serializers.ListField(child=TargetWish(), max_length=MOST_TARGETS)


class CallerIdWish(StrictSerializer):
    """One of the member's own numbers (E.164), or null for none."""

    number = serializers.CharField(max_length=16, allow_null=True)


class VoicemailAnswer(serializers.Serializer[Any]):
    """How voicemail answers."""

    is_active = serializers.BooleanField(help_text=ACTIVE)
    is_on = serializers.BooleanField()
    answer_after_seconds = serializers.IntegerField()
    greeting = serializers.ChoiceField(choices=PhoneSettings.Greeting.choices)
    greeting_language = serializers.ChoiceField(choices=PhoneSettings.Language.choices)
    greeting_text = serializers.CharField()
    email = serializers.CharField()


class TargetAnswer(serializers.Serializer[Any]):
    """A number that rings when nobody answered for so many seconds where it rang before."""

    number = serializers.CharField(help_text="E.164.")
    delay_seconds = serializers.IntegerField()


class ForwardingAnswer(serializers.Serializer[Any]):
    """Where calls go, in order."""

    is_active = serializers.BooleanField(help_text=ACTIVE)
    targets = TargetAnswer(many=True)


class CallerIdAnswer(serializers.Serializer[Any]):
    """The number that those see whom the member calls."""

    is_active = serializers.BooleanField(help_text=ACTIVE)
    number = serializers.CharField(allow_null=True)


def answer_voicemail(phone: Phone) -> dict[str, Any]:
    """Voicemail as every endpoint answers it."""
    terms = phone.voicemail
    values = {
        "is_active": phone.voicemail_is_active,
        "is_on": terms.is_on,
        "answer_after_seconds": terms.answer_after_seconds,
        "greeting": terms.greeting,
        "greeting_language": terms.greeting_language,
        "greeting_text": terms.greeting_text,
        "email": terms.email,
    }
    return dict(VoicemailAnswer(values).data)


def answer_forwarding(phone: Phone) -> dict[str, Any]:
    """Forwarding as every endpoint answers it."""
    values = {"is_active": phone.forwarding_is_active, "targets": phone.targets}
    return dict(ForwardingAnswer(values).data)


def answer_caller_id(phone: Phone) -> dict[str, Any]:
    """The caller ID as every endpoint answers it."""
    values = {"is_active": phone.caller_id_is_active, "number": phone.caller_id}
    return dict(CallerIdAnswer(values).data)


class SettingsDoor(Door, ABC):
    """One kind of settings, of a member of the company or, without ``member_id``, of the caller."""

    roles: ClassVar[dict[str, tuple[str, ...]]] = {"GET": ADMINISTRATORS}

    def get(self, request: ApiRequest, member_id: str = "") -> Response:
        """How it is set."""
        phone = read_settings(actor=request.actor, member_id=self._id(request, member_id))
        return Response(self.answer(phone))

    def put(self, request: ApiRequest, member_id: str = "") -> Response:
        """It is set like this from now on; phone systems hear of it at their next look."""
        return Response(self.answer(self.save(request, self._id(request, member_id))))

    @abstractmethod
    def answer(self, phone: Phone) -> dict[str, Any]:
        """The part of the phone that this door shows."""

    @abstractmethod
    def save(self, request: ApiRequest, member_id: int) -> Phone:
        """The member's phone, set as the body says."""

    def _id(self, request: ApiRequest, member_id: str) -> int:
        return int(member_id) if member_id else own_member(request).pk


@extend_schema_view(
    get=extend_schema(responses=VoicemailAnswer),
    put=extend_schema(
        request=VoicemailWish,
        responses={
            200: VoicemailAnswer,
            422: refusal(422, "feature_missing", "invalid_text", "invalid_email"),
        },
        examples=[
            OpenApiExample(
                "A greeting with the name",
                value={
                    "is_on": True,
                    "answer_after_seconds": 25,
                    "greeting": "name",
                    "greeting_language": "fr",
                    "email": "bob@acme.example",
                },
                request_only=True,
            )
        ],
    ),
)
class VoicemailDoor(SettingsDoor):
    """A member's voicemail."""

    def answer(self, phone: Phone) -> dict[str, Any]:
        """Voicemail alone."""
        return answer_voicemail(phone)

    def save(self, request: ApiRequest, member_id: int) -> Phone:
        """Voicemail answers as the body says, or not."""
        body = VoicemailWish(data=request.data)
        body.is_valid(raise_exception=True)
        terms = VoicemailTerms(**body.validated_data)
        return set_voicemail(actor=request.actor, member_id=member_id, terms=terms)


@extend_schema_view(
    get=extend_schema(responses=ForwardingAnswer),
    put=extend_schema(
        request=ForwardingWish,
        responses={
            200: ForwardingAnswer,
            422: refusal(
                422,
                "feature_missing",
                "malformed_number",
                "emergency_number",
                "premium_number",
                "no_rate",
                "own_number",
                "duplicate_number",
                "number_not_in_use",
                "forwarding_loop",
            ),
        },
        examples=[
            OpenApiExample(
                "A mobile, then a colleague",
                value={
                    "targets": [
                        {"number": "+33612345678", "delay_seconds": 15},
                        {"number": "+33142278900", "delay_seconds": 20},
                    ]
                },
                request_only=True,
            )
        ],
    ),
)
class ForwardingDoor(SettingsDoor):
    """A member's call forwarding."""

    def answer(self, phone: Phone) -> dict[str, Any]:
        """Forwarding alone."""
        return answer_forwarding(phone)

    def save(self, request: ApiRequest, member_id: int) -> Phone:
        """Calls go where the body says, in order."""
        body = ForwardingWish(data=request.data)
        body.is_valid(raise_exception=True)
        targets = [Target(**each) for each in body.validated_data["targets"]]
        return set_forwarding(actor=request.actor, member_id=member_id, targets=targets)


@extend_schema_view(
    get=extend_schema(responses=CallerIdAnswer),
    put=extend_schema(
        request=CallerIdWish,
        responses={
            200: CallerIdAnswer,
            422: refusal(422, "feature_missing", "not_own_number"),
        },
        examples=[
            OpenApiExample("One's own number", value={"number": "+33180000000"}, request_only=True)
        ],
    ),
)
class CallerIdDoor(SettingsDoor):
    """The number that those see whom a member calls."""

    def answer(self, phone: Phone) -> dict[str, Any]:
        """The caller ID alone."""
        return answer_caller_id(phone)

    def save(self, request: ApiRequest, member_id: int) -> Phone:
        """The number that the body says is shown, or none."""
        body = CallerIdWish(data=request.data)
        body.is_valid(raise_exception=True)
        number = body.validated_data["number"] or ""
        return set_caller_id(actor=request.actor, member_id=member_id, number=number)


class OwnVoicemailDoor(VoicemailDoor):
    """The caller's own voicemail."""

    roles: ClassVar[dict[str, tuple[str, ...]]] = OWN


class OwnForwardingDoor(ForwardingDoor):
    """The caller's own call forwarding."""

    roles: ClassVar[dict[str, tuple[str, ...]]] = OWN


class OwnCallerIdDoor(CallerIdDoor):
    """The number that those see whom the caller calls."""

    roles: ClassVar[dict[str, tuple[str, ...]]] = OWN
