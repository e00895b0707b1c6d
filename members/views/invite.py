"""Inviting members in three steps.

Their one rule: what was typed travels with the page, so that nothing is lost between the steps and
two windows never mix; the verdicts are made anew when the invitations are sent.
"""

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_safe

from members.access import MemberRequest, active_company_only, administrators_only
from members.delivery import preview_invitation
from members.forms import InviteForm, InviteTermsForm
from members.invitation_links import VALID_FOR
from members.invitations import Invited, invite_members
from members.lists import create_list
from members.models import Invitation, MemberList
from members.verdicts import Verdict, VerdictCode, judge_entries, split_entries
from skypemgr.lib.errors import ProductError
from skypemgr.lib.periods import utc_now

SENT_KEY = "invitations_sent"


@administrators_only
@active_company_only
@require_http_methods(["GET", "POST"])
def choose_people(request: MemberRequest) -> HttpResponse:
    """Step 1: the way, and one or several addresses or names."""
    back = request.POST.get("action") == "back"
    if request.method == "POST" and not back:
        form = InviteForm(request.POST)
        if form.is_valid():
            return _show_check(request, _fresh_terms(request, form.cleaned_data))
        return render(request, "members/invite.html", {"form": form}, status=422)
    initial = {name: request.POST[name] for name in ("way", "addresses") if name in request.POST}
    return render(request, "members/invite.html", {"form": InviteForm(initial=initial)})


@administrators_only
@active_company_only
@require_http_methods(["GET", "POST"])
def check_people(request: MemberRequest) -> HttpResponse:
    """Step 2: the verdicts, list, role and preview; creates a list, or sends."""
    if request.method != "POST":
        return redirect("invite")
    form = InviteTermsForm(request.POST, actor=request.actor)
    if request.POST.get("action") == "create_list":
        return _create_list(request, form)
    if not form.is_valid():
        return _show_check(request, form, status=422)
    wished = form.cleaned_data
    try:
        invited = invite_members(
            actor=request.actor,
            way=wished["way"],
            addresses=split_entries(wished["addresses"]),
            list_id=wished["list"].pk if wished["list"] else None,
            role=wished["role"],
        )
    except ProductError as error:
        form.add_error(error.field if error.field in form.fields else None, str(error))
        return _show_check(request, form, status=422)
    request.session[SENT_KEY] = _summary(invited, wished["list"])
    return redirect("invite_sent")


@administrators_only
@require_safe
def show_sent(request: MemberRequest) -> HttpResponse:
    """Step 3: who was invited, and who was not and why."""
    summary = request.session.get(SENT_KEY)
    if not summary:
        return redirect("invite")
    sent = len(summary["sent"])
    title = ngettext("%(count)s invitation sent", "%(count)s invitations sent", sent)
    refused = [(entry, VerdictCode(code).label) for entry, code in summary["refused"]]
    values = {"title": title % {"count": sent}, "summary": summary, "refused": refused}
    return render(request, "members/invite_sent.html", values)


def _fresh_terms(request: MemberRequest, chosen: dict[str, str]) -> InviteTermsForm:
    return InviteTermsForm(actor=request.actor, initial=chosen)


def _create_list(request: MemberRequest, form: InviteTermsForm) -> HttpResponse:
    try:
        made = create_list(actor=request.actor, name=request.POST.get("new_list", ""))
    except ProductError as error:
        form.add_error("new_list", str(error))
        return _show_check(request, form, status=422)
    kept = {name: request.POST.get(name, "") for name in ("way", "addresses", "role")}
    terms = InviteTermsForm(actor=request.actor, initial={**kept, "list": made.pk})
    return _show_check(request, terms, made=made)


def _show_check(
    request: MemberRequest,
    form: InviteTermsForm,
    *,
    status: int = 200,
    made: MemberList | None = None,
) -> HttpResponse:
    verdicts = judge_entries(
        company=request.member.company,
        way=str(form["way"].value()),
        entries=split_entries(str(form["addresses"].value() or "")),
    )
    subject, text = preview_invitation(_example(request, str(form["way"].value()), verdicts))
    values = {
        "form": form,
        "verdicts": verdicts,
        "wanted_count": sum(verdict.is_ok for verdict in verdicts),
        "made": made,
        "subject": subject,
        "text": text,
    }
    return render(request, "members/invite_check.html", values, status=status)


def _example(request: MemberRequest, way: str, verdicts: list[Verdict]) -> Invitation:
    member = request.member
    wanted = [verdict for verdict in verdicts if verdict.is_ok]
    return Invitation(
        company=member.company,
        way=way,
        address=wanted[0].address if wanted else "",
        name=wanted[0].name if wanted else "",
        language=member.company.language,
        invited_by=member,
        expires_at=utc_now() + VALID_FOR,
    )


def _summary(invited: Invited, member_list: MemberList | None) -> dict[str, object]:
    return {
        "sent": [invitation.address for invitation in invited.invitations],
        "list": member_list.name if member_list else "",
        "refused": [(verdict.entry, verdict.code.value) for verdict in invited.refused],
    }
