"""The operator's desk for credit. Its one rule: it only reads; the ledger is written by postings.

Calls show no called number: who called whom is the company's own matter.
"""

from typing import Any

from django.contrib import admin
from django.db.models import Model, QuerySet
from django.http import HttpRequest

from credit.models import (
    Account,
    Call,
    DailyTotal,
    Hold,
    OutsideRequest,
    Rate,
    RechargeOutcome,
    RechargeRule,
    Transfer,
)


class ReadOnlyAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """Shows rows and changes none; it never counts a large table."""

    show_full_result_count = False
    list_per_page = 50
    related: tuple[str, ...] = ("company",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """The rows with what their lists name, in one query."""
        return super().get_queryset(request).select_related(*self.related)

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Never."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Never."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Never."""
        return False


@admin.register(Account)
class AccountAdmin(ReadOnlyAdmin):
    """Purses and system accounts."""

    related = ("company", "member")
    list_display = ("id", "company", "kind", "member", "currency", "balance", "held", "version")
    list_filter = ("kind", "currency")
    search_fields = ("company__name", "member__name")


@admin.register(Transfer)
class TransferAdmin(ReadOnlyAdmin):
    """The ledger, newest first."""

    related = ("company", "actor", "source__member", "destination__member")
    list_display = (
        "id",
        "company",
        "kind",
        "source",
        "destination",
        "amount",
        "currency",
        "booked_on",
        "created_at",
        "actor",
        "key",
    )
    list_filter = ("kind", "currency")
    search_fields = ("=company__id", "=key")
    ordering = ("-id",)


@admin.register(DailyTotal)
class DailyTotalAdmin(ReadOnlyAdmin):
    """What moved in and out of a purse on a day."""

    related = ("company", "account")
    list_display = ("day", "company", "account", "kind", "incoming", "outgoing", "moves_count")
    list_filter = ("kind",)
    search_fields = ("=company__id", "=account__id")
    ordering = ("-day", "-id")


@admin.register(RechargeRule)
class RechargeRuleAdmin(ReadOnlyAdmin):
    """Rules with their last outcome."""

    related = ("company", "member")
    list_display = (
        "id",
        "company",
        "member",
        "amount",
        "threshold",
        "monthly_limit",
        "is_on",
        "last_outcome",
        "last_outcome_at",
        "waiting_since",
    )
    list_filter = ("is_on", "last_outcome")
    search_fields = ("company__name", "member__name")


@admin.register(RechargeOutcome)
class RechargeOutcomeAdmin(ReadOnlyAdmin):
    """Changes of outcome, newest first."""

    related = ("company", "rule__member")
    list_display = ("at", "company", "rule", "outcome", "amount")
    list_filter = ("outcome",)
    ordering = ("-id",)


@admin.register(Rate)
class RateAdmin(ReadOnlyAdmin):
    """Prices by prefix; without a company they are the installation's."""

    list_display = (
        "prefix",
        "company",
        "country",
        "kind",
        "price_per_minute",
        "connection_fee",
        "currency",
        "valid_from",
    )
    list_filter = ("kind", "currency")
    search_fields = ("^prefix", "=country")
    ordering = ("prefix", "-valid_from")


@admin.register(Call)
class CallAdmin(ReadOnlyAdmin):
    """Rated calls, newest first, without the number called."""

    related = ("company", "member")
    exclude = ("destination",)
    list_display = (
        "id",
        "company",
        "member",
        "source",
        "external_id",
        "country",
        "kind",
        "started_at",
        "duration_seconds",
        "price",
        "collected",
        "uncollected",
    )
    search_fields = ("=company__id", "=external_id")
    ordering = ("-id",)


@admin.register(Hold)
class HoldAdmin(ReadOnlyAdmin):
    """Calls in progress and how they ended, newest first, without the number called.

    Expired ones were never settled: their phone system reported no end.
    """

    related = ("company", "member")
    exclude = ("destination",)
    list_display = (
        "id",
        "company",
        "member",
        "source",
        "external_id",
        "amount",
        "max_seconds",
        "status",
        "created_at",
        "expires_at",
        "ended_at",
    )
    list_filter = ("status",)
    search_fields = ("=company__id", "=external_id")
    ordering = ("-id",)


@admin.register(OutsideRequest)
class OutsideRequestAdmin(ReadOnlyAdmin):
    """Requests that moved credit, newest first."""

    list_display = ("id", "company", "key", "created_at")
    search_fields = ("=company__id", "=key")
    ordering = ("-id",)
