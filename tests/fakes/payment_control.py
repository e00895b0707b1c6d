"""What tests can order at the payment server, under ``/_control/``.

Its one rule: an order changes how the server behaves or what the outside world does to it (a bank
answers, a payer objects), never what an answer of the API looks like.
"""

import json
import re
import threading
from dataclasses import dataclass
from typing import Any

from tests.fakes import payment_money as money
from tests.fakes import payment_sessions as sessions
from tests.fakes.payment_errors import ApiError, Json
from tests.fakes.payment_events import Courier, visible
from tests.fakes.payment_store import Store

FAULTS = (
    "delay",  # answers after ``seconds``
    "lost_before",  # ends the connection without having done anything
    "lost_after",  # does it, then ends the connection
    "error_500",  # an error before anything was done, remembered under the idempotency key
    "error_500_after",  # does it, then says 500, which is remembered
    "unavailable",  # 503, nothing done, nothing remembered
    "too_many",  # 429, nothing done, nothing remembered
)


@dataclass
class Fault:
    """What goes wrong with the next requests that match."""

    what: str
    method: str
    path: str
    times: int
    seconds: float


class Control:
    """The orders of tests. Faults are in memory: a restart is a repair."""

    def __init__(self, store: Store, courier: Courier) -> None:
        self.store, self.courier = store, courier
        self.requests: list[Json] = []
        self.round = 0
        self._faults: list[Fault] = []
        self._lock = threading.Lock()

    def note(self, method: str, path: str, key: str, given: Json) -> Fault | None:
        """The request is counted; what is to go wrong with it."""
        with self._lock:
            self.requests.append({"method": method, "path": path, "key": key, "params": given})
            for fault in self._faults:
                if fault.times and fault.method == method and re.search(fault.path, path):
                    fault.times -= 1
                    return fault
        return None

    def obey(self, order: str, given: Json) -> Any:
        """The order was carried out; ApiError for one that is not known."""
        action = getattr(self, f"do_{order}", None)
        if action is None:
            raise ApiError(f"Unknown order: {order}", status=404)
        return action(**given)

    def do_reset(self) -> Json:
        """As new."""
        with self._lock:
            self._faults.clear()
            self.requests.clear()
            self.round += 1
        self.store.clear()
        return {}

    def do_fail(
        self,
        what: str,
        method: str = "POST",
        path: str = "/v1/",
        times: int = 1,
        seconds: float = 0,
    ) -> Json:
        """The next ``times`` matching requests go wrong in this way."""
        if what not in FAULTS:
            raise ApiError(f"Unknown fault: {what}")
        with self._lock:
            self._faults.append(Fault(what, method, path, times, seconds))
        return {}

    def do_repair(self) -> Json:
        """Nothing goes wrong any more."""
        with self._lock:
            self._faults.clear()
        return {}

    def do_decline(self, code: str) -> Json:
        """The bank declines the next charge for this reason, whatever the card."""
        self.store.set_fact("next_decline", code)
        return {}

    def do_advance(self, seconds: int) -> Json:
        """The clock is put forward."""
        self.store.set_fact("clock", str(int(self.store.fact("clock", "0")) + seconds))
        return {"now": self.store.now()}

    def do_search_lag(self, seconds: int) -> Json:
        """Searches find only what is older than this."""
        self.store.set_fact("search_lag", str(seconds))
        return {}

    def do_method(self, way: str = "card", number: str = "4242424242424242") -> Json:
        """A customer with a saved method, as after a first payment that kept it."""
        customer: Json = {
            "id": self.store.new_id("cus"),
            "object": "customer",
            "created": self.store.now(),
            "email": "payer@example.com",
            "livemode": False,
            "metadata": {},
            "name": None,
        }
        self.store.put(customer)
        method = money.make_method(self.store, way, number=number)
        money.attach(self.store, method, customer["id"])
        return {"customer": customer["id"], "payment_method": method["id"]}

    def do_settle(self, intent: str, code: str = "") -> Json:
        """The bank answers a direct debit: paid, or refused with the code."""
        one = money.settle_debit(self.store, self._intent(intent), code=code)
        return visible(sessions.complete(self.store, one))

    def do_alter(self, pk: str, **fields: Any) -> Json:
        """Some field of an object is another one, as if the payment had been another."""
        one = self.store.get(pk)
        if one is None:
            raise ApiError(f"No such object: {pk}", status=404)
        one.update(fields)
        return visible(self.store.put(one))

    def do_refund(self, intent: str, amount: int | None = None) -> Json:
        """Somebody refunds at the gateway's own desk."""
        return visible(money.refund(self.store, self._charge(intent), amount))

    def do_dispute(self, intent: str, status: str = "needs_response") -> Json:
        """The payer objects, or the objection is ``won`` or ``lost``."""
        return visible(money.dispute(self.store, self._charge(intent), status))

    def do_webhooks(self, url: str = "", secret: str = "", held: bool = False) -> Json:
        """Events go to the address from now on; held ones wait for ``deliver``."""
        self.store.set_fact("webhook_url", url)
        self.store.set_fact("webhook_secret", secret)
        self.store.set_fact("webhooks_held", "1" if held else "")
        return {}

    def do_deliver(self, order: str = "created", times: int = 1, everything: bool = False) -> Json:
        """What waits (or everything again) is delivered now, in this order, so many times."""
        return {"taken": self.courier.deliver(order=order, times=times, everything=everything)}

    def do_send(self, event: str, age: int = 0, secret: str = "") -> Json:
        """One event, signed so long ago and with this secret."""
        one = money.find(self.store, "event", event)
        return {"taken": self.courier.send(one, age=age, secret=secret)}

    def do_objects(self, kind: str) -> list[Json]:
        """Every object of the kind, oldest first."""
        return [visible(one) for one in self.store.all(kind)[::-1]]

    def do_requests(self) -> list[Json]:
        """What the API was asked, oldest first."""
        with self._lock:
            copy: list[Json] = json.loads(json.dumps(self.requests))
        return copy

    def _intent(self, pk: str) -> Json:
        return money.find(self.store, "payment_intent", pk)

    def _charge(self, intent: str) -> Json:
        return money.find(self.store, "charge", self._intent(intent)["latest_charge"] or "")
