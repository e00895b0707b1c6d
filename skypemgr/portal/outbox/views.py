"""The development outbox: what would have been sent, as it would arrive.

Its one rule: its addresses exist only while ``OUTBOX_ENABLED``.
"""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from skypemgr.lib.outbox import read_messages

SHOWN_COUNT = 100


@require_safe
def show_outbox(request: HttpRequest) -> HttpResponse:
    """Mails and text messages, newest first."""
    return render(request, "portal/outbox.html", {"sent": read_messages(SHOWN_COUNT)})
