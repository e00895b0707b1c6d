"""``members`` and ``me``: people with their balances. Its one rule: amounts come from one query."""

from typing import Any, ClassVar

from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.response import Response

from credit.accounts import Balance, balances
from credit.api.member_filters import FILTERS, read_filters
from credit.member_filters import filtered_members
from members.access import find_member
from members.api.authentication import ApiRequest
from members.api.base import Door
from members.api.lists import list_of_body
from members.api.permissions import EVERYBODY
from members.api.schema import page_of, refusal
from members.call_details import set_consent
from members.details import update_member
from members.joining import create_member
from members.models import Member
from members.models.people import Role
from members.profile import update_profile
from skypemgr.lib.errors import NotFound
from skypemgr.lib.paging import CursorPagination
from skypemgr.lib.periods import utc_now
from skypemgr.lib.rest import AmountSerializerField, IdField, StrictSerializer


class MemberAnswer(serializers.Serializer[Any]):
    """A member with the balance; amounts in the company's currency."""

    id = serializers.IntegerField()
    name = serializers.CharField()
    email = serializers.EmailField(source="sign_in_email", help_text="Empty for who is gone.")
    username = serializers.CharField(source="sign_in_name", allow_null=True)
    role = serializers.ChoiceField(choices=Role.choices)
    status = serializers.ChoiceField(choices=Member.Status.choices)
    list = serializers.IntegerField(source="list_id", allow_null=True)
    job_title = serializers.CharField()
    work_email = serializers.CharField()
    work_phone = serializers.CharField()
    cost_centre = serializers.CharField()
    joined_at = serializers.DateTimeField()
    balance = serializers.SerializerMethodField()
    available = serializers.SerializerMethodField()

    def get_balance(self, member: Member) -> str:
        """What the purse holds."""
        return AmountSerializerField().to_representation(self._purse(member).balance)

    def get_available(self, member: Member) -> str:
        """The balance without what calls in progress hold."""
        return AmountSerializerField().to_representation(self._purse(member).available)

    def _purse(self, member: Member) -> Balance:
        found: dict[int, Balance] = self.context["balances"]
        return found[member.pk]


class OwnAnswer(MemberAnswer):
    """The caller, with the company's name and currency."""

    company = serializers.CharField(source="company.name")
    currency = serializers.CharField(source="company.currency")
    language = serializers.CharField(source="user.language")
    time_zone = serializers.CharField(source="user.time_zone")
    call_details_consent_at = serializers.DateTimeField(allow_null=True)


class OwnChange(StrictSerializer):
    """What everybody may change of themselves; an empty language or zone: as the company."""

    name = serializers.CharField(max_length=150, required=False)
    language = serializers.CharField(max_length=5, required=False, allow_blank=True)
    time_zone = serializers.CharField(max_length=64, required=False, allow_blank=True)
    call_details_consent = serializers.BooleanField(required=False)


class NewMember(StrictSerializer):
    """A person to create; the mail to set a password goes out at once."""

    email = serializers.CharField(max_length=254)
    name = serializers.CharField(max_length=150)
    username = serializers.CharField(max_length=64, required=False, allow_null=True, default=None)
    phone = serializers.CharField(max_length=32, required=False, allow_null=True, default=None)
    list = IdField(required=False, allow_null=True, default=None)
    role = serializers.ChoiceField(choices=Role.choices, default=Role.MEMBER)


class MemberChange(StrictSerializer):
    """What an administrator may change of a member; never the sign-in address."""

    name = serializers.CharField(max_length=150, required=False)
    role = serializers.ChoiceField(choices=Role.choices, required=False)
    list = IdField(required=False, allow_null=True)
    job_title = serializers.CharField(max_length=100, required=False, allow_blank=True)
    work_email = serializers.CharField(max_length=254, required=False, allow_blank=True)
    work_phone = serializers.CharField(max_length=32, required=False, allow_blank=True)
    cost_centre = serializers.CharField(max_length=40, required=False, allow_blank=True)


def answer_member(member: Member, form: type[MemberAnswer] = MemberAnswer) -> dict[str, Any]:
    """The member as every endpoint answers it."""
    context = {"balances": balances(member.company_id, [member.pk])}
    return dict(form(member, context=context).data)


