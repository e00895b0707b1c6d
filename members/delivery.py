"""Sending invitations. Its one rule: the secret of a link is made here and goes into one message.

An invitation to a user name goes to that login's address, or to its number if it has no address;
one to a number goes there as a text message.
"""

import logging
from datetime import datetime, timedelta
from smtplib import SMTPException

from django.conf import settings
from django.db.models import Q
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext

from members.addresses import best_email, find_user_by_email, find_user_by_phone
from members.invitation_links import hash_token, new_token
from members.models import Invitation, User
from skypemgr.lib.emails import render_mail, send_templated
from skypemgr.lib.periods import utc_now
from skypemgr.lib.sms import SmsNotSent, send_sms

logger = logging.getLogger(__name__)

CLAIM = timedelta(minutes=10)
SWEEP_SIZE = 500


def send_invitation(invitation_id: int, *, now: datetime | None = None) -> bool:
    """The pending invitation left with a fresh link; False if there was nothing to send."""
    present = now or utc_now()
    claimed = (
        Invitation.objects.filter(pk=invitation_id)
        .filter(_unsent(present))
        .update(claimed_at=present)
    )
    if not claimed:
        return False
    invitation = Invitation.objects.select_related("company", "invited_by", "list").get(
        pk=invitation_id
    )
    token = new_token()
    Invitation.objects.filter(pk=invitation_id).update(
        token_hash=hash_token(token), link_shown=False
    )
    try:
        sent = _send(invitation, settings.SITE_URL + reverse("invitation", args=[token]))
    except (SMTPException, SmsNotSent, OSError) as error:
        logger.error("invitation %s not sent, left to the sweep: %s", invitation_id, error)
        return False
    if sent:
        Invitation.objects.filter(pk=invitation_id).update(sent_at=utc_now())
    return sent


def send_pending_invitations(*, now: datetime | None = None) -> int:
    """Every invitation whose message got lost was tried once; gives the number sent."""
    present = now or utc_now()
    waiting = Invitation.objects.filter(_unsent(present)).order_by("pk")
    return sum(
        send_invitation(pk, now=present)
        for pk in list(waiting.values_list("pk", flat=True)[:SWEEP_SIZE])
    )


def preview_invitation(invitation: Invitation) -> tuple[str, str]:
    """Subject and text of the message as it will be sent, with dots for the link's secret; a text
    message has no subject.
    """
    # Not quoted as an address would be: it is read by people, and no link.
    url = settings.SITE_URL + reverse("invitation", args=["x"]).replace("/x/", "/…/")
    if invitation.way == Invitation.Way.PHONE:
        return "", _text_message(invitation, url, invitation.language)
    subject, text, _html = render_mail(
        "invitation", language=invitation.language, context=_context(invitation, url)
    )
    return subject, text


def _unsent(now: datetime) -> Q:
    return Q(status=Invitation.Status.PENDING, sent_at=None, expires_at__gt=now) & (
        Q(claimed_at=None) | Q(claimed_at__lt=now - CLAIM)
    )


def _send(invitation: Invitation, url: str) -> bool:
    person = _find_person(invitation)
    language = (person.language if person else "") or invitation.language
    if invitation.way == Invitation.Way.PHONE:
        send_sms(to=invitation.address, text=_text_message(invitation, url, language))
        return True
    address = invitation.address
    if invitation.way == Invitation.Way.USERNAME:
        if person is None:
            return False
        address = best_email(person)
    if address:
        send_templated(
            "invitation", to=address, language=language, context=_context(invitation, url)
        )
        return True
    if person and person.phone_verified:
        send_sms(to=str(person.phone), text=_text_message(invitation, url, language))
        return True
    return False


def _text_message(invitation: Invitation, url: str, language: str) -> str:
    with translation.override(language):
        text = gettext("%(company)s invites you to Skype Manager: %(url)s")
    return text % {"company": invitation.company, "url": url}


def _find_person(invitation: Invitation) -> User | None:
    if invitation.way == Invitation.Way.USERNAME:
        return User.objects.filter(username=invitation.address).first()
    if invitation.way == Invitation.Way.PHONE:
        return find_user_by_phone(invitation.address)
    return find_user_by_email(invitation.address)


def _context(invitation: Invitation, url: str) -> dict[str, object]:
    return {
        "company": invitation.company,
        "inviter": invitation.invited_by.name,
        "name": invitation.name,
        "address": invitation.address,
        "expires_at": invitation.expires_at,
        "url": url,
    }
