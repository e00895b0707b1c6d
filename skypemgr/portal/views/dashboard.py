"""The start page of administrators and finance."""

from django.http import HttpResponse
from django.shortcuts import redirect, render

from members.access import MemberRequest, members_only
from members.models.people import Role


@members_only
def show_dashboard(request: MemberRequest) -> HttpResponse:
    """The company at a glance; members are led to their own page."""
    if request.member.role == Role.MEMBER:
        return redirect("me")
    return render(request, "portal/dashboard.html")
