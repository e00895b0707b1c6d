"""The operator's look at payments. Its one rule: nothing about money is edited here, only read; a
company is closed by the verb.
"""

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from billing.admin_features import (
    NumberAreaAdmin,
    PhoneNumberAdmin,
    PlanAdmin,
    SubscriptionAdmin,
    SubscriptionPeriodAdmin,
)
from billing.admin_inbox import GatewayDayAdmin, GatewayEventAdmin, PaymentIncidentAdmin
from billing.admin_profile import ACTIONS, PayerActions
from billing.admin_transfers import (
    BankStatementAdmin,
    BankStatementLineAdmin,
    BankTransferAdmin,
)
from billing.closing import close_company
from billing.models import (
    AutoPurchaseConsent,
    AutoPurchaseOutcome,
    AutoPurchaseRule,
    ForgetWish,
    PaymentEvent,
    PaymentMethod,
    Purchase,
)
from members.admin import CompanyAdmin as OpenCompanyAdmin
from members.admin import ReadOnlyAdmin as PlainReadOnlyAdmin
from members.models import Company

# Registered by being imported.
__all__ = [
    "BankStatementAdmin",
    "BankStatementLineAdmin",
    "BankTransferAdmin",
    "GatewayDayAdmin",
    "GatewayEventAdmin",
    "NumberAreaAdmin",
    "PaymentIncidentAdmin",
    "PhoneNumberAdmin",
    "PlanAdmin",
    "SubscriptionAdmin",
    "SubscriptionPeriodAdmin",
]


class ReadOnlyAdmin(PlainReadOnlyAdmin):
    """A table that the operator reads, however long it is."""

    show_full_result_count = False
    list_per_page = 50


@admin.register(Purchase)
class PurchaseAdmin(ReadOnlyAdmin):
    list_display = (
        "id",
        "company",
        "created_at",
        "status",
        "amount",
        "total",
        "currency",
        "gateway",
        "is_automatic",
        "decline_code",
    )
    list_filter = ("status", "gateway", "is_automatic", "currency")
    list_select_related = ("company",)
    search_fields = ("=id", "company__name", "gateway_reference")


@admin.register(PaymentEvent)
class PaymentEventAdmin(ReadOnlyAdmin):
    list_display = ("id", "company", "purchase", "status", "created_at")
    list_filter = ("status",)
    list_select_related = ("company", "purchase")
    search_fields = ("=purchase__id",)


@admin.register(PaymentMethod)
class PaymentMethodAdmin(ReadOnlyAdmin):
    list_display = (
        "id",
        "company",
        "gateway",
        "kind",
        "label",
        "expires_on",
        "is_default",
        "confirmed_at",
        "removed_at",
    )
    list_filter = ("gateway", "kind")
    list_select_related = ("company",)
    search_fields = ("company__name", "label")


@admin.register(AutoPurchaseRule)
class AutoPurchaseRuleAdmin(ReadOnlyAdmin):
    list_display = (
        "company",
        "state",
        "paused_because",
        "level",
        "amount",
        "target",
        "monthly_limit",
        "declined_count",
        "next_attempt_at",
        "last_outcome",
        "last_outcome_at",
    )
    list_filter = ("state", "paused_because", "last_outcome")
    list_select_related = ("company",)
    search_fields = ("company__name",)


@admin.register(AutoPurchaseConsent)
class AutoPurchaseConsentAdmin(ReadOnlyAdmin):
    list_display = ("id", "company", "member", "text_version", "created_at")
    list_select_related = ("company", "member")
    search_fields = ("company__name",)


admin.site.unregister(Company)


@admin.register(Company)
class CompanyAdmin(PayerActions, OpenCompanyAdmin):
    """Companies, which the operator closes too, and decides about as payers."""

    actions = (*OpenCompanyAdmin.actions, *ACTIONS, "close")

    @admin.action(description=_("Close for good"), permissions=["operate"])
    def close(self, request: HttpRequest, queryset: QuerySet[Company]) -> None:
        """The chosen companies are closed."""
        self.run_verb(request, queryset, close_company)


@admin.register(AutoPurchaseOutcome)
class AutoPurchaseOutcomeAdmin(ReadOnlyAdmin):
    list_display = ("company", "outcome", "purchase", "at")
    list_filter = ("outcome",)
    list_select_related = ("company", "purchase")
    search_fields = ("company__name",)


@admin.register(ForgetWish)
class ForgetWishAdmin(ReadOnlyAdmin):
    list_display = (
        "company",
        "method",
        "gateway",
        "wished_at",
        "tries_count",
        "next_try_at",
        "forgotten_at",
    )
    list_filter = ("gateway", ("forgotten_at", admin.EmptyFieldListFilter))
    list_select_related = ("company", "method")
    search_fields = ("company__name", "reference")
