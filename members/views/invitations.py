"""Invitations that wait, and those that were answered.

Their one rule: a link is shown once, right after it was made; the page before it says so.
"""

from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Count, Q
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from members.access import MemberRequest, administrators_only
from members.invitation_upkeep import (
    Changed,
    make_link,
    resend_invitations,
    revoke_invitations,
)
from members.models import Company, Invitation
from skypemgr.lib.errors import NotFound, ProductError

PAGE_SIZE = 50
MAX_ID_DIGITS = 18
ANSWERED = "answered"
PENDING = Q(status=Invitation.Status.PENDING)


@administrators_only
@require_http_methods(["GET", "POST"])
def show_invitations(request: MemberRequest) -> HttpResponse:
    """The invitations, newest first; ticked ones are sent again or revoked."""
    if request.method == "POST":
        ids = [_whole(text) for text in request.POST.getlist("invitation")]
        return _act(request, request.POST.get("action", ""), ids)
    answered = request.GET.get("state") == ANSWERED
    found = Invitation.objects.filter(company=request.actor.company)
    chosen = found.filter(~PENDING if answered else PENDING)
    page = Paginator(
        chosen.select_related("list", "invited_by", "member").order_by("-pk"), PAGE_SIZE
    ).get_page(request.GET.get("page"))
    values = {"page": page, "answered": answered, "tabs": _tabs(request.actor.company, answered)}
    return render(request, "members/invitations.html", values)


@administrators_only
@require_POST
def change_invitation(request: MemberRequest, pk: int, action: str) -> HttpResponse:
    """One invitation is sent again or revoked."""
    return _act(request, action, [pk])


@administrators_only
@never_cache
@require_POST
def show_link(request: MemberRequest, pk: int) -> HttpResponse:
    """A new link, shown once; the one before is dead."""
    found = Invitation.objects.filter(company=request.actor.company, pk=pk).first()
    if found is None:
        raise NotFound(_("There is no such invitation in your company."))
    try:
        invitation, url = make_link(actor=request.actor, invitation=found)
    except ProductError as error:
        messages.error(request, str(error))
        return redirect("invitations")
    values = {"invitation": invitation, "url": url}
    return render(request, "members/invitation_link.html", values)


def _act(request: MemberRequest, action: str, ids: list[int]) -> HttpResponse:
    try:
        if not ids:
            messages.info(request, _("Tick at least one invitation."))
        elif action == "revoke":
            _tell_revoked(request, revoke_invitations(actor=request.actor, invitation_ids=ids))
        elif action == "resend":
            _tell_resent(request, resend_invitations(actor=request.actor, invitation_ids=ids))
    except NotFound:
        raise
    except ProductError as error:
        messages.error(request, str(error))
    return redirect("invitations")


def _tell_resent(request: MemberRequest, changed: Changed) -> None:
    if changed.count:
        words = ngettext(
            "%(count)s invitation sent again, for 30 days from today.",
            "%(count)s invitations sent again, for 30 days from today.",
            changed.count,
        )
        messages.success(request, words % {"count": changed.count})
    _tell_answered(request, changed)


def _tell_revoked(request: MemberRequest, changed: Changed) -> None:
    if changed.count:
        words = ngettext(
            "%(count)s invitation revoked.", "%(count)s invitations revoked.", changed.count
        )
        messages.success(request, words % {"count": changed.count})
    _tell_answered(request, changed)


def _tell_answered(request: MemberRequest, changed: Changed) -> None:
    if changed.answered_count:
        words = ngettext(
            "%(count)s was answered or revoked before and is unchanged.",
            "%(count)s were answered or revoked before and are unchanged.",
            changed.answered_count,
        )
        messages.warning(request, words % {"count": changed.answered_count})


def _tabs(company: Company, answered: bool) -> list[dict[str, Any]]:
    counts = Invitation.objects.filter(company=company).aggregate(
        waiting=Count("pk", filter=PENDING), answered=Count("pk", filter=~PENDING)
    )
    address = reverse("invitations")
    return [
        {"url": address, "label": _("Waiting"), "active": not answered, "count": counts["waiting"]},
        {
            "url": f"{address}?state={ANSWERED}",
            "label": _("Answered"),
            "active": answered,
            "count": counts["answered"],
        },
    ]


def _whole(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= MAX_ID_DIGITS):
        raise NotFound(_("There is no such invitation in your company."))
    return int(text)
