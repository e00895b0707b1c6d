"""What everybody sees of themselves."""

from django.http import HttpResponse
from django.shortcuts import render

from members.access import MemberRequest, members_only


@members_only
def show_me(request: MemberRequest) -> HttpResponse:
    """Own balance, rule, movements and calls."""
    return render(request, "portal/me.html")
