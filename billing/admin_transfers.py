"""The operator's desk for bank transfers: statements, their lines, what is awaited.

Its one rule: only superusers see it, and every decision is a verb's, with a word of why.
"""

from collections.abc import Iterable
from typing import Any, cast

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Model, OuterRef, QuerySet, Subquery
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from billing.bank_decisions import (
    DECIDABLE,
    accept_line,
    list_candidates,
    send_back,
    set_aside,
    settle_by_hand,
)
from billing.bank_statements import ImportedStatement, import_statement
from billing.models import BankStatement, BankStatementLine, BankTransfer, Purchase
from billing.references import group_reference
from billing.transfer_forms import ByHandForm, DecisionForm, UploadForm, WordForm
from members.admin import ReadOnlyAdmin
from members.models import User
from skypemgr.lib.errors import ProductError
from skypemgr.lib.formats import format_date, format_money

ADVANCED_AT_ONCE = 200
SHOWN_REFUSALS = 100
LONGEST_SHOWN = 90

Fact = tuple[str | Promise, object]


class OperatorsAdmin(ReadOnlyAdmin):
    """A table for superusers alone."""

    list_per_page = 50
    show_full_result_count = False
    ordering = ("-id",)

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Statements name payers and their accounts."""
        return _is_operator(request)

    def has_module_permission(self, request: HttpRequest) -> bool:
        """Listed for whoever may look."""
        return _is_operator(request) or super().has_module_permission(request)

    def has_operate_permission(self, request: HttpRequest) -> bool:
        """Whoever sees it may decide."""
        return _is_operator(request)

    def find(self, request: HttpRequest, object_id: str) -> Any:
        """The row; refused to others, 404 if there is none."""
        if not _is_operator(request):
            raise PermissionDenied
        row = self.get_object(request, object_id)
        if row is None:
            raise Http404
        return row

    def draw(
        self,
        request: HttpRequest,
        *,
        title: str | Promise,
        form: forms.Form | None = None,
        facts: Iterable[Fact] = (),
        **more: object,
    ) -> HttpResponse:
        """Facts, and a form under them; 422 if the form has errors."""
        page = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": title,
            "form": form,
            "facts": list(facts),
            "changelist_url": reverse(f"admin:billing_{self.opts.model_name}_changelist"),
            **more,
        }
        status = 422 if form is not None and form.errors else 200
        return render(request, "admin/billing/transfer_page.html", page, status=status)


@admin.register(BankStatement)
class BankStatementAdmin(OperatorsAdmin):
    """Imported files; adding one is importing it."""

    list_display = (
        "id",
        "created_at",
        "name",
        "imported_by",
        "stored_count",
        "already_count",
        "ignored_count",
        "refused_count",
    )
    list_select_related = ("imported_by",)
    search_fields = ("name",)

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Importing is deciding."""
        return _is_operator(request)

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """The file is imported, and what became of it is shown."""
        if not _is_operator(request):
            raise PermissionDenied
        form = UploadForm(request.POST or None, request.FILES or None)
        title = _("Import a bank statement")
        if request.method != "POST" or not form.is_valid():
            return self.draw(
                request, title=title, form=form, save_label=_("Import"), is_upload=True
            )
        upload = form.cleaned_data["file"]
        try:
            result = import_statement(
                upload.file,
                name=upload.name,
                user=cast("User", request.user),
                advance_at_most=ADVANCED_AT_ONCE,
            )
        except ProductError as error:
            form.add_error("file", str(error))
            return self.draw(
                request, title=title, form=form, save_label=_("Import"), is_upload=True
            )
        return self.draw(
            request,
            title=_("What became of the statement"),
            facts=_tell(result),
            refused=result.refused[:SHOWN_REFUSALS],
            lines_url=_lines_url(result.statement),
        )

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """A statement is its lines."""
        return HttpResponseRedirect(_lines_url(self.find(request, object_id)))


