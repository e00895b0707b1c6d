"""Events that gateways tell: stored at once, dealt with later by the worker.

Its one rule: an event is a hint that makes the asking sooner. Which one comes first, how often and
how late changes nothing: the gateway's present word decides about a charge, and the latest of all
events told about its refunds and disputes.
"""

import logging
from collections.abc import Mapping
from datetime import datetime, timedelta

from billiard.exceptions import SoftTimeLimitExceeded
from django.core.cache import cache
from django.db import transaction
from django.db.models import F
from redis.exceptions import RedisError

from billing.event_effects import follow_news
from billing.gateways.base import BadSignature, Gateway
from billing.incidents import report
from billing.models import GatewayEvent, PaymentIncident
from billing.news import pack_news, unpack_news
from skypemgr.lib.periods import utc_now
from skypemgr.lib.wake import wake

logger = logging.getLogger(__name__)

# The waits after the first, second … try in vain; after the last one a person must look.
WAITS = (
    timedelta(minutes=1),
    timedelta(minutes=5),
    timedelta(minutes=15),
    timedelta(hours=1),
    timedelta(hours=3),
    timedelta(hours=6),
    timedelta(hours=12),
    timedelta(hours=24),
)
SWEPT_AT_ONCE = 500
# So many wrong signatures of one gateway in a day are worth a look.
MANY_FORGERIES = 20
A_DAY_SECONDS = 24 * 3600
PROBLEM_LENGTH = 500


def receive_event(
    gateway: Gateway, *, body: bytes, headers: Mapping[str, str], now: datetime | None = None
) -> bool:
    """The event is stored, once; whether it is new. Raises BadSignature, with nothing stored, for
    what the gateway did not sign or nobody can read.
    """
    at = now or utc_now()
    try:
        news = gateway.read_event(body, headers)
        text = body.decode()
    except Exception as error:
        # What a gateway's reader stumbles over is as good as forged: nothing of it is believed.
        _count_forgery(gateway, error, at)
        raise BadSignature from error
    if GatewayEvent.objects.filter(gateway=gateway.name, event_id=news.event_id).exists():
        return False
    with transaction.atomic():
        event, is_new = GatewayEvent.objects.get_or_create(
            gateway=gateway.name,
            event_id=news.event_id,
            defaults={
                "kind": news.kind,
                "text": news.text[:100],
                "body": text.replace("\0", ""),
                "headers": {
                    name: value for name, value in headers.items() if "signature" in name.lower()
                },
                "news": pack_news(news),
                "occurred_at": news.occurred_at,
                "received_at": at,
                "next_try_at": at,
            },
        )
        if is_new:
            wake("gateway.event", event.pk)
    return is_new


def process_event(event_id: int, *, now: datetime | None = None) -> bool:
    """What follows from the event has followed; False: nothing to do now. Never raises for what is
    wrong with one event: it is tried again later, at last an incident.
    """
    at = now or utc_now()
    event = GatewayEvent.objects.filter(pk=event_id, processed_at=None).first()
    if event is None or event.next_try_at is None or not _claim(event, at):
        return False
    if event.tries_count >= len(WAITS):
        _put_off(event, "the worker died each time", at)
        return False
    try:
        follow_news(event, unpack_news(event.news), now=at)
    except SoftTimeLimitExceeded:
        raise
    except Exception as error:
        logger.exception("event %s could not be dealt with", event_id)
        _put_off(event, f"{type(error).__name__}: {error}", at)
        return False
    GatewayEvent.objects.filter(pk=event_id).update(processed_at=at, next_try_at=None, problem="")
    return True


def sweep_events(*, now: datetime | None = None) -> int:
    """Every event that is due was tried, at most 500, oldest first; returns how many."""
    at = now or utc_now()
    due = GatewayEvent.objects.filter(processed_at=None, next_try_at__lte=at)
    ids = list(due.order_by("next_try_at").values_list("pk", flat=True)[:SWEPT_AT_ONCE])
    for pk in ids:
        process_event(pk, now=at)
    return len(ids)


def retry_event(event: GatewayEvent, *, now: datetime | None = None) -> bool:
    """An event that was given up is due again; whether it was open."""
    with transaction.atomic():
        is_open = GatewayEvent.objects.filter(pk=event.pk, processed_at=None).update(
            next_try_at=now or utc_now(), tries_count=0
        )
        if is_open:
            wake("gateway.event", event.pk)
    return bool(is_open)


def _claim(event: GatewayEvent, at: datetime) -> bool:
    """Whether this worker deals with it; should it die, the next try is already set."""
    wait = WAITS[min(event.tries_count, len(WAITS) - 1)]
    mine = GatewayEvent.objects.filter(
        pk=event.pk, processed_at=None, tries_count=event.tries_count, next_try_at__lte=at
    )
    return bool(mine.update(tries_count=F("tries_count") + 1, next_try_at=at + wait))


def _put_off(event: GatewayEvent, problem: str, at: datetime) -> None:
    mine = GatewayEvent.objects.filter(pk=event.pk, processed_at=None)
    with transaction.atomic():
        mine.update(problem=problem[:PROBLEM_LENGTH])
        if event.tries_count + 1 < len(WAITS):
            return
        mine.update(next_try_at=None)
        report(
            PaymentIncident.Kind.EVENT_FAILED,
            purchase=event.purchase,
            gateway=event.gateway,
            key=f"event:{event.pk}:failed",
            now=at,
            event=event.event_id,
            text=event.text,
            problem=problem[:PROBLEM_LENGTH],
        )


def _count_forgery(gateway: Gateway, error: Exception, at: datetime) -> None:
    """Wrong signatures leave a line in the log and, when there are many in a day, one incident."""
    logger.warning("event of %s refused: %s %s", gateway.name, type(error).__name__, error)
    key = f"forged-events:{gateway.name}:{at:%Y-%m-%d}"
    try:
        cache.add(key, 0, A_DAY_SECONDS)
        count = cache.incr(key)
    except (RedisError, ValueError) as error:
        # Counting is a courtesy; the event is refused all the same.
        logger.warning("refused events are not counted: %s", error)
        return
    if count == MANY_FORGERIES:
        report(
            PaymentIncident.Kind.BAD_SIGNATURES,
            gateway=gateway.name,
            key=f"bad_signatures:{gateway.name}:{at:%Y-%m-%d}",
            now=at,
            count=count,
        )
