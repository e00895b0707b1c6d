"""Payment settings: saved methods and the company's auto-recharge.

Its one rule: administrators only, and nothing is ever charged automatically without the consent
given on this page or at a purchase.
"""

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from billing.auto_rules import (
    RuleStatus,
    describe_rule,
    list_takers,
    resume_rule,
    save_rule,
    switch_off_rule,
    terms_of,
)
from billing.consent import VERSION, Terms, write_consent, write_rule
from billing.errors import UnknownMethod
from billing.method_queries import describe_methods, read_outcomes, why_it_waits
from billing.method_removal import remove_method, rests_on
from billing.methods import find_method, list_methods, method_name, reorder
from billing.models import AutoPurchaseRule, PaymentMethod
from billing.rule_forms import RemovalForm, RuleForm, TakeOverForm
from members.access import MemberRequest, administrators_only
from skypemgr.lib.errors import ProductError

SHOWN, REFUSED = 200, 422
PREVIEW = "rule-preview"


@administrators_only
@require_http_methods(["GET", "HEAD", "POST"])
def show_settings(request: MemberRequest) -> HttpResponseBase:
    """The methods, the rule's state, and the form that changes it."""
    company = request.member.company
    saved, status = list_methods(company), describe_rule(company)
    form = RuleForm(
        request.POST if request.method == "POST" else None,
        currency=company.currency,
        saved=[method for method in saved if method.can_recharge],
        rule=status.rule if status else None,
    )
    if request.method != "POST" and request.htmx and request.htmx.target == PREVIEW:
        return _show_preview(request, form)
    if form.is_valid() and _save(request, form):
        messages.success(request, _("Auto-recharge is on."))
        return redirect("payment_settings")
    page = {
        "form": form,
        "company": company,
        "methods": describe_methods(company, saved, status.rule if status else None),
        "status": status,
        "can_recharge": bool(form.saved),
        "preview": _words(form) if form.is_bound else _present_words(form, status),
        **(_standing(status, company.currency) if status else {}),
    }
    code = REFUSED if form.is_bound else SHOWN
    return render(request, "billing/payment_settings.html", page, status=code)


@administrators_only
@require_POST
def take_over(request: MemberRequest) -> HttpResponseBase:
    """Another saved method pays from now on, on the same terms, as agreed to beside the button."""
    form = TakeOverForm(request.POST)
    rule = AutoPurchaseRule.objects.filter(company=request.member.company).first()
    if rule is None or not form.is_valid() or not form.is_current(rule):
        messages.warning(request, _("Auto-recharge has changed meanwhile. Please read it again."))
        return redirect("payment_settings")
    try:
        method = find_method(request.actor, form.cleaned_data["method"])
        save_rule(
            actor=request.actor,
            method=method,
            terms=terms_of(rule),
            consent_version=form.cleaned_data["version"],
        )
        messages.success(
            request,
            _("Auto-recharge is on and pays with %(name)s.") % {"name": method_name(method)},
        )
    except UnknownMethod as error:
        raise Http404 from error
    except ProductError as error:
        messages.error(request, str(error))
    return redirect("payment_settings")


@administrators_only
@require_POST
def switch_off(request: MemberRequest) -> HttpResponseBase:
    """Auto-recharge is off."""
    switch_off_rule(actor=request.actor)
    messages.success(request, _("Auto-recharge is off."))
    return redirect("payment_settings")


@administrators_only
@require_POST
def resume(request: MemberRequest) -> HttpResponseBase:
    """Auto-recharge goes on."""
    try:
        resume_rule(actor=request.actor)
        messages.success(request, _("Auto-recharge is on."))
    except ProductError as error:
        messages.error(request, str(error))
    return redirect("payment_settings")


@administrators_only
@require_POST
def order_methods(request: MemberRequest) -> HttpResponseBase:
    """The methods stand in the order that the pressed button carries."""
    ids = [int(pk) for pk in request.POST.get("order", "").split(",") if _is_id(pk)]
    try:
        reorder(actor=request.actor, ids=ids)
    except UnknownMethod as error:
        raise Http404 from error
    return redirect("payment_settings")


