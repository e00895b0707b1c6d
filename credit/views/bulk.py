"""Moving, suspending and reactivating several members, ticked or left by the table's filters. Its
one rule: a page says first, in numbers, who is concerned and who is not, and asks again when the
numbers have changed meanwhile.
"""

from collections.abc import Callable
from dataclasses import dataclass

from django.contrib import messages
from django.http import HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods

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
from credit.standing import StandingChanged, reactivate_members, suspend_members
from credit.views.shared import SHOWN_MEMBERS, refuse_misread
from members.access import MemberRequest, administrators_only, find_list
from members.forms import NO_LIST, MoveForm
from members.lists import create_list, move_members
from members.models import MemberList
from skypemgr.lib.errors import NotAllowed, NotFound, ProductError
from skypemgr.lib.formats import format_number


@dataclass(frozen=True, slots=True)
class Step:
    """One of the actions: what it is called and what does it."""

    action: Action
    template: str
    verb: Callable[..., StandingChanged]


SUSPEND = Step(Action.SUSPEND, "credit/bulk_suspend.html", suspend_members)
REACTIVATE = Step(Action.REACTIVATE, "credit/bulk_reactivate.html", reactivate_members)


@administrators_only
@require_http_methods(["GET", "HEAD", "POST"])
def suspend(request: MemberRequest) -> HttpResponse:
    """Suspends the chosen members after a look at what it does."""
    return _change(request, SUSPEND)


@administrators_only
@require_http_methods(["GET", "HEAD", "POST"])
def reactivate(request: MemberRequest) -> HttpResponse:
    """Takes the chosen members back after a look at what it does."""
    return _change(request, REACTIVATE)


@administrators_only
@require_http_methods(["GET", "HEAD", "POST"])
def move(request: MemberRequest) -> HttpResponse:
    """Moves the chosen members to a list in use, a new one, or none."""
    is_posted = request.method == "POST"
    values = _values(request)
    choice = read_choice(request.actor, values)
    if choice.is_misread:
        return refuse_misread(request)
    crowd = gather(request.actor, choice, Action.MOVE, is_final=is_posted)
    if choice.recipients.are_named and crowd.count < len(choice.recipients.member_ids):
        raise NotFound(_("There is no such member in your company."), code="unknown_member")
    if not crowd.count:
        return _ask_for_ticks(request)
    form = MoveForm(request.POST if is_posted else None, actor=request.actor)
    if is_posted and form.is_valid():
        count = CountForm(request.POST)
        if choice.recipients.are_named or count.says(crowd.count):
            if _move(request, form, crowd):
                return redirect("members")
        else:
            form.add_error(None, say_count_changed(crowd.count))
    page = {"form": form, "ids": values.getlist("member") if choice.recipients.are_named else []}
    return _show(request, "credit/bulk_move.html", choice, crowd, page, is_refused=is_posted)


def _move(request: MemberRequest, form: MoveForm, crowd: Crowd) -> bool:
    if why_too_many(crowd.count):
        form.add_error(None, why_too_many(crowd.count))
        return False
    chosen, new_name = form.cleaned_data["list"], form.cleaned_data["new_list"]
    try:
        if new_name:
            target: MemberList | None = create_list(actor=request.actor, name=new_name)
        else:
            target = None if chosen == NO_LIST else find_list(request.actor, int(chosen))
        moved = move_members(
            actor=request.actor, member_ids=crowd.ids, list_id=target.pk if target else None
        )
    except (NotAllowed, NotFound):
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
    messages.success(request, words % {"count": format_number(moved.count), "list": name})
    return True


def _change(request: MemberRequest, step: Step) -> HttpResponse:
    choice = read_choice(request.actor, request.GET)
    if choice.is_misread:
        return refuse_misread(request)
    if choice.is_nobody:
        return _ask_for_ticks(request)
    crowd = gather(request.actor, choice, step.action, is_final=request.method == "POST")
    error = ""
    if request.method == "POST" and crowd.count:
        error = why_too_many(crowd.count)
        if not error and not CountForm(request.POST).says(crowd.count):
            error = say_count_changed(crowd.count)
        if not error:
            try:
                done = step.verb(actor=request.actor, member_ids=crowd.ids)
            except (NotAllowed, NotFound):
                raise
            except ProductError as refusal:
                error = str(refusal)
            else:
                messages.success(request, _done(step.action, done.count))
                return redirect("members")
    page = {"error": error, "form": CountForm(initial={"shown_count": crowd.count})}
    return _show(request, step.template, choice, crowd, page, is_refused=bool(error))


def _done(action: Action, count: int) -> str:
    if action is Action.SUSPEND:
        sentence = ngettext(
            "%(count)s member is suspended.", "%(count)s members are suspended.", count
        )
    else:
        sentence = ngettext(
            "%(count)s member is active again.", "%(count)s members are active again.", count
        )
    return sentence % {"count": format_number(count)}


def _ask_for_ticks(request: MemberRequest) -> HttpResponse:
    messages.info(request, _("Tick at least one member."))
    return redirect("members")


def _values(request: MemberRequest) -> QueryDict:
    """What names the chosen: the address, or the form that was sent without it."""
    is_named = "member" in request.GET or "every" in request.GET
    return request.POST if request.method == "POST" and not is_named else request.GET


def _show(
    request: MemberRequest,
    template: str,
    choice: Choice,
    crowd: Crowd,
    page: dict[str, object],
    *,
    is_refused: bool,
) -> HttpResponse:
    shown = list(crowd.members.select_related("list")[:SHOWN_MEMBERS])
    context = {
        "choice": choice,
        "crowd": crowd,
        "count": crowd.count,
        "shown": shown,
        "more_count": crowd.count - len(shown),
        "obstacle": why_too_many(crowd.count),
        "currency": request.actor.company.currency,
        **page,
    }
    return render(request, template, context, status=422 if is_refused else 200)
