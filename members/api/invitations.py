"""``invitations``: people asked to join. Its one rule: a link is answered once, by the
door that makes it, and nowhere else."""

from typing import Any, ClassVar

from django.conf import settings
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.response import Response

from members.api.authentication import ApiRequest
from members.api.base import Door
from members.api.lists import list_of_body
from members.api.permissions import ADMINISTRATORS
from members.api.schema import page_of, refusal
from members.invitation_upkeep import (
    make_link,
    resend_invitation,
    resend_invitations,
    revoke_invitation,
    revoke_invitations,
)
from members.invitations import invite_members
from members.models import Invitation
from members.models.people import Role
from members.verdicts import MAX_ENTRIES, VerdictCode
from skypemgr.lib.errors import NotFound
from skypemgr.lib.paging import CursorPagination
from skypemgr.lib.periods import utc_now
from skypemgr.lib.rest import BadRequest, IdField, StrictSerializer, require_text

STATUSES = (*Invitation.Status.values, "expired")


class InvitationsWish(StrictSerializer):
    """People to invite, by e-mail address, user name or phone number."""

    way = serializers.ChoiceField(choices=Invitation.Way.choices, default=Invitation.Way.EMAIL)
    addresses = serializers.ListField(
        child=serializers.CharField(max_length=320), min_length=1, max_length=MAX_ENTRIES
    )
    list = IdField(required=False, allow_null=True, default=None)
    role = serializers.ChoiceField(choices=Role.choices, default=Role.MEMBER)
    language = serializers.ChoiceField(
        choices=settings.LANGUAGES, required=False, allow_null=True, default=None
    )


class InvitationAnswer(serializers.Serializer[Any]):
    """An invitation."""

    id = serializers.IntegerField()
    way = serializers.ChoiceField(choices=Invitation.Way.choices)
    address = serializers.CharField()
    list = serializers.IntegerField(source="list_id", allow_null=True)
    role = serializers.ChoiceField(choices=Role.choices)
    status = serializers.SerializerMethodField()
    member = serializers.IntegerField(
        source="member_id", allow_null=True, help_text="Who accepted it."
    )
    created_at = serializers.DateTimeField()
    expires_at = serializers.DateTimeField()

    def get_status(self, invitation: Invitation) -> str:
        """pending, accepted, declined, revoked or expired."""
        return "expired" if invitation.is_expired else invitation.status


class ChosenInvitations(StrictSerializer):
    """Several invitations."""

    invitations = serializers.ListField(
        child=IdField(), min_length=1, max_length=MAX_ENTRIES, help_text="Their ids."
    )


class ChangedAnswer(serializers.Serializer[Any]):
    """How many changed; those answered or revoked before did not."""

    changed = serializers.IntegerField(source="count")
    answered = serializers.IntegerField(source="answered_count")


class LinkAnswer(serializers.Serializer[Any]):
    """A link that is told this once."""

    invitation = InvitationAnswer()
    url = serializers.URLField()


class RefusedEntry(serializers.Serializer[Any]):
    """An entry that is not invited."""

    entry = serializers.CharField()
    code = serializers.ChoiceField(choices=VerdictCode.choices)
    detail = serializers.CharField(source="code.label")


class InvitedAnswer(serializers.Serializer[Any]):
    """Who is invited, and which entries are not."""

    invitations = InvitationAnswer(many=True)
    refused = RefusedEntry(many=True)


class InvitationsDoor(Door):
    """The company's invitations."""

    roles: ClassVar[dict[str, tuple[str, ...]]] = {"GET": ADMINISTRATORS}
    newest_first = True

    @extend_schema(
        operation_id="invitations_list",
        responses=page_of(InvitationAnswer),
        parameters=[OpenApiParameter("status", str, enum=STATUSES), *CursorPagination.parameters],
    )
    def get(self, request: ApiRequest) -> Response:
        """All invitations, newest first; expired and answered ones too."""
        paginator = CursorPagination()
        found = _of_status(
            Invitation.objects.filter(company=request.actor.company),
            require_text(request, "status"),
        )
        rows = paginator.paginate_queryset(found, request, self)
        return paginator.get_paginated_response(InvitationAnswer(rows, many=True).data)

    @extend_schema(
        request=InvitationsWish,
        responses={
            201: InvitedAnswer,
            422: refusal(
                422, "nobody_to_invite", "unknown_list", "company_frozen", "company_closed"
            ),
        },
        examples=[
            OpenApiExample(
                "Two people",
                value={"addresses": ["bob@acme.example", "zoe@acme.example"], "list": 3},
                request_only=True,
            )
        ],
    )
    def post(self, request: ApiRequest) -> Response:
        """Invites everybody who can be invited, for 30 days; tells which entries cannot."""
        body = InvitationsWish(data=request.data)
        body.is_valid(raise_exception=True)
        wish = dict(body.validated_data)
        chosen = list_of_body(request.actor, wish.pop("list"))
        invited = invite_members(actor=request.actor, list_id=chosen.pk if chosen else None, **wish)
        return Response(InvitedAnswer(invited).data, status=201)


