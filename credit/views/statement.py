"""Statements: a member's, one's own, the company's.

Its one rule: single calls are shown to nobody but the member, on their own page.
"""

from collections.abc import Callable
from datetime import date
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_safe

from credit.statement import (
    InvalidCursor,
    Statement,
    cursor_until,
    read_company_statement,
    read_member_statement,
    read_own_statement,
)
from members.access import (
    MemberRequest,
    PlaceRequest,
    find_member,
    people_only,
    readers_only,
)
from members.models import Company, Member

Read = Callable[..., Statement]


@require_safe
@readers_only
def show_company_statement(request: MemberRequest) -> HttpResponseBase:
    """Every movement of the company's purse, page by page; ``?until=2026-01-31`` begins there."""
    day = _day(request.GET.get("until", ""))
    if day is not None:
        cursor = cursor_until(request.member.company, day)
        return redirect(f"{request.path}?page={cursor}" if cursor else request.path)
    return _show(request, "company", read_company_statement, request.actor.company)


@require_safe
@readers_only
def show_member_statement(request: MemberRequest, pk: int) -> HttpResponseBase:
    """Every movement of a member, the calls of a day as one line."""
    member = find_member(request.actor, pk)
    return _show(request, "member", read_member_statement, member, member=member)


@require_safe
@people_only
def show_own_statement(request: PlaceRequest) -> HttpResponseBase:
    """Every own movement, each call with its number; also in a company that one has left."""
    place = request.place
    query = f"place={place.pk}" if not place.is_present else ""
    return _show(request, "own", read_own_statement, place, query=query)


def _day(text: str) -> date | None:
    """The day; None for what is none, and the statement begins with its newest line."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _show(
    request: HttpRequest,
    whose: str,
    read: Read,
    subject: Company | Member,
    *,
    query: str = "",
    **more: Any,
) -> HttpResponse:
    company = subject if isinstance(subject, Company) else subject.company
    address = f"{request.path}?{query}" if query else request.path
    cursor = request.GET.get("page", "")
    try:
        statement = read(subject, cursor=cursor)
    except InvalidCursor:
        return redirect(address)
    if cursor and not statement.newer:
        # The newest page is always full, and it alone follows what happens.
        return redirect(address)
    context = {
        "whose": whose,
        "statement": statement,
        "currency": company.currency,
        "company": company,
        "query": query,
        "own_url": f"{reverse('me')}?{query}" if query else reverse("me"),
        **more,
    }
    template = "credit/member_statement.html" if whose == "member" else "credit/statement.html"
    return render(request, template, context)
