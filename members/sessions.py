"""Where a person is signed in. Its one rule: everybody sees and ends their own, nobody else's; what
is known of a browser is kept no longer than it is signed in.
"""

import logging
from dataclasses import dataclass
from datetime import datetime

from allauth.usersessions.models import UserSession
from django.contrib.sessions.models import Session
from django.core.cache import cache
from django.db.models import Exists, OuterRef
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from redis.exceptions import RedisError

from members.actors import Actor
from members.audit import record
from members.models import User
from skypemgr.lib.devices import read_device
from skypemgr.lib.errors import NotAllowed, NotFound
from skypemgr.lib.periods import utc_now

logger = logging.getLogger(__name__)
# In the session itself: a row tells of it.
TOLD = "session_is_told"
# When a browser was used last is written at most so often.
SEEN_EVERY_SECONDS = 300


@dataclass(frozen=True, slots=True)
class OpenSession:
    """A browser in which the person is signed in. ``seen_at``: used last, to some minutes."""

    id: int
    words: str
    is_held_in_hand: bool
    ip: str
    signed_in_at: datetime
    seen_at: datetime
    is_current: bool


def tell_session(request: HttpRequest) -> None:
    """The browser that asks, which is signed in, stands among the person's own."""
    UserSession.objects.create_from_request(request)
    request.session[TOLD] = True


def note_seen(request: HttpRequest) -> None:
    """The browser that asks was used now; written every few minutes, and harmless if it fails."""
    key = request.session.session_key
    if not key or not request.session.get(TOLD):
        return
    try:
        is_due = cache.add(f"session_seen:{key}", True, SEEN_EVERY_SECONDS)
    except RedisError as error:
        logger.warning("use of a session not noted: %s", error)
        return
    if is_due:
        UserSession.objects.filter(session_key=key).update(last_seen_at=utc_now())


def own_sessions(actor: Actor, *, current_key: str = "") -> list[OpenSession]:
    """Where the acting person is signed in: the browser with the key first, then the latest used
    first. Raises NotAllowed.
    """
    found = UserSession.objects.purge_and_list(_person(actor))
    rows = [_tell(row, current_key) for row in found]
    return sorted(rows, key=lambda row: (row.is_current, row.seen_at, row.id), reverse=True)


def end_session(*, actor: Actor, session_id: int) -> None:
    """The acting person is signed out there. Raises NotAllowed, NotFound."""
    row = UserSession.objects.filter(user=_person(actor), pk=session_id).first()
    if row is None:
        raise NotFound(_("There is no such session of yours."))
    row.end()
    _record(actor, 1)


def end_sessions(*, actor: Actor, but_key: str = "") -> int:
    """The acting person is signed out everywhere but in the browser with the key; how many browsers
    that were. Raises NotAllowed.
    """
    rows = UserSession.objects.filter(user=_person(actor)).exclude(session_key=but_key)
    ended = list(rows)
    for row in ended:
        row.end()
    if ended:
        _record(actor, len(ended))
    return len(ended)


def forget_sessions(*, now: datetime | None = None) -> int:
    """What is known of browsers that are signed in no more is gone; how many that were."""
    Session.objects.filter(expire_date__lt=now or utc_now()).delete()
    alive = Session.objects.filter(session_key=OuterRef("session_key"))
    gone, _by_model = UserSession.objects.filter(~Exists(alive)).delete()
    return int(gone)


def _person(actor: Actor) -> User:
    if actor.member is None:
        raise NotAllowed(_("A token of the company is nobody's."))
    return actor.member.user


def _record(actor: Actor, count: int) -> None:
    subject = f"member:{actor.member.pk}" if actor.member else ""
    record(actor, "end_sessions", subject=subject, sessions_count=count)


def _tell(row: UserSession, current_key: str) -> OpenSession:
    device = read_device(row.user_agent)
    return OpenSession(
        id=row.pk,
        words=device.words,
        is_held_in_hand=device.is_held_in_hand,
        ip=row.ip,
        signed_in_at=row.created_at,
        seen_at=row.last_seen_at,
        is_current=row.session_key == current_key,
    )
