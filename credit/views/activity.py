"""The Activity tab of a member: what happened, and who decided it."""

from urllib.parse import urlencode

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_safe

from credit.queries.activity import InvalidActivityCursor, read_activity
from members.access import MemberRequest, find_member, readers_only


@require_safe
@readers_only
def show_activity(request: MemberRequest, pk: int) -> HttpResponse:
    """A page of what happened about the member, newest first."""
    member = find_member(request.actor, pk)
    cursor = request.GET.get("before", "")
    administers = request.member.is_administrator
    try:
        events, following = read_activity(member, viewer_administers=administers, cursor=cursor)
    except InvalidActivityCursor:
        return redirect(request.path)
    values = {
        "member": member,
        "events": events,
        "older": "?" + urlencode({"before": following}) if following else "",
        "is_first": not cursor,
    }
    return render(request, "credit/member_activity.html", values)