class InvitationDoor(Door):
    """One invitation."""

    roles: ClassVar[dict[str, tuple[str, ...]]] = {"GET": ADMINISTRATORS}

    @extend_schema(operation_id="invitations_get", responses=InvitationAnswer)
    def get(self, request: ApiRequest, invitation_id: str) -> Response:
        """The invitation."""
        return Response(InvitationAnswer(_find(request, invitation_id)).data)

    @extend_schema(
        operation_id="invitations_revoke",
        responses={204: None, 410: refusal(410, "invitation_accepted", "invitation_revoked")},
    )
    def delete(self, request: ApiRequest, invitation_id: str) -> Response:
        """Revokes the pending invitation: its link is worth nothing any more."""
        revoke_invitation(actor=request.actor, invitation=_find(request, invitation_id))
        return Response(status=204)


class ResendDoor(Door):
    """Sends one invitation again."""

    @extend_schema(
        operation_id="invitations_resend",
        request=None,
        responses={
            200: InvitationAnswer,
            410: refusal(410, "invitation_accepted", "invitation_declined", "invitation_revoked"),
        },
    )
    def post(self, request: ApiRequest, invitation_id: str) -> Response:
        """Sends a new link that works for 30 days; the one before stops working."""
        found = _find(request, invitation_id)
        return Response(
            InvitationAnswer(resend_invitation(actor=request.actor, invitation=found)).data
        )


class LinkDoor(Door):
    """Makes a link to hand over."""

    @extend_schema(
        operation_id="invitations_link",
        request=None,
        responses={
            201: LinkAnswer,
            410: refusal(410, "invitation_accepted", "invitation_declined", "invitation_revoked"),
        },
    )
    def post(self, request: ApiRequest, invitation_id: str) -> Response:
        """Makes a new link without sending it and tells it this once; the one before stops
        working. It opens only to an account that owns the invited address, name or number.
        """
        found = _find(request, invitation_id)
        invitation, url = make_link(actor=request.actor, invitation=found)
        return Response(LinkAnswer({"invitation": invitation, "url": url}).data, status=201)


class ResendManyDoor(Door):
    """Sends several invitations again."""

    @extend_schema(
        operation_id="invitations_resend_many",
        request=ChosenInvitations,
        responses={200: ChangedAnswer, 422: refusal(422, "company_frozen", "company_closed")},
    )
    def post(self, request: ApiRequest) -> Response:
        """Sends new links to those that wait, expired ones too."""
        ids = _chosen(request)
        changed = resend_invitations(actor=request.actor, invitation_ids=ids)
        return Response(ChangedAnswer(changed).data)


class RevokeManyDoor(Door):
    """Revokes several invitations."""

    @extend_schema(
        operation_id="invitations_revoke_many",
        request=ChosenInvitations,
        responses=ChangedAnswer,
    )
    def post(self, request: ApiRequest) -> Response:
        """Revokes those that wait: their links are worth nothing any more."""
        ids = _chosen(request)
        changed = revoke_invitations(actor=request.actor, invitation_ids=ids)
        return Response(ChangedAnswer(changed).data)


def _chosen(request: ApiRequest) -> list[int]:
    body = ChosenInvitations(data=request.data)
    body.is_valid(raise_exception=True)
    return list(body.validated_data["invitations"])


def _of_status(found: QuerySet[Invitation], status: str) -> QuerySet[Invitation]:
    if status not in ("", *STATUSES):
        raise BadRequest(_("Choose a status from the list."), code="invalid", field="status")
    if status == "expired":
        return found.filter(status=Invitation.Status.PENDING, expires_at__lte=utc_now())
    if status == Invitation.Status.PENDING:
        return found.filter(status=status, expires_at__gt=utc_now())
    return found.filter(status=status) if status else found


def _find(request: ApiRequest, invitation_id: str) -> Invitation:
    found = Invitation.objects.filter(company=request.actor.company, pk=int(invitation_id)).first()
    if found is None:
        raise NotFound(_("There is no such invitation in your company."))
    return found
