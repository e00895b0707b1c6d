"""Who may open what. Its one rule: the fetch is the check, it always starts at the company."""

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec, cast

from django.contrib.auth.views import redirect_to_login
from django.db.models import F, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext_lazy as _
from django_htmx.middleware import HtmxDetails

from members.actors import Actor
from members.errors import CompanyNotActive
from members.models import Member, MemberList, User
from members.models.people import Role
from members.standing import require_active_company
from skypemgr.lib.errors import NotFound

P = ParamSpec("P")
MAX_ID_DIGITS = 18


class MemberRequest(HttpRequest):
    """A request of somebody who has a place in a company."""

    member: Member
    actor: Actor
    htmx: HtmxDetails


def active_company_only(
    view: Callable[Concatenate[MemberRequest, P], HttpResponse],
) -> Callable[Concatenate[MemberRequest, P], HttpResponse]:
    """Inside one of the guards below: in a frozen or closed company the page says so instead."""

    @wraps(view)
    def guarded(request: MemberRequest, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        try:
            require_active_company(request.actor.company)
        except CompanyNotActive as refusal:
            page = {"words": str(refusal)}
            return render(request, "members/not_active.html", page, status=409)
        return view(request, *args, **kwargs)

    return cast("Callable[Concatenate[MemberRequest, P], HttpResponse]", guarded)


class PlaceRequest(HttpRequest):
    """A request of somebody about one of their own places, present or former."""

    member: Member | None
    place: Member
    htmx: HtmxDetails


View = Callable[Concatenate[MemberRequest, P], HttpResponseBase]
PlaceView = Callable[Concatenate[PlaceRequest, P], HttpResponseBase]
PlainView = Callable[Concatenate[HttpRequest, P], HttpResponseBase]


def members_only(view: View[P]) -> PlainView[P]:
    """Opens the page to everybody with a place in a company, suspended ones too."""
    return _guard(view, ())


def readers_only(view: View[P]) -> PlainView[P]:
    """Opens the page to active administrators and finance."""
    return _guard(view, (Role.ADMINISTRATOR, Role.FINANCE))


def administrators_only(view: View[P]) -> PlainView[P]:
    """Opens the page to active administrators."""
    return _guard(view, (Role.ADMINISTRATOR,))


def people_only(view: PlaceView[P]) -> PlainView[P]:
    """Opens the page to everybody with a place, also one they have left: the one that ``?place=``
    names, else the present one, else the last.
    """

    @wraps(view)
    def guarded(request: HttpRequest, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        user = request.user
        if not user.is_authenticated:
            return _leave(request, redirect_to_login(request.get_full_path()))
        inside = cast("PlaceRequest", request)
        wanted = request.GET.get("place", "")
        if wanted:
            inside.place = find_place(user, wanted)
        else:
            place = inside.member or places_of(user).first()
            if place is None:
                return _leave(request, redirect("company_new"))
            inside.place = place
        return view(inside, *args, **kwargs)

    return cast("PlainView[P]", guarded)


def places_of(user: User) -> QuerySet[Member]:
    """The login's own places: the present one, then those left, latest first."""
    return (
        Member.objects.select_related("company", "user", "list")
        .filter(user=user)
        .order_by(F("ended_at").desc(nulls_first=True), "-pk")
    )


def find_place(user: User, pk: str) -> Member:
    """The login's own place with this number; anybody else's is NotFound."""
    is_number = pk.isascii() and pk.isdigit() and len(pk) <= MAX_ID_DIGITS
    place = places_of(user).filter(pk=int(pk)).first() if is_number else None
    if place is None:
        raise NotFound(_("There is no such place of yours."), code="unknown_place")
    return place


def find_member(actor: Actor, pk: int) -> Member:
    """The member of the actor's company, removed ones too; anybody else's is NotFound."""
    member = (
        Member.objects.select_related("company", "user", "list")
        .filter(company=actor.company, pk=pk)
        .first()
    )
    if member is None:
        raise NotFound(_("There is no such member in your company."), code="unknown_member")
    return member


def find_list(actor: Actor, pk: int) -> MemberList:
    """The list of the actor's company that is not archived; any other is NotFound."""
    found = MemberList.objects.filter(company=actor.company, pk=pk, archived_at=None).first()
    if found is None:
        raise NotFound(_("There is no such list in your company."), code="unknown_list")
    return found


def _guard(view: View[P], roles: tuple[str, ...]) -> PlainView[P]:
    @wraps(view)
    def guarded(request: HttpRequest, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        if not request.user.is_authenticated:
            return _leave(request, redirect_to_login(request.get_full_path()))
        member: Member | None = getattr(request, "member", None)
        if member is None:
            return _leave(request, redirect("company_new"))
        inside = cast("MemberRequest", request)
        inside.actor = Actor.of_member(member)
        if roles:
            inside.actor.require(*roles)
        return view(inside, *args, **kwargs)

    return cast("PlainView[P]", guarded)


def _leave(request: HttpRequest, response: HttpResponse) -> HttpResponse:
    # A fragment cannot follow to another page; the whole window has to.
    if request.headers.get("HX-Request") == "true":
        return HttpResponse(headers={"HX-Redirect": response["Location"]})
    return response
