"""Statements: a member's, one's own, the company's.

Its one rule: single calls are shown to nobody but the member, on their own page.
"""

from collections.abc import Callable
from typing import Any

from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.views.decorators.http import require_safe

from credit.statement import (
    InvalidCursor,
    Statement,
    read_company_statement,
    read_member_statement,
    read_own_statement,
)
from members.access import MemberRequest, find_member, members_only, readers_only

Read = Callable[..., Statement]


@require_safe
@readers_only
def show_company_statement(request: MemberRequest) -> HttpResponseBase:
    """Every movement of the company's purse, page by page."""
    return _show(request, "company", read_company_statement, request.actor.company)


@require_safe
@readers_only
def show_member_statement(request: MemberRequest, pk: int) -> HttpResponseBase:
    """Every movement of a member, the calls of a day as one line."""
    member = find_member(request.actor, pk)
    return _show(request, "member", read_member_statement, member, member=member)


@require_safe
@members_only
def show_own_statement(request: MemberRequest) -> HttpResponseBase:
    """Every own movement, each call with its number."""
    return _show(request, "own", read_own_statement, request.member)


def _show(
    request: MemberRequest, whose: str, read: Read, subject: object, **more: Any
) -> HttpResponse:
    cursor = request.GET.get("page", "")
    try:
        statement = read(subject, cursor=cursor)
    except InvalidCursor:
        return redirect(request.path)
    if cursor and not statement.newer:
        # The newest page is always full, and it alone follows what happens.
        return redirect(request.path)
    context = {
        "whose": whose,
        "statement": statement,
        "currency": request.member.company.currency,
        "company": request.member.company,
        **more,
    }
    template = "credit/member_statement.html" if whose == "member" else "credit/statement.html"
    return render(request, template, context)
