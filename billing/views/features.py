"""Who has what: all kinds together, one kind, one member. Its one rule: these pages read; what is
ticked or clicked leads to pages that ask first.
"""

from dataclasses import dataclass
from datetime import date
from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from billing.features.filters import PARAMETERS, WHEN, FeatureFilters, state_words
from billing.features.giving import ONE_EACH
from billing.features.holders import (
    DEFAULT_SORT,
    SORTS,
    SORTS_BY_DAY,
    HolderRow,
    read_holders,
)
from billing.features.kinds import KINDS, KindLooks, find_kind
from billing.features.lines import (
    FeatureLine,
    read_banned_kinds,
    read_features_of,
    read_next_renewals,
)
from billing.features.queries import read_overview
from credit.accounts import company_balance
from credit.filter_words import status_words
from credit.queries.members import read_lists
from members.access import MemberRequest, find_member, readers_only
from members.models.people import PRESENT
from skypemgr.lib.periods import first_of_next_month, utc_now
from skypemgr.lib.phones import readable_number
from skypemgr.lib.table_addresses import Addresses, Chip

TABLE = "features-table"
# What a table's address may carry; ticks are the page's own.
CARRIED = (*PARAMETERS, "sort")
STATUSES_OFFERED = ("active", "suspended", "gone", "all")
RENEWALS_SHOWN = 5


@dataclass(frozen=True, slots=True)
class Shown:
    """A feature in words, with its page's address: the number if it is one, the plan, until when it
    is there, at what price.
    """

    url: str
    number: str
    plan: str
    until: str
    price: str
    price_words: str


@dataclass(frozen=True, slots=True)
class Line:
    """A member's row with what the template would otherwise make anew for each; ``height``: over
    how many rows of the table it goes.
    """

    row: HolderRow
    features: list[Shown]
    height: int
    key: str
    contact: str
    url: str
    list_url: str
    give_url: str
    status_badge: str
    can_receive: bool
    can_have_one: bool
    is_ticked: bool
    names: dict[str, str]


@dataclass(frozen=True, slots=True)
class KindPart:
    """A kind on a member's page: what the member has of it, and whether more can be given."""

    looks: KindLooks
    lines: list[FeatureLine]
    is_allowed: bool
    can_have_one: bool


@require_safe
@readers_only
def show_features(request: MemberRequest) -> HttpResponse:
    """All kinds: how many have it, what it costs, and what is renewed next."""
    company = request.actor.company
    today = company.day_at(utc_now())
    month_end = _last_of_month(today)
    overview = read_overview(company, today=today, until=month_end)
    balance = company_balance(company)
    page = {
        "overview": overview,
        "renewals": read_next_renewals(company, RENEWALS_SHOWN),
        "balance": balance,
        "missing": overview.due_total - balance,
        "is_short": overview.due_total > balance,
        "currency": company.currency,
        "is_administrator": request.member.is_administrator,
    }
    return render(request, "billing/features.html", page)


@require_safe
@readers_only
def show_kind(request: MemberRequest, slug: str) -> HttpResponse:
    """Who has the kind: the table, or only its part that a search refreshes."""
    looks = find_kind(slug)
    company = request.actor.company
    filters = FeatureFilters.of(company, looks.kind, request.GET.dict())
    sort = _sort(request, filters)
    addresses = Addresses(request, CARRIED, default_sort=DEFAULT_SORT)
    number, ticked = request.GET.get("page", "1"), request.GET.get("ticked", "")
    today = company.day_at(utc_now())
    place, rows, totals = read_holders(company, filters, sort=sort, page=number, today=today)
    lines = _lines(request, looks, addresses, rows, ticked)
    context: dict[str, Any] = {
        "looks": looks,
        "place": place,
        "lines": lines,
        "totals": totals,
        "tickable_count": sum(line.can_receive for line in lines),
        "filters": filters,
        "chips": [Chip(words, addresses.to(without=(name,))) for name, words in filters.words()],
        "sort": sort,
        "heads": {
            "name": addresses.head(sort, "name", "name"),
            "until": addresses.head(sort, "until", "until", has="yes"),
        },
        "currency": company.currency,
        "is_page_ticked": ticked == "page",
        "is_every_ticked": ticked == "every" and bool(totals.present_count) and not filters.errors,
        "carried": [(name, addresses.kept[name]) for name in PARAMETERS if name in addresses.kept],
        "is_administrator": request.member.is_administrator,
        "untick_url": addresses.to(page=number),
        "tick_page_url": addresses.to(page=number, ticked="page"),
        "tick_every_url": addresses.to(page=number, ticked="every"),
        "clear_url": _clear_url(request, filters),
        "tabs": _tabs(addresses, filters, sort),
        "actions": "billing/parts/features_actions.html",
        "is_one_each": looks.kind in ONE_EACH,
    }
    if request.htmx and request.htmx.target == TABLE:
        return render(request, "billing/features_of_kind.html#features_table", context)
    context |= {
        "lists": read_lists(company),
        "is_filtered": addresses.is_filtered,
        "statuses": _statuses(filters),
        "states": list(state_words().items()),
        "sorts": [(name, words) for name, words in _sort_words().items() if _fits(name, filters)],
    }
    return render(request, "billing/features_of_kind.html", context)


