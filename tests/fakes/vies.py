"""A register of VAT numbers of our own: it answers as the EU's does, on the loopback.

Its one rule: it says what the test told it; "no answer" comes in every shape of the real one.
"""

import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

CONSULTATION = "WAPIAAAAYz1"


class Register(ThreadingHTTPServer):
    """The register: ``numbers`` are valid, ``trouble`` is what goes wrong instead of an answer."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.numbers: set[str] = set()
        self.trouble = ""
        self.asked: list[dict[str, Any]] = []
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def address(self) -> str:
        """Where ``VIES_URL`` points to."""
        return f"http://127.0.0.1:{self.server_address[1]}/rest-api"

    def stop(self) -> None:
        """Nobody answers any more."""
        self.shutdown()
        self.server_close()


class _Handler(BaseHTTPRequestHandler):
    server: Register

    def do_POST(self) -> None:
        """An answer about one number."""
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.asked.append(body)
        trouble = self.server.trouble
        if self.path != "/rest-api/check-vat-number":
            self._say(404, {})
        elif trouble == "slow":
            time.sleep(3)
            self._say(200, {})
        elif trouble == "not json":
            self._write(200, b"<html>maintenance</html>")
        elif trouble == "500":
            self._say(500, {})
        elif trouble:
            errors = [{"error": trouble, "message": trouble}]
            self._say(200, {"actionSucceed": False, "errorWrappers": errors})
        else:
            number = body["countryCode"] + body["vatNumber"]
            is_asker_known = "requesterNumber" in body
            answer = {
                "countryCode": body["countryCode"],
                "vatNumber": body["vatNumber"],
                "requestDate": "2026-11-22T00:00:00.000Z",
                "valid": number in self.server.numbers,
                "requestIdentifier": CONSULTATION if is_asker_known else "",
                "name": "---",
                "address": "---",
            }
            self._say(200, answer)

    def log_message(self, *args: object) -> None:
        """Tests are quiet."""

    def _say(self, status: int, answer: dict[str, Any]) -> None:
        self._write(status, json.dumps(answer).encode())

    def _write(self, status: int, raw: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(raw)))
        self.end_headers()
        self.wfile.write(raw)
