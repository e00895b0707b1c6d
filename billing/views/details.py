"""The page between amount and check that asks for what an invoice needs.

Its one rule: the draft of the purchase passes through unchanged; nothing is bought here.
"""

from urllib.parse import urlencode

from django.contrib import messages
from django.http import HttpResponseBase, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from billing.drafts import Draft
from billing.profile_forms import BillingDetailsForm
from members.access import MemberRequest, administrators_only
from members.company_profile import update_company
from skypemgr.lib.errors import ProductError

SHOWN, REFUSED = 200, 422


@administrators_only
@require_http_methods(["GET", "HEAD", "POST"])
def complete_details(request: MemberRequest) -> HttpResponseBase:
    """Name, address and legal numbers; then on to check."""
    company = request.member.company
    text = request.POST.get("draft", "") or request.GET.get("draft", "")
    draft = Draft.read(text, company)
    if draft is None:
        messages.warning(request, _("This page is no longer valid. Please choose again."))
        return redirect("buy")
    form = BillingDetailsForm(request.POST if request.method == "POST" else None, company=company)
    if form.is_valid() and _save(request, form):
        return HttpResponseRedirect(f"{reverse('buy_check')}?{urlencode({'draft': text})}")
    back = urlencode({"method": draft.means, "draft": text})
    page = {"form": form, "draft": text, "amount_url": f"{reverse('buy_amount')}?{back}"}
    status = REFUSED if form.is_bound else SHOWN
    return render(request, "billing/buy_details.html", page, status=status)


def _save(request: MemberRequest, form: BillingDetailsForm) -> bool:
    try:
        update_company(actor=request.actor, **form.cleaned_data)
    except ProductError as error:
        form.add_error(error.field if error.field in form.fields else None, str(error))
        return False
    return True