@administrators_only
@require_http_methods(["GET", "HEAD", "POST"])
def remove(request: MemberRequest, pk: int) -> HttpResponseBase:
    """What removing the method does, who takes over, and the button that does it."""
    method = _own(request, pk)
    rule = rests_on(method)
    takers = list_takers(rule) if rule else []
    form = RemovalForm(request.POST if request.method == "POST" else None, takers=takers)
    is_complete = request.method == "POST" and (rule is None or form.is_valid())
    if is_complete and _remove(request, form, pk, rule):
        return redirect("payment_settings")
    currency = request.member.company.currency
    page = {
        "method": method,
        "name": method_name(method),
        "rule": rule,
        "takers": [_consent(rule, one, currency) for one in takers if rule],
        "form": form,
    }
    code = REFUSED if request.method == "POST" else SHOWN
    return render(request, "billing/method_remove.html", page, status=code)


def _remove(
    request: MemberRequest, form: RemovalForm, pk: int, rule: AutoPurchaseRule | None
) -> bool:
    then = form.cleaned_data["then"] if rule else RemovalForm.PAUSE
    try:
        remove_method(
            actor=request.actor,
            pk=pk,
            successor=int(then) if then != RemovalForm.PAUSE else None,
            consent_version=VERSION,
            pauses=rule is not None and then == RemovalForm.PAUSE,
        )
    except ProductError as error:
        form.add_error(None, str(error))
        return False
    messages.success(request, _("The payment method was removed."))
    return True


def _save(request: MemberRequest, form: RuleForm) -> bool:
    data = form.cleaned_data
    try:
        save_rule(
            actor=request.actor,
            method=find_method(request.actor, int(data["method"])),
            terms=data["terms"],
            consent_version=VERSION,
        )
    except ProductError as error:
        form.add_error(error.field if error.field in form.fields else None, str(error))
        return False
    return True


def _standing(status: RuleStatus, currency: str) -> dict[str, Any]:
    """What the page says about the rule as it stands."""
    rule = status.rule
    # The first back-up is one press away; the form below offers them all.
    takers = list_takers(rule)[:1] if status.state == "paused" else []
    offers = [
        (method_name(one), _consent(rule, one, currency), TakeOverForm.of(rule, one))
        for one in takers
    ]
    return {
        "sentence": write_rule(status.terms, currency=currency, card=method_name(rule.method)),
        "waits": why_it_waits(status, currency),
        "outcomes": read_outcomes(rule),
        "offers": offers,
        "method_gone": rule.method.removed_at is not None,
    }


def _show_preview(request: MemberRequest, form: RuleForm) -> HttpResponseBase:
    typed = RuleForm(
        request.GET, currency=form.currency, saved=list(form.saved.values()), rule=None
    )
    return render(request, "billing/rule_preview.html", {"preview": _words(typed)})


def _words(form: RuleForm) -> dict[str, str] | None:
    """What the typed values mean and what is agreed to with them; None until they are complete."""
    typed = form.typed()
    if typed is None:
        return None
    return _words_of(*typed, form.currency)


def _present_words(form: RuleForm, status: RuleStatus | None) -> dict[str, str] | None:
    """The same of what stands in the fields before anything is typed."""
    if status is None or str(status.rule.method_id) not in form.saved:
        return None
    return _words_of(status.terms, status.rule.method, form.currency)


def _words_of(terms: Terms, method: PaymentMethod, currency: str) -> dict[str, str]:
    name = method_name(method)
    return {
        "sentence": write_rule(terms, currency=currency, card=name),
        "consent": write_consent(terms, currency=currency, card=name),
    }


def _consent(rule: AutoPurchaseRule, method: PaymentMethod, currency: str) -> str:
    return write_consent(terms_of(rule), currency=currency, card=method_name(method))


def _own(request: MemberRequest, pk: int) -> PaymentMethod:
    try:
        return find_method(request.actor, pk)
    except UnknownMethod as error:
        raise Http404 from error


def _is_id(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 19
