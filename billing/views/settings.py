"""Payment settings: saved cards and the company's auto-recharge. Its one rule: administrators only,
and nothing is ever charged automatically without the tick of consent on this page or at a purchase.
"""

from django.contrib import messages
from django.http import Http404, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from billing.auto_rules import describe_rule, resume_rule, save_rule, switch_off_rule
from billing.consent import VERSION, Terms
from billing.declines import explain_decline
from billing.errors import UnknownMethod
from billing.forms import RuleForm
from billing.method_removal import remove_method
from billing.methods import find_method, list_methods, method_name
from billing.models import Purchase
from members.access import MemberRequest, administrators_only
from skypemgr.lib.errors import ProductError

SHOWN, REFUSED = 200, 422


@administrators_only
@require_http_methods(["GET", "HEAD", "POST"])
def show_settings(request: MemberRequest) -> HttpResponseBase:
    """The cards, the rule's state, and the form that changes it."""
    company = request.member.company
    saved, status = list_methods(company), describe_rule(company)
    form = RuleForm(
        request.POST if request.method == "POST" else None,
        currency=company.currency,
        saved=saved,
        rule=status.rule if status else None,
    )
    if form.is_valid() and _save(request, form):
        messages.success(request, _("Auto-recharge is on."))
        return redirect("payment_settings")
    declined = (
        Purchase.objects.filter(company=company, is_automatic=True, status=Purchase.Status.DECLINED)
        .order_by("-pk")
        .first()
    )
    page = {
        "form": form,
        "company": company,
        "cards": [(card, method_name(card)) for card in saved],
        "status": status,
        "rule_card": method_name(status.rule.method) if status else "",
        "reason": explain_decline(declined.decline_code) if declined else "",
    }
    code = REFUSED if form.is_bound else SHOWN
    return render(request, "billing/payment_settings.html", page, status=code)


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
def remove_card(request: MemberRequest, pk: int) -> HttpResponseBase:
    """The card is not offered any more."""
    try:
        remove_method(actor=request.actor, pk=pk)
        messages.success(request, _("The card was removed."))
    except UnknownMethod as error:
        raise Http404 from error
    except ProductError as error:
        messages.error(request, str(error))
    return redirect("payment_settings")


def _save(request: MemberRequest, form: RuleForm) -> bool:
    data = form.cleaned_data
    try:
        save_rule(
            actor=request.actor,
            method=find_method(request.actor, int(data["method"])),
            terms=Terms(data["level"], data["amount"], data["monthly_limit"]),
            consent_version=VERSION,
        )
    except ProductError as error:
        form.add_error(error.field if error.field in form.fields else None, str(error))
        return False
    return True
