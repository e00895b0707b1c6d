"""The head that every tab of a member's page has: name, status, balance, rule, tabs.

Its one rule: a page gives only the member and the name of its tab; three queries.
"""

from typing import Any

from django import template
from django.template import Context
from django.urls import reverse
from django.utils.translation import gettext as _

from credit.accounts import balances
from credit.rules import describe_rule
from credit.wording import status_sentence
from members.models import Member
from skypemgr.lib.periods import utc_now

register = template.Library()


@register.inclusion_tag("components/member_tabs.html", takes_context=True)
def member_frame(context: Context, member: Member, tab: str) -> dict[str, Any]:
    """`{% member_frame member "details" %}`; tabs as in ``addresses``."""
    company = member.company
    request = context["request"]
    viewer: Member | None = getattr(request, "member", None)
    addresses = (
        ("details", _("Details"), "member"),
        ("credit", _("Credit"), "member_credit"),
        ("auto-recharge", _("Auto-recharge"), "member_recharge"),
        # By its name alone: the page is that of an app above.
        ("features", _("Features"), "member_features"),
        ("statement", _("Statement"), "member_statement"),
        ("activity", _("Activity"), "member_activity"),
    )
    today = company.day_at(utc_now())
    return {
        "member": member,
        "tab": tab,
        "tabs": [
            {"url": reverse(name, args=(member.pk,)), "label": label, "active": key == tab}
            for key, label, name in addresses
        ],
        "balance": balances(company.pk, [member.pk])[member.pk].balance,
        "currency": company.currency,
        "rule_sentence": status_sentence(describe_rule(member), company.currency, today),
        "can_manage": viewer is not None and viewer.is_administrator and member.is_present,
        "is_own": viewer is not None and viewer.pk == member.pk,
        "request": request,
    }
