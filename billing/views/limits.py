"""How much may be bought, and which VAT is paid. Its one rule: a company sets only its own limit;
those of the system are the operator's.
"""

from django.contrib import messages
from django.http import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from billing.limits import describe_own, describe_ways
from billing.profile import find_profile, set_company_limit
from billing.profile_forms import CompanyLimitForm
from billing.switches import explain_stop
from billing.vat import vat_of
from billing.vat_checks import number_state
from members.access import MemberRequest, administrators_only
from skypemgr.lib.errors import ProductError
from skypemgr.lib.periods import utc_now

SHOWN, REFUSED = 200, 422


@administrators_only
@require_http_methods(["GET", "HEAD", "POST"])
def show_limits(request: MemberRequest) -> HttpResponseBase:
    """The own limit with its form, the system's limits by way, the VAT."""
    company, now = request.member.company, utc_now()
    profile = find_profile(company)
    form = CompanyLimitForm(
        request.POST if request.method == "POST" else None,
        currency=company.currency,
        initial={"company_limit": profile.company_limit},
    )
    if form.is_valid() and _save(request, form):
        messages.success(request, _("Saved."))
        return redirect("purchase_limits")
    page = {
        "form": form,
        "company": company,
        "profile": profile,
        "own": describe_own(company, now=now),
        "ways": describe_ways(company, now=now),
        "vat": vat_of(company, on=company.day_at(now)),
        "number_state": number_state(company),
        "stop": explain_stop(company, automatic=True),
    }
    code = REFUSED if form.is_bound else SHOWN
    return render(request, "billing/limits.html", page, status=code)


def _save(request: MemberRequest, form: CompanyLimitForm) -> bool:
    try:
        set_company_limit(actor=request.actor, limit=form.cleaned_data["company_limit"])
    except ProductError as error:
        form.add_error(error.field if error.field in form.fields else None, str(error))
        return False
    return True
