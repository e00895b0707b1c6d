"""Buying credit in four pages: method, amount, check, done.

Its one rule: only Pay now charges; everything before it can be left, repeated and gone back to.
"""

from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.http import HttpResponseBase, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from billing.auto_rules import describe_rule
from billing.consent import VERSION, write_consent
from billing.drafts import Draft
from billing.forms import OTHER, AmountForm, MethodForm
from billing.gateways.base import Way
from billing.gateways.cards import TEST_CARDS
from billing.gateways.registry import find_gateway, list_gateways
from billing.limits import describe, foresee_limits
from billing.means import Means, can_recharge, display_name, find_means, name_of, paid_with, way_of
from billing.methods import list_methods, save_card
from billing.models import Purchase
from billing.prices import limits_of, price_of
from billing.profile import details_missing_for
from billing.purchases import buy_credit
from billing.queries import last_paid
from billing.switches import require_purchases_on
from credit.accounts import company_balance
from credit.money import require_active
from members.access import MemberRequest, administrators_only
from skypemgr.lib.errors import ProductError
from skypemgr.lib.periods import utc_now

SHOWN, REFUSED = 200, 422


@administrators_only
@require_http_methods(["GET", "HEAD", "POST"])
def choose_method(request: MemberRequest) -> HttpResponseBase:
    """Step 1: a saved method or a new card."""
    company = request.member.company
    try:
        require_active(company)
        require_purchases_on(company, automatic=False)
    except ProductError as error:
        return render(request, "billing/buy_stopped.html", {"error": str(error)})
    gateways, saved = list_gateways(), list_methods(company)
    typed = request.POST if request.method == "POST" else None
    form = MethodForm(typed, saved=saved, gateways=gateways, currency=company.currency)
    if form.is_valid():
        means = _chosen_means(request, form)
        if means is not None:
            query = urlencode({"method": name_of(means)})
            return HttpResponseRedirect(f"{reverse('buy_amount')}?{query}")
    page = {
        "form": form,
        "saved": saved,
        "gateways": gateways,
        "asks_number": any(gateway.asks_number for gateway in gateways),
        "test_cards": TEST_CARDS,
        "again": last_paid(company) if saved else None,
    }
    return render(request, "billing/buy_method.html", page, status=_status(form))


@administrators_only
@require_http_methods(["GET", "HEAD", "POST"])
def choose_amount(request: MemberRequest) -> HttpResponseBase:
    """Step 2: how much, and whether to go on automatically."""
    company = request.member.company
    draft = Draft.read(request.GET.get("draft", ""), company)
    means = _named_means(request, request.GET.get("method", ""))
    if means is None:
        return redirect("buy")
    currency = company.currency
    initial = _typed_before(draft, currency) if draft else {}
    typed = request.POST if request.method == "POST" else None
    recharges = can_recharge(means)
    limits = describe(company, paid_with(means), now=utc_now())
    form = AmountForm(
        typed,
        currency=currency,
        can_recharge=recharges,
        most=limits.single_most,
        initial=initial,
    )
    if form.is_valid() and _is_within_limits(request, form, means):
        chosen = Draft.start(
            company,
            means=means,
            amount=form.cleaned_data["amount"],
            terms=form.cleaned_data["terms"],
        )
        return HttpResponseRedirect(_check_address(chosen))
    page = {
        "form": form,
        "method": display_name(means),
        "by_transfer": way_of(means) == Way.TRANSFER,
        "limits": limits,
        "can_recharge": recharges,
        "currency": currency,
        "rule": describe_rule(company),
    }
    return render(request, "billing/buy_amount.html", page, status=_status(form))


@administrators_only
@require_safe
def buy_again(request: MemberRequest) -> HttpResponseBase:
    """The last paid purchase once more, ready to check."""
    last = last_paid(request.member.company)
    draft = Draft.again(last) if last else None
    return HttpResponseRedirect(_check_address(draft)) if draft else redirect("buy")


