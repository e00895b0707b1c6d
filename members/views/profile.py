"""My profile: what everybody sets for themselves, and who administers the company."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import translation
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from members.access import MemberRequest, members_only
from members.models import Member
from members.models.people import Role
from members.own_forms import ProfileForm
from members.profile import update_profile
from skypemgr.lib.errors import ProductError


@require_http_methods(["GET", "POST"])
@members_only
def show_profile(request: MemberRequest) -> HttpResponse:
    """Name, language and time zone of whoever asks; the way to addresses and password."""
    member = request.member
    form = ProfileForm(request.POST or None, member=member)
    status = 200
    if request.method == "POST":
        if form.is_valid() and _save(request, form):
            return redirect("profile")
        status = 422
    values = {
        "form": form,
        "member": member,
        "administrators": _administrators(member),
        "has_password": member.user.has_usable_password(),
    }
    return render(request, "members/profile.html", values, status=status)


def _save(request: MemberRequest, form: ProfileForm) -> bool:
    try:
        member = update_profile(actor=request.actor, **form.cleaned_data)
    except ProductError as error:
        form.add_error(error.field or None, str(error))
        return False
    # The page that follows is in the language just chosen, so is its message.
    with translation.override(member.user.language or translation.get_language()):
        messages.success(request, _("Saved."))
    return True


def _administrators(member: Member) -> list[Member]:
    return list(
        Member.objects.filter(
            company=member.company, role=Role.ADMINISTRATOR, status=Member.Status.ACTIVE
        )
        .order_by("name_key", "pk")
        .only("name", "work_email", "job_title")
    )
