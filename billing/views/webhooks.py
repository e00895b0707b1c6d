"""Where gateways tell their news. Its one rule: what is signed is stored and acknowledged at once;
nothing is dealt with while the gateway waits.
"""

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from billing.errors import GatewayNotConfigured
from billing.gateways.base import BadSignature
from billing.gateways.registry import find_gateway
from billing.inbox import receive_event


@csrf_exempt
@require_POST
def receive(request: HttpRequest, gateway: str) -> HttpResponseBase:
    """The event is kept, also if it was before: 200. Else 400 for a wrong signature, 404 for a
    gateway that is not used here, 413 for a body above the limit.
    """
    try:
        known = find_gateway(gateway)
    except GatewayNotConfigured as error:
        raise Http404 from error
    length = request.META.get("CONTENT_LENGTH") or "0"
    if not length.isdigit() or int(length) > settings.MAX_EVENT_BYTES:
        return _answer("too large", 413)
    try:
        receive_event(known, body=request.body, headers=dict(request.headers))
    except BadSignature:
        return _answer("bad signature", 400)
    return _answer("ok", 200)


def _answer(word: str, status: int) -> HttpResponse:
    return HttpResponse(word, status=status, content_type="text/plain")
