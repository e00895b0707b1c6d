"""What an audit entry holds, in words. Its one rule: nothing is left out because it has no words;
an unknown key is shown as it is.
"""

from collections.abc import Iterable, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext, pgettext
from django.utils.translation import gettext_lazy as _

from members.models import AuditEntry, Company, MemberList
from members.models.people import Role
from members.notice_choices import kind_label
from skypemgr.lib.formats import format_money

LABELS: dict[str, Promise] = {
    "address": _("Address"),
    "address_line_1": _("Address"),
    "address_line_2": _("Address, second line"),
    "after": _("After"),
    "all_or_nothing": _("All rows or none"),
    "amount": _("Amount"),
    "answer_after_seconds": _("Answers after seconds"),
    "answered": _("Answered meanwhile"),
    "auto_purchase": _("Turns auto-recharge on"),
    "before": _("Before"),
    "city": _("City"),
    "cost_centre": _("Cost centre"),
    "count": _("Number"),
    "country": _("Country"),
    "currency": _("Currency"),
    "email": _("E-mail address"),
    "granted": _("Granted"),
    "invitations_count": _("Invitations"),
    "invited": _("Invited"),
    "is_on": _("On"),
    "job_title": _("Job title"),
    "language": _("Language"),
    "level": _("Level"),
    "list": _("List"),
    "max_call_seconds": _("Longest call in seconds"),
    "members": _("Members"),
    "members_count": _("Members"),
    "monthly_limit": _("Monthly recharge limit"),
    "name": _("Name"),
    "number": _("Phone number"),
    "numbers_count": _("Numbers"),
    "off": _("Not by mail"),
    "on": _("From"),
    "phone": _("Phone number"),
    "postcode": _("Postcode"),
    "reason": _("Reason"),
    "recipients": _("Recipients"),
    "refused": _("Refused"),
    "requests_count": _("Requests"),
    "role": _("Role"),
    "rows": _("Rows"),
    "rules_count": _("Auto-recharges ended"),
    "sessions_count": _("Browsers"),
    "siren": _("SIREN"),
    "threshold": _("when balance falls below"),
    "time_zone": _("Time zone"),
    "tokens_count": _("API tokens ended"),
    "total": _("Total"),
    "vat_number": _("VAT number"),
    "website": _("Web site"),
    "work_email": _("Work e-mail"),
    "work_phone": _("Work phone"),
}
# In which order they are told, since the database keeps none; all others stand between.
FIRST = ("list", "amount", "threshold", "monthly_limit")
LAST = ("members", "members_count")
MONEY = frozenset({"amount", "granted", "level", "monthly_limit", "threshold", "total"})
# Numbers that are 0 tell nothing here.
COUNTS = frozenset(key for key in LABELS if key.endswith("_count")) | {"answered", "refused"}


def list_names(company: Company, entries: Iterable[AuditEntry]) -> dict[int, str]:
    """The names of the lists that the entries speak of, by id; one query, none without any."""
    wanted = {pk for entry in entries if isinstance(pk := entry.data.get("list"), int)}
    if not wanted:
        return {}
    found = MemberList.objects.filter(company=company, pk__in=wanted)
    return dict(found.values_list("pk", "name"))


def tell_data(data: Mapping[str, Any], *, currency: str, lists: Mapping[int, str]) -> str:
    """The entry's data as one line: labels, amounts with the currency, lists by name."""
    colon = pgettext("after the name of a field", ": ")
    told = [
        f"{LABELS.get(key, key.replace('_', ' '))}{colon}{_value(key, value, currency, lists)}"
        for key, value in sorted(data.items(), key=_place)
        if not _says_nothing(key, value)
    ]
    return " · ".join(told)


def _place(item: tuple[str, Any]) -> int:
    key = item[0]
    if key in FIRST:
        return FIRST.index(key) - len(FIRST)
    return LAST.index(key) + 1 if key in LAST else 0


def _says_nothing(key: str, value: Any) -> bool:
    return value == "" or value is None or value is False or (key in COUNTS and value == 0)


def _value(key: str, value: Any, currency: str, lists: Mapping[int, str]) -> str:
    if value is True:
        return gettext("yes")
    if key == "list" and isinstance(value, int):
        return lists.get(value, str(value))
    if key == "off" and isinstance(value, list):
        return ", ".join(str(kind_label(str(kind))) for kind in value) or "–"
    if isinstance(value, list):
        return ", ".join(str(item) for item in value) or "–"
    if value in Role.values:
        return str(Role(value).label)
    if key in MONEY:
        return _money(str(value), currency)
    return str(value)


def _money(text: str, currency: str) -> str:
    try:
        return format_money(Decimal(text), currency)
    except InvalidOperation:
        return text
