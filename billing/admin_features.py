"""The operator's desk for plans, areas, numbers and what was given.

Its one rule: what was given is read; a plan ends by its day, a number by being withdrawn, and
nothing is deleted.
"""

from collections.abc import Callable
from typing import Any, cast

from django.contrib import admin, messages
from django.contrib.admin.models import CHANGE, LogEntry
from django.db import transaction
from django.db.models import Model, Q, QuerySet
from django.forms import ModelForm
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from billing.admin_inbox import OperatedAdmin
from billing.features.stock import bring_back_numbers, withdraw_numbers
from billing.models import (
    NumberArea,
    PhoneNumber,
    Plan,
    PlanPrice,
    Subscription,
    SubscriptionPeriod,
)
from billing.plan_forms import AreaForm, PlanForm, PriceForm
from members.models import User
from skypemgr.lib.errors import ProductError
from skypemgr.lib.formats import format_money
from skypemgr.lib.periods import utc_now


class KeptAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """Rows that the operator adds and changes, field by field, and never deletes."""

    list_per_page = 100

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Never."""
        return False

    def save_model(
        self, request: HttpRequest, obj: Model, form: "ModelForm[Any]", change: bool
    ) -> None:
        """What was changed is stored; an import at the same time keeps the rest."""
        if change:
            obj.save(update_fields=self.changed_fields(form))
        else:
            obj.save(force_insert=True)

    def changed_fields(self, form: "ModelForm[Any]") -> list[str]:
        """The columns behind what was changed in the form."""
        return list(form.changed_data)


class IsOfferedFilter(admin.SimpleListFilter):
    """Offered today, or not."""

    title = _("offered")
    parameter_name = "offered"

    def lookups(
        self, request: HttpRequest, model_admin: "admin.ModelAdmin[Plan]"
    ) -> list[tuple[str, str]]:
        """The two states."""
        return [("yes", str(_("Offered today"))), ("no", str(_("Not offered today")))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Plan]) -> QuerySet[Plan]:
        """The plans in the chosen state."""
        today = utc_now().date()
        offered = Q(valid_from__lte=today) & (Q(valid_until=None) | Q(valid_until__gt=today))
        if self.value() is None:
            return queryset
        return queryset.filter(offered if self.value() == "yes" else ~offered)


class PriceInline(admin.TabularInline):  # type: ignore[type-arg]
    """A plan's prices; one is changed or added, never taken away from who has the plan."""

    model = PlanPrice
    form = PriceForm
    extra = 3
    can_delete = False
    ordering = ("currency", "months")


@admin.register(Plan)
class PlanAdmin(KeptAdmin):
    """What can be given."""

    form = PlanForm
    inlines = (PriceInline,)
    fieldsets = (
        (None, {"fields": ("code", "kind", "name_en", "name_fr", "position")}),
        (_("Offered"), {"fields": ("valid_from", "valid_until")}),
        (_("Number"), {"fields": ("country",)}),
        (_("Subscription"), {"fields": ("destinations", "minutes", "is_unlimited")}),
    )
    list_display = ("code", "kind", "name_en", "minutes", "valid_until")
    list_filter = ("kind", IsOfferedFilter)
    search_fields = ("code", "name_en", "name_fr")
    ordering = ("kind", "position", "code")

    @admin.display(description=_("minutes a month"), ordering="included_seconds")
    def minutes(self, plan: Plan) -> int | None:
        """What a subscription includes."""
        return plan.included_seconds // 60 if plan.included_seconds else None

    def changed_fields(self, form: "ModelForm[Any]") -> list[str]:
        """The columns that the plan's form fills."""
        columns = {"destinations": "prefixes", "minutes": "included_seconds"}
        return [columns.get(name, name) for name in form.changed_data]


@admin.register(NumberArea)
class NumberAreaAdmin(KeptAdmin):
    """Where numbers can be had, and under which rules of residence."""

    form = AreaForm
    list_display = ("name", "country", "code", "has_note", "position")
    list_filter = ("country",)
    search_fields = ("name", "=code")
    ordering = ("country", "position", "code")

    @admin.display(description=_("rules of residence"), boolean=True)
    def has_note(self, area: NumberArea) -> bool:
        """Whether something is to be accepted."""
        return bool(area.note_en)


