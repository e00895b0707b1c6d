"""``subscriptions``, ``members/{id}/features``, ``me/features``: given, changed and ended.

Its one rule: giving happens once for each key; everything else asked twice changes nothing twice.
"""

from typing import Any, ClassVar

from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema
from rest_framework.response import Response

from billing.api.feature_shapes import (
    CancelledAnswer,
    ChosenFeatures,
    GivenAnswer,
    KindsWish,
    MemberFeaturesAnswer,
    OwnFeaturesAnswer,
    ReceiverWish,
    SubscriptionAnswer,
    SubscriptionWish,
    TermsWish,
    answer_feature,
    answer_features,
    answer_own_features,
    kinds_of,
    with_people,
)
from billing.errors import FeatureRefused
from billing.features.changing import (
    allow_kinds,
    cancel_feature,
    cancel_features,
    change_feature,
    find_feature,
    undo_cancel,
)
from billing.features.giving import Wish, give_feature
from billing.features.numbers import reallocate_number
from billing.features.prices import find_plan
from billing.models import FeatureKind, Subscription
from credit.api.allocations import read_recipients
from credit.api.members import own_member
from credit.errors import NobodyChosen, UnknownMember
from credit.requests import OutsideKey
from members.access import find_member
from members.api.authentication import ApiRequest
from members.api.base import Door
from members.api.lists import list_of_body
from members.api.permissions import EVERYBODY
from members.api.schema import IDEMPOTENCY_KEY, page_of, refusal
from skypemgr.lib.errors import NotFound, ProductError
from skypemgr.lib.paging import CursorPagination
from skypemgr.lib.periods import utc_now
from skypemgr.lib.rest import (
    MAX_ID,
    BadRequest,
    require_idempotency_key,
    require_text,
)

FILTERS = (
    OpenApiParameter("member", int, description="Of one member only."),
    OpenApiParameter("kind", str, enum=FeatureKind.values, description="Of one kind only."),
    OpenApiParameter("status", str, enum=Subscription.Status.values),
)
ENDED = ("feature_ended",)
PLAN_REFUSALS = ("unknown_plan", "plan_withdrawn", "no_price_in_currency")
CLOSED = ("company_frozen", "company_closed")


class SubscriptionsDoor(Door):
    """Features given to members."""

    newest_first = True

    @extend_schema(
        operation_id="subscriptions_list",
        responses=page_of(SubscriptionAnswer),
        parameters=[*FILTERS, *CursorPagination.parameters],
    )
    def get(self, request: ApiRequest) -> Response:
        """All of them, ended ones too, newest first."""
        company = request.actor.company
        found = with_people(Subscription.objects.filter(company=company))
        kind = require_text(request, "kind")
        status = require_text(request, "status")
        for name, value, known in (
            ("kind", kind, FeatureKind.values),
            ("status", status, Subscription.Status.values),
        ):
            if value and value not in known:
                raise BadRequest(_("Choose one of the values."), code="invalid", field=name)
            if value:
                found = found.filter(**{name: value})
        member = require_text(request, "member")
        if member:
            found = found.filter(member=find_member(request.actor, _read_id(member)))
        paginator = CursorPagination()
        rows = paginator.paginate_queryset(found, request, self)
        return paginator.get_paginated_response(answer_features(company, rows))

    @extend_schema(
        request=SubscriptionWish,
        parameters=[IDEMPOTENCY_KEY],
        responses={
            201: GivenAnswer,
            400: refusal(400, "idempotency_key_required", "invalid_idempotency_key"),
            409: refusal(409, "idempotency_conflict"),
            422: refusal(
                422,
                *PLAN_REFUSALS,
                "not_enough_credit",
                "feature_not_allowed",
                "feature_already_there",
                "numbers_missing",
                "number_of_other_country",
                "number_not_reserved",
                "residence_not_accepted",
                "too_many_members",
                "unknown_member",
                "unknown_list",
                "member_gone",
                "nobody_chosen",
                *CLOSED,
            ),
        },
        examples=[
            OpenApiExample(
                "Two members",
                value={"members": [12, 15], "plan": "france-400", "months": 3},
                request_only=True,
            ),
            OpenApiExample(
                "A reserved number",
                value={
                    "member": 12,
                    "plan": "number-fr",
                    "months": 12,
                    "numbers": [7],
                    "residence_accepted": True,
                },
                request_only=True,
            ),
        ],
    )
    def post(self, request: ApiRequest) -> Response:
        """Gives the feature to each, paid at once from the company's credit: all or nothing. With
        too little credit, `missing` says how much.
        """
        key = require_idempotency_key(request)
        body = SubscriptionWish(data=request.data)
        body.is_valid(raise_exception=True)
        wish = body.validated_data
        try:
            given = give_feature(
                actor=request.actor,
                wish=Wish(
                    plan=find_plan(wish["plan"]),
                    months=wish["months"],
                    recipients=read_recipients(wish),
                    numbers=tuple(wish.get("numbers", ())),
                    accepts_residence=wish["residence_accepted"],
                ),
                request=OutsideKey.of_api(key, "POST", "subscriptions", request.data),
            )
        except UnknownMember as error:
            error.field = "member" if "member" in wish else "members"
            raise
        except NobodyChosen:
            # A list of another company, or none at all, looks empty to the verb.
            list_of_body(request.actor, wish.get("list"))
            raise
        return Response(GivenAnswer(given).data, status=201)