@admin.register(BankStatementLine)
class BankStatementLineAdmin(OperatorsAdmin):
    """Payments in, and what they pay."""

    list_display = ("id", "received_on", "money", "shown_label", "state", "reason", "likely")
    list_filter = ("state", "reason", "currency")
    list_select_related = ("purchase__company", "suggested__company")
    search_fields = ("label", "=amount", "=purchase__id")
    date_hierarchy = "received_on"
    action_form = WordForm
    actions = ("settle_suggested", "put_aside")

    @admin.display(description=_("amount"), ordering="amount")
    def money(self, line: BankStatementLine) -> str:
        """What arrived."""
        return format_money(line.amount, line.currency)

    @admin.display(description=_("label"))
    def shown_label(self, line: BankStatementLine) -> str:
        """Its beginning."""
        return line.label[:LONGEST_SHOWN]

    @admin.display(description=_("purchase"))
    def likely(self, line: BankStatementLine) -> str | SafeString:
        """What it paid, or may have been meant for."""
        purchase = line.purchase or line.suggested
        if purchase is None:
            return "–"
        words = f"{purchase.pk} · {purchase.company.name}"
        return words if line.purchase else format_html("<em>{}?</em>", words)

    @admin.action(description=_("It pays the suggested purchase"), permissions=["operate"])
    def settle_suggested(self, request: HttpRequest, queryset: QuerySet[BankStatementLine]) -> None:
        """Each chosen line with a suggestion pays it, if it may."""
        user, word = cast("User", request.user), request.POST.get("word", "")
        done = 0
        for line in queryset.exclude(suggested=None):
            try:
                accept_line(line.pk, purchase_id=line.suggested_id or 0, user=user, reason=word)
            except ProductError as error:
                self.message_user(request, f"{line}: {error}", messages.ERROR)
            else:
                self.log_change(request, line, f"settle: {word}")
                done += 1
        text = ngettext("%(count)s line is credited.", "%(count)s lines are credited.", done)
        self.message_user(request, text % {"count": done}, messages.SUCCESS)

    @admin.action(description=_("Nothing to do with purchases"), permissions=["operate"])
    def put_aside(self, request: HttpRequest, queryset: QuerySet[BankStatementLine]) -> None:
        """The waiting ones of the chosen lines are set aside."""
        user, word = cast("User", request.user), request.POST.get("word", "")
        chosen = list(queryset.filter(state=BankStatementLine.State.WAITING))
        try:
            count = set_aside([line.pk for line in chosen], user=user, reason=word)
        except ProductError as error:
            self.message_user(request, str(error), messages.ERROR)
            return
        for line in chosen:
            self.log_change(request, line, f"set_aside: {word}")
        text = ngettext("%(count)s line is set aside.", "%(count)s lines are set aside.", count)
        self.message_user(request, text % {"count": count}, messages.SUCCESS)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """One line with all that is known, and the decision while there is one to take."""
        line: BankStatementLine = self.find(request, object_id)
        title = f"{format_money(line.amount, line.currency)} · {format_date(line.received_on)}"
        if line.state not in DECIDABLE:
            return self.draw(request, title=title, facts=_line_facts(line))
        likely = line.suggested or line.purchase
        initial = {"purchase": likely.pk if likely else None}
        form = DecisionForm(request.POST or None, initial=initial)
        if request.method == "POST" and form.is_valid():
            try:
                self.decide(request, line, form.cleaned_data)
            except ProductError as error:
                form.add_error(error.field if error.field in form.fields else None, str(error))
            else:
                self.message_user(request, f"{line}: {_('Done')}", messages.SUCCESS)
                changelist = reverse("admin:billing_bankstatementline_changelist")
                return HttpResponseRedirect(f"{changelist}?state__exact=waiting")
        facts = _line_facts(line)
        facts += [(_("Awaited"), _name_purchase(one)) for one in list_candidates(line)]
        return self.draw(request, title=title, form=form, facts=facts, save_label=_("Decide"))

    def decide(self, request: HttpRequest, line: BankStatementLine, data: dict[str, Any]) -> None:
        """The verb of the decision is called."""
        user, reason = cast("User", request.user), data["reason"]
        if data["decision"] == "settle":
            accept_line(line.pk, purchase_id=data["purchase"], user=user, reason=reason)
        elif data["decision"] == "send_back":
            send_back(line.pk, user=user, reason=reason)
        else:
            set_aside([line.pk], user=user, reason=reason)
        self.log_change(request, line, f"{data['decision']}: {reason}")


