"""Creating, renaming and archiving lists, and moving members. Their one rule: a page asks, in
numbers, before anything moves.
"""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods

from members.access import MemberRequest, administrators_only, find_list
from members.forms import NO_LIST, ListNameForm, MoveForm
from members.lists import archive_list, create_list, move_members, rename_list
from members.models import Invitation, Member, MemberList
from skypemgr.lib.errors import NotFound, ProductError

PRESENT = (Member.Status.ACTIVE, Member.Status.SUSPENDED)
SHOWN_MEMBERS = 50
MAX_ID_DIGITS = 18


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


@administrators_only
@require_http_methods(["GET", "POST"])
def move(request: MemberRequest) -> HttpResponse:
    """Moves the ticked members to a list in use, a new one, or none."""
    source = request.POST if request.method == "POST" else request.GET
    ids = [_whole(text) for text in dict.fromkeys(source.getlist("member"))]
    members = Member.objects.filter(company=request.actor.company, pk__in=ids, status__in=PRESENT)
    if members.count() < len(ids):
        raise NotFound(_("There is no such member in your company."), code="unknown_member")
    if not ids:
        messages.info(request, _("Tick at least one member."))
        return redirect("members")
    form = MoveForm(request.POST if request.method == "POST" else None, actor=request.actor)
    if request.method == "POST" and form.is_valid() and _move(request, form, ids):
        return redirect("members")
    shown = list(members.select_related("list").order_by("name_key", "pk")[:SHOWN_MEMBERS])
    values = {
        "form": form,
        "ids": [str(pk) for pk in ids],
        "shown": shown,
        "more_count": len(ids) - len(shown),
    }
    status = 422 if request.method == "POST" else 200
    return render(request, "members/move.html", values, status=status)


def _move(request: MemberRequest, form: MoveForm, ids: list[int]) -> bool:
    chosen, new_name = form.cleaned_data["list"], form.cleaned_data["new_list"]
    try:
        if new_name:
            target: MemberList | None = create_list(actor=request.actor, name=new_name)
        else:
            target = None if chosen == NO_LIST else find_list(request.actor, int(chosen))
        moved = move_members(
            actor=request.actor, member_ids=ids, list_id=target.pk if target else None
        )
    except NotFound:
        raise
    except ProductError as error:
        form.add_error("new_list", str(error))
        return False
    words = ngettext(
        "%(count)s member moved to %(list)s.",
        "%(count)s members moved to %(list)s.",
        moved.count,
    )
    name = target.name if target else _("Not in a list")
    messages.success(request, words % {"count": moved.count, "list": name})
    return True


def _show_name(request: MemberRequest, form: ListNameForm, title: str, button: str) -> HttpResponse:
    values = {"form": form, "title": title, "button": button}
    status = 422 if form.is_bound else 200
    return render(request, "members/list_name.html", values, status=status)


def _whole(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= MAX_ID_DIGITS):
        raise NotFound(_("There is no such member in your company."), code="unknown_member")
    return int(text)
