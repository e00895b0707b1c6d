"""What the pages of credit have in common: the way back from a filter that was not understood, and
why nothing can be added.
"""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _

from credit.errors import CompanyNotActive
from credit.member_filters import PARAMETERS
from credit.money import require_active
from members.access import MemberRequest
from members.models import Company, Member

SHOWN_MEMBERS = 50


def refuse_misread(request: MemberRequest) -> HttpResponse:
    """Back to the table, which says what was not understood."""
    messages.error(request, _("Please check the filters first."))
    values = request.GET.copy()
    for name in [name for name in values if name not in PARAMETERS]:
        values.pop(name)
    return redirect(f"{reverse('members')}?{values.urlencode()}")


def why_nothing_can_be_added(company: Company, member: Member | None = None) -> str:
    """The sentence that stands in place of a form; empty when credit can be added."""
    try:
        require_active(company)
    except CompanyNotActive as error:
        return str(error)
    if member is not None and not member.is_present:
        return _("%(name)s is no longer in the company: nothing is added any more.") % {
            "name": member.name
        }
    return ""