@admin.register(BankTransfer)
class BankTransferAdmin(OperatorsAdmin):
    """What payers were asked to transfer."""

    list_display = (
        "id",
        "company",
        "reference",
        "money",
        "status",
        "pay_by",
        "received_on",
        "received_amount",
        "is_by_hand",
    )
    list_filter = ("status", "is_by_hand", "currency")
    search_fields = ("payment_reference", "=amount")
    date_hierarchy = "pay_by"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """With the name of the company that is to pay."""
        paid_for = Purchase.objects.filter(payment_reference=OuterRef("payment_reference"))
        rows: QuerySet[Any] = super().get_queryset(request)
        named: QuerySet[Any] = rows.annotate(payer=Subquery(paid_for.values("company__name")[:1]))
        return named

    @admin.display(description=_("company"), ordering="payer")
    def company(self, transfer: Any) -> str:
        """Who is to pay."""
        return str(transfer.payer or "–")

    @admin.display(description=_("reference"), ordering="payment_reference")
    def reference(self, transfer: BankTransfer) -> str:
        """In groups of four."""
        return group_reference(transfer.payment_reference)

    @admin.display(description=_("amount"), ordering="amount")
    def money(self, transfer: BankTransfer) -> str:
        """What is awaited."""
        return format_money(transfer.amount, transfer.currency)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """One awaited transfer, to be settled by hand."""
        transfer: BankTransfer = self.find(request, object_id)
        purchase = (
            Purchase.objects.select_related("company")
            .filter(payment_reference=transfer.payment_reference)
            .first()
        )
        title, facts = group_reference(transfer.payment_reference), _transfer_facts(transfer)
        if purchase is None or transfer.status != BankTransfer.Status.PENDING:
            return self.draw(request, title=title, facts=[*facts, *_purchase_facts(purchase)])
        form = ByHandForm(request.POST or None)
        if request.method == "POST" and form.is_valid():
            user = cast("User", request.user)
            try:
                settle_by_hand(purchase.pk, user=user, **form.cleaned_data)
            except ProductError as error:
                form.add_error(error.field if error.field in form.fields else None, str(error))
            else:
                self.log_change(request, transfer, form.cleaned_data["reason"])
                self.message_user(request, f"{title}: {_('Done')}", messages.SUCCESS)
                return HttpResponseRedirect(reverse("admin:billing_banktransfer_changelist"))
        facts = [*facts, *_purchase_facts(purchase)]
        label = _("It was received in full")
        return self.draw(request, title=title, form=form, facts=facts, save_label=label)


def _is_operator(request: HttpRequest) -> bool:
    return bool(request.user.is_active and request.user.is_superuser)


def _lines_url(statement: BankStatement | None) -> str:
    lines = reverse("admin:billing_bankstatementline_changelist")
    return f"{lines}?statement__id__exact={statement.pk}" if statement else lines


def _tell(result: ImportedStatement) -> list[Fact]:
    return [
        (_("New payments in"), result.stored_count),
        (_("Credited"), result.settled_count),
        (_("Wait for a decision"), result.waiting_count),
        (_("Still being credited"), result.unfinished_count),
        (_("Already imported before"), result.already_count),
        (_("Money out, left aside"), result.ignored_count),
        (_("Not readable"), len(result.refused)),
    ]


def _line_facts(line: BankStatementLine) -> list[Fact]:
    facts: list[Fact] = [
        (_("Day"), format_date(line.received_on)),
        (_("Amount"), format_money(line.amount, line.currency)),
        (_("Label"), line.label),
        (_("Statement"), f"{line.statement} · {line.line}"),
        (_("State"), line.get_state_display()),
    ]
    if line.reason:
        facts.append((_("Why it waits"), line.get_reason_display()))
    facts += _purchase_facts(line.purchase or line.suggested)
    if line.decided_by:
        facts.append((_("Decided by"), f"{line.decided_by} · {line.decision}"))
    return facts


def _transfer_facts(transfer: BankTransfer) -> list[Fact]:
    facts: list[Fact] = [
        (_("Amount"), format_money(transfer.amount, transfer.currency)),
        (_("State"), transfer.get_status_display()),
        (_("To be paid by"), format_date(transfer.pay_by)),
    ]
    if transfer.received_on and transfer.received_amount:
        received = format_money(transfer.received_amount, transfer.currency)
        facts.append((_("Received"), f"{received} · {format_date(transfer.received_on)}"))
    return facts


def _purchase_facts(purchase: Purchase | None) -> list[Fact]:
    if purchase is None:
        return []
    return [(_("Purchase"), _name_purchase(purchase))]


def _name_purchase(purchase: Purchase) -> str:
    total = format_money(purchase.total, purchase.currency)
    return f"{purchase.pk} · {purchase.company} · {total} · {purchase.get_status_display()}"
