"""Filters of members in words. Its one rule: each filter is one whole phrase, so that other
languages can say it their way.
"""

from django.utils.translation import gettext as _

from credit.member_filters import MemberFilters
from members.models import Company, MemberList
from members.models.people import Role
from skypemgr.lib.formats import format_date, format_money


def filter_words(company: Company, filters: MemberFilters) -> list[tuple[str, str]]:
    """For each filter its parameter and what it says; one query if a list is chosen."""
    words: list[tuple[str, str]] = []
    if filters.search:
        words.append(("q", _("Search: %(text)s") % {"text": filters.search}))
    if filters.list_id is not None or filters.without_list:
        words.append(("list", _list(company, filters)))
    if filters.role:
        words.append(("role", _("Role: %(role)s") % {"role": Role(filters.role).label}))
    if filters.status:
        words.append(("status", status_words()[filters.status]))
    if filters.rule:
        words.append(("rule", rule_words()[filters.rule]))
    if filters.below is not None:
        amount = format_money(filters.below, company.currency)
        words.append(("below", _("Balance below %(amount)s") % {"amount": amount}))
    if filters.is_due:
        words.append(("due", _("Balance below their auto-recharge level")))
    if filters.joined_from:
        day = format_date(filters.joined_from)
        words.append(("joined_from", _("Joined on %(day)s or later") % {"day": day}))
    if filters.joined_to:
        day = format_date(filters.joined_to)
        words.append(("joined_to", _("Joined on %(day)s or earlier") % {"day": day}))
    return words


def status_words() -> dict[str, str]:
    """What can be chosen of the status, in words."""
    return {
        "": _("Active and suspended"),
        "active": _("Active"),
        "suspended": _("Suspended"),
        "removed": _("Removed"),
        "left": _("Left the company"),
        "gone": _("No longer in the company"),
        "all": _("Everybody"),
    }


def rule_words() -> dict[str, str]:
    """What can be chosen of the auto-recharge rule, in words."""
    return {
        "on": _("Auto-recharge on"),
        "suspended": _("Auto-recharge suspended until next month"),
        "waiting": _("Auto-recharge waiting for company credit"),
        "off": _("Auto-recharge off"),
        "none": _("Without auto-recharge"),
    }


def _list(company: Company, filters: MemberFilters) -> str:
    if filters.list_id is None:
        return _("Not in a list")
    found = MemberList.objects.filter(company=company, pk=filters.list_id).first()
    return _("List: %(name)s") % {"name": found.name if found else "–"}
