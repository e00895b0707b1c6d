"""The link with which somebody whose account was made for them sets a password.

Its one rule: the link dies with the first password that is set.
"""

from django.conf import settings
from django.core import signing
from django.db import transaction
from django.urls import reverse
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext_lazy as _

from members.actors import Actor
from members.addresses import prove_email
from members.errors import InvitationGone, InvitationNotFound
from members.models import Member, User
from members.notices import NoticeKind, tell_member

LINK_DAYS = 30
_SALT = "members.welcome"


def welcome_url(user: User) -> str:
    """The absolute address at which the login sets its first password."""
    token = signing.dumps([user.pk, user.email, _mark(user)], salt=_SALT)
    return settings.SITE_URL + reverse("welcome", args=[token])


def send_welcome(member: Member, actor: Actor) -> None:
    """The member is to be mailed the link, which the job that mails it makes."""
    inviter = actor.member.name if actor.member else ""
    tell_member(member, NoticeKind.WELCOME, key="welcome", inviter=inviter, days=LINK_DAYS)


def read_welcome(token: str) -> User:
    """The login that the link is for; InvitationNotFound when forged, InvitationGone when over."""
    try:
        pk, email, mark = signing.loads(token, salt=_SALT, max_age=LINK_DAYS * 24 * 3600)
    except signing.SignatureExpired as error:
        raise InvitationGone(
            _("This link is too old. Use “Forgot your password?” to get a new one."),
            code="link_expired",
        ) from error
    except (signing.BadSignature, ValueError, TypeError) as error:
        raise InvitationNotFound(
            _("This link is not valid. Copy it whole from the mail.")
        ) from error
    user = User.objects.filter(pk=pk, is_active=True).first()
    if user is None or user.email != email or _mark(user) != mark:
        raise InvitationGone(
            _("This link was used already. Sign in with your password."), code="link_used"
        )
    return user


def set_first_password(*, token: str, password: str) -> User:
    """The login has the password and has proven its address; the link is worth nothing more."""
    with transaction.atomic():
        user = read_welcome(token)
        user = User.objects.select_for_update(no_key=True).get(pk=user.pk)
        read_welcome(token)
        user.set_password(password)
        user.save(update_fields=["password"])
        prove_email(user, user.email)
    return user


def _mark(user: User) -> str:
    return salted_hmac(_SALT, user.password).hexdigest()[:16]