@require_safe
@readers_only
def show_features_of_member(request: MemberRequest, pk: int) -> HttpResponse:
    """What one member has, kind by kind, and what the member may not have."""
    member = find_member(request.actor, pk)
    lines, ended = read_features_of(member)
    banned = read_banned_kinds(member)
    may_give = request.member.is_administrator and member.is_present
    parts = []
    for looks in KINDS:
        of_kind = [line for line in lines if line.feature.kind == looks.kind]
        is_allowed = looks.kind not in banned
        is_enough = looks.kind in ONE_EACH and bool(of_kind)
        parts.append(
            KindPart(looks, of_kind, is_allowed, may_give and is_allowed and not is_enough)
        )
    page = {
        "member": member,
        "parts": parts,
        "ended": ended,
        "currency": member.company.currency,
        "is_administrator": request.member.is_administrator,
    }
    return render(request, "billing/member_features.html", page)


def _lines(
    request: MemberRequest,
    looks: KindLooks,
    addresses: Addresses,
    rows: list[HolderRow],
    ticked: str,
) -> list[Line]:
    """The rows for the template; each address and badge is made once, then filled in."""
    chosen = set(request.GET.getlist("member"))
    url, feature_url = reverse("member_features", args=(0,)), reverse("feature", args=(0,))
    give_url = f"{reverse('feature_give', args=(looks.slug,))}?member="
    of_list = addresses.to(list="0LIST")
    words = {"select": _("Select %(name)s"), "give": _("Give to %(name)s")}
    statuses = {
        status: render_to_string("credit/parts/status_badge.html", {"status": status})
        for status in {row.member.status for row in rows}
    }
    words_of = _Words()
    lines = []
    for row in rows:
        member, key = row.member, str(row.member.pk)
        can_receive = member.status in PRESENT
        is_enough = looks.kind in ONE_EACH and bool(row.lines)
        lines.append(
            Line(
                row=row,
                features=[
                    words_of.show(each, feature_url.replace("/0/", f"/{each.feature.pk}/"))
                    for each in row.lines
                ],
                height=max(1, len(row.lines)) + bool(row.more_count),
                key=key,
                contact=member.contact,
                url=url.replace("/0/", f"/{key}/"),
                list_url=of_list.replace("0LIST", str(member.list_id)),
                give_url=f"{give_url}{key}",
                status_badge=statuses[member.status],
                can_receive=can_receive,
                can_have_one=can_receive and row.is_allowed and not is_enough,
                is_ticked=ticked == "page" or key in chosen,
                names={name: text % {"name": member.name} for name, text in words.items()},
            )
        )
    return lines


class _Words:
    """What the page says of features, made once for all alike."""

    def __init__(self) -> None:
        self._untils: dict[tuple[object, ...], str] = {}
        self._prices: dict[tuple[object, ...], tuple[str, str]] = {}

    def show(self, line: FeatureLine, url: str) -> Shown:
        """The feature in words."""
        feature = line.feature
        price, price_words = self._price(line)
        return Shown(
            url=url,
            number=readable_number(feature.number.e164) if feature.number else "",
            plan=feature.plan.name,
            until=self._until(line),
            price=price,
            price_words=price_words,
        )

    def _until(self, line: FeatureLine) -> str:
        feature = line.feature
        alike = (
            *(feature.status, feature.paid_until, feature.grace_until),
            *(line.renews, line.is_unpaid, line.is_discontinued),
        )
        if alike not in self._untils:
            self._untils[alike] = render_to_string("billing/parts/until_words.html", {"line": line})
        return self._untils[alike]

    def _price(self, line: FeatureLine) -> tuple[str, str]:
        feature, terms = line.feature, line.terms
        then = (terms.plan.pk, terms.months, terms.price) if terms else ()
        alike = (feature.plan_id, feature.months, line.price, *then)
        if alike not in self._prices:
            cell = render_to_string("billing/parts/price_cell.html", {"line": line})
            self._prices[alike] = cell, line.price_words
        return self._prices[alike]


def _tabs(addresses: Addresses, filters: FeatureFilters, sort: str) -> list[dict[str, object]]:
    """Everybody, who has it, who has not; with the other filters as they are."""
    order = "" if sort in SORTS_BY_DAY else sort
    order = "" if order == DEFAULT_SORT else order
    tabs = []
    for has, label in (("", _("Everybody")), ("yes", _("Have it")), ("no", _("Do not have it"))):
        without = () if has == "yes" else ("state",)
        url = addresses.to(without=without, has=has, sort=sort if has == "yes" else order)
        tabs.append({"url": url, "label": label, "active": filters.has == has})
    return tabs


def _clear_url(request: MemberRequest, filters: FeatureFilters) -> str:
    """The same tab without any filter."""
    return f"{request.path}?has={filters.has}" if filters.has else request.path


def _sort(request: MemberRequest, filters: FeatureFilters) -> str:
    sort = request.GET.get("sort", DEFAULT_SORT)
    return sort if sort in SORTS and _fits(sort, filters) else DEFAULT_SORT


def _fits(sort: str, filters: FeatureFilters) -> bool:
    """Whether all that the filters leave have what is sorted by."""
    return sort not in SORTS_BY_DAY or filters.has == "yes"


def _statuses(filters: FeatureFilters) -> list[tuple[str, str]]:
    """What can be chosen of the status: without a choice, those who are looked for by default."""
    words = status_words()
    others = [name for name in STATUSES_OFFERED if name != WHEN[filters.has]]
    return [("", words[WHEN[filters.has]]), *((name, words[name]) for name in others)]


def _sort_words() -> dict[str, str]:
    return {
        "name": _("Name, A to Z"),
        "-name": _("Name, Z to A"),
        "until": _("Paid until, soonest first"),
        "-until": _("Paid until, latest first"),
    }


def _last_of_month(today: date) -> date:
    return first_of_next_month(today) - date.resolution
