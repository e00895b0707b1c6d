"""The development outbox: what would have been sent, as it would arrive.

Its one rule: its addresses exist only while ``OUTBOX_ENABLED``; a mail's HTML runs nothing.
"""

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from skypemgr.lib.outbox import read_message, read_messages

SHOWN_COUNT = 50
LETTER_POLICY = (
    "sandbox allow-popups allow-popups-to-escape-sandbox; default-src 'none'; "
    "img-src data:; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'"
)


@require_safe
@never_cache
def show_outbox(request: HttpRequest) -> HttpResponse:
    """Mails and text messages, newest first, with their links."""
    return render(request, "portal/outbox.html", {"sent": read_messages(SHOWN_COUNT)})


@require_safe
@never_cache
def show_letter(request: HttpRequest, message_id: str) -> HttpResponse:
    """One mail's HTML as it would arrive, shut off from everything else."""
    message = read_message(message_id)
    if message is None or not message.html:
        raise Http404
    # A policy that is already there is left alone by the middleware.
    return HttpResponse(message.html, headers={"Content-Security-Policy": LETTER_POLICY})
