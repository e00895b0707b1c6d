"""Where settings start. Its one rule: it links only to what exists and what the role may open."""

from django.http import HttpResponse
from django.shortcuts import render

from members.access import MemberRequest, members_only


@members_only
def show_settings(request: MemberRequest) -> HttpResponse:
    """The company's profile to read, and the ways to what can be set."""
    return render(request, "portal/settings.html")
