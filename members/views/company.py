"""Naming one's company, or accepting an invitation that waits."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from members.companies import create_company
from members.countries import COUNTRIES, guess_country
from members.forms import CompanyForm
from members.invitations import waiting_invitations
from members.middleware import find_present_member
from members.models import Member, User
from skypemgr.lib.errors import ProductError


@login_required
@require_http_methods(["GET", "POST"])
def name_company(request: HttpRequest) -> HttpResponse:
    """Somebody without a company names one and administers it, or finds their invitations."""
    user = request.user
    if not isinstance(user, User) or find_present_member(user):
        return redirect("dashboard")
    form = CompanyForm(request.POST or None, initial=_usual_terms(request))
    status = 200
    if request.method == "POST":
        if form.is_valid():
            try:
                company, _member = create_company(user=user, **form.cleaned_data)
            except ProductError as error:
                form.add_error(error.field or None, str(error))
            else:
                messages.success(request, _("%(name)s is set up.") % {"name": company.name})
                return redirect("dashboard")
        status = 422
    former = Member.objects.filter(user=user).select_related("company").order_by("-ended_at")
    values = {
        "form": form,
        "invitations": list(waiting_invitations(user)),
        "former": former.first(),
        "countries": {
            country.code: [country.currency, country.time_zone] for country in COUNTRIES.values()
        },
    }
    return render(request, "members/company_new.html", values, status=status)


def _usual_terms(request: HttpRequest) -> dict[str, str]:
    country = COUNTRIES[guess_country(request.headers.get("Accept-Language", ""))]
    return {
        "country": country.code,
        "currency": country.currency,
        "time_zone": country.time_zone,
        "language": (get_language() or "en").partition("-")[0],
    }
