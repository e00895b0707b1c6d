"""``auto-purchase``: the company's own auto-recharge. Its one rule: no consent, no rule."""

from decimal import Decimal
from typing import Any

from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.response import Response

from billing.auto_rules import (
    check_terms,
    describe_rule,
    resume_rule,
    save_rule,
    switch_off_rule,
)
from billing.consent import VERSION, Terms, write_consent
from billing.errors import ConsentMissing
from billing.methods import choose_method, method_name
from billing.models.auto_purchase import PauseReason
from members.api.authentication import ApiRequest
from members.api.base import Door
from members.api.schema import refusal
from members.models import Company
from skypemgr.lib.rest import AmountSerializerField, StrictSerializer

STATES = ("off", "on", "paused", "retrying", "limit_reached", "stopped")


class AutoPurchaseWish(StrictSerializer):
    """Buy below ``level``: ``amount`` each time, or what brings the balance back to ``target``; at
    most ``monthly_limit`` (net) a calendar month.
    """

    level = AmountSerializerField()
    amount = AmountSerializerField(required=False, allow_null=True, default=None)
    target = AmountSerializerField(required=False, allow_null=True, default=None)
    monthly_limit = AmountSerializerField()
    payment_method = serializers.CharField(max_length=40)
    consent_version = serializers.CharField(
        max_length=20,
        default="",
        help_text="The version of the text that the caller agrees to. Without it the refusal"
        " consent_missing answers consent_text, with these amounts, and consent_version.",
    )


class AutoPurchaseAnswer(serializers.Serializer[Any]):
    """How the rule stands; nulls where there never was one."""

    level = AmountSerializerField(allow_null=True)
    amount = AmountSerializerField(allow_null=True)
    target = AmountSerializerField(allow_null=True)
    monthly_limit = AmountSerializerField(allow_null=True)
    payment_method = serializers.IntegerField(allow_null=True)
    state = serializers.ChoiceField(choices=STATES)
    paused_because = serializers.ChoiceField(choices=PauseReason.choices, allow_null=True)
    bought_this_month = AmountSerializerField()
    left_this_month = AmountSerializerField(allow_null=True)
    last_outcome = serializers.CharField(allow_null=True)
    last_outcome_at = serializers.DateTimeField(allow_null=True)
    next_attempt_at = serializers.DateTimeField(allow_null=True)
    consent_by = serializers.IntegerField(allow_null=True)
    consent_at = serializers.DateTimeField(allow_null=True)
    consent_version = serializers.CharField(allow_null=True)


def _answer(company: Company) -> dict[str, Any]:
    status = describe_rule(company)
    values: dict[str, Any] = dict.fromkeys(AutoPurchaseAnswer().fields)
    values |= {
        "state": "off",
        "bought_this_month": Decimal(0),
    }
    if status is not None:
        rule = status.rule
        values |= {
            "level": rule.level,
            "amount": rule.amount,
            "target": rule.target,
            "monthly_limit": rule.monthly_limit,
            "payment_method": rule.method_id,
            "state": status.state,
            "paused_because": rule.paused_because or None,
            "bought_this_month": status.bought_this_month,
            "left_this_month": status.left_this_month,
            "last_outcome": rule.last_outcome or None,
            "last_outcome_at": rule.last_outcome_at,
            "next_attempt_at": rule.next_attempt_at,
            "consent_by": rule.consent_by_id,
            "consent_at": rule.consent_at,
            "consent_version": rule.consent_version,
        }
    return dict(AutoPurchaseAnswer(values).data)


class AutoPurchaseDoor(Door):
    """The company's auto-recharge."""

    @extend_schema(operation_id="auto_purchase_get", responses=AutoPurchaseAnswer)
    def get(self, request: ApiRequest) -> Response:
        """How the rule stands."""
        return Response(_answer(request.actor.company))

    @extend_schema(
        request=AutoPurchaseWish,
        responses={
            200: AutoPurchaseAnswer,
            409: refusal(409, "payment_method_removed"),
            422: refusal(
                422,
                "invalid_amount",
                "amount_or_target",
                "target_below_level",
                "limit_below_amount",
                "consent_missing",
                "unknown_payment_method",
                "payment_method_unsuitable",
                "company_frozen",
            ),
        },
        examples=[
            OpenApiExample(
                "Back to 200 when below 50, at most 1000 a month",
                value={
                    "level": "50.00",
                    "target": "200.00",
                    "monthly_limit": "1000.00",
                    "payment_method": "7",
                    "consent_version": VERSION,
                },
                request_only=True,
            ),
            OpenApiExample(
                "100 below 50, at most 500 a month",
                value={
                    "level": "50.00",
                    "amount": "100.00",
                    "monthly_limit": "500.00",
                    "payment_method": "7",
                    "consent_version": VERSION,
                },
                request_only=True,
            ),
        ],
    )
    def put(self, request: ApiRequest) -> Response:
        """The rule is on with these terms, and the consent to them is stored."""
        body = AutoPurchaseWish(data=request.data)
        body.is_valid(raise_exception=True)
        wish, actor = body.validated_data, request.actor
        method = choose_method(actor, wish["payment_method"])
        terms = Terms(wish["level"], wish["amount"], wish["monthly_limit"], wish["target"])
        if wish["consent_version"] != VERSION:
            check_terms(terms, actor.company.currency)
            raise ConsentMissing(
                _("Read consent_text; to agree, send its consent_version."),
                field="consent_version",
                consent_version=VERSION,
                consent_text=write_consent(
                    terms, currency=actor.company.currency, card=method_name(method)
                ),
            )
        save_rule(actor=actor, method=method, terms=terms, consent_version=VERSION)
        return Response(_answer(request.actor.company))

    @extend_schema(operation_id="auto_purchase_delete", responses={204: None})
    def delete(self, request: ApiRequest) -> Response:
        """The rule is off; a charge already under way is still finished."""
        switch_off_rule(actor=request.actor)
        return Response(status=204)


class ResumeDoor(Door):
    """A paused auto-recharge."""

    @extend_schema(
        operation_id="auto_purchase_resume",
        request=None,
        responses={200: AutoPurchaseAnswer, 409: refusal(409, "payment_method_removed")},
    )
    def post(self, request: ApiRequest) -> Response:
        """The rule goes on with the same method; nothing changes for one that is off."""
        resume_rule(actor=request.actor)
        return Response(_answer(request.actor.company))
