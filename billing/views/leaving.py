"""The pages on which people go: removed, left, the company closed.

Their one rule: what ends and what stays is said before, in numbers; opening a page changes nothing.
"""

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from billing.closing import close_company, preview_closing
from billing.closing_forms import CloseForm
from billing.leaving import leave_company, preview_leaving, preview_removal, remove_members
from members.access import MemberRequest, administrators_only, find_member, members_only
from skypemgr.lib.errors import NotAllowed, NotFound, ProductError

SHOWN, REFUSED = 200, 422


@administrators_only
@require_http_methods(["GET", "HEAD", "POST"])
def remove(request: MemberRequest, pk: int) -> HttpResponse:
    """The member is removed after a look at what ends and what stays."""
    member = find_member(request.actor, pk)
    if not member.is_present:
        return redirect("member", pk)
    if member.pk == request.member.pk:
        return redirect("leave")
    error = ""
    if request.method == "POST":
        try:
            remove_members(actor=request.actor, member_ids=[pk])
        except (NotAllowed, NotFound):
            raise
        except ProductError as refusal:
            error = str(refusal)
        else:
            words = _("%(name)s was removed. The credit stays with the person.")
            messages.success(request, words % {"name": member.name})
            return redirect("members")
    page = {"member": member, "told": preview_removal(request.actor, [pk]), "error": error}
    return _render(request, "billing/member_remove.html", page, bool(error))


@members_only
@require_http_methods(["GET", "HEAD", "POST"])
def leave(request: MemberRequest) -> HttpResponse:
    """The member leaves after a look at what ends and what stays."""
    error = ""
    if request.method == "POST":
        try:
            leave_company(actor=request.actor)
        except NotAllowed:
            raise
        except ProductError as refusal:
            error = str(refusal)
        else:
            words = _("You have left %(company)s. Your credit stays yours.")
            messages.success(request, words % {"company": request.actor.company.name})
            return redirect("me")
    page = {"told": preview_leaving(request.actor), "error": error}
    return _render(request, "billing/leave.html", page, bool(error))


@sensitive_post_parameters("password")
@administrators_only
@require_http_methods(["GET", "HEAD", "POST"])
def close(request: MemberRequest) -> HttpResponse:
    """The company is closed after a look at what ends, and the password."""
    company = request.actor.company
    if company.state == company.State.CLOSED:
        return redirect("settings")
    form = CloseForm(
        request.POST if request.method == "POST" else None,
        user=request.member.user,
        company_name=company.name,
    )
    if form.is_valid():
        try:
            close_company(actor=request.actor)
        except NotAllowed:
            raise
        except ProductError as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(request, _("%(name)s is closed.") % {"name": company.name})
            return redirect("settings")
    page = {"form": form, "told": preview_closing(request.actor)}
    return _render(request, "billing/company_close.html", page, form.is_bound)


def _render(
    request: MemberRequest, template: str, page: dict[str, Any], is_refused: bool
) -> HttpResponse:
    company = request.actor.company
    context = {"company": company, "currency": company.currency, **page}
    return render(request, template, context, status=REFUSED if is_refused else SHOWN)
