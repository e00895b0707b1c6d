"""Events and their delivery, signed as by the real one.

Its one rule: an event is written with what it tells, in one transaction; delivering it is a thing
of its own that may come late, twice or in another order.
"""

import hmac
import json
import random
import threading
import time
import urllib.error
import urllib.request
from hashlib import sha256

from tests.fakes.payment_errors import Json
from tests.fakes.payment_params import VERSION
from tests.fakes.payment_store import Store

RETRY_SECONDS = (0.1, 0.3, 1, 3, 10)


def visible(one: Json) -> Json:
    """The object as told outside."""
    return {name: value for name, value in one.items() if not name.startswith("_")}


def tell(store: Store, kind: str, one: Json) -> None:
    """The event is written, with the object as it is now."""
    store.put(
        {
            "id": store.new_id("evt"),
            "object": "event",
            "api_version": VERSION,
            "created": store.now(),
            "data": {"object": visible(one)},
            "livemode": False,
            "pending_webhooks": 1,
            "request": {"id": None, "idempotency_key": None},
            "type": kind,
            "_delivered": 0,
            "_attempts": 0,
        }
    )


def sign(body: str, secret: str, at: int) -> str:
    """The ``Stripe-Signature`` of a body."""
    code = hmac.new(secret.encode(), f"{at}.{body}".encode(), sha256).hexdigest()
    return f"t={at},v1={code}"


class Courier:
    """Brings events to the one address that is known, from a thread of its own."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._wakes = threading.Event()
        threading.Thread(target=self._run, daemon=True).start()

    def wake(self) -> None:
        """Something may be there to deliver."""
        self._wakes.set()

    def deliver(self, *, order: str = "created", times: int = 1, everything: bool = False) -> int:
        """Every waiting event, or everything once more, was sent so many times; how many were
        taken.
        """
        events = self._store.all("event")[::-1]
        chosen = [one for one in events if everything or not one["_delivered"]] * times
        if order == "reversed":
            chosen.reverse()
        elif order == "shuffled":
            random.shuffle(chosen)
        return sum(self.send(event) for event in chosen)

    def send(self, event: Json, *, age: int = 0, secret: str = "") -> bool:
        """Whether the event was taken; ``age`` is how long ago it pretends to be signed."""
        url = self._store.fact("webhook_url")
        if not url:
            return False
        body = json.dumps(visible(event))
        at = int(time.time()) - age
        request = urllib.request.Request(  # noqa: S310
            url,
            data=body.encode(),
            headers={
                "Content-Type": "application/json; charset=utf-8",
                "Stripe-Signature": sign(body, secret or self._store.fact("webhook_secret"), at),
                "User-Agent": "Stripe/1.0 (+https://stripe.com/docs/webhooks)",
            },
        )
        try:
            with urllib.request.urlopen(request, timeout=20) as answer:  # noqa: S310
                is_taken = bool(200 <= answer.status < 300)
        except (urllib.error.URLError, OSError):
            is_taken = False
        with self._store.transaction():
            known = self._store.get(event["id"])
            if known is not None:
                known["_attempts"] += 1
                known["_delivered"] += is_taken
                known["pending_webhooks"] = 0 if known["_delivered"] else 1
                self._store.put(known)
        return is_taken

    def _run(self) -> None:
        while True:
            self._wakes.wait(timeout=0.5)
            self._wakes.clear()
            if self._store.fact("webhook_url") and not self._store.fact("webhooks_held"):
                self._deliver_waiting()

    def _deliver_waiting(self) -> None:
        for event in self._store.all("event")[::-1]:
            attempts = event["_attempts"]
            if event["_delivered"] or attempts > len(RETRY_SECONDS):
                continue
            last = float(self._store.fact(f"tried:{event['id']}", "0"))
            pause = RETRY_SECONDS[attempts - 1] if attempts else 0
            if time.time() >= last + pause:
                self._store.set_fact(f"tried:{event['id']}", str(time.time()))
                self.send(event)
