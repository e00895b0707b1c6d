"""The start page of administrators and finance.

Its one rule: everything on it comes from a fixed number of queries; what changes by itself is
fetched again as fragments.
"""

from typing import Any

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.vary import vary_on_headers

from members.access import MemberRequest, members_only
from members.models import Company
from members.models.people import Role
from skypemgr.lib.errors import NotFound
from skypemgr.lib.periods import utc_now
from skypemgr.portal.charts import calls_chart, days_chart, months_chart
from skypemgr.portal.comparing import tell_cards
from skypemgr.portal.queries import attention, people
from skypemgr.portal.queries.dashboard import Board, read_board
from skypemgr.portal.queries.people import People
from skypemgr.portal.queries.rankings import read_rankings
from skypemgr.portal.reports.base import InvalidFilter
from skypemgr.portal.scope import read_scope
from skypemgr.portal.shell import keep_version


@vary_on_headers("HX-Request")
@members_only
def show_dashboard(request: MemberRequest) -> HttpResponse:
    """The company, a list or a member at a glance; members are led to their own page."""
    if request.member.role == Role.MEMBER:
        return redirect("me")
    keep_version(request)
    request.actor.require(Role.ADMINISTRATOR, Role.FINANCE)
    company = request.member.company
    wanted = request.GET.get("find", "").strip()
    found = people.find_people(company, wanted)
    if len(found) == 1:
        return redirect(f"{reverse('dashboard')}?member={found[0].pk}")
    try:
        scope = read_scope(company, request.GET)
    except InvalidFilter as error:
        # What is no number is nobody's here, like a stranger's.
        raise NotFound(error.message) from error
    board = read_board(scope, viewer=request.member, now=utc_now())
    context = _live(request, board)
    if request.htmx:
        return render(request, "portal/dashboard.html#live", context)
    context |= _charts(board) | {
        "members_url": f"{reverse('members')}?{scope.query}" if scope.list else reverse("members"),
        "calls_url": f"{reverse('calls')}?{scope.query}" if scope.query else reverse("calls"),
        "rankings": read_rankings(scope, board.today),
        "lists": people.read_lists(company),
        "wanted": wanted,
        "found": found,
        "steps": _steps(company) if context["may_act"] and scope.is_company else [],
    }
    return render(request, "portal/dashboard.html", context)


def _live(request: MemberRequest, board: Board) -> dict[str, Any]:
    """What moves by itself."""
    scope, company = board.scope, board.scope.company
    may_act = request.member.is_administrator and company.state != company.State.CLOSED
    return {
        "board": board,
        "scope": scope,
        "company": company,
        "currency": company.currency,
        "may_act": may_act,
        "own_url": f"{reverse('dashboard')}?{scope.query}" if scope.query else reverse("dashboard"),
        "cards": tell_cards(board.overview.periods, company.currency, is_company=scope.is_company),
        "attention": _attention(board, board.people, may_act) if scope.is_company else [],
    }


def _attention(board: Board, told: People | None, may_act: bool) -> list[attention.Attention]:
    if told is None:
        return []
    situation = attention.Situation(
        company=board.scope.company,
        balance=board.balance,
        lasts_days=board.forecast.days,
        members=told,
        may_act=may_act,
        now=utc_now(),
    )
    return attention.read_attention(situation)


def _charts(board: Board) -> dict[str, Any]:
    overview, currency = board.overview, board.scope.company.currency
    is_company = board.scope.is_company
    return {
        "months_chart": months_chart(overview.months, currency, is_company=is_company),
        "calls_chart": calls_chart(overview.months, currency) if is_company else None,
        "days_chart": days_chart(overview.month_days, currency),
    }


def _steps(company: Company) -> list[dict[str, Any]]:
    """The first steps, until all are done; one query."""
    progress = people.read_progress(company)
    if progress.is_done:
        return []
    steps = [
        {
            "done": progress.invited,
            "title": _("Invite members"),
            "text": _("Bring your colleagues in by e-mail or user name."),
            "url": reverse("invite"),
            "action": _("Invite members"),
        },
        {
            "done": progress.credited,
            "title": _("Buy credit"),
            "text": _("Buy once for everybody; credit never expires."),
            "url": reverse("buy"),
            "action": _("Buy credit"),
        },
        {
            "done": progress.allocated,
            "title": _("Allocate credit"),
            "text": _("Share it out, or let balances recharge by themselves."),
            "url": reverse("members"),
            "action": _("Allocate credit"),
        },
    ]
    for step in steps:
        if not step["done"]:
            step["primary"] = True
            break
    return steps
