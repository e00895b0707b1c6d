"""The members table as a file. Its one rule: what the filters leave, in the table's order, read in
parts so that memory does not grow with the members.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import F
from django.http import HttpResponseBase
from django.utils.translation import gettext as _

from credit.filter_words import rule_words, status_words
from credit.member_filters import MemberFilters, filtered_members
from credit.queries.member_totals import spent_this_month
from credit.queries.members import ordered, rule_state
from members.models import Company
from members.models.people import PRESENT, Role
from skypemgr.lib.exports import Cell, csv_response, xlsx_response

FORMATS = ("csv", "xlsx")
PORTION = 2_000
READ = (
    "name",
    "user__email",
    "user__username",
    "user__phone",
    "list__name",
    "role",
    "status",
    "job_title",
    "work_email",
    "work_phone",
    "cost_centre",
    "joined_at",
    "held",
    "spent",
    "purse__last_booked_on",
    "purse__recharge_resumes_on",
    "recharge_rule__is_on",
    "recharge_rule__waiting_since",
    "recharge_rule__amount",
    "recharge_rule__threshold",
    "recharge_rule__monthly_limit",
)


@dataclass(frozen=True, slots=True)
class Words:
    """What stands in cells in the reader's language, taken while that language is active."""

    roles: dict[str, str]
    statuses: dict[str, str]
    rules: dict[str, str]


def download_members(
    company: Company,
    filters: MemberFilters,
    *,
    sort: str,
    form: str,
    language: str,
    now: datetime,
) -> HttpResponseBase:
    """The members as ``csv`` or ``xlsx``; amounts in the currency that has its own column."""
    today = company.day_at(now)
    name = f"members-{today:%Y-%m-%d}"
    rows = _rows(company, filters, sort, now)
    if form == "xlsx":
        return xlsx_response(name, _header(), rows, sheet=_("Members"))
    return csv_response(name, _header(), rows, language=language)


def _header() -> list[Cell]:
    return [
        _("Name"),
        _("E-mail"),
        _("User name"),
        _("Phone"),
        _("List"),
        _("Role"),
        _("Status"),
        _("Job title"),
        _("Work e-mail"),
        _("Work phone"),
        _("Cost centre"),
        _("Joined"),
        _("Balance"),
        _("Spent this month"),
        _("Last activity"),
        _("Auto-recharge"),
        _("Recharge with"),
        _("When balance falls below"),
        _("Monthly recharge limit"),
        _("Currency"),
    ]


def _rows(
    company: Company, filters: MemberFilters, sort: str, now: datetime
) -> Iterator[list[Cell]]:
    today, zone = company.day_at(now), ZoneInfo(company.zone_at(now))
    words = Words(
        roles={value: str(label) for value, label in Role.choices},
        statuses=status_words(),
        rules={**rule_words(), "": ""},
    )
    members = ordered(filtered_members(company, filters, today=today), sort, today)
    found = members.annotate(held=F("purse__balance"), spent=spent_this_month(today)).values_list(
        *READ
    )
    return (
        [*_row(values, words, zone, today), company.currency]
        for values in found.iterator(chunk_size=PORTION)
    )


def _row(values: tuple[Any, ...], words: Words, zone: ZoneInfo, today: date) -> list[Cell]:
    *texts, joined_at, balance, spent, last_on, resumes_on, is_on, waits, amount, below, limit = (
        values
    )
    name, email, username, phone, listed, role, status, *work = texts
    if status not in PRESENT:
        # How somebody who went signs in now is theirs alone.
        email, username, phone = "", "", ""
    held = balance or Decimal(0)
    state = ""
    if is_on is not None:
        waiting = waits is not None and held < below
        state = rule_state(is_on=is_on, waiting=waiting, resumes_on=resumes_on, today=today)
    return [
        name,
        email,
        username,
        str(phone or ""),
        listed,
        words.roles[role],
        words.statuses[status],
        *work,
        joined_at.astimezone(zone).date(),
        held,
        spent,
        last_on,
        words.rules[state],
        amount,
        below,
        limit,
    ]
