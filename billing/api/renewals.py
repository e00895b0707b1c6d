"""``renewals``: what is renewed in a month, and what could not be paid. Its one rule: same rows and
sums as the page.
"""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Any

from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import OpenApiParameter, extend_schema, inline_serializer
from rest_framework import serializers
from rest_framework.response import Response
from rest_framework.utils.urls import remove_query_param, replace_query_param

from billing.features.months_ahead import find_month_ahead
from billing.features.upcoming import Ahead, Renewal, Unpaid
from billing.models import FeatureKind, Subscription
from credit.accounts import company_balance
from credit.money import ZERO
from members.api.authentication import ApiRequest
from members.api.base import Door
from members.api.schema import refusal
from skypemgr.lib.paging import CursorPagination
from skypemgr.lib.periods import utc_now
from skypemgr.lib.rest import AmountSerializerField, BadRequest, require_text

MONTH = OpenApiParameter("month", str, description="YYYY-MM, up to a year ahead; else this month.")


class FeatureAnswer(serializers.Serializer[Any]):
    """What is renewed, and by which terms; without a plan offered it ends, and has no price."""

    subscription = serializers.IntegerField(source="subscription.pk")
    member = serializers.IntegerField(source="subscription.member_id")
    kind = serializers.ChoiceField(source="subscription.kind", choices=FeatureKind.choices)
    number = serializers.CharField(source="subscription.number.e164", default=None, allow_null=True)
    plan = serializers.CharField(source="terms.plan.code", default=None, allow_null=True)
    months = serializers.IntegerField(source="terms.months", default=None, allow_null=True)
    price = AmountSerializerField(source="terms.price", default=None, allow_null=True)


class RenewalAnswer(FeatureAnswer):
    """One renewal: charged on the day, for the period that begins on ``starts_on``."""

    charge_on = serializers.DateField()
    starts_on = serializers.DateField()


class UnpaidAnswer(FeatureAnswer):
    """One feature that is lost on the day unless its renewal is paid before."""

    paid_until = serializers.DateField(source="subscription.paid_until")
    status = serializers.ChoiceField(
        source="subscription.status", choices=Subscription.Status.choices
    )
    lost_on = serializers.DateField()


def _page(row: type[serializers.Serializer[Any]], **sums: Any) -> Any:
    shape = {
        **sums,
        "results": row(many=True),
        "next": serializers.URLField(allow_null=True),
        "previous": serializers.URLField(allow_null=True),
    }
    return inline_serializer(f"PageOf{row.__name__}", shape)


def _answer(
    request: ApiRequest, sums: dict[str, Any], rows: list[Any], *, place: int, count: int
) -> Response:
    limit = CursorPagination().read_limit(request)
    form = RenewalAnswer if rows and isinstance(rows[0], Renewal) else UnpaidAnswer

    def link(offset: int, *, is_there: bool) -> str | None:
        if not is_there:
            return None
        address = remove_query_param(request.build_absolute_uri(), "cursor")
        cursor = urlsafe_b64encode(f"o{offset}".encode()).decode().rstrip("=")
        return replace_query_param(address, "cursor", cursor) if offset else address

    return Response(
        {
            **sums,
            "results": form(rows, many=True).data,
            "next": link(place + limit, is_there=place + limit < count),
            "previous": link(max(0, place - limit), is_there=place > 0),
        }
    )


def _place(request: ApiRequest) -> int:
    text = require_text(request, "cursor")
    if not text:
        return 0
    try:
        plain = urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode("ascii")
    except ValueError:
        plain = ""
    number = plain[1:]
    if plain[:1] != "o" or not number.isdigit() or len(number) > 9:
        raise BadRequest(
            _("This cursor is not one that we gave."), code="invalid_cursor", field="cursor"
        )
    return int(number)


class RenewalsDoor(Door):
    """The renewals of a month."""

    @extend_schema(
        operation_id="renewals_list",
        parameters=[MONTH, *CursorPagination.parameters],
        responses={
            200: _page(
                RenewalAnswer,
                month=serializers.CharField(),
                currency=serializers.CharField(),
                count=serializers.IntegerField(),
                total=AmountSerializerField(),
                ending_count=serializers.IntegerField(),
                unpaid_count=serializers.IntegerField(),
                unpaid_total=AmountSerializerField(),
                needed=AmountSerializerField(help_text="Until the end of the month, all together."),
                balance=AmountSerializerField(),
                missing=AmountSerializerField(help_text="What the balance lacks for `needed`."),
            ),
            400: refusal(400, "invalid_cursor"),
            422: refusal(422, "invalid_month", "month_not_ahead"),
        },
    )
    def get(self, request: ApiRequest) -> Response:
        """The month's renewals in the order of their days, with the month's sums."""
        company = request.actor.company
        today = company.day_at(utc_now())
        month = find_month_ahead(require_text(request, "month", max_length=20), today).first
        place, limit = _place(request), CursorPagination().read_limit(request)
        ahead = Ahead(company, today)
        days = ahead.days_of(month)
        told, unpaid = ahead.sum_of(month), ahead.unpaid
        needed, balance = ahead.needed_until(month), company_balance(company)
        sums = {
            "month": f"{month:%Y-%m}",
            "currency": company.currency,
            "count": told.count,
            "total": _plain(told.total),
            "ending_count": told.ending_count,
            "unpaid_count": unpaid.count,
            "unpaid_total": _plain(unpaid.total),
            "needed": _plain(needed),
            "balance": _plain(balance),
            "missing": _plain(max(ZERO, needed - balance)),
        }
        rows: list[Renewal] = ahead.rows(days, offset=place, limit=limit)
        return _answer(request, sums, rows, place=place, count=told.rows_count)


class UnpaidDoor(Door):
    """The renewals that could not be paid."""

    @extend_schema(
        operation_id="renewals_unpaid_list",
        parameters=[*CursorPagination.parameters],
        responses={
            200: _page(
                UnpaidAnswer,
                currency=serializers.CharField(),
                count=serializers.IntegerField(),
                total=AmountSerializerField(),
            ),
            400: refusal(400, "invalid_cursor"),
        },
    )
    def get(self, request: ApiRequest) -> Response:
        """What is tried again each day and lost on its day, what is lost first before the rest."""
        company = request.actor.company
        place, limit = _place(request), CursorPagination().read_limit(request)
        ahead = Ahead(company, company.day_at(utc_now()))
        told = ahead.unpaid
        sums = {
            "currency": company.currency,
            "count": told.count,
            "total": _plain(told.total),
        }
        rows: list[Unpaid] = ahead.describe_unpaid(ahead.unpaid_rows()[place : place + limit])
        return _answer(request, sums, rows, place=place, count=told.rows_count)


def _plain(amount: Any) -> str:
    return f"{amount:.4f}"
