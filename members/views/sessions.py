"""Where I am signed in: a list of browsers, each of which can be signed out from here."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST, require_safe

from members.access import MemberRequest, members_only
from members.sessions import TOLD, end_session, end_sessions, own_sessions, tell_session
from skypemgr.lib.formats import format_number


@require_safe
@members_only
def show_sessions(request: MemberRequest) -> HttpResponse:
    """The browsers in which whoever asks is signed in, this one first."""
    if not request.session.get(TOLD):
        tell_session(request)
    sessions = own_sessions(request.actor, current_key=_key(request))
    values = {"sessions": sessions, "has_others": len(sessions) > 1}
    return render(request, "members/sessions.html", values)


@require_POST
@members_only
def end_one(request: MemberRequest, pk: int) -> HttpResponse:
    """Whoever asks is signed out in one of the own browsers."""
    end_session(actor=request.actor, session_id=pk)
    messages.success(request, _("You are signed out there."))
    return redirect("sessions")


@require_POST
@members_only
def end_others(request: MemberRequest) -> HttpResponse:
    """Whoever asks is signed in here alone."""
    count = end_sessions(actor=request.actor, but_key=_key(request))
    sentence = ngettext(
        "You are signed out in %(count)s other browser.",
        "You are signed out in %(count)s other browsers.",
        count,
    )
    messages.success(request, sentence % {"count": format_number(count)})
    return redirect("sessions")


def _key(request: MemberRequest) -> str:
    return request.session.session_key or ""
