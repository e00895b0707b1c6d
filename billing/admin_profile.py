"""The operator's desk for companies as payers, VAT rates, limits and switches.

Its one rule: companies and switches change through verbs; rates and limits are rows that the
operator writes.
"""

from typing import Any, cast

from django import forms
from django.contrib import admin, messages
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from billing.models import BillingProfile, BillingSwitch, PurchaseLimit, VatRate
from billing.profile import verify_company, withdraw_verification
from billing.switches import ensure_switch, resume_purchases, set_switch, stop_purchases
from billing.vat_checks import decide_vat_number
from members.actors import Actor
from members.admin import ReadOnlyAdmin
from members.models import Company, User
from skypemgr.lib.errors import ProductError

ACTIONS = ("verify", "withdraw", "accept_number", "refuse_number", "stop", "resume")


class PayerActions(admin.ModelAdmin):  # type: ignore[type-arg]  # not generic when it runs
    """What the operator decides about companies as payers; rows are companies or profiles."""

    def has_decide_permission(self, request: HttpRequest) -> bool:
        """Whether the operator may decide about companies as payers."""
        return request.user.has_perm("billing.change_billingprofile")

    @admin.action(description=_("Verify: higher purchase limits"), permissions=["decide"])
    def verify(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        """The chosen companies are verified."""
        self.decide(request, queryset, lambda actor: verify_company(actor=actor))

    @admin.action(description=_("Withdraw the verification"), permissions=["decide"])
    def withdraw(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        """The chosen companies are not verified."""
        self.decide(request, queryset, lambda actor: withdraw_verification(actor=actor))

    @admin.action(description=_("VAT number: accept as valid"), permissions=["decide"])
    def accept_number(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        """The present numbers of the chosen companies are valid by the operator's word."""
        self.decide(request, queryset, lambda actor: decide_vat_number(actor=actor, is_valid=True))

    @admin.action(description=_("VAT number: refuse"), permissions=["decide"])
    def refuse_number(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        """The present numbers of the chosen companies are not valid."""
        self.decide(request, queryset, lambda actor: decide_vat_number(actor=actor, is_valid=False))

    @admin.action(description=_("Stop purchases"), permissions=["decide"])
    def stop(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        """The chosen companies buy nothing more."""
        self.decide(
            request,
            queryset,
            lambda actor: stop_purchases(company=actor.company, user=actor.user),
        )

    @admin.action(description=_("Allow purchases again"), permissions=["decide"])
    def resume(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        """The chosen companies may buy again."""
        self.decide(
            request,
            queryset,
            lambda actor: resume_purchases(company=actor.company, user=actor.user),
        )

    def decide(self, request: HttpRequest, queryset: QuerySet[Any], verb: Any) -> None:
        """The verb was tried on the company of each row, and its answers are shown."""
        user = cast("User", request.user)
        for row in queryset:
            company = row if isinstance(row, Company) else row.company
            try:
                verb(Actor.of_operator(user, company))
            except ProductError as error:
                self.message_user(request, f"{company}: {error}", messages.ERROR)
            else:
                self.message_user(request, f"{company}: {_('Done')}", messages.SUCCESS)


@admin.register(BillingProfile)
class BillingProfileAdmin(PayerActions, ReadOnlyAdmin):
    """Companies as payers: read, and decided about by the actions."""

    list_display = (
        "company",
        "verified_at",
        "company_limit",
        "vat_number_checked",
        "vat_state",
        "vat_source",
        "vat_checked_at",
        "purchases_stopped_at",
        "automatic_stopped_at",
    )
    list_filter = (
        "vat_state",
        ("verified_at", admin.EmptyFieldListFilter),
        ("purchases_stopped_at", admin.EmptyFieldListFilter),
        ("automatic_stopped_at", admin.EmptyFieldListFilter),
    )
    list_select_related = ("company",)
    search_fields = ("company__name", "vat_number_checked")
    show_full_result_count = False
    actions = ACTIONS


@admin.register(VatRate)
class VatRateAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """Rates that are not in the file yet, or differ from it."""

    list_display = ("country", "rate", "valid_from")
    list_filter = ("country",)
    ordering = ("country", "-valid_from")


@admin.register(PurchaseLimit)
class PurchaseLimitAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """Limits that differ from the defaults."""

    list_display = ("way", "currency", "is_verified", "single_most", "monthly_most")
    list_filter = ("way", "currency", "is_verified")
    ordering = ("way", "currency", "is_verified")


class SwitchForm(forms.ModelForm):  # type: ignore[type-arg]
    """The installation's switches as ticks."""

    stops_purchases = forms.BooleanField(
        label=_("Stop all purchases"),
        required=False,
        help_text=_("Nobody buys credit, nothing is bought by itself. Charges sent are settled."),
    )
    stops_automatic = forms.BooleanField(
        label=_("Stop auto-recharge of companies"),
        required=False,
        help_text=_("People can still buy by hand."),
    )
    reason = forms.CharField(
        label=_("Reason"),
        max_length=200,
        required=False,
        help_text=_("Administrators of companies read it on their pages."),
    )

    class Meta:
        model = BillingSwitch
        fields = ("reason",)

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        switch = cast("BillingSwitch", self.instance)
        self.initial["stops_purchases"] = switch.purchases_stopped_at is not None
        self.initial["stops_automatic"] = switch.automatic_stopped_at is not None


@admin.register(BillingSwitch)
class BillingSwitchAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """The installation's kill switches, one row."""

    form = SwitchForm
    fields = ("stops_purchases", "stops_automatic", "reason", "changed_by", "changed_at")
    readonly_fields = ("changed_by", "changed_at")

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Never: there is one row."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Never."""
        return False

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Straight to the one row."""
        pk = ensure_switch().pk
        return HttpResponseRedirect(reverse("admin:billing_billingswitch_change", args=[pk]))

    def save_model(self, request: HttpRequest, obj: Model, form: Any, change: bool) -> None:
        """The switches are as ticked."""
        data = form.cleaned_data
        set_switch(
            stops_purchases=data["stops_purchases"],
            stops_automatic=data["stops_automatic"],
            reason=data["reason"],
            user=cast("User", request.user),
        )