NEW_EXAMPLE = OpenApiExample(
    "An employee",
    value={"email": "bob@acme.example", "name": "Bob Martin", "username": "bob.martin", "list": 3},
    request_only=True,
)
REFUSED_PERSON = refusal(
    422,
    "duplicate_email",
    "duplicate_phone",
    "invite_instead",
    "username_not_available",
    "unknown_list",
    "invalid",
)


class MembersDoor(Door):
    """The company's people."""

    @extend_schema(
        operation_id="members_list",
        responses=page_of(MemberAnswer),
        parameters=[
            *FILTERS,
            *CursorPagination.parameters,
        ],
    )
    def get(self, request: ApiRequest) -> Response:
        """Members with balances, in the order in which they joined."""
        paginator = CursorPagination()
        rows = paginator.paginate_queryset(_wanted(request), request, self)
        context = {"balances": balances(request.actor.company.pk, [row.pk for row in rows])}
        return paginator.get_paginated_response(MemberAnswer(rows, many=True, context=context).data)

    @extend_schema(
        request=NewMember,
        responses={201: MemberAnswer, 422: REFUSED_PERSON},
        examples=[NEW_EXAMPLE],
    )
    def post(self, request: ApiRequest) -> Response:
        """Creates a login with a place in the company and mails a link to set a password."""
        body = NewMember(data=request.data)
        body.is_valid(raise_exception=True)
        wish = dict(body.validated_data)
        wish["list"] = list_of_body(request.actor, wish["list"])
        member = create_member(actor=request.actor, **wish)
        return Response(answer_member(member), status=201)


class MemberDoor(Door):
    """One member."""

    @extend_schema(operation_id="members_get", responses=MemberAnswer)
    def get(self, request: ApiRequest, member_id: str) -> Response:
        """The member with the balance."""
        return Response(answer_member(find_member(request.actor, int(member_id))))

    @extend_schema(
        request=MemberChange,
        responses={200: MemberAnswer, 422: refusal(422, "unknown_list", "last_administrator")},
        examples=[OpenApiExample("Another list", value={"list": 4}, request_only=True)],
    )
    def patch(self, request: ApiRequest, member_id: str) -> Response:
        """Changes the named fields; nothing is changed if one is refused."""
        member = find_member(request.actor, int(member_id))
        body = MemberChange(data=request.data)
        body.is_valid(raise_exception=True)
        fields = dict(body.validated_data)
        if "list" in fields:
            fields["list"] = list_of_body(request.actor, fields["list"])
        changed = update_member(actor=request.actor, member=member, **fields)
        return Response(answer_member(changed))


class OwnDoor(Door):
    """The caller."""

    roles: ClassVar[dict[str, tuple[str, ...]]] = {"GET": EVERYBODY, "PATCH": EVERYBODY}

    @extend_schema(operation_id="me_get", responses=OwnAnswer)
    def get(self, request: ApiRequest) -> Response:
        """The caller's own place in the company, with the balance."""
        return Response(answer_member(own_member(request), OwnAnswer))

    @extend_schema(
        operation_id="me_change",
        request=OwnChange,
        responses={200: OwnAnswer, 422: refusal(422, "invalid")},
        examples=[OpenApiExample("Language", value={"language": "fr"}, request_only=True)],
    )
    def patch(self, request: ApiRequest) -> Response:
        """Changes the caller's own name, language, time zone or consent to call details."""
        body = OwnChange(data=request.data)
        body.is_valid(raise_exception=True)
        fields = dict(body.validated_data)
        consents = fields.pop("call_details_consent", None)
        with transaction.atomic():
            changed = update_profile(actor=request.actor, **fields)
            if consents is not None:
                changed = set_consent(actor=request.actor, consents=consents)
        return Response(answer_member(changed, OwnAnswer))


def own_member(request: ApiRequest) -> Member:
    """The member whose token it is; NotFound for a token of the company."""
    if request.actor.member is None:
        raise NotFound(_("A token of the company is nobody's."))
    return request.actor.member


def _wanted(request: ApiRequest) -> QuerySet[Member]:
    today = request.actor.company.day_at(utc_now())
    filters = read_filters(request)
    found = filtered_members(request.actor.company, filters, today=today)
    return found.select_related("user")
