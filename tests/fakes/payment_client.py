"""Starting the payment server and giving it orders, for tests."""

import json
import os
import subprocess
import sys
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path
from typing import Any

from tests.fakes.payment_errors import Json

PROJECT = Path(__file__).resolve().parents[2]
KEY = "sk_test_fake"
GOOD_CARD = "4242424242424242"


class _StayHere(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_args: Any, **_more: Any) -> None:
        """A redirect is an answer here."""


class PaymentServer:
    """A running payment server. ``order("fail", what="lost_after")`` and the like."""

    def __init__(self, file: Path) -> None:
        self._file, self._port = file, 0
        self._start()

    def _start(self) -> None:
        self._process = subprocess.Popen(
            [
                *(sys.executable, "-m", "tests.fakes.payment_server", "--leash"),
                *("--port", str(self._port), "--file", str(self._file), "--key", KEY),
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=PROJECT,
            env={**os.environ, "NO_PROXY": "127.0.0.1"},
        )
        if self._process.stdout is None:
            raise RuntimeError("no output")
        self.base = self._process.stdout.readline().removeprefix("ready ").strip()
        self._port = int(self.base.rpartition(":")[2])

    def stop(self) -> None:
        """It is gone, killed hard."""
        self._process.kill()
        self._process.communicate()

    def restart(self) -> None:
        """Killed hard and started again at the same address, with what it had written."""
        self.stop()
        self._start()

    def order(self, order: str, /, **given: Any) -> Any:
        """The order was carried out; see ``payment_control``."""
        request = urllib.request.Request(  # noqa: S310
            f"{self.base}/_control/{order}", data=json.dumps(given).encode()
        )
        with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310
            return json.load(answer)

    def objects(self, kind: str) -> list[Json]:
        """Every object of the kind, oldest first."""
        found: list[Json] = self.order("objects", kind=kind)
        return found

    def press(self, url: str, **form: str) -> tuple[int, str]:
        """A button of a hosted page was pressed; where it leads, or the page's text."""
        data = urllib.parse.urlencode(form).encode()
        opener = urllib.request.build_opener(_StayHere)
        try:
            with opener.open(url, data=data, timeout=30) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            place = error.headers.get("Location")
            return error.code, place or error.read().decode()

    def pay(self, url: str, **form: str) -> str:
        """The payer paid on the hosted page, approving what was asked; where they end."""
        status, place = self.press(url, **{"number": GOOD_CARD, **form})
        while status == 303 and place.startswith(self.base):
            if "/c/" in place:
                status, place = self.open(place)
            else:
                status, place = self.press(place, answer="approve")
        return place

    def open(self, url: str) -> tuple[int, str]:
        """A hosted page was opened; where it leads, or its text."""
        opener = urllib.request.build_opener(_StayHere)
        try:
            with opener.open(url, timeout=30) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            place = error.headers.get("Location")
            return error.code, place or error.read().decode()
