"""A payment server of our own: it speaks the HTTP of Stripe's API for what the portal uses.

    python -m tests.fakes.payment_server --port 8340 [--file state.sqlite] [--key sk_test_fake]

Its one rule: the real SDK cannot tell the difference. Idempotency keys are honoured, parameters
checked strictly, events signed; ``/_control/`` makes it misbehave on order.
"""

import argparse
import json
import os
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from tests.fakes.payment_api import Api
from tests.fakes.payment_control import Control, Fault
from tests.fakes.payment_errors import ApiError, Json
from tests.fakes.payment_events import Courier
from tests.fakes.payment_pages import Pages, Refused
from tests.fakes.payment_params import VERSION, parse_form
from tests.fakes.payment_store import Store

DAY = 24 * 3600
DOWN = ApiError("An unknown error occurred", status=500, kind="api_error", keeps=True)
TOO_MANY = ApiError(
    "Request rate limit exceeded.", status=429, code="rate_limit", kind="invalid_request_error"
)
UNAVAILABLE = ApiError("Service unavailable", status=503, kind="api_error")


class Lost(Exception):
    """The connection ends without an answer."""


class Service(ThreadingHTTPServer):
    """The store, and what speaks for it."""

    daemon_threads = True

    def __init__(self, port: int, file: Path | str, key: str) -> None:
        super().__init__(("127.0.0.1", port), Handler)
        base = f"http://127.0.0.1:{self.server_address[1]}"
        self.base, self.key = base, key
        self.store = Store(file)
        self.courier = Courier(self.store)
        self.control = Control(self.store, self.courier)
        self.api = Api(self.store, base)
        self.pages = Pages(self.store, base)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A caller that went away is no news."""
        if not isinstance(sys.exc_info()[1], (ConnectionError, Lost)):
            super().handle_error(request, client_address)


class Handler(BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    server: Service

    def do_GET(self) -> None:
        """Reads."""
        self._serve("GET", self.path.partition("?")[2])

    def do_POST(self) -> None:
        """Writes."""
        length = int(self.headers.get("Content-Length") or 0)
        self._serve("POST", self.rfile.read(length).decode())

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Silent."""

    def _serve(self, method: str, text: str) -> None:
        path = urlsplit(self.path).path
        try:
            if path.startswith("/_control/"):
                given = json.loads(text or "{}")
                with self._unless_delivering(path):
                    found = self.server.control.obey(path.removeprefix("/_control/"), given)
                self._send(200, json.dumps(found))
            elif path.startswith("/v1/"):
                self._serve_api(method, path, text)
            else:
                self._serve_page(method, path, text)
        except Lost:
            self.close_connection = True
        except ApiError as error:
            self._send(error.status, json.dumps(error.body))
        self.server.courier.wake()

    def _unless_delivering(self, path: str) -> Any:
        # Delivering waits for whoever is told, who may ask the API meanwhile.
        if path in ("/_control/deliver", "/_control/send"):
            return threading.Lock()
        return self.server.store.transaction()

    def _serve_page(self, method: str, path: str, text: str) -> None:
        pages = self.server.pages
        try:
            with self.server.store.transaction():
                if method == "GET":
                    status, place, body = pages.show(path, text)
                else:
                    status, place, body = pages.press(path, dict(parse_qsl(text)))
        except Refused as refused:
            status, place, body = refused.page
        self._send(status, body, place=place, kind="text/html; charset=utf-8")

    def _serve_api(self, method: str, path: str, text: str) -> None:
        given = parse_form(text)
        key = self.headers.get("Idempotency-Key") or ""
        fault = self.server.control.note(method, path, key, given)
        self._check_caller()
        if fault is not None:
            self._fail_before(fault)
        is_kept = method == "POST" and bool(key)
        if is_kept:
            content = json.dumps([method, path, given], sort_keys=True)
            known = self.server.store.claim_key(key, content, lasts=DAY)
            if known is not None:
                self._lose(fault)
                self._send(*known, replayed=True)
                return
        status, body = self._answer(method, path, given, fault, key if is_kept else "")
        self._lose(fault)
        self._send(status, body)

    def _answer(
        self, method: str, path: str, given: Json, fault: Fault | None, key: str
    ) -> tuple[int, str]:
        """Does what is asked and remembers the answer under the key."""
        what = fault.what if fault else ""
        is_remembered = True
        if fault is not None and what == "delay":
            asked_in = self.server.control.round
            time.sleep(fault.seconds)
            if asked_in != self.server.control.round:
                # Another test has begun meanwhile.
                raise Lost
        try:
            if what == "error_500":
                raise DOWN
            with self.server.store.transaction():
                status, found = 200, self.server.api.answer(method, path, given)
            if what == "error_500_after":
                raise DOWN
        except ApiError as error:
            status, found, is_remembered = error.status, error.body, error.is_remembered
        except BaseException:
            self.server.store.free_key(key)
            raise
        body = json.dumps(found)
        if is_remembered:
            self.server.store.answer_key(key, status, body)
        else:
            self.server.store.free_key(key)
        return status, body

    def _check_caller(self) -> None:
        if self.headers.get("Authorization") != f"Bearer {self.server.key}":
            raise ApiError("Invalid API Key provided.", status=401)
        version = self.headers.get("Stripe-Version")
        if version != VERSION:
            raise ApiError(f"This server was checked against {VERSION} only, not {version}.")

    def _fail_before(self, fault: Fault) -> None:
        if fault.what == "lost_before":
            time.sleep(fault.seconds)
            raise Lost
        if fault.what == "unavailable":
            raise UNAVAILABLE
        if fault.what == "too_many":
            raise TOO_MANY

    def _lose(self, fault: Fault | None) -> None:
        if fault is not None and fault.what == "lost_after":
            time.sleep(fault.seconds)
            raise Lost

    def _send(
        self,
        status: int,
        body: str,
        *,
        place: str = "",
        kind: str = "application/json",
        replayed: bool = False,
    ) -> None:
        raw = body.encode()
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(raw)))
        self.send_header("Request-Id", self.server.store.new_id("req"))
        if place:
            self.send_header("Location", place)
        if replayed:
            self.send_header("Idempotent-Replayed", "true")
        self.end_headers()
        self.wfile.write(raw)


def _end_with_parent() -> None:
    sys.stdin.read()
    os._exit(0)


def main() -> None:
    """Serve until ended; ``--leash`` ends it when its standard input does."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--file", default=":memory:")
    parser.add_argument("--key", default="sk_test_fake")
    parser.add_argument("--leash", action="store_true")
    options = parser.parse_args()
    service = Service(options.port, options.file, options.key)
    if options.leash:
        threading.Thread(target=_end_with_parent, daemon=True).start()
    print(f"ready {service.base}", flush=True)
    service.serve_forever()


if __name__ == "__main__":
    main()
