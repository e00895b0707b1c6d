"""``purchases``. Its one rule: one key, one purchase, one answer."""

from typing import Any

from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import OpenApiExample, extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.response import Response

from billing.gateways.base import Way
from billing.means import choose_means
from billing.models import Purchase
from billing.purchases import buy_credit
from billing.queries import find_purchase, list_purchases
from billing.transfers import find_instructions
from credit.errors import IdempotencyConflict
from credit.ledger import atomically
from credit.models import OutsideRequest
from credit.requests import OutsideKey, answer_once
from members.api.authentication import ApiRequest
from members.api.base import Door
from members.api.schema import IDEMPOTENCY_KEY, page_of, refusal
from skypemgr.lib.amounts import currency_places
from skypemgr.lib.paging import CursorPagination
from skypemgr.lib.rest import AmountSerializerField, StrictSerializer, require_idempotency_key


class PurchaseWish(StrictSerializer):
    """Credit to buy: the net amount, and a saved method's id, a gateway's name, or
    ``gateway:way`` (``stripe:paypal``)."""

    amount = AmountSerializerField(help_text="Net; in the currency's own decimals.")
    payment_method = serializers.CharField(max_length=40)


class PurchaseAnswer(serializers.Serializer[Any]):
    """A purchase; ``amount`` is net and is what is credited. Money in the currency's decimals."""

    id = serializers.IntegerField()
    status = serializers.ChoiceField(choices=Purchase.Status.choices)
    amount = serializers.SerializerMethodField()
    vat_rate = serializers.DecimalField(max_digits=6, decimal_places=3)
    vat_amount = serializers.SerializerMethodField()
    total = serializers.SerializerMethodField()
    currency = serializers.CharField()
    payment_method = serializers.CharField(source="method_label")
    way = serializers.ChoiceField(choices=Way.choices)
    vat_reason = serializers.CharField()
    payment_reference = serializers.CharField()
    action_url = serializers.CharField(
        help_text="Where the payer pays or answers the bank while `requires_action`; else empty."
    )
    action_expires_at = serializers.DateTimeField(allow_null=True)
    decline_code = serializers.CharField()
    is_automatic = serializers.BooleanField()
    made_by = serializers.IntegerField(source="made_by_id", allow_null=True)
    created_at = serializers.DateTimeField()
    settled_at = serializers.DateTimeField(allow_null=True)

    def get_amount(self, purchase: Purchase) -> str:
        """Net."""
        return _money(purchase, "amount")

    def get_vat_amount(self, purchase: Purchase) -> str:
        """VAT."""
        return _money(purchase, "vat_amount")

    def get_total(self, purchase: Purchase) -> str:
        """Net and VAT."""
        return _money(purchase, "total")


class InstructionsAnswer(serializers.Serializer[Any]):
    """Where to pay what by bank transfer: the exact amount, with the reference, until that day."""

    holder = serializers.CharField()
    iban = serializers.CharField()
    bic = serializers.CharField()
    bank = serializers.CharField()
    reference = serializers.CharField()
    amount = serializers.CharField(source="exact_amount")
    currency = serializers.CharField()
    expires_on = serializers.DateField()


class PurchaseDetail(PurchaseAnswer):
    """A purchase, and how to pay it while it waits for a bank transfer."""

    instructions = serializers.SerializerMethodField()

    @extend_schema_field(InstructionsAnswer(allow_null=True))
    def get_instructions(self, purchase: Purchase) -> Any:
        """None unless a bank transfer is awaited."""
        instructions = find_instructions(purchase)
        return InstructionsAnswer(instructions).data if instructions else None


def _money(purchase: Purchase, field: str) -> str:
    return f"{getattr(purchase, field):.{currency_places(purchase.currency)}f}"


class PurchasesDoor(Door):
    """The company's purchases."""

    newest_first = True

    @extend_schema(
        operation_id="purchases_list",
        responses=page_of(PurchaseAnswer),
        parameters=[*CursorPagination.parameters],
    )
    def get(self, request: ApiRequest) -> Response:
        """All purchases, newest first."""
        paginator = CursorPagination()
        rows = paginator.paginate_queryset(list_purchases(request.actor.company), request, self)
        return paginator.get_paginated_response(PurchaseAnswer(rows, many=True).data)

    @extend_schema(
        request=PurchaseWish,
        parameters=[IDEMPOTENCY_KEY],
        responses={
            201: PurchaseDetail,
            400: refusal(400, "idempotency_key_required", "invalid_idempotency_key"),
            409: refusal(409, "idempotency_conflict"),
            422: refusal(
                422,
                "invalid_amount",
                "amount_too_small",
                "amount_too_large",
                "monthly_limit_reached",
                "company_limit_reached",
                "billing_details_missing",
                "purchases_stopped",
                "unknown_payment_method",
                "payment_method_unavailable",
                "company_frozen",
                "company_closed",
            ),
        },
        examples=[
            OpenApiExample(
                "With the sandbox",
                value={"amount": "100.00", "payment_method": "sandbox"},
                request_only=True,
            )
        ],
    )
    def post(self, request: ApiRequest) -> Response:
        """Buys credit. See `status`: `pending`, `requires_action` and `unknown` are not final."""
        key = require_idempotency_key(request)
        body = PurchaseWish(data=request.data)
        body.is_valid(raise_exception=True)
        wish, actor = body.validated_data, request.actor
        outside = OutsideKey.of_api(key, "POST", "purchases", request.data)
        _refuse_other_content(actor.company.pk, outside)
        purchase = buy_credit(
            actor=actor,
            amount=wish["amount"],
            method=choose_means(actor, wish["payment_method"]),
            request=outside,
        )
        answer = atomically(
            lambda: answer_once(
                actor.company.pk, outside, lambda _row: dict(PurchaseDetail(purchase).data)
            )
        )
        # The stored answer has lost its order.
        names = [str(name) for name in PurchaseDetail().fields]
        return Response({name: answer[name] for name in names}, status=201)


def _refuse_other_content(company_id: int, request: OutsideKey) -> None:
    """Before anything is charged: the key may have named something else, an allocation perhaps."""
    others = OutsideRequest.objects.filter(company_id=company_id, key=request.key)
    if others.exclude(content_hash=request.content_hash).exists():
        raise IdempotencyConflict(
            _("This key was already used for another request. Use a new one.")
        )


class PurchaseDoor(Door):
    """One purchase."""

    @extend_schema(operation_id="purchases_get", responses=PurchaseDetail)
    def get(self, request: ApiRequest, purchase_id: str) -> Response:
        """The purchase as it stands."""
        return Response(PurchaseDetail(find_purchase(request.actor, int(purchase_id))).data)
