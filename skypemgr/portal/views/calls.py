"""Finished calls, and what a call costs. Its one rule: the reader's place decides what is seen; a
member sees the own calls alone.
"""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.timezone import get_current_timezone_name
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from billing.features.destinations import country_name
from credit.queries.calls import CallLine
from credit.queries.prices import find_price
from credit.statement import InvalidCursor
from members.access import PlaceRequest, people_only
from members.actors import Actor
from members.models import Member
from members.models.people import Role
from skypemgr.lib.errors import ProductError
from skypemgr.lib.periods import utc_now
from skypemgr.lib.text import typed_search
from skypemgr.portal.call_search import find_search
from skypemgr.portal.exporting_calls import FORMATS, download_calls
from skypemgr.portal.queries import people
from skypemgr.portal.queries.calls import Search, read_calls, read_countries, shown_number
from skypemgr.portal.views.report_tabs import report_tabs

LONGEST_NUMBER = 40


@require_safe
@people_only
def show_calls(request: PlaceRequest) -> HttpResponseBase:
    """A page of calls; what cannot be shown is said in a sentence."""
    reader = _reader(request)
    wanted = request.GET.dict()
    if _leads(reader):
        found = people.find_people(reader.company, wanted.pop("find", ""))
        if len(found) == 1:
            chosen = {**_kept_for_member(wanted), "member": found[0].pk}
            return redirect(f"{request.path}?{urlencode(chosen)}")
    else:
        found = []
    try:
        search = find_search(reader, wanted, now=utc_now())
        calls = read_calls(search, cursor=wanted.get("page", ""))
    except InvalidCursor:
        wanted.pop("page")
        return redirect(f"{request.path}?{urlencode(wanted)}")
    except ProductError as error:
        return _refused(request, error)
    context = _frame(request, reader, search) | {
        "calls": calls,
        "lines": [_line(search, line) for line in calls.singles],
        "countries": _countries(search),
        "found": found,
        "found_query": urlencode(
            _kept_for_member({**search.span.parameters, **_narrowing(search)})
        ),
        "wanted": request.GET.get("find", "").strip()[:200],
        "lists": people.read_lists(reader.company) if _leads(reader) else [],
    }
    return render(request, "portal/calls.html", context)


@require_safe
@people_only
def export_calls(request: PlaceRequest) -> HttpResponseBase:
    """The same lines as a file, in the form ``?format=`` (csv or xlsx)."""
    reader = _reader(request)
    form = request.GET.get("format", "csv")
    form = form if form in FORMATS else "csv"
    zone = get_current_timezone_name()
    try:
        search = find_search(reader, request.GET, now=utc_now())
        return download_calls(search, form=form, language=get_language() or "en", zone=zone)
    except ProductError as error:
        return _refused(request, error)


@require_safe
@people_only
def show_price(request: PlaceRequest) -> HttpResponse:
    """What a call to the typed number costs."""
    reader = _reader(request)
    number = typed_search(request.GET.get("number", ""))[:LONGEST_NUMBER]
    context: dict[str, Any] = {
        "number": number,
        "company": reader.company,
        "currency": reader.company.currency,
        "own_place": "" if reader.is_present else f"?place={reader.pk}",
        "place": reader,
    }
    status = 200
    if number:
        try:
            price = find_price(reader.company, number, member=reader, now=utc_now())
        except ProductError as error:
            status = error.status if error.status != 404 else 200
            context["sentence"] = str(error)
        else:
            tariff = price.tariff
            context |= {
                "price": price,
                "country": country_name(tariff.country) if tariff and tariff.country else "",
            }
    return render(request, "portal/call_price.html", context, status=status)


def _reader(request: PlaceRequest) -> Member:
    """Whose place the page is read from; finance and administrators must be active in it."""
    place = request.place
    if _leads(place):
        Actor.of_member(place).require(Role.ADMINISTRATOR, Role.FINANCE)
    return place


def _leads(reader: Member) -> bool:
    return reader.is_present and reader.role != Role.MEMBER


def _frame(request: PlaceRequest, reader: Member, search: Search) -> dict[str, Any]:
    """What stands round the lines."""
    kept: dict[str, str] = {} if reader.is_present else {"place": str(reader.pk)}
    scope_query = {} if not _leads(reader) else search.scope.parameters
    filters = {**kept, **scope_query, **_narrowing(search)}
    return {
        "company": reader.company,
        "currency": reader.company.currency,
        "reader": reader,
        "leads": _leads(reader),
        "search": search,
        "scope": search.scope,
        "span": search.span,
        "kept": {**search.span.parameters, **_narrowing(search)},
        "kept_query": urlencode({**search.span.parameters, **_narrowing(search)}),
        "filters": {"parameters": filters},
        "filter_query": urlencode(filters),
        "query": urlencode({**search.span.parameters, **filters}),
        "crumb_url": _crumb_url(reader),
        "tabs": report_tabs("calls", search.span) if _leads(reader) else [],
        "why": _why(search),
    }


def _crumb_url(reader: Member) -> str:
    """Members come from their account; for those who lead the reports' tabs stand above."""
    if _leads(reader):
        return ""
    return reverse("me") if reader.is_present else f"{reverse('me')}?place={reader.pk}"


def _narrowing(search: Search) -> dict[str, str]:
    return {
        **({"country": search.country} if search.country else {}),
        **({"uncollected": "1"} if search.only_uncollected else {}),
    }


def _kept_for_member(wanted: Mapping[str, str]) -> dict[str, str]:
    """What stays when a member is chosen: neither the list, nor the country, by which the calls of
    one member are seldom told apart; pages begin anew.
    """
    return {name: text for name, text in wanted.items() if name not in ("list", "country", "page")}


def _why(search: Search) -> str:
    """Why single calls are not shown, for administrators; empty if they are."""
    viewer, scope = search.viewer, search.scope
    if viewer is None or not viewer.is_administrator or search.shows_member or search.shows_day:
        return ""
    if not scope.company.call_details_on:
        return _("Single calls are not shown: call details are switched off for your company.")
    if scope.member:
        return _("Single calls are not shown: this member has not agreed to it.")
    if scope.list:
        return _("Choose a member to see single calls of those who agreed to it.")
    return _("Choose a day or a member to see single calls of those who agreed to it.")


def _line(search: Search, line: CallLine) -> dict[str, Any]:
    return {
        "at": line.started_at,
        "day": line.started_on,
        "member_id": line.member_id,
        "member": line.member,
        "number": shown_number(search, line),
        "country": country_name(line.country) if line.country else "",
        "duration": line.duration_seconds,
        "included": line.included_seconds,
        "price": line.price,
        "collected": line.collected,
        "uncollected": line.uncollected,
        "booked_on": line.booked_on if line.booked_on != line.started_on else None,
    }


def _countries(search: Search) -> list[tuple[str, str]]:
    if search.scope.member is not None and not search.shows_member:
        return []
    codes = {*read_countries(search), *([search.country] if search.country else [])}
    return sorted(((code, country_name(code)) for code in codes), key=lambda pair: pair[1])


def _refused(request: PlaceRequest, error: ProductError) -> HttpResponse:
    reader = request.place
    query = "" if reader.is_present else f"?place={reader.pk}"
    context = {
        "sentence": str(error),
        "address": reverse("calls") + query,
        "tabs": report_tabs("calls", None) if _leads(reader) else [],
    }
    return render(request, "portal/calls_refused.html", context, status=error.status)