@admin.register(PhoneNumber)
class PhoneNumberAdmin(OperatedAdmin):
    """The stock; numbers come by import."""

    list_display = ("e164", "area", "state", "holder", "reserved_for", "resting_until")
    list_filter = ("state", "area__country", "area")
    list_select_related = ("area", "reserved_for")
    search_fields = ("e164",)
    ordering = ("e164",)
    actions = ("withdraw", "bring_back")

    def get_queryset(self, request: HttpRequest) -> QuerySet[PhoneNumber]:
        """With who has them; one query more for the whole page."""
        numbers: QuerySet[PhoneNumber] = super().get_queryset(request)
        return numbers.prefetch_related("subscriptions__company")

    @admin.display(description=_("company"))
    def holder(self, number: PhoneNumber) -> str:
        """The company in which it is given now."""
        held = [
            each.company.name
            for each in number.subscriptions.all()
            if each.status != Subscription.Status.ENDED
        ]
        return held[0] if held else "–"

    @admin.action(description=_("Withdraw: not given any more"), permissions=["operate"])
    def withdraw(self, request: HttpRequest, queryset: QuerySet[PhoneNumber]) -> None:
        """The chosen numbers are withdrawn, if all of them are free."""
        chosen = queryset.exclude(state=PhoneNumber.State.WITHDRAWN)
        done = self.decide(request, chosen, withdraw_numbers)
        if done is not None:
            text = ngettext(
                "%(count)s number is withdrawn.", "%(count)s numbers are withdrawn.", done
            )
            self.message_user(request, text % {"count": done}, messages.SUCCESS)

    @admin.action(description=_("Bring back: can be given again"), permissions=["operate"])
    def bring_back(self, request: HttpRequest, queryset: QuerySet[PhoneNumber]) -> None:
        """The withdrawn ones of the chosen numbers are free again."""
        chosen = queryset.filter(state=PhoneNumber.State.WITHDRAWN)
        done = self.decide(request, chosen, bring_back_numbers)
        if done is not None:
            text = ngettext("%(count)s number is back.", "%(count)s numbers are back.", done)
            self.message_user(request, text % {"count": done}, messages.SUCCESS)

    def decide(
        self, request: HttpRequest, chosen: QuerySet[PhoneNumber], verb: Callable[..., int]
    ) -> int | None:
        """How many the verb changed, written down for each; None if it refused, which is shown."""
        user, numbers = cast("User", request.user), list(chosen)
        try:
            with transaction.atomic():
                done = verb(user=user, number_ids=[number.pk for number in numbers])
                if numbers:
                    LogEntry.objects.log_actions(user.pk, numbers, CHANGE, verb.__name__)
        except ProductError as error:
            self.message_user(request, str(error), messages.ERROR)
            return None
        return done


class PeriodInline(admin.TabularInline):  # type: ignore[type-arg]
    """What was paid for a feature."""

    model = SubscriptionPeriod
    fields = ("plan", "starts_on", "ends_on", "months", "money", "transfer", "created_at")
    readonly_fields = fields
    ordering = ("-starts_on",)
    can_delete = False

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Never."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Never."""
        return False

    @admin.display(description=_("price"))
    def money(self, period: SubscriptionPeriod) -> str:
        """What was taken."""
        return format_money(period.price, period.currency)


@admin.register(Subscription)
class SubscriptionAdmin(OperatedAdmin):
    """What members have and had."""

    list_display = (
        "id",
        "company",
        "member",
        "plan",
        "number",
        "months",
        "paid_until",
        "status",
        "renews",
        "charge_on",
        "last_failed_on",
    )
    list_filter = ("kind", "status", "renews")
    list_select_related = ("company", "member", "plan", "number")
    search_fields = ("=id", "company__name", "member__search_text", "number__e164", "plan__code")
    ordering = ("-id",)
    inlines = (PeriodInline,)


@admin.register(SubscriptionPeriod)
class SubscriptionPeriodAdmin(OperatedAdmin):
    """Every paid period."""

    list_display = (
        "id",
        "company",
        "subscription",
        "plan",
        "starts_on",
        "ends_on",
        "months",
        "price",
        "currency",
        "transfer",
    )
    list_filter = ("months", "currency")
    list_select_related = ("company", "subscription", "plan", "transfer")
    search_fields = ("=subscription__id", "company__name", "=transfer__id")
    ordering = ("-id",)
