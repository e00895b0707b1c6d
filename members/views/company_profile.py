"""The company's settings: what it says of itself, and who administers it."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from members.access import MemberRequest, administrators_only
from members.company_forms import CompanyProfileForm
from members.company_profile import update_company
from members.models import Member
from members.models.people import Role
from skypemgr.lib.errors import ProductError


@require_http_methods(["GET", "POST"])
@administrators_only
def set_company(request: MemberRequest) -> HttpResponse:
    """Name, address, legal numbers, language, zone, currency, links; the administrators beside."""
    company = request.actor.company
    form = CompanyProfileForm(request.POST or None, company=company)
    status = 200
    if request.method == "POST":
        if form.is_valid() and _save(request, form):
            messages.success(request, _("Saved."))
            return redirect("company_profile")
        status = 422
    administrators = (
        Member.objects.filter(company=company, role=Role.ADMINISTRATOR, status=Member.Status.ACTIVE)
        .order_by("name_key", "pk")
        .only("name", "job_title")
    )
    values = {"form": form, "company": company, "administrators": administrators}
    return render(request, "members/company_profile.html", values, status=status)


def _save(request: MemberRequest, form: CompanyProfileForm) -> bool:
    try:
        update_company(actor=request.actor, **form.cleaned_data)
    except ProductError as error:
        form.add_error(error.field or None, str(error))
        return False
    return True
