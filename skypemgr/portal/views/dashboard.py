"""The start page of administrators and finance.

Its one rule: everything on it comes from a fixed number of queries; what changes by itself is
fetched again as fragments.
"""

from datetime import date
from decimal import Decimal
from typing import Any

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.dateformat import format as format_day
from django.utils.translation import gettext as _
from django.utils.translation import pgettext
from django.views.decorators.vary import vary_on_headers

from members.access import MemberRequest, members_only
from members.models.people import Role
from skypemgr.lib.periods import utc_now
from skypemgr.portal.queries import attention, figures, movements, people
from skypemgr.portal.queries.figures import Month
from skypemgr.portal.shell import keep_version
from skypemgr.portal.words import tell_company_movements

MOVEMENTS_SHOWN = 8
LOWEST_SHOWN = 8
MONTHS_SHOWN = 12


@vary_on_headers("HX-Request")
@members_only
def show_dashboard(request: MemberRequest) -> HttpResponse:
    """The company at a glance; members are led to their own page."""
    if request.member.role == Role.MEMBER:
        return redirect("me")
    keep_version(request)
    request.actor.require(Role.ADMINISTRATOR, Role.FINANCE)
    part = "#live" if request.htmx else ""
    return render(request, f"portal/dashboard.html{part}", _read(request))


def _read(request: MemberRequest) -> dict[str, Any]:
    company = request.member.company
    now = utc_now()
    today = company.day_at(now)
    purse = figures.read_company_purse(company)
    balance = purse.balance if purse else Decimal(0)
    months = figures.read_months(company, today, MONTHS_SHOWN)
    members = figures.read_member_totals(company)
    lasts = figures.lasts_days(balance, figures.read_daily_pace(company, today))
    may_act = request.member.is_administrator and company.state != company.State.CLOSED
    situation = attention.Situation(
        company=company,
        balance=balance,
        lasts_days=lasts,
        members=members,
        may_act=may_act,
        now=now,
    )
    progress = people.read_progress(company)
    return {
        "company": company,
        "currency": company.currency,
        "today": today,
        "balance": balance,
        "lasts_days": lasts,
        "members": members,
        "month": months[-1],
        "month_before": months[-2],
        "attention": attention.read_attention(situation),
        "movements": tell_company_movements(
            movements.read_company_movements(company, purse, MOVEMENTS_SHOWN), today
        ),
        "lowest": people.read_lowest(company, LOWEST_SHOWN),
        "steps": _steps(progress) if may_act and not progress.is_done else [],
        "may_act": may_act,
        "credit_chart": _credit_chart(months, company.currency),
        "calls_chart": _calls_chart(months, company.currency),
    }


def _steps(progress: people.Progress) -> list[dict[str, Any]]:
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


def _credit_chart(months: list[Month], currency: str) -> dict[str, Any]:
    return {
        "id": "credit",
        "type": "stacked",
        "currency": currency,
        "labels": [_label(month.first) for month in months],
        "series": [
            {
                "kind": "purchases",
                "label": _("Purchases"),
                "values": [month.purchases for month in months],
            },
            {
                "kind": "allocation",
                "label": _("Allocations"),
                "values": [-month.allocations for month in months],
            },
            {
                "kind": "recharge",
                "label": _("Auto-recharges"),
                "values": [-month.recharges for month in months],
            },
        ],
    }


def _calls_chart(months: list[Month], currency: str) -> dict[str, Any]:
    return {
        "id": "calls",
        "type": "bar",
        "currency": currency,
        "labels": [_label(month.first) for month in months],
        "series": [
            {"kind": "calls", "label": _("Calls"), "values": [month.calls for month in months]}
        ],
    }


def _label(first: date) -> str:
    # Translators: how a month is written under a chart, in the letters of Django's date filter.
    month = pgettext("date format", "M")
    return format_day(first, f"{month} Y" if first.month == 1 else month)
