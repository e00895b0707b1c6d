"""The sandbox's authentication page, as a bank would show its own.

Its one rule: it exists only where the sandbox takes payments; the reference in the address, which
cannot be guessed, opens it.
"""

from django.http import Http404, HttpRequest, HttpResponseBase
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from billing.gateways.base import ChargeStatus
from billing.gateways.registry import list_gateways
from billing.gateways.sandbox import SandboxGateway
from billing.models import Purchase, SandboxCharge
from billing.purchases import advance_purchase


@require_http_methods(["GET", "HEAD", "POST"])
def authenticate(request: HttpRequest, reference: str) -> HttpResponseBase:
    """Approve or refuse the pretended payment; the first answer counts."""
    gateway = next((one for one in list_gateways() if isinstance(one, SandboxGateway)), None)
    charge = SandboxCharge.objects.filter(reference=reference).first()
    if gateway is None or charge is None:
        raise Http404
    purchase = Purchase.objects.filter(gateway=gateway.name, gateway_reference=reference).first()
    if request.method == "POST":
        gateway.answer_bank(charge, approved=request.POST.get("answer") == "approve")
        if purchase is not None:
            advance_purchase(purchase.pk)
        if purchase is not None and request.user.is_authenticated:
            return redirect("purchase", purchase.pk)
        return redirect("sandbox_authenticate", reference)
    page = {
        "charge": charge,
        "card": charge.card[-4:],
        "is_waiting": charge.status == ChargeStatus.REQUIRES_ACTION,
        "purchase": purchase,
    }
    return render(request, "billing/sandbox_authenticate.html", page)
