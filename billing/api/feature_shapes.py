"""How features are asked for and answered by the API. Its one rule: a feature is answered the same
by every endpoint.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from billing.features.changing import MOST_AT_ONCE, find_feature
from billing.features.lines import (
    FeatureLine,
    OwnFeature,
    price_features,
    read_banned_kinds,
    read_own_features,
    with_names,
)
from billing.models import PERIODS, FeatureKind, Subscription
from credit.api.allocations import AllocationWish
from credit.models import Allowance
from members.api.authentication import ApiRequest
from members.models import Company, Member
from skypemgr.lib.rest import AmountSerializerField, IdField, StrictSerializer


class SubscriptionWish(AllocationWish):
    """What is given for how long, to whom in one of four ways. ``numbers``: ids of reserved numbers
    (``POST numbers/reserve``), one for each member in the order of the members' ids.
    """

    amount = None  # type: ignore[assignment]
    plan = serializers.CharField(max_length=60, help_text="Its code, of GET plans.")
    months = serializers.ChoiceField(choices=PERIODS)
    numbers = serializers.ListField(
        child=IdField(), required=False, min_length=1, max_length=MOST_AT_ONCE
    )
    residence_accepted = serializers.BooleanField(
        default=False, help_text="The rules of the numbers' area (its note) are kept."
    )


class TermsWish(StrictSerializer):
    """What it is to be from its next renewal on."""

    plan = serializers.CharField(max_length=60)
    months = serializers.ChoiceField(choices=PERIODS)


class ReceiverWish(StrictSerializer):
    """Who receives the number."""

    member = IdField()
    residence_accepted = serializers.BooleanField(default=False)


class ChosenFeatures(StrictSerializer):
    """Features of the company by id."""

    subscriptions = serializers.ListField(child=IdField(), min_length=1, max_length=MOST_AT_ONCE)


class KindsWish(StrictSerializer):
    """All kinds that the member may have; others may not be given."""

    allowed_kinds = serializers.ListField(
        child=serializers.ChoiceField(choices=FeatureKind.choices), allow_empty=True
    )


class SubscriptionAnswer(serializers.Serializer[Any]):
    """A feature that a member has. Days are the company's; amounts in its currency."""

    id = serializers.IntegerField(source="feature.pk")
    member = serializers.IntegerField(source="feature.member_id")
    member_name = serializers.CharField(source="feature.member.name")
    kind = serializers.ChoiceField(source="feature.kind", choices=FeatureKind.choices)
    plan = serializers.CharField(source="feature.plan.code")
    number = serializers.SerializerMethodField(help_text="E.164; null for other kinds.")
    months = serializers.ChoiceField(source="feature.months", choices=PERIODS)
    price = AmountSerializerField(help_text="Paid for the period until paid_until.")
    status = serializers.ChoiceField(source="feature.status", choices=Subscription.Status.choices)
    started_on = serializers.DateField(source="feature.started_on")
    paid_until = serializers.DateField(
        source="feature.paid_until", help_text="The first day that is not paid."
    )
    renews = serializers.BooleanField(help_text="Whether another period follows.")
    charge_on = serializers.DateField(
        source="feature.charge_on", allow_null=True, help_text="When the next period is taken."
    )
    next_plan = serializers.SerializerMethodField(help_text="Of the next period; null if none.")
    next_months = serializers.SerializerMethodField()
    next_price = serializers.SerializerMethodField()
    grace_until = serializers.DateField(source="feature.grace_until", allow_null=True)
    cancelled_at = serializers.DateTimeField(source="feature.cancelled_at", allow_null=True)

    def get_number(self, line: FeatureLine) -> str | None:
        """The number it holds."""
        return line.feature.number.e164 if line.feature.number else None

    def get_next_plan(self, line: FeatureLine) -> str | None:
        """The code of the plan that follows."""
        return line.terms.plan.code if line.terms else None

    def get_next_months(self, line: FeatureLine) -> int | None:
        """How long the next period is."""
        return line.terms.months if line.terms else None

    def get_next_price(self, line: FeatureLine) -> str | None:
        """What the next period costs."""
        return AmountSerializerField().to_representation(line.terms.price) if line.terms else None


class GivenAnswer(serializers.Serializer[Any]):
    """What was given: ``price`` is that of each, ``total`` was taken from the company's credit."""

    id = serializers.IntegerField()
    count = serializers.IntegerField()
    price = AmountSerializerField()
    total = AmountSerializerField()
    balance_after = AmountSerializerField(source="company_balance_after")
    subscriptions = serializers.ListField(
        source="subscription_ids", child=serializers.IntegerField()
    )


class CancelledAnswer(serializers.Serializer[Any]):
    """How many will not renew any more, and how many did not before."""

    cancelled = serializers.IntegerField(source="count")
    unchanged = serializers.IntegerField(source="unchanged_count")


class MemberFeaturesAnswer(serializers.Serializer[Any]):
    """The kinds that the member may have, and what is there now."""

    allowed_kinds = serializers.ListField(
        child=serializers.ChoiceField(choices=FeatureKind.choices)
    )
    subscriptions = SubscriptionAnswer(many=True)


class IncludedAnswer(serializers.Serializer[Allowance]):
    """The included minutes of a month, which calls use before credit."""

    seconds_total = serializers.IntegerField()
    seconds_left = serializers.IntegerField()
    ends_at = serializers.DateTimeField(help_text="They are anew or over from then on.")


class OwnSubscriptionAnswer(SubscriptionAnswer):
    """A feature as its member sees it: what it costs is the company's matter."""

    price = None  # type: ignore[assignment]
    next_price = None  # type: ignore[assignment]
    included = serializers.SerializerMethodField(help_text="Null for what includes no minutes.")

    @extend_schema_field(IncludedAnswer(allow_null=True))
    def get_included(self, line: FeatureLine) -> dict[str, Any] | None:
        """The minutes of this month."""
        own: OwnFeature = self.context["own"][line.feature.pk]
        return dict(IncludedAnswer(own.minutes).data) if own.minutes else None


class OwnFeaturesAnswer(serializers.Serializer[Any]):
    """The kinds that the caller may have, and what is there now."""

    allowed_kinds = serializers.ListField(
        child=serializers.ChoiceField(choices=FeatureKind.choices)
    )
    subscriptions = OwnSubscriptionAnswer(many=True)


def answer_own_features(member: Member, *, now: datetime) -> dict[str, Any]:
    """The member's open features as they see them themselves; six queries."""
    own = {each.feature.pk: each for each in read_own_features(member, now=now)}
    lines = price_features(member.company, [each.feature for each in own.values()])
    for line in lines:
        line.feature.member = member
    return {
        "allowed_kinds": kinds_of(member),
        "subscriptions": OwnSubscriptionAnswer(lines, many=True, context={"own": own}).data,
    }


def kinds_of(member: Member) -> list[str]:
    """The kinds that the member may have; one query."""
    banned = read_banned_kinds(member)
    return [kind for kind in FeatureKind.values if kind not in banned]


def with_people(found: QuerySet[Subscription]) -> QuerySet[Subscription]:
    """The features with all that their answers name."""
    return with_names(found).select_related("member")


def answer_features(company: Company, found: Sequence[Subscription]) -> list[dict[str, Any]]:
    """Each as every endpoint answers it; three queries for all."""
    return [dict(SubscriptionAnswer(line).data) for line in price_features(company, found)]


def answer_feature(request: ApiRequest, subscription_id: str) -> dict[str, Any]:
    """The one feature as it stands; NotFound for another company's."""
    return answer_features(
        request.actor.company, [find_feature(request.actor, int(subscription_id))]
    )[0]
