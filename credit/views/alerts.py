"""The company's low-balance alert: at which balance who is told."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from credit.alert_forms import AlertForm
from credit.low_balance import (
    describe_alert,
    possible_recipients,
    save_alert,
    switch_off_alert,
)
from members.access import MemberRequest, administrators_only
from skypemgr.lib.errors import ProductError
from skypemgr.lib.formats import format_money


@require_http_methods(["GET", "POST"])
@administrators_only
def set_alert(request: MemberRequest) -> HttpResponse:
    """The level, and who is told; an empty level switches it off."""
    company = request.actor.company
    before = describe_alert(company)
    posted = request.POST if request.method == "POST" else None
    form = AlertForm(posted, status=before, possible=possible_recipients(company))
    if posted is not None and form.is_valid() and _save(request, form):
        return redirect("alerts")
    values = {"form": form, "status": before, "company": company}
    return render(request, "credit/alerts.html", values, status=200 if posted is None else 422)


def _save(request: MemberRequest, form: AlertForm) -> bool:
    level = form.level_given
    if level is None:
        switch_off_alert(actor=request.actor)
        messages.success(request, _("The low-balance alert is off."))
        return True
    try:
        recipients = form.cleaned_data["recipients"]
        save_alert(actor=request.actor, level=level, recipient_ids=recipients)
    except ProductError as error:
        form.add_error(error.field if error.field in form.fields else None, str(error))
        return False
    shown = format_money(level, request.actor.company.currency)
    messages.success(request, _("You are told below %(level)s.") % {"level": shown})
    return True
