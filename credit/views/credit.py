"""Manage credit: for one member, or for many at once.

Its one rule: what leaves the company's balance is told in numbers before, and done once however
often the form arrives.
"""

from contextlib import suppress
from decimal import Decimal
from typing import Any, TypeVar
from uuid import uuid4

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from credit.accounts import balances, company_balance
from credit.allocation import (
    Allocation,
    AllocationPreview,
    Recipients,
    allocate,
    preview_allocation,
)
from credit.choosing import Choice, read_choice, why_too_many
from credit.errors import CreditError, IdempotencyConflict
from credit.forms import AllocationForm, BulkAllocationForm
from credit.models import OutsideRequest
from credit.queries.movements import read_movements
from credit.requests import OutsideKey
from credit.views.shared import SHOWN_MEMBERS, refuse_misread, why_nothing_can_be_added
from members.access import MemberRequest, administrators_only, find_member, readers_only
from members.models import Member
from skypemgr.lib.errors import NotAllowed, ProductError
from skypemgr.lib.formats import format_money, format_number

Filled = TypeVar("Filled", bound=AllocationForm)


@readers_only
def manage_credit(request: MemberRequest, pk: int) -> HttpResponse:
    """One member's credit: add to it, and see the latest movements."""
    member = find_member(request.actor, pk)
    if request.method != "POST":
        return _show_one(request, member, AllocationForm.fresh())
    request.actor.require_administrator()
    form = AllocationForm(request.POST.dict())
    if not form.is_valid():
        return _show_one(request, member, form, status=422)
    choice = Choice(Recipients(member_ids=(member.pk,)))
    try:
        done = _allocate(request, form, choice)
    except ProductError as error:
        return _show_one(request, member, _refused(form, error), status=error.status)
    currency = request.actor.company.currency
    messages.success(
        request,
        _("%(amount)s added to %(name)s's account. The company's balance is now %(balance)s.")
        % {
            "amount": format_money(done.amount, currency),
            "name": member.name,
            "balance": format_money(done.company_balance_after, currency),
        },
    )
    return redirect("member_credit", pk=member.pk)


@administrators_only
def manage_credit_of_many(request: MemberRequest) -> HttpResponse:
    """The same amount for each chosen member: who gets what, the total, what is left."""
    choice = read_choice(request.actor, request.GET)
    if choice.is_misread:
        return refuse_misread(request)
    form = BulkAllocationForm(request.POST.dict())
    if request.method == "POST" and form.is_valid() and _was_sent(request, form):
        # Perhaps nobody fits the filters any more: then too the first answer is given again.
        with suppress(IdempotencyConflict):
            _tell_many(request, _allocate(request, form, choice))
            return redirect("members")
    try:
        preview = preview_allocation(actor=request.actor, recipients=choice.recipients, amount=None)
    except CreditError as error:
        messages.error(request, str(error))
        return redirect("members")
    if request.method != "POST":
        return _show_many(request, choice, preview, BulkAllocationForm.fresh_for(preview.count))
    if form.is_valid():
        _check_count(request, form, preview.count)
    if not form.is_valid():
        return _show_many(request, choice, preview, form, status=422)
    try:
        done = _allocate(request, form, choice)
    except ProductError as error:
        return _show_many(request, choice, preview, _refused(form, error), status=error.status)
    _tell_many(request, done)
    return redirect("members")


def _allocate(request: MemberRequest, form: AllocationForm, choice: Choice) -> Allocation:
    amount: Decimal = form.cleaned_data["amount"]
    content = {"amount": f"{amount:.4f}", **choice.content()}
    return allocate(
        actor=request.actor,
        amount=amount,
        recipients=choice.recipients,
        request=OutsideKey.of_form(str(form.cleaned_data["form_key"]), content),
    )


def _refused(form: Filled, error: ProductError) -> Filled:
    """The form with the refusal beside its field and what was typed; NotAllowed passes."""
    if isinstance(error, NotAllowed):
        raise error
    if isinstance(error, IdempotencyConflict):
        # The key is spent: whoever came back to this page means another allocation.
        form.data = {**form.data, "form_key": str(uuid4())}
        sentence = _(
            "This form was already sent with another amount, and that amount was added."
            " Send it again only if you want to add more."
        )
        form.add_error(None, sentence)
        return form
    form.add_error(error.field if error.field in form.fields else None, str(error))
    return form


def _check_count(request: MemberRequest, form: BulkAllocationForm, count: int) -> None:
    """Refuses when the members are other than those the page told; not for a repetition."""
    if form.cleaned_data["shown_count"] == count or _was_sent(request, form):
        return
    form.data = {**form.data, "shown_count": str(count)}
    sentence = ngettext(
        "Meanwhile it is %(count)s member. Please check the total again.",
        "Meanwhile they are %(count)s members. Please check the total again.",
        count,
    )
    form.add_error(None, sentence % {"count": format_number(count)})


def _was_sent(request: MemberRequest, form: BulkAllocationForm) -> bool:
    key = OutsideKey.of_form(str(form.cleaned_data["form_key"]), "").key
    return OutsideRequest.objects.filter(company=request.actor.company, key=key).exists()


def _tell_many(request: MemberRequest, done: Allocation) -> None:
    currency = request.actor.company.currency
    sentence = ngettext(
        "%(amount)s added to %(count)s member's account. The company's balance is now %(balance)s.",
        "%(amount)s added to the accounts of %(count)s members, %(total)s in all."
        " The company's balance is now %(balance)s.",
        done.transfers_count,
    )
    messages.success(
        request,
        sentence
        % {
            "amount": format_money(done.amount, currency),
            "count": format_number(done.transfers_count),
            "total": format_money(done.total, currency),
            "balance": format_money(done.company_balance_after, currency),
        },
    )


def _show_one(
    request: MemberRequest, member: Member, form: AllocationForm, *, status: int = 200
) -> HttpResponse:
    company = request.actor.company
    balance = balances(company.pk, [member.pk])[member.pk].balance
    context = {
        "member": member,
        "form": form,
        "obstacle": why_nothing_can_be_added(company, member),
        "can_add": request.member.is_administrator,
        "balance": balance,
        "company_balance": company_balance(company),
        "currency": company.currency,
        "movements": read_movements(member),
    }
    return render(request, "credit/member_credit.html", context, status=status)


def _show_many(
    request: MemberRequest,
    choice: Choice,
    preview: AllocationPreview,
    form: BulkAllocationForm,
    *,
    status: int = 200,
) -> HttpResponse:
    company = request.actor.company
    shown = list(preview.members[:SHOWN_MEMBERS])
    held = balances(company.pk, [member.pk for member in shown])
    context: dict[str, Any] = {
        "choice": choice,
        "form": form,
        "obstacle": why_nothing_can_be_added(company) or why_too_many(preview.count),
        "count": preview.count,
        "rows": [(member, held[member.pk].balance) for member in shown],
        "more_count": preview.count - len(shown),
        "company_balance": preview.company_balance,
        "currency": company.currency,
    }
    return render(request, "credit/credit_many.html", context, status=status)
