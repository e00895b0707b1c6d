"""One client: moves credit through the API until told to stop, asking again until it is answered.

Its one rule: whatever was sent is written down before, whatever was acknowledged after. Run as
``python -m tests.stress.client NAME ADDRESS TOKEN SECONDS FILE MEMBER…``.
"""

import json
import random
import sys
import time
import urllib.error
import urllib.request
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import IO, Any

PATIENCE_SECONDS = 90.0
PAUSE_SECONDS = 0.2
AMOUNT = "0.25"
NUMBERS = ("+33142278186", "+33612345678")


class Client:
    """A phone system and an administrator in one."""

    def __init__(self, name: str, address: str, token: str, journal: IO[str]) -> None:
        self.name, self.address, self.token, self.journal = name, address, token, journal

    def note(self, event: str, **facts: Any) -> None:
        """The fact is on disk before anything else happens."""
        self.journal.write(json.dumps({"event": event, **facts}) + "\n")
        self.journal.flush()

    def ask(self, path: str, body: object, key: str = "") -> Any:
        """The answer, however often it had to be asked for; None if it never came."""
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}
        if key:
            headers["Idempotency-Key"] = key
        end = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < end:
            request = urllib.request.Request(  # noqa: S310 - our own server on loopback
                f"{self.address}/api/v1/{path}", json.dumps(body).encode(), headers
            )
            try:
                with urllib.request.urlopen(request, timeout=20) as answer:  # noqa: S310
                    return json.load(answer)
            except urllib.error.HTTPError as error:
                if error.code < 500 and error.code != 429:
                    self.note("refused", path=path, code=error.code, said=error.read().decode())
                    return None
            except (OSError, ValueError):
                # Refused, reset, cut in the middle of an answer, or too late.
                pass
            time.sleep(PAUSE_SECONDS)
        return None

    def allocate(self, number: int, member: int) -> None:
        key = f"{self.name}-{number}"
        self.note("sent", what="allocation", key=key)
        answer = self.ask("allocations", {"member": member, "amount": AMOUNT}, key)
        if answer:
            self.note("acknowledged", what="allocation", key=key, id=answer["id"])

    def report(self, number: int, members: list[int]) -> None:
        started_at = datetime.now(UTC) - timedelta(hours=1)
        rows = [
            {
                "source": self.name,
                "id": f"{number}-{row}",
                "member": member,
                "destination": NUMBERS[row % len(NUMBERS)],
                "started_at": started_at.isoformat(),
                "duration_seconds": 10 + row,
            }
            for row, member in enumerate(members)
        ]
        for row in rows:
            self.note("sent", what="call", key=f"{self.name}:{row['id']}")
        answer = self.ask("calls", {"calls": rows})
        for result in answer["results"] if answer else ():
            if result["status"] in ("charged", "already_there"):
                key = f"{self.name}:{result['id']}"
                self.note("acknowledged", what="call", key=key, price=result["price"])

    def talk(self, number: int, member: int) -> None:
        """A call that is asked for and then settled or released."""
        name = f"hold-{number}"
        wish = {"source": self.name, "id": name, "member": member, "destination": NUMBERS[0]}
        answer = self.ask("calls/authorize", wish)
        if not answer or not answer["allowed"]:
            return
        hold = answer["hold"]
        self.note("acknowledged", what="hold", key=f"{self.name}:{name}", id=hold)
        if number % 2:
            self.ask(f"calls/{hold}/release", {})
            return
        started_at = datetime.now(UTC).isoformat()
        self.note("sent", what="call", key=f"{self.name}:{name}")
        result = self.ask(
            f"calls/{hold}/settle", {"started_at": started_at, "duration_seconds": 12}
        )
        if result:
            key = f"{self.name}:{name}"
            self.note("acknowledged", what="call", key=key, price=result["price"])


def main(name: str, address: str, token: str, seconds: str, file: str, *members: str) -> None:
    """All that it did is in the file."""
    pks = [int(member) for member in members]
    end, number = time.monotonic() + float(seconds), 0
    chance = random.Random(name)
    with Path(file).open("w", encoding="utf-8") as journal:
        client = Client(name, address, token, journal)
        while time.monotonic() < end:
            number += 1
            client.allocate(number, chance.choice(pks))
            client.report(number, chance.choices(pks, k=5))
            client.talk(number, chance.choice(pks))
        client.note("done", turns=number)


if __name__ == "__main__":
    main(*sys.argv[1:])
