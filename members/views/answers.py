"""The page behind an invitation's link, and the answers to invitations that wait."""

from urllib.parse import urlencode

from allauth.account.adapter import get_adapter
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from members.adapter import INVITED_EMAIL_KEY
from members.invitations import (
    accept_invitation,
    accept_waiting_invitation,
    decline_invitation,
    decline_waiting_invitation,
    owns_invitation,
    read_invitation,
)
from members.middleware import find_present_member
from members.models import Invitation, Member, User
from skypemgr.lib.errors import ProductError


@never_cache
@require_http_methods(["GET", "POST"])
def answer_invitation(request: HttpRequest, token: str) -> HttpResponse:
    """Who is invited accepts, declines, or signs in first."""
    user = request.user if isinstance(request.user, User) else None
    try:
        invitation = read_invitation(token)
        if request.method == "POST":
            return _answer(request, user, token)
    except ProductError as error:
        return _show_error(request, error)
    if user is None and invitation.way == Invitation.Way.EMAIL and not invitation.link_shown:
        # The link was mailed to this address alone: signing up with it needs no second proof. One
        # that an administrator was shown proves nothing.
        request.session[INVITED_EMAIL_KEY] = invitation.address
    return _show(request, invitation, user, token)


@login_required
@require_POST
def answer_waiting(request: HttpRequest, pk: int) -> HttpResponse:
    """An invitation found by what the login owns is accepted or declined."""
    user = request.user
    if not isinstance(user, User):
        return redirect("account_login")
    try:
        if request.POST.get("action") == "decline":
            decline_waiting_invitation(pk=pk, user=user)
            messages.success(request, _("You declined the invitation."))
            return redirect("me" if request.POST.get("next") == "me" else "company_new")
        return _welcome(request, accept_waiting_invitation(pk=pk, user=user))
    except ProductError as error:
        return _show_error(request, error)


def _answer(request: HttpRequest, user: User | None, token: str) -> HttpResponse:
    if request.POST.get("action") == "decline":
        invitation = decline_invitation(token=token)
        values = {"company": invitation.company}
        return render(request, "members/invitation_declined.html", values)
    if user is None:
        return redirect(_with_next("account_login", request.path))
    return _welcome(request, accept_invitation(token=token, user=user))


def _welcome(request: HttpRequest, member: Member) -> HttpResponse:
    messages.success(request, _("Welcome to %(company)s.") % {"company": member.company.name})
    request.session.pop(INVITED_EMAIL_KEY, None)
    return redirect(get_adapter(request).get_login_redirect_url(request))


def _show(
    request: HttpRequest, invitation: Invitation, user: User | None, token: str
) -> HttpResponse:
    place = find_present_member(user) if user else None
    is_owner = user is not None and owns_invitation(user, invitation)
    ways = {Invitation.Way.EMAIL: "email", Invitation.Way.PHONE: "phone"}
    invited = {name: invitation.address for way, name in ways.items() if way == invitation.way}
    values = {
        "invitation": invitation,
        "company": invitation.company,
        "place": place,
        "is_owner": is_owner,
        "in_other_company": place is not None and place.company_id != invitation.company_id,
        "is_member": place is not None and place.company_id == invitation.company_id,
        "login_url": _with_next("account_login", request.path),
        "signup_url": _with_next("account_signup", request.path, **invited),
        "path": request.path,
    }
    status = 403 if user and not is_owner else 409 if place else 200
    return render(request, "members/invitation.html", values, status=status)


def _show_error(request: HttpRequest, error: ProductError) -> HttpResponse:
    return render(request, "members/invitation_over.html", {"error": error}, status=error.status)


def _with_next(name: str, path: str, **more: str) -> str:
    query = {"next": path, **{key: value for key, value in more.items() if value}}
    return f"{reverse(name)}?{urlencode(query)}"
