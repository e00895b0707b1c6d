"""What the months were. Its one rule: opening + in − out = closing, on every report."""

from django.http import HttpResponse
from django.shortcuts import render

from members.access import MemberRequest, readers_only


@readers_only
def show_reports(request: MemberRequest) -> HttpResponse:
    """The reports, allocations first."""
    return render(request, "portal/report.html")
