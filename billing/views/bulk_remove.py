"""Removing several members, ticked or left by the table's filters. Its one rule: what ends and what
stays is said before, in numbers, and asked again when the numbers have changed meanwhile.
"""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods

from billing.leaving import preview_removal, remove_members
from credit.choosing import (
    Action,
    Choice,
    Crowd,
    gather,
    read_choice,
    say_count_changed,
    why_too_many,
)
from credit.forms import CountForm
from members.access import MemberRequest, administrators_only
from skypemgr.lib.errors import NotAllowed, NotFound, ProductError
from skypemgr.lib.formats import format_number

SHOWN_MEMBERS = 50


@administrators_only
@require_http_methods(["GET", "HEAD", "POST"])
def remove_many(request: MemberRequest) -> HttpResponse:
    """The chosen members are removed after a look at what ends and what stays."""
    choice = read_choice(request.actor, request.GET)
    if choice.is_misread:
        messages.error(request, _("Please check the filters first."))
        return redirect("members")
    if choice.is_nobody:
        messages.info(request, _("Tick at least one member."))
        return redirect("members")
    crowd = gather(request.actor, choice, Action.REMOVE, is_final=request.method == "POST")
    error = ""
    if request.method == "POST" and crowd.count:
        error = why_too_many(crowd.count)
        if not error and not CountForm(request.POST).says(crowd.count):
            error = say_count_changed(crowd.count)
        if not error:
            try:
                done = remove_members(actor=request.actor, member_ids=crowd.ids)
            except (NotAllowed, NotFound):
                raise
            except ProductError as refusal:
                error = str(refusal)
            else:
                messages.success(request, _done(done.count))
                return redirect("members")
    return _show(request, choice, crowd, error)


def _show(request: MemberRequest, choice: Choice, crowd: Crowd, error: str) -> HttpResponse:
    obstacle = why_too_many(crowd.count)
    shown = list(crowd.members.select_related("list")[:SHOWN_MEMBERS])
    context = {
        "choice": choice,
        "crowd": crowd,
        "shown": shown,
        "more_count": crowd.count - len(shown),
        "obstacle": obstacle,
        "error": error,
        "form": CountForm(initial={"shown_count": crowd.count}),
        "told": None if obstacle else preview_removal(request.actor, crowd.ids),
        "company": request.actor.company,
        "currency": request.actor.company.currency,
    }
    return render(request, "billing/members_remove.html", context, status=422 if error else 200)


def _done(count: int) -> str:
    sentence = ngettext(
        "%(count)s member was removed. The credit stays with the person.",
        "%(count)s members were removed. Their credit stays with them.",
        count,
    )
    return sentence % {"count": format_number(count)}