@administrators_only
@require_http_methods(["GET", "HEAD", "POST"])
def check(request: MemberRequest) -> HttpResponseBase:
    """Step 3: what it costs; Pay now."""
    company = request.member.company
    text = request.POST.get("draft", "") or request.GET.get("draft", "")
    draft = Draft.read(text, company)
    means = _named_means(request, draft.means) if draft else None
    if draft is None or means is None or (draft.terms and draft.version != VERSION):
        messages.warning(request, _("This page is no longer valid. Please choose again."))
        return redirect("buy")
    if details_missing_for(company, find_gateway(means.gateway)):
        return HttpResponseRedirect(f"{reverse('buy_details')}?{urlencode({'draft': text})}")
    error = ""
    bought = _what_is_bought(draft, means, request)
    if request.method == "POST" and request.POST.get("total", bought["total"]) != bought["total"]:
        error = _("The VAT changed meanwhile. Please check the new total.")
    elif request.method == "POST":
        try:
            purchase = buy_credit(
                actor=request.actor,
                amount=draft.amount,
                method=means,
                request=draft.request,
                auto_purchase=draft.terms,
                consent_version=draft.version,
            )
            return _go_on(purchase)
        except ProductError as refusal:
            error = str(refusal)
    by_transfer = way_of(means) == Way.TRANSFER
    page = {**bought, "draft": text, "error": error, "by_transfer": by_transfer}
    return render(request, "billing/buy_check.html", page, status=REFUSED if error else SHOWN)


def _is_within_limits(request: MemberRequest, form: AmountForm, means: Means) -> bool:
    company, amount = request.member.company, form.cleaned_data["amount"]
    try:
        foresee_limits(company, paid_with(means), amount, now=utc_now())
    except ProductError as error:
        form.add_error("other", str(error))
        return False
    return True


def _go_on(purchase: Purchase) -> HttpResponseBase:
    """To the gateway's own page where the payer is to pay there; else to the purchase."""
    waits = purchase.status == Purchase.Status.REQUIRES_ACTION
    if waits and purchase.method is None and purchase.action_url:
        return HttpResponseRedirect(purchase.action_url)
    return redirect("purchase", purchase.pk)


def _what_is_bought(draft: Draft, means: Means, request: MemberRequest) -> dict[str, Any]:
    company = request.member.company
    balance = company_balance(company)
    name = display_name(means)
    consent = ""
    if draft.terms:
        consent = write_consent(draft.terms, currency=company.currency, card=name)
    query = urlencode({"method": name_of(means), "draft": draft.sign()})
    price = price_of(draft.amount, company=company, on=company.day_at(utc_now()))
    return {
        "price": price,
        # Sent along with Pay now: what is charged is what the page showed.
        "total": f"{price.total:f}",
        "currency": company.currency,
        "method": name,
        "consent": consent,
        "terms": draft.terms,
        "balance": balance,
        "balance_after": balance + draft.amount,
        "amount_url": f"{reverse('buy_amount')}?{query}",
    }


def _chosen_means(request: MemberRequest, form: MethodForm) -> Means | None:
    chosen = form.cleaned_data["method"]
    if chosen.isdigit() or ":" in chosen:
        return _named_means(request, chosen)
    try:
        return save_card(actor=request.actor, gateway=chosen, number=form.cleaned_data["number"])
    except ProductError as error:
        form.add_error("number" if error.field == "number" else None, str(error))
    return None


def _named_means(request: MemberRequest, name: str) -> Means | None:
    """The company's own method, or a new one; nothing else has an address here."""
    try:
        return find_means(request.actor, name)
    except ProductError:
        return None


def _typed_before(draft: Draft, currency: str) -> dict[str, Any]:
    is_offered = draft.amount in limits_of(currency).offered
    initial: dict[str, Any] = {
        "choice": f"{draft.amount.normalize():f}" if is_offered else OTHER,
        "other": None if is_offered else draft.amount,
    }
    if draft.terms:
        initial |= {
            "auto_recharge": True,
            "level": draft.terms.level,
            "monthly_limit": draft.terms.monthly_limit,
        }
    return initial


def _check_address(draft: Draft) -> str:
    return f"{reverse('buy_check')}?{urlencode({'draft': draft.sign()})}"


def _status(form: MethodForm | AmountForm) -> int:
    return REFUSED if form.is_bound else SHOWN
