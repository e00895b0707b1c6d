"""Looking for what was made at Stripe under a purchase's key.

Its one rule: "nothing" is said only when the whole of the last day was looked through; search alone
is not believed, for it may lag behind.
"""

import logging
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any

import stripe

from billing.gateways import stripe_words as words
from billing.gateways.base import GatewayUnavailable
from billing.gateways.stripe_client import asking, connect
from skypemgr.lib.periods import utc_now

logger = logging.getLogger(__name__)

Json = dict[str, Any]
# Longer than any page stays open, and than Stripe remembers a key.
LATELY = timedelta(hours=25)
# A request that was sent is dealt with by then, or never.
ARRIVES_WITHIN = timedelta(minutes=5)
# So many objects are looked through at most; beyond it nothing is said rather than something wrong.
LOOKED_THROUGH = 10_000
PAGE = 100
SESSION = "cs_"
CHECKOUT = "checkout"
IN_FULL = ["payment_method", "latest_charge"]
SESSION_IN_FULL = ["payment_intent.payment_method", "payment_intent.latest_charge"]


def read(reference: str) -> Json | None:
    """The session or intent as it is now; None if Stripe does not know it."""
    client = connect()
    try:
        with asking("read"):
            if reference.startswith(SESSION):
                session = client.v1.checkout.sessions.retrieve(
                    reference, {"expand": SESSION_IN_FULL}
                )
                return session.to_dict()
            intent = client.v1.payment_intents.retrieve(reference, {"expand": IN_FULL})
            return intent.to_dict()
    except stripe.InvalidRequestError as error:
        logger.warning("stripe does not know %s: %s", reference, error)
        return None


def find(key: str) -> Json | None:
    """What was made under the key: found by search, or in the lists of the last day."""
    intents = [*_search(key)] or [*_list_intents(key)]
    for status in ("succeeded", "processing"):
        for intent in intents:
            if intent["status"] == status:
                return read(intent["id"])
    # A payment on a page is not over with one try; the page says where it stands.
    on_page = [intent for intent in intents if intent["metadata"].get("step") == CHECKOUT]
    if on_page or not intents:
        session = _find_session(key)
        if session is not None:
            return read(session)
    return read(intents[0]["id"]) if intents else None


def _search(key: str) -> list[Json]:
    try:
        with asking("search"):
            rows = connect().v1.payment_intents.search(
                {"query": f"metadata['{words.KEY}']:'{key}'", "limit": PAGE}
            )
        found = [row.to_dict() for row in rows.data]
        return [one for one in found if words.key_of(one) == key]
    except stripe.InvalidRequestError:
        # Not every account can search; the lists hold the last day.
        return []


def _list_intents(key: str) -> list[Json]:
    with asking("list"):
        rows = connect().v1.payment_intents.list(
            {"created": span(utc_now() - LATELY), "limit": PAGE}
        )
        return _marked(rows.auto_paging_iter(), key)


def _find_session(key: str) -> str | None:
    with asking("list"):
        rows = connect().v1.checkout.sessions.list(
            {"created": span(utc_now() - LATELY), "limit": PAGE}
        )
        found = _marked(rows.auto_paging_iter(), key)
    return str(found[0]["id"]) if found else None


def use_up(key: str) -> bool:
    """Nothing can be made under the key any more; harmless if something was. False while a request
    under the key may still be on its way.
    """
    try:
        with asking("use up a key"):
            _make_nothing(key, key)
    except stripe.IdempotencyError:
        # Used, and the answer was lost. Since when we wanted it gone, Stripe keeps under a second
        # key, which gives the same answer each time.
        with asking("mark a key"):
            since = _make_nothing(f"{key}:called-off", key)
        return utc_now() - since > ARRIVES_WITHIN
    return True


def _make_nothing(idempotency_key: str, key: str) -> datetime:
    """An intent that cannot be paid exists under the idempotency key; since when."""
    intents = connect().v1.payment_intents
    made = intents.create(
        {"amount": 100, "currency": "eur", "metadata": {"called_off": key}},
        {"idempotency_key": idempotency_key},
    )
    try:
        intents.cancel(made.id)
    except stripe.InvalidRequestError as error:
        # Called off before.
        if error.code != "payment_intent_unexpected_state":
            raise GatewayUnavailable from error
    return datetime.fromtimestamp(made.created, UTC)


def span(start: datetime, end: datetime | None = None) -> Any:
    """What was created from the start on, before the end if there is one."""
    span = {"gte": int(start.timestamp())}
    return span if end is None else {**span, "lt": int(end.timestamp())}


def _marked(rows: Iterable[stripe.StripeObject], key: str) -> list[Json]:
    """Those made under the key; GatewayUnavailable rather than a list that was not read to its
    end.
    """
    count, found = 0, []
    for row in islice(rows, LOOKED_THROUGH):
        count += 1
        one = row.to_dict()
        if words.key_of(one) == key:
            found.append(one)
    if count == LOOKED_THROUGH and not found:
        raise GatewayUnavailable
    return found
