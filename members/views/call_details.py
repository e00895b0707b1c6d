"""Call details: the member's consent and the company's switch. Both are off until somebody acts."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from members.access import MemberRequest, administrators_only, members_only
from members.call_details import set_consent, switch_call_details
from members.models import Member


@require_POST
@members_only
def answer_consent(request: MemberRequest) -> HttpResponse:
    """A member gives or withdraws the own consent."""
    consents = request.POST.get("consents") == "1"
    set_consent(actor=request.actor, consents=consents)
    messages.success(
        request, _("Your consent is given.") if consents else _("Your consent is withdrawn.")
    )
    return redirect("profile")


@require_http_methods(["GET", "POST"])
@administrators_only
def set_call_details(request: MemberRequest) -> HttpResponse:
    """The company's switch, with what the law asks for, and how many members consent."""
    if request.method == "POST":
        on = request.POST.get("on") == "1"
        switch_call_details(actor=request.actor, on=on)
        messages.success(
            request, _("Call details are switched on.") if on else _("Call details are off.")
        )
        return redirect("call_details")
    company = request.actor.company
    present = Member.objects.filter(
        company=company, status__in=(Member.Status.ACTIVE, Member.Status.SUSPENDED)
    )
    values = {
        "company": company,
        "members_count": present.count(),
        "consents_count": present.exclude(call_details_consent_at=None).count(),
    }
    return render(request, "members/call_details.html", values)
