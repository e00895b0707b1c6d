"""Requests for credit: the member's page, and the administrators'.

Its one rule: opening a page changes nothing; an answer is a form, and only the first one counts.
"""

from decimal import Decimal

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from credit.accounts import company_balance
from credit.credit_requests import (
    approve_request,
    decline_request,
    find_request,
    open_request_of,
    request_credit,
    withdraw_request,
)
from credit.errors import RequestAlreadyOpen, RequestAnswered
from credit.forms import AnswerForm, RequestForm
from credit.models import CreditRequest
from credit.queries.requests import read_answered, read_open, read_own
from credit.views.shared import why_nothing_can_be_added
from members.access import MemberRequest, administrators_only, members_only
from skypemgr.lib.errors import NotAllowed, NotFound, ProductError
from skypemgr.lib.formats import format_money
from skypemgr.lib.periods import utc_now


@require_http_methods(["GET", "POST"])
@members_only
def ask_for_credit(request: MemberRequest) -> HttpResponse:
    """A member asks for an amount with a reason, or sees the request that waits."""
    if request.method != "POST":
        return _show_own(request, RequestForm())
    form = RequestForm(request.POST)
    if not form.is_valid():
        return _show_own(request, form, status=422)
    try:
        request_credit(actor=request.actor, **form.cleaned_data)
    except RequestAlreadyOpen as error:
        messages.info(request, str(error))
        return redirect("request_credit")
    except NotAllowed:
        raise
    except ProductError as error:
        form.add_error(error.field or None, str(error))
        return _show_own(request, form, status=error.status)
    messages.success(request, _("Your administrators have been told. You get an e-mail."))
    return redirect("me")


@require_POST
@members_only
def withdraw(request: MemberRequest, pk: int) -> HttpResponse:
    """A member takes the own request back."""
    try:
        withdraw_request(actor=request.actor, request_id=pk)
    except RequestAnswered as error:
        messages.info(request, str(error))
    else:
        messages.success(request, _("Your request is withdrawn."))
    return redirect("request_credit")


@require_safe
@administrators_only
def show_requests(request: MemberRequest) -> HttpResponse:
    """Who asks how much and why, with a form beside each."""
    return _show_all(request)


@require_POST
@administrators_only
def approve(request: MemberRequest, pk: int) -> HttpResponse:
    """The request is approved with the typed amount, once."""
    find_request(request.actor, pk)
    form = AnswerForm(request.POST, pk=pk)
    if not form.is_valid():
        return _show_all(request, refused=form, status=422)
    try:
        done = approve_request(
            actor=request.actor, request_id=pk, amount=form.cleaned_data["amount"]
        )
    except RequestAnswered as error:
        messages.info(request, str(error))
        return redirect("requests")
    except (NotAllowed, NotFound):
        raise
    except ProductError as error:
        form.add_error("amount", str(error))
        return _show_all(request, refused=form, status=error.status)
    company = request.actor.company
    messages.success(
        request,
        _("%(amount)s added to %(name)s's account. The company's balance is now %(balance)s.")
        % {
            "amount": format_money(done.granted or Decimal(0), company.currency),
            "name": done.member.name,
            "balance": format_money(company_balance(company), company.currency),
        },
    )
    return redirect("requests")


@require_http_methods(["GET", "POST"])
@administrators_only
def decline(request: MemberRequest, pk: int) -> HttpResponse:
    """A page of its own to decline with a word."""
    wish = find_request(request.actor, pk)
    form = AnswerForm(request.POST or None, pk=pk, declines=True)
    status = 200
    if request.method == "POST":
        if form.is_valid():
            try:
                decline_request(
                    actor=request.actor, request_id=pk, answer=form.cleaned_data["answer"]
                )
            except RequestAnswered as error:
                messages.info(request, str(error))
            else:
                messages.success(
                    request, _("Declined. %(name)s is told.") % {"name": wish.member.name}
                )
            return redirect("requests")
        status = 422
    elif not wish.is_open:
        return redirect("requests")
    values = {"wish": wish, "form": form, "currency": request.actor.company.currency}
    return render(request, "credit/request_decline.html", values, status=status)


def _show_own(request: MemberRequest, form: RequestForm, status: int = 200) -> HttpResponse:
    member = request.member
    obstacle = why_nothing_can_be_added(member.company)
    if not obstacle and member.status == member.Status.SUSPENDED:
        obstacle = _("Your place is suspended: an administrator must reactivate you first.")
    values = {
        "form": form,
        "open": open_request_of(member),
        "past": [wish for wish in read_own(member) if not wish.is_open],
        "obstacle": obstacle,
        "currency": member.company.currency,
    }
    return render(request, "credit/request_credit.html", values, status=status)


def _show_all(
    request: MemberRequest, *, refused: AnswerForm | None = None, status: int = 200
) -> HttpResponse:
    company = request.actor.company
    rows = [
        (row, refused if refused is not None and refused.pk == row.wish.pk else _form_of(row.wish))
        for row in read_open(company, company.day_at(utc_now()))
    ]
    values = {
        "rows": rows,
        "answered": read_answered(company),
        "company_balance": company_balance(company),
        "obstacle": why_nothing_can_be_added(company),
        "currency": company.currency,
    }
    return render(request, "credit/requests.html", values, status=status)


def _form_of(wish: CreditRequest) -> AnswerForm:
    return AnswerForm(pk=wish.pk, initial={"amount": wish.amount})
