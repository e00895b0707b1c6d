"""Where settings start. Its one rule: it links only to what exists and what the role may open."""

from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import get_language, get_language_info
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from members.access import MemberRequest, members_only
from members.countries import COUNTRIES


@require_safe
@members_only
def show_settings(request: MemberRequest) -> HttpResponse:
    """The company's profile to read, and the ways to what can be set."""
    company = request.member.company
    country = COUNTRIES.get(company.country)
    context = {
        "company": company,
        "country": country.name(get_language() or "en") if country else company.country,
        "language_name": get_language_info(company.language)["name_local"].capitalize(),
        "ways": _ways(request.member.is_administrator),
        "may_archive": request.member.is_administrator,
        "may_close": request.member.is_administrator and company.state != company.State.CLOSED,
    }
    return render(request, "portal/settings.html", context)


def _ways(administers: bool) -> list[dict[str, Any]]:
    ways = [
        {
            "url": reverse("tokens"),
            "icon": "key",
            "title": _("API tokens"),
            "text": _("Let your own programs read and act for you."),
        },
    ]
    if not administers:
        return ways
    return [
        {
            "url": reverse("company_profile"),
            "icon": "building",
            "title": _("Company profile"),
            "text": _("Name, address, legal numbers, language, time zone and links."),
        },
        {
            "url": reverse("payment_settings"),
            "icon": "credit-card",
            "title": _("Payment settings"),
            "text": _("Saved cards and the company's auto-recharge."),
        },
        {
            "url": reverse("purchase_limits"),
            "icon": "adjustments",
            "title": _("Purchase limits"),
            "text": _("How much may be bought in a month, and which VAT is paid."),
        },
        {
            "url": reverse("alerts"),
            "icon": "bell",
            "title": _("Low-balance alert"),
            "text": _("At which balance of the company who gets a mail."),
        },
        {
            "url": reverse("call_details"),
            "icon": "phone",
            "title": _("Call details"),
            "text": _("Whether administrators see single calls of members who consent."),
        },
        *ways,
        {
            "url": reverse("audit"),
            "icon": "history",
            "title": _("Audit log"),
            "text": _("Who decided what, and when."),
        },
    ]
