"""Text messages through a small port: outbox, console, or an HTTP provider.

Its one rule: whoever sends learns of every failure as SmsNotSent, never as a library's error.
"""

import logging
import sys
from collections.abc import Callable

import requests
from django.conf import settings
from django.utils.translation import gettext_lazy as _

from skypemgr.lib.errors import ProductError
from skypemgr.lib.outbox import store_sms

logger = logging.getLogger(__name__)

TIMEOUT_SECONDS = (3.05, 10)


class SmsNotSent(ProductError):
    """The provider did not take the message."""

    code = "sms_not_sent"
    status = 503


def send_sms(*, to: str, text: str) -> None:
    """The message was taken by the configured sender; SmsNotSent if it was not."""
    SENDERS[settings.SMS_SENDER](to, text)


def _to_outbox(to: str, text: str) -> None:
    store_sms(to=to, text=text)


def _to_console(to: str, text: str) -> None:
    sys.stdout.write(f"SMS {to}: {text}\n")
    sys.stdout.flush()


def _to_provider(to: str, text: str) -> None:
    # Not followed elsewhere: the token is meant for this one address.
    try:
        response = requests.post(
            settings.SMS_HTTP_URL,
            json={"to": to, "from": settings.SMS_FROM, "text": text},
            headers={"Authorization": f"Bearer {settings.SMS_HTTP_TOKEN}"},
            timeout=TIMEOUT_SECONDS,
            allow_redirects=False,
        )
    except requests.RequestException as error:
        logger.error("text message not sent, provider unreachable: %s", type(error).__name__)
        raise _refusal() from error
    if not 200 <= response.status_code < 300:
        logger.error("text message not sent, provider answered %s", response.status_code)
        raise _refusal()


def _refusal() -> SmsNotSent:
    return SmsNotSent(_("The text message could not be sent. Try again in a few minutes."))


SENDERS: dict[str, Callable[[str, str], None]] = {
    "outbox": _to_outbox,
    "console": _to_console,
    "http": _to_provider,
}
