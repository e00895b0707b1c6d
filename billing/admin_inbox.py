"""The operator's list of what about payments needs a look.

Its one rule: facts are read; what can be done is to write down what came of them, and to try again.
"""

from typing import cast

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.helpers import ActionForm
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from billing.ending import end_purchase
from billing.errors import GatewayNotConfigured
from billing.gateways.base import GatewayUnavailable
from billing.gateways.registry import find_gateway
from billing.inbox import retry_event
from billing.incidents import resolve
from billing.models import GatewayDay, GatewayEvent, PaymentIncident
from billing.reconciliation import compare_day
from members.admin import ReadOnlyAdmin
from members.models import User
from skypemgr.lib.errors import ProductError


class WordForm(ActionForm):
    """What the operator writes down beside the chosen action."""

    word = forms.CharField(label=_("What came of it"), required=False, max_length=500)


class IsOpenFilter(admin.SimpleListFilter):
    """Open or dealt with."""

    title = _("state")
    parameter_name = "open"

    def lookups(
        self, request: HttpRequest, model_admin: "admin.ModelAdmin[PaymentIncident]"
    ) -> list[tuple[str, str]]:
        """The two states."""
        return [("yes", str(_("Open"))), ("no", str(_("Dealt with")))]

    def queryset(
        self, request: HttpRequest, queryset: QuerySet[PaymentIncident]
    ) -> QuerySet[PaymentIncident]:
        """The rows in the chosen state."""
        if self.value() is None:
            return queryset
        return queryset.filter(resolved_at__isnull=self.value() == "yes")


class OperatedAdmin(ReadOnlyAdmin):
    """A table that is read, with something to do about its rows for whoever may change them."""

    list_per_page = 50
    show_full_result_count = False

    def has_operate_permission(self, request: HttpRequest) -> bool:
        """Whether the operator may act on the rows."""
        return request.user.has_perm(f"billing.change_{self.opts.model_name}")


@admin.register(PaymentIncident)
class PaymentIncidentAdmin(OperatedAdmin):
    list_display = (
        "id",
        "created_at",
        "kind",
        "company",
        "purchase",
        "gateway",
        "resolved_at",
        "resolution",
    )
    list_filter = (IsOpenFilter, "kind", "gateway")
    list_select_related = ("company", "purchase")
    search_fields = ("=purchase__id", "company__name", "key")
    ordering = ("-id",)
    exclude = ("mail_claimed_at",)
    action_form = WordForm
    actions = ("mark_as_seen", "end_purchases")

    @admin.action(description=_("Mark as seen, with a word"), permissions=["operate"])
    def mark_as_seen(self, request: HttpRequest, queryset: QuerySet[PaymentIncident]) -> None:
        """The chosen incidents are dealt with, as the word says."""
        user, word = cast("User", request.user), request.POST.get("word", "")
        try:
            count = sum(resolve(incident, user=user, text=word) for incident in queryset)
        except ProductError as error:
            self.message_user(request, str(error), messages.ERROR)
            return
        text = ngettext("%(count)s incident is closed.", "%(count)s incidents are closed.", count)
        self.message_user(request, text % {"count": count}, messages.SUCCESS)

    @admin.action(
        description=_("End the purchase: nothing is credited, with a word"), permissions=["operate"]
    )
    def end_purchases(self, request: HttpRequest, queryset: QuerySet[PaymentIncident]) -> None:
        """The chosen incidents' purchases, for which something else was paid, have ended."""
        user, word = cast("User", request.user), request.POST.get("word", "")
        ids = sorted({incident.purchase_id for incident in queryset if incident.purchase_id})
        try:
            for pk in ids:
                end_purchase(user=user, purchase_id=pk, text=word)
        except ProductError as error:
            self.message_user(request, str(error), messages.ERROR)
            return
        text = ngettext(
            "%(count)s purchase has ended.", "%(count)s purchases have ended.", len(ids)
        )
        self.message_user(request, text % {"count": len(ids)}, messages.SUCCESS)


@admin.register(GatewayEvent)
class GatewayEventAdmin(OperatedAdmin):
    list_display = (
        "id",
        "gateway",
        "text",
        "kind",
        "purchase",
        "received_at",
        "processed_at",
        "tries_count",
        "problem",
    )
    list_filter = (("processed_at", admin.EmptyFieldListFilter), "kind", "gateway")
    list_select_related = ("purchase",)
    search_fields = ("=event_id", "=purchase__id")
    ordering = ("-id",)
    actions = ("try_again",)

    @admin.action(description=_("Try again"), permissions=["operate"])
    def try_again(self, request: HttpRequest, queryset: QuerySet[GatewayEvent]) -> None:
        """The chosen events that were not dealt with are due again."""
        count = sum(retry_event(event) for event in queryset)
        text = ngettext("%(count)s event is due again.", "%(count)s events are due again.", count)
        self.message_user(request, text % {"count": count}, messages.SUCCESS)


@admin.register(GatewayDay)
class GatewayDayAdmin(OperatedAdmin):
    list_display = (
        "day",
        "gateway",
        "ours_count",
        "theirs_count",
        "ours_sums",
        "theirs_sums",
        "difference_count",
        "compared_at",
    )
    list_filter = ("gateway",)
    date_hierarchy = "day"
    ordering = ("-day", "gateway")
    actions = ("compare_again",)

    @admin.display(description=_("differences"))
    def difference_count(self, row: GatewayDay) -> int:
        """How many charges or purchases differ."""
        return len(row.differences)

    @admin.action(description=_("Compare again now"), permissions=["operate"])
    def compare_again(self, request: HttpRequest, queryset: QuerySet[GatewayDay]) -> None:
        """The chosen days are compared again."""
        for row in queryset:
            try:
                found = compare_day(find_gateway(row.gateway), row.day)
            except (GatewayUnavailable, GatewayNotConfigured):
                self.message_user(request, f"{row}: {_('no answer')}", messages.ERROR)
                continue
            count = len(found.differences) if found else 0
            text = ngettext("%(count)s difference", "%(count)s differences", count)
            level = messages.WARNING if count else messages.SUCCESS
            self.message_user(request, f"{row}: {text % {'count': count}}", level)
