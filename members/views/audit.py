"""The audit log: who decided what, and when."""

from urllib.parse import urlencode

from django.db.models import Exists, OuterRef, QuerySet
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from members.access import MemberRequest, administrators_only, find_member
from members.audit_log import read_audit
from members.models import AuditEntry, Company, Member

MAX_ID_DIGITS = 18
PEOPLE_SHOWN = 500


@require_safe
@administrators_only
def show_audit(request: MemberRequest) -> HttpResponse:
    """A page of the log, of everybody or of one person of the company."""
    company = request.actor.company
    person = _whole(request.GET.get("person", ""))
    if person is not None:
        find_member(request.actor, person)
    lines, following = read_audit(
        company, person_id=person, before=_whole(request.GET.get("before", ""))
    )
    query = {"person": person} if person is not None else {}
    values = {
        "lines": lines,
        "older": "?" + urlencode({**query, "before": following}) if following else "",
        "newest": "?" + urlencode(query) if "before" in request.GET else "",
        "person": person,
        "people": _who_decided(company),
    }
    return render(request, "members/audit.html", values)


def _who_decided(company: Company) -> QuerySet[Member]:
    """Everybody whom the log names, by name; at most 500."""
    entries = AuditEntry.objects.filter(company=company, member=OuterRef("pk"))
    return Member.objects.filter(Exists(entries), company=company).order_by("name_key", "pk")[
        :PEOPLE_SHOWN
    ]


def _whole(text: str) -> int | None:
    is_id = text.isascii() and text.isdigit() and len(text) <= MAX_ID_DIGITS
    return int(text) if is_id else None