class SubscriptionDoor(Door):
    """One feature."""

    @extend_schema(operation_id="subscriptions_get", responses=SubscriptionAnswer)
    def get(self, request: ApiRequest, subscription_id: str) -> Response:
        """The feature as it stands."""
        return Response(answer_feature(request, subscription_id))

    @extend_schema(
        operation_id="subscriptions_change",
        request=TermsWish,
        responses={
            200: SubscriptionAnswer,
            422: refusal(
                422,
                *ENDED,
                *PLAN_REFUSALS,
                "feature_cancelled",
                "other_kind",
                "other_country",
                *CLOSED,
            ),
        },
        examples=[
            OpenApiExample("Longer", value={"plan": "france-400", "months": 12}, request_only=True)
        ],
    )
    def patch(self, request: ApiRequest, subscription_id: str) -> Response:
        """From its next renewal on it has the plan and period; nothing is charged before."""
        find_feature(request.actor, int(subscription_id))
        body = TermsWish(data=request.data)
        body.is_valid(raise_exception=True)
        change_feature(
            actor=request.actor,
            subscription_id=int(subscription_id),
            plan=find_plan(body.validated_data["plan"]),
            months=body.validated_data["months"],
        )
        return Response(answer_feature(request, subscription_id))


class CancelDoor(Door):
    """Lets a feature run out."""

    @extend_schema(operation_id="subscriptions_cancel", request=None, responses=SubscriptionAnswer)
    def post(self, request: ApiRequest, subscription_id: str) -> Response:
        """Usable until `paid_until`, and nothing more is charged. Harmless when cancelled."""
        cancel_feature(actor=request.actor, subscription_id=int(subscription_id))
        return Response(answer_feature(request, subscription_id))


class UndoDoor(Door):
    """Takes a cancel back."""

    @extend_schema(
        operation_id="subscriptions_undo",
        request=None,
        responses={
            200: SubscriptionAnswer,
            422: refusal(
                422, *ENDED, "plan_withdrawn", "no_price_in_currency", "member_gone", *CLOSED
            ),
        },
    )
    def post(self, request: ApiRequest, subscription_id: str) -> Response:
        """It renews again, until its end. Harmless when it does."""
        undo_cancel(actor=request.actor, subscription_id=int(subscription_id))
        return Response(answer_feature(request, subscription_id))


