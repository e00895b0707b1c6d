"""The pages that suspend a member and take one back. Their one rule: what will happen is said
before, in numbers; opening a page changes nothing.
"""

from collections.abc import Callable

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from credit.accounts import balances
from credit.rules import describe_rule
from credit.standing import reactivate_member, suspend_member
from credit.wording import status_sentence
from members.access import MemberRequest, administrators_only, find_member
from members.models import Member
from skypemgr.lib.errors import NotAllowed, NotFound, ProductError
from skypemgr.lib.periods import utc_now


@administrators_only
@require_http_methods(["GET", "HEAD", "POST"])
def suspend(request: MemberRequest, pk: int) -> HttpResponse:
    """The member is suspended after a look at what it does."""
    done = _("%(name)s is suspended.")
    return _change(request, pk, suspend_member, Member.Status.SUSPENDED, done)


@administrators_only
@require_http_methods(["GET", "HEAD", "POST"])
def reactivate(request: MemberRequest, pk: int) -> HttpResponse:
    """The member is active again after a look at what it does."""
    done = _("%(name)s is active again.")
    return _change(request, pk, reactivate_member, Member.Status.ACTIVE, done)


def _change(
    request: MemberRequest, pk: int, verb: Callable[..., Member], status: str, done: str
) -> HttpResponse:
    member = find_member(request.actor, pk)
    if member.status == status or not member.is_present:
        return redirect("member", pk)
    error = ""
    if request.method == "POST":
        try:
            verb(actor=request.actor, member_id=pk)
        except (NotAllowed, NotFound):
            raise
        except ProductError as refusal:
            error = str(refusal)
        else:
            messages.success(request, done % {"name": member.name})
            return redirect("member", pk)
    company = member.company
    rule = describe_rule(member)
    today = company.day_at(utc_now())
    context = {
        "member": member,
        "is_suspending": status == Member.Status.SUSPENDED,
        "purse": balances(company.pk, [pk])[pk],
        "currency": company.currency,
        "has_rule": rule is not None and rule.state != "off",
        "rule_sentence": status_sentence(rule, company.currency, today),
        "error": error,
    }
    return render(request, "credit/member_suspend.html", context, status=422 if error else 200)
