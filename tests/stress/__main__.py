"""``make stress``: a whole portal, several clients, and one of web, worker and database killed hard
every second (``ARGS=20`` for 20 seconds instead of 60).

Its one rule: afterwards nothing acknowledged is missing, nothing is there twice, and the ledger
verifies.
"""

import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import psycopg2

from skypemgr.stack.address import PROJECT
from tests.stack.running import Stack, await_true, processes
from tests.stress.client import AMOUNT, Client

CLIENTS, MEMBERS = 3, 12
RECOVERY_SECONDS = 120
# What a process of each kind has in its command line. A database's own processes are killed most
# times, which makes it recover as after a crash; its first process now and then.
VICTIMS = ("granian", "celery", "postgres")


def manage(stack: Stack, *words: str) -> str:
    """What the command printed; it ended well."""
    done = subprocess.run(
        [sys.executable, "manage.py", *words],
        cwd=PROJECT,
        env=stack.environment,
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )
    if done.returncode:
        sys.exit(f"{words[0]}: {done.stdout}{done.stderr}")
    return done.stdout


def prepare(stack: Stack, folder: Path) -> tuple[str, list[int]]:
    """A company with credit and members with rules; its token and the members' ids."""
    words = ["--name", "Acme", "--currency", "EUR", "--country", "FR", "--json"]
    words += ["--time-zone", "Europe/Paris", "--admin-email", "alice@acme.example"]
    made = json.loads(
        manage(stack, "create_company", *words, "--password", "correct horse battery")
    )
    rates = folder / "rates.csv"
    rates.write_text("prefix,price_per_minute,currency,valid_from\n33,0.6,EUR,2025-01-01\n")
    manage(stack, "import_rates", str(rates))
    token = str(made["token"])
    address = f"http://127.0.0.1:{stack.port}"
    with (folder / "preparing.jsonl").open("w", encoding="utf-8") as journal:
        client = Client("prepare", address, token, journal)
        client.ask("purchases", {"amount": "50000", "payment_method": "sandbox"}, "first")
        members = [
            client.ask("members", {"email": f"m{n}@acme.example", "name": f"M {n}"})["id"]
            for n in range(MEMBERS)
        ]
    with_rule = ",".join(str(member) for member in members[::2])
    manage(stack, "shell", "-c", RULES.format(members=with_rule))
    return token, members


RULES = """
from decimal import Decimal
from credit.allocation import Recipients
from credit.rules import RuleTerms, save_rules
from members.actors import Actor
from members.models import Member
alice = Member.objects.get(role="administrator", user__email="alice@acme.example")
save_rules(actor=Actor.of_member(alice), recipients=Recipients(member_ids=({members},)),
           terms=RuleTerms(Decimal(1), Decimal(1), Decimal(10000)))
"""


def victims(stack: Stack) -> Iterator[tuple[str, int]]:
    """One process after the other: web, worker, database, and again."""
    chance = random.Random(7)
    turn = 0
    while True:
        word = VICTIMS[turn % len(VICTIMS)]
        turn += 1
        found = [pid for pid, line in stack.children().items() if word in line]
        first = set(stack.own("bin/postgres")) | set(stack.own("granian"))
        # What the supervisor itself must start again is killed every fifth round.
        others = [pid for pid in found if pid not in first]
        chosen = others if others and turn % 15 > 2 else found
        yield word, chance.choice(chosen) if chosen else 0


def fire(stack: Stack, seconds: float) -> Counter[str]:
    """How many of each kind were killed, one a second."""
    killed: Counter[str] = Counter()
    end, targets = time.monotonic() + seconds, victims(stack)
    while time.monotonic() < end:
        time.sleep(1)
        word, pid = next(targets)
        # Only what is still a process of this stack: ids come again.
        if pid in processes() and pid in stack.children():
            os.kill(pid, signal.SIGKILL)
            killed[word] += 1
    return killed


def answers(stack: Stack) -> bool:
    """Whether web and database are there again."""
    try:
        return stack.health() == 200 and stack.sql("SELECT 1") == [(1,)]
    except psycopg2.OperationalError:
        return False


