"""What everybody sees of themselves. Its one rule: nobody else's figures stand on it, and never
those of two companies at once.
"""

from decimal import Decimal
from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.vary import vary_on_headers

from billing.features.lines import read_own_features
from credit.credit_requests import open_request_of
from credit.rules import describe_rule
from members.access import PlaceRequest, people_only, places_of
from members.invitations import waiting_invitations
from members.models import Member
from members.models.people import Role
from skypemgr.lib.periods import utc_now
from skypemgr.portal.queries import movements, own, people
from skypemgr.portal.shell import keep_version
from skypemgr.portal.words import tell_own_movements, tell_rule

MOVEMENTS_SHOWN = 10
CALLS_SHOWN = 10


@vary_on_headers("HX-Request")
@people_only
def show_me(request: PlaceRequest) -> HttpResponse:
    """Own balance, rule, movements and calls, in the present company or in one that was left."""
    keep_version(request)
    part = "#live" if request.htmx else ""
    return render(request, f"portal/me.html{part}", _read(request))


def _read(request: PlaceRequest) -> dict[str, Any]:
    place = request.place
    company = place.company
    now = utc_now()
    today = company.day_at(now)
    purse = movements.read_member_purse(place)
    status = describe_rule(place, now=now)
    query = "" if place.is_present else f"?place={place.pk}"
    return {
        "place": place,
        "places": _places(place),
        "is_former": not place.is_present,
        "ended_on": company.day_at(place.ended_at) if place.ended_at else None,
        "is_closed": company.state == company.State.CLOSED,
        "own_url": reverse("me") + query,
        "statement_url": reverse("own_statement") + query,
        "calls_url": _calls_url(place),
        "company": company,
        "currency": company.currency,
        "balance": purse.balance if purse else Decimal(0),
        "held": purse.held if purse else Decimal(0),
        "rule": status,
        "rule_words": tell_rule(status, company.currency, today),
        "movements": tell_own_movements(
            movements.read_member_movements(purse, MOVEMENTS_SHOWN), today
        ),
        "calls": own.read_own_calls(place.pk, CALLS_SHOWN),
        "features": read_own_features(place, now=now),
        "can_set": place.is_present,
        "administrators": people.read_administrators(company),
        "invitations": list(waiting_invitations(place.user, now=now)),
        "open_request": open_request_of(place),
        "is_suspended": place.status == place.Status.SUSPENDED,
    }


def _calls_url(place: Member) -> str:
    if not place.is_present:
        return f"{reverse('calls')}?place={place.pk}"
    # Who reads the company's calls chooses the own ones among them.
    own = "" if place.role == Role.MEMBER else f"?member={place.pk}"
    return f"{reverse('calls')}{own}"


def _places(shown: Member) -> list[dict[str, Any]]:
    """The ways to the login's own places, if there are several or the one was left."""
    places = list(places_of(shown.user))
    if len(places) < 2:
        return []
    return [
        {
            "url": f"{reverse('me')}?place={place.pk}" if not place.is_present else reverse("me"),
            "label": place.company.name,
            "is_former": not place.is_present,
            "ended_on": place.company.day_at(place.ended_at) if place.ended_at else None,
            "active": place.pk == shown.pk,
        }
        for place in places
    ]
