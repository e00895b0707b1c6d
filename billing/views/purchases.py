"""The purchases: the list, and one with what happens next in every state.

Its one rule: these pages read; only finishing the payer's own answer to the bank moves anything.
"""

from urllib.parse import urlencode

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from billing.declines import explain_decline
from billing.drafts import Draft
from billing.links import read_authentication_link
from billing.models import Purchase
from billing.payment_code import draw_code
from billing.purchases import advance_purchase, cancel_purchase
from billing.queries import balance_after, describe_steps, find_purchase, list_purchases
from billing.transfers import find_instructions
from members.access import MemberRequest, administrators_only, readers_only
from skypemgr.lib.errors import ProductError

ROWS = 50


@readers_only
@require_safe
def show_purchases(request: MemberRequest) -> HttpResponseBase:
    """All purchases, newest first."""
    company = request.member.company
    page = Paginator(list_purchases(company), ROWS).get_page(request.GET.get("page"))
    return render(
        request,
        "billing/purchases.html",
        {"page": page, "may_buy": request.member.is_administrator},
    )


@readers_only
@require_safe
def show_purchase(request: MemberRequest, pk: int) -> HttpResponseBase:
    """One purchase: its state, what happens next, its time line."""
    purchase = find_purchase(request.actor, pk)
    instructions = find_instructions(purchase)
    page = {
        "purchase": purchase,
        "status": purchase.status,
        "instructions": instructions,
        "code": draw_code(instructions) if instructions else None,
        "steps": describe_steps(purchase),
        "reason": explain_decline(purchase.decline_code),
        "balance_after": balance_after(purchase),
        "consent": getattr(purchase, "auto_purchase_consent", None),
        "may_buy": request.member.is_administrator,
        "refreshes": purchase.status in Purchase.OPEN,
        "refresh_seconds": 30 if instructions else 2,
        "waits_for_payer": purchase.status == Purchase.Status.REQUIRES_ACTION,
        "pays_elsewhere": purchase.method is None,
    }
    return render(request, "billing/purchase.html", page)


@readers_only
@require_safe
def poll_purchase(request: MemberRequest, pk: int) -> HttpResponseBase:
    """Nothing while the state is still the one that the page shows; else the page is to reload."""
    purchase = find_purchase(request.actor, pk)
    if purchase.status == request.GET.get("was"):
        return HttpResponse(status=204)
    return HttpResponse(status=200, headers={"HX-Refresh": "true"})


@administrators_only
@require_safe
def retry(request: MemberRequest, pk: int) -> HttpResponseBase:
    """The check page of the same purchase, made anew."""
    draft = Draft.again(find_purchase(request.actor, pk))
    if draft is None:
        return redirect("buy")
    query = urlencode({"draft": draft.sign()})
    return HttpResponseRedirect(f"{reverse('buy_check')}?{query}")


@readers_only
@require_safe
def come_back(request: MemberRequest, pk: int) -> HttpResponseBase:
    """Back from the gateway's page: it is asked what came of it, then the purchase is shown."""
    purchase = find_purchase(request.actor, pk)
    advance_purchase(purchase.pk)
    return redirect("purchase", purchase.pk)


@administrators_only
@require_POST
def cancel(request: MemberRequest, pk: int) -> HttpResponseBase:
    """The purchase that only waits for its payer is called off."""
    purchase = find_purchase(request.actor, pk)
    try:
        cancel_purchase(actor=request.actor, purchase_id=purchase.pk)
    except ProductError as error:
        messages.warning(request, str(error))
    return redirect("purchase", purchase.pk)


@require_safe
def authenticate(request: MemberRequest, token: str) -> HttpResponseBase:
    """The link in a mail: on to the bank's page while the payment waits for it, and back."""
    pk = read_authentication_link(token)
    purchase = Purchase.objects.filter(pk=pk).first() if pk else None
    if purchase is None:
        raise Http404
    if "back" in request.GET:
        purchase = advance_purchase(purchase.pk)
        return render(request, "billing/authenticated.html", {"purchase": purchase})
    if purchase.status == Purchase.Status.REQUIRES_ACTION and purchase.action_url:
        return HttpResponseRedirect(purchase.action_url)
    return render(request, "billing/authenticated.html", {"purchase": purchase})