def events(folder: Path) -> list[dict[str, Any]]:
    """All that the clients wrote down."""
    return [
        json.loads(line)
        for path in folder.glob("client-*.jsonl")
        for line in path.read_text(encoding="utf-8").splitlines()
    ]


def column(stack: Stack, statement: str) -> list[Any]:
    """The first column of what was found."""
    return [row[0] for row in stack.sql(statement)]


def keys(told: list[dict[str, Any]], event: str, what: str) -> set[str]:
    """The keys of the events of one kind."""
    return {fact["key"] for fact in told if (fact["event"], fact.get("what")) == (event, what)}


def faults(stack: Stack, told: list[dict[str, Any]]) -> list[str]:
    """All that is missing, twice, or from nowhere."""
    found = []
    for what, statement in (
        ("allocation", "SELECT substr(key, 5) FROM credit_outsiderequest WHERE key ~ '^api:c'"),
        ("call", "SELECT source || ':' || external_id FROM credit_call"),
    ):
        there = Counter(column(stack, statement))
        sent, acknowledged = keys(told, "sent", what), keys(told, "acknowledged", what)
        found += [f"{what} {key} is missing" for key in acknowledged - there.keys()]
        found += [f"{what} {key} is there {n} times" for key, n in there.items() if n > 1]
        found += [f"{what} {key} was never sent" for key in there.keys() - sent]
    [(requests, transfers, total)] = stack.sql(
        "SELECT (SELECT count(*) FROM credit_outsiderequest WHERE key ~ '^api:c'), count(*),"
        " sum(amount) / count(*) FROM credit_transfer WHERE kind = 'allocation'"
    )
    if (requests, total) != (transfers, Decimal(AMOUNT)):
        found.append(f"{requests} allocations were asked for, {transfers} were made")
    paid = stack.sql(
        "SELECT (SELECT coalesce(sum(collected), 0) FROM credit_call),"
        " (SELECT coalesce(sum(amount), 0) FROM credit_transfer WHERE kind = 'call')"
    )[0]
    if paid[0] != paid[1]:
        found.append(f"calls collected {paid[0]}, transfers say {paid[1]}")
    refused = [event for event in told if event["event"] == "refused"]
    found += [f"refused: {event}" for event in refused[:5]]
    return found


def main(seconds: float = 60) -> int:
    """0 if nothing is missing and nothing is there twice."""
    with tempfile.TemporaryDirectory(prefix="skypemgr-stress-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        stack = Stack(folder / "var")
        stack.environment |= {"WEB_WORKERS": "2"}
        try:
            stack.start()
            token, members = prepare(stack, folder)
            return under_fire(stack, folder, token, [str(member) for member in members], seconds)
        finally:
            if stack.is_alive():
                stack.send(signal.SIGTERM)


def under_fire(stack: Stack, folder: Path, token: str, members: list[str], seconds: float) -> int:
    """The clients ran while processes were killed; what is wrong afterwards is printed."""
    clients = []
    for number in range(CLIENTS):
        words = [f"c{number}", f"http://127.0.0.1:{stack.port}", token, str(seconds)]
        words += [str(folder / f"client-{number}.jsonl"), *members]
        command = [sys.executable, "-m", "tests.stress.client", *words]
        clients.append(subprocess.Popen(command, cwd=PROJECT))
    killed = fire(stack, seconds)
    await_true(lambda: answers(stack), RECOVERY_SECONDS)
    for client in clients:
        client.wait(3 * RECOVERY_SECONDS)
    await_true(lambda: answers(stack), RECOVERY_SECONDS)
    told = events(folder)
    counts = Counter(f"{event['event']} {event.get('what', '')}".strip() for event in told)
    print(f"killed: {dict(killed)}; clients: {dict(counts)}", flush=True)
    wrong = faults(stack, told)
    print("\n".join(wrong) or "Nothing acknowledged is missing, nothing is there twice.")
    said = manage(stack, "verify_ledger")
    print(said.strip())
    enough = (
        killed["postgres"] and counts["acknowledged allocation"] and counts["acknowledged call"]
    )
    return 0 if enough and not wrong else 1


if __name__ == "__main__":
    sys.exit(main(*(float(word) for word in sys.argv[1:])))
