"""Creating, renaming and archiving lists. Their one rule: a page asks, in numbers, before anything
moves.
"""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods

from members.access import MemberRequest, administrators_only, find_list
from members.forms import ListNameForm
from members.lists import archive_list, create_list, rename_list
from members.models import Invitation, Member
from members.models.people import PRESENT
from skypemgr.lib.errors import NotFound, ProductError


@administrators_only
@require_http_methods(["GET", "POST"])
def create_new_list(request: MemberRequest) -> HttpResponse:
    """A form with the name; the new list is empty."""
    form = ListNameForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            made = create_list(actor=request.actor, name=form.cleaned_data["name"])
        except ProductError as error:
            form.add_error("name", str(error))
        else:
            messages.success(request, _("The list %(name)s is created.") % {"name": made.name})
            return redirect("lists")
    return _show_name(request, form, _("Create a list"), _("Create"))


@administrators_only
@require_http_methods(["GET", "POST"])
def rename(request: MemberRequest, pk: int) -> HttpResponse:
    """A form with the present name."""
    found = find_list(request.actor, pk)
    posted = request.POST if request.method == "POST" else None
    form = ListNameForm(posted, initial={"name": found.name})
    if request.method == "POST" and form.is_valid():
        try:
            rename_list(actor=request.actor, list_id=pk, name=form.cleaned_data["name"])
        except NotFound:
            raise
        except ProductError as error:
            form.add_error("name", str(error))
        else:
            messages.success(request, _("The list is renamed."))
            return redirect("lists")
    return _show_name(request, form, _("Rename the list"), _("Rename"))


@administrators_only
@require_http_methods(["GET", "POST"])
def archive(request: MemberRequest, pk: int) -> HttpResponse:
    """Says what happens to the members, then does it."""
    found = find_list(request.actor, pk)
    if request.method == "POST":
        moved = archive_list(actor=request.actor, list_id=pk)
        words = ngettext(
            "The list %(name)s is archived; %(count)s member is in no list now.",
            "The list %(name)s is archived; %(count)s members are in no list now.",
            moved.count,
        )
        messages.success(request, words % {"name": found.name, "count": moved.count})
        return redirect("lists")
    values = {
        "list": found,
        "members_count": Member.objects.filter(list=found, status__in=PRESENT).count(),
        "invited_count": Invitation.objects.filter(
            list=found, status=Invitation.Status.PENDING
        ).count(),
    }
    return render(request, "members/list_archive.html", values)


def _show_name(request: MemberRequest, form: ListNameForm, title: str, button: str) -> HttpResponse:
    values = {"form": form, "title": title, "button": button}
    status = 422 if form.is_bound else 200
    return render(request, "members/list_name.html", values, status=status)
