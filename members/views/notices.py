"""The bell's page, and which notices come by mail as well."""

from urllib.parse import urlencode

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from members.access import MemberRequest, members_only
from members.inbox import mark_read, own_notices, read_inbox, tell
from members.notice_choices import mute_notices, read_choices
from skypemgr.lib.errors import NotFound, ProductError

MAX_ID_DIGITS = 18


@require_safe
@members_only
def show_inbox(request: MemberRequest) -> HttpResponse:
    """Own notices, newest first; opening the page alone marks none as read."""
    text = request.GET.get("before", "")
    is_id = text.isascii() and text.isdigit() and len(text) <= MAX_ID_DIGITS
    lines, following = read_inbox(request.member, before=int(text) if is_id else None)
    values = {
        "lines": lines,
        "has_unread": own_notices(request.member).filter(read_at=None).exists(),
        "older": "?" + urlencode({"before": following}) if following else "",
        "is_first": not is_id,
    }
    return render(request, "members/inbox.html", values)


@require_http_methods(["GET", "POST"])
@members_only
def open_notice(request: MemberRequest, pk: int) -> HttpResponse:
    """The notice counts as read, and its page opens."""
    notice = own_notices(request.member).filter(pk=pk).first()
    if notice is None:
        raise NotFound(_("There is no such notice of yours."))
    mark_read(request.member, [notice.pk])
    return redirect(tell(notice, request.member).path or "notices")


@require_POST
@members_only
def mark_all_read(request: MemberRequest) -> HttpResponse:
    """Every own notice counts as read."""
    mark_read(request.member)
    return redirect("notices")


@require_http_methods(["GET", "POST"])
@members_only
def choose_mails(request: MemberRequest) -> HttpResponse:
    """Which kinds come by mail; those about money going wrong and security always do."""
    choices = read_choices(request.member)
    if request.method == "POST":
        ticked = set(request.POST.getlist("kind"))
        # Kinds that the page did not show, of another role, stay as they are.
        off = {one.kind for one in choices if one.can_switch and one.kind not in ticked}
        try:
            mute_notices(actor=request.actor, kinds=off)
        except ProductError as error:
            messages.error(request, str(error))
        else:
            messages.success(request, _("Saved."))
        return redirect("notice_choices")
    values = {
        "optional": [one for one in choices if one.can_switch],
        "always": [one for one in choices if not one.can_switch],
    }
    return render(request, "members/notice_choices.html", values)