class ReallocateDoor(Door):
    """Hands a number on."""

    @extend_schema(
        operation_id="subscriptions_reallocate",
        request=ReceiverWish,
        responses={
            200: SubscriptionAnswer,
            422: refusal(
                422,
                *ENDED,
                "not_a_number",
                "unknown_member",
                "member_gone",
                "feature_not_allowed",
                "residence_not_accepted",
                "forwarding_loop",
            ),
        },
        examples=[OpenApiExample("To member 15", value={"member": 15}, request_only=True)],
    )
    def post(self, request: ApiRequest, subscription_id: str) -> Response:
        """The number is the other member's, with what is paid of it; nothing is charged."""
        find_feature(request.actor, int(subscription_id))
        body = ReceiverWish(data=request.data)
        body.is_valid(raise_exception=True)
        try:
            find_member(request.actor, body.validated_data["member"])
        except NotFound as error:
            raise ProductError(str(error), field="member", code="unknown_member") from error
        reallocate_number(
            actor=request.actor,
            subscription_id=int(subscription_id),
            member_id=body.validated_data["member"],
            accepts_residence=body.validated_data["residence_accepted"],
        )
        return Response(answer_feature(request, subscription_id))


class CancelManyDoor(Door):
    """Lets several features run out."""

    @extend_schema(
        operation_id="subscriptions_cancel_many",
        request=ChosenFeatures,
        responses={200: CancelledAnswer, 422: refusal(422, "unknown_feature")},
        examples=[
            OpenApiExample("Two of them", value={"subscriptions": [7, 8]}, request_only=True)
        ],
    )
    def post(self, request: ApiRequest) -> Response:
        """All of them are cancelled, or none is."""
        body = ChosenFeatures(data=request.data)
        body.is_valid(raise_exception=True)
        try:
            done = cancel_features(
                actor=request.actor, subscription_ids=body.validated_data["subscriptions"]
            )
        except NotFound as error:
            raise FeatureRefused(
                str(error), field="subscriptions", code="unknown_feature"
            ) from error
        return Response(CancelledAnswer(done).data)


class MemberFeaturesDoor(Door):
    """A member's features."""

    @extend_schema(operation_id="member_features_get", responses=MemberFeaturesAnswer)
    def get(self, request: ApiRequest, member_id: str) -> Response:
        """What the member has now, and which kinds may be given."""
        return Response(self._answer(request, member_id))

    @extend_schema(
        operation_id="member_features_allow",
        request=KindsWish,
        responses=MemberFeaturesAnswer,
        examples=[
            OpenApiExample(
                "Two kinds",
                value={"allowed_kinds": ["subscription", "voicemail"]},
                request_only=True,
            )
        ],
    )
    def put(self, request: ApiRequest, member_id: str) -> Response:
        """The member may be given these kinds and no other; what is there stays."""
        member = find_member(request.actor, int(member_id))
        body = KindsWish(data=request.data)
        body.is_valid(raise_exception=True)
        kinds = body.validated_data["allowed_kinds"]
        allow_kinds(actor=request.actor, member_id=member.pk, kinds=kinds)
        return Response(self._answer(request, member_id))

    def _answer(self, request: ApiRequest, member_id: str) -> dict[str, Any]:
        member = find_member(request.actor, int(member_id))
        found = Subscription.objects.filter(
            company=member.company_id, member=member, status__in=Subscription.OPEN
        )
        return {
            "allowed_kinds": kinds_of(member),
            "subscriptions": answer_features(
                request.actor.company, list(with_people(found).order_by("pk"))
            ),
        }


class OwnFeaturesDoor(Door):
    """The caller's own features."""

    roles: ClassVar[dict[str, tuple[str, ...]]] = {"GET": EVERYBODY}

    @extend_schema(operation_id="me_features", responses=OwnFeaturesAnswer)
    def get(self, request: ApiRequest) -> Response:
        """What the caller has now, at most 200, with the included minutes of this month; no prices.

        Voicemail, call forwarding and caller ID are set at `me/voicemail`, `me/call-forwarding` and
        `me/caller-id`.
        """
        return Response(answer_own_features(own_member(request), now=utc_now()))


def _read_id(text: str) -> int:
    if not (text.isascii() and text.isdigit() and 0 < int(text) <= MAX_ID):
        raise BadRequest(_("Write a whole number above 0."), code="invalid", field="member")
    return int(text)
