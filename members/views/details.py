"""Creating an account directly, and the Details tab of a member."""

from django.contrib import messages
from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from members.access import (
    MemberRequest,
    active_company_only,
    administrators_only,
    find_member,
    readers_only,
)
from members.actors import Actor
from members.addresses import proven_emails
from members.details import update_member
from members.forms import CreateMemberForm, DetailsForm
from members.joining import create_member
from members.lists import create_list
from members.models import Member
from skypemgr.lib.errors import ProductError


@administrators_only
@active_company_only
@require_http_methods(["GET", "POST"])
def create_account(request: MemberRequest) -> HttpResponse:
    """An administrator makes an account; its owner sets the password by a link."""
    form = CreateMemberForm(request.POST or None, actor=request.actor)
    if request.method != "POST":
        return render(request, "members/create.html", {"form": form})
    code = ""
    if form.is_valid():
        try:
            member = create_member(actor=request.actor, **form.cleaned_data)
        except ProductError as error:
            form.add_error(error.field or None, str(error))
            code = error.code
        else:
            words = _("The account of %(name)s is ready. A link to set a password is on its way.")
            messages.success(request, words % {"name": member.name})
            return redirect("member", member.pk)
    return render(request, "members/create.html", {"form": form, "code": code}, status=422)


@readers_only
@require_http_methods(["GET", "POST"])
def show_member(request: MemberRequest, pk: int) -> HttpResponse:
    """The Details tab: everything known; administrators change it here."""
    member = find_member(request.actor, pk)
    status = 200
    if request.method == "POST":
        request.actor.require_administrator()
        form = DetailsForm(request.POST, actor=request.actor)
        if form.is_valid() and _save(request.actor, member, form):
            messages.success(request, _("Saved."))
            return redirect("member", member.pk)
        status = 422
        member = find_member(request.actor, pk)
    else:
        form = DetailsForm.of_member(member, request.actor)
    values = {
        "member": member,
        "form": form,
        "may_edit": request.member.is_administrator,
        "proven": proven_emails(member.user),
        "is_waiting": not member.user.has_usable_password(),
    }
    return render(request, "members/member.html", values, status=status)


def _save(actor: Actor, member: Member, form: DetailsForm) -> bool:
    fields = dict(form.cleaned_data)
    new_list = fields.pop("new_list")
    try:
        with transaction.atomic():
            if new_list:
                fields["list"] = _make_list(actor, new_list)
            update_member(actor=actor, member=member, **fields)
    except ProductError as error:
        form.add_error(error.field or None, str(error))
        return False
    return True


def _make_list(actor: Actor, name: str) -> object:
    try:
        return create_list(actor=actor, name=name)
    except ProductError as error:
        # On this page the list's name stands in a field of its own.
        error.field = "new_list"
        raise
