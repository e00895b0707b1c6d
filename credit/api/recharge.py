"""``members/{id}/auto-recharge``. Its one rule: saving evaluates at once, and the answer tells."""

from typing import Any, ClassVar

from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.response import Response

from credit.allocation import Recipients
from credit.api.members import own_member
from credit.models.recharge import Outcome
from credit.rules import RuleStatus, RuleTerms, describe_rule, save_rules, switch_off_rule
from members.access import find_member
from members.api.authentication import ApiRequest
from members.api.base import Door
from members.api.permissions import EVERYBODY
from members.api.schema import refusal
from members.models import Member
from skypemgr.lib.rest import AmountSerializerField, StrictSerializer

STATES = ("on", "waiting", "suspended", "off")


class RuleWish(StrictSerializer):
    """Recharge with ``amount`` below ``threshold``, at most ``monthly_limit`` a month."""

    amount = AmountSerializerField()
    threshold = AmountSerializerField()
    monthly_limit = AmountSerializerField()


class RuleAnswer(serializers.Serializer[Any]):
    """How the rule stands. Amounts are null where none was ever set."""

    amount = AmountSerializerField(allow_null=True)
    threshold = AmountSerializerField(allow_null=True)
    monthly_limit = AmountSerializerField(allow_null=True)
    state = serializers.ChoiceField(
        choices=STATES, help_text="waiting: for the company's credit; suspended: until resumes_on."
    )
    recharged_this_month = AmountSerializerField()
    left_this_month = AmountSerializerField(allow_null=True)
    resumes_on = serializers.DateField(allow_null=True)
    last_outcome = serializers.ChoiceField(choices=Outcome.choices, allow_null=True)
    last_outcome_at = serializers.DateTimeField(allow_null=True)
    outcome_since = serializers.DateTimeField(allow_null=True)


class SavedRuleAnswer(RuleAnswer):
    """How the rule stands, what saving moved, and what to know about it."""

    recharged_now = AmountSerializerField()
    warnings = serializers.ListField(
        child=serializers.DictField(child=serializers.CharField()),
        help_text="Entries {code, detail}; amount_above_limit: each recharge will be cut.",
    )


def answer_rule(status: RuleStatus | None) -> dict[str, Any]:
    """The rule as every endpoint answers it; a member without one has it off."""
    if status is None:
        empty = dict.fromkeys(RuleAnswer().fields)
        return dict(RuleAnswer({**empty, "state": "off", "recharged_this_month": 0}).data)
    rule = status.rule
    values = {
        "amount": rule.amount,
        "threshold": rule.threshold,
        "monthly_limit": rule.monthly_limit,
        "state": status.state,
        "recharged_this_month": status.recharged_this_month,
        "left_this_month": status.left_this_month,
        "resumes_on": status.resumes_on if status.state == "suspended" else None,
        "last_outcome": status.last_outcome or None,
        "last_outcome_at": rule.last_outcome_at,
        "outcome_since": rule.outcome_since,
    }
    return dict(RuleAnswer(values).data)


class RuleDoor(Door):
    """A member's auto-recharge."""

    @extend_schema(operation_id="auto_recharge_get", responses=RuleAnswer)
    def get(self, request: ApiRequest, member_id: str) -> Response:
        """How the rule stands."""
        return Response(answer_rule(describe_rule(self._member(request, member_id))))

    @extend_schema(
        request=RuleWish,
        responses={
            200: SavedRuleAnswer,
            422: refusal(422, "invalid_amount", "member_gone", "company_frozen", "company_closed"),
        },
        examples=[
            OpenApiExample(
                "At most 40 a month",
                value={"amount": "10.00", "threshold": "5.00", "monthly_limit": "40.00"},
                request_only=True,
            )
        ],
    )
    def put(self, request: ApiRequest, member_id: str) -> Response:
        """The rule is on with these amounts and has been evaluated."""
        member = self._member(request, member_id)
        body = RuleWish(data=request.data)
        body.is_valid(raise_exception=True)
        saved = save_rules(
            actor=request.actor,
            recipients=Recipients(member_ids=(member.pk,)),
            terms=RuleTerms(**body.validated_data),
        )
        warnings = []
        if saved.is_cut:
            sentence = _("The amount is above the monthly limit: a recharge will be cut to it.")
            warnings.append({"code": "amount_above_limit", "detail": str(sentence)})
        moved = AmountSerializerField().to_representation(saved.recharged)
        answer = answer_rule(describe_rule(member))
        return Response({**answer, "recharged_now": moved, "warnings": warnings})

    @extend_schema(operation_id="auto_recharge_delete", responses={204: None})
    def delete(self, request: ApiRequest, member_id: str) -> Response:
        """The rule is off; the month's total stays."""
        member = self._member(request, member_id)
        switch_off_rule(actor=request.actor, member_id=member.pk)
        return Response(status=204)

    def _member(self, request: ApiRequest, member_id: str) -> Member:
        return find_member(request.actor, int(member_id))


class OwnRuleDoor(Door):
    """The caller's own auto-recharge."""

    roles: ClassVar[dict[str, tuple[str, ...]]] = {"GET": EVERYBODY}

    @extend_schema(operation_id="me_auto_recharge_get", responses=RuleAnswer)
    def get(self, request: ApiRequest) -> Response:
        """How the caller's own rule stands."""
        return Response(answer_rule(describe_rule(own_member(request))))
