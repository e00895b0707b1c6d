"""A company's year with features, through the doors only: both nights on which clocks change, a
leap day, a worker killed between debit and extension, no credit and credit again, a plan that is
withdrawn and a member who is removed. Whatever is repeated, each period is charged once.
"""

import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from io import StringIO
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import time_machine
from django.core.management import call_command
from django.db import connection, connections

from members.models import Member
from skypemgr.celery import app
from skypemgr.stack.address import PROJECT
from tests.api.conftest import Api, ApiClient
from tests.conftest import make_company, make_member

pytestmark = pytest.mark.django_db(transaction=True)

PLANS = """\
code,kind,name_en,name_fr,country,prefixes,included_minutes,valid_from,currency,price_1,price_3
minutes,subscription,Minutes,Minutes,,33,60,2027-01-01,EUR,5,
box,voicemail,Voicemail,Messagerie,,,,2027-01-01,EUR,2,6
line,number,Number,Numéro,FR,,,2027-01-01,EUR,4,
divert,call_forwarding,Forwarding,Renvoi,,,,2027-01-01,EUR,1,
"""
WITHDRAWN = "code,currency,valid_until\ndivert,EUR,2027-08-31\n"
RATES = "prefix,price_per_minute,currency,valid_from\n33,0.6,EUR,2025-01-01\n"
AREAS = "country,code,name,note_en,note_fr\nFR,1,Paris,Paris only.,Paris seulement.\n"
NUMBERS = "country,area,number,count\nFR,1,+33199000000,10\n"
NOTHING = "0 renewed, 0 not paid, 0 discontinued, 0 ended"
FIRST, LAST = date(2027, 1, 29), date(2028, 3, 1)
CLOCKS_CHANGE = (date(2027, 3, 28), date(2027, 10, 31))
BLOCKED = """
SELECT count(*) FROM pg_locks
 WHERE NOT granted AND relation = 'billing_subscriptionperiod'::regclass
"""


class Year:
    """What the administrator, the phone system and the operator's timer do."""

    def __init__(self, api: Api, alice: Member, clock: Any) -> None:
        self.api = api
        self.alice = alice
        self.clock = clock
        self.keys = 0

    @property
    def door(self) -> ApiClient:
        return self.api(self.alice)

    def post(self, path: str, body: dict[str, Any]) -> Any:
        self.keys += 1
        answer = self.door.post(path, body, key=f"key-{self.keys}")
        assert answer.status_code < 300, answer.content
        return answer.json()

    def give(self, plan: str, member: Member, months: int = 1, **more: Any) -> int:
        body = {"member": member.pk, "plan": plan, "months": months, **more}
        return int(self.post("subscriptions", body)["subscriptions"][0])

    def buy(self, amount: str) -> None:
        bought = self.post("purchases", {"amount": amount, "payment_method": "sandbox"})
        assert bought["status"] == "succeeded"
        # What the worker does with the message that the purchase sent.
        app.tasks["skypemgr.wake"].apply(args=("company.credited", self.alice.company_id))

    def feature(self, pk: int) -> dict[str, Any]:
        found: dict[str, Any] = self.door.get(f"subscriptions/{pk}").json()
        return found

    def balance(self) -> Decimal:
        return Decimal(self.door.get("company").json()["balance"])

    def call(self, member: Member, minutes: int) -> Decimal:
        """What a call to France costs."""
        self.keys += 1
        started = datetime.now(UTC) - timedelta(hours=2)
        row = {
            "source": "pbx",
            "id": str(self.keys),
            "member": member.pk,
            "destination": "+33142278186",
            "started_at": started.isoformat(),
            "duration_seconds": minutes * 60,
        }
        (charged,) = self.door.post("calls", {"calls": [row]}).json()["results"]
        assert charged["status"] == "charged", charged
        return Decimal(charged["price"])

    def renew(self, at: datetime) -> str:
        """The timer runs; three times where there was something to do, and then nothing is left."""
        said = renew(at)
        if said != NOTHING:
            for _again in range(2):
                assert renew(at) == NOTHING
        return said


def renew(at: datetime) -> str:
    said = StringIO()
    call_command("renew", "--at", at.isoformat(), stdout=said)
    return said.getvalue().strip()


@pytest.fixture
def year(api: Api, tmp_path: Path) -> Iterator[Year]:
    app.loader.import_default_modules()
    app.conf.task_always_eager = True
    for name, text in (("plans", PLANS), ("rates", RATES), ("areas", AREAS), ("numbers", NUMBERS)):
        (tmp_path / f"{name}.csv").write_text(text)
    call_command("import_plans", str(tmp_path / "plans.csv"))
    call_command("import_rates", str(tmp_path / "rates.csv"))
    call_command("import_numbers", "--areas", str(tmp_path / "areas.csv"))
    call_command("import_numbers", str(tmp_path / "numbers.csv"))
    with time_machine.travel(moment(FIRST), tick=False) as clock:
        yield Year(api, make_company("Acme", "alice"), clock)
    app.conf.task_always_eager = False


def moment(day: date, hour: int = 9) -> datetime:
    return datetime(day.year, day.month, day.day, hour, tzinfo=UTC)


def killed_between_debit_and_extension(at: datetime) -> None:
    """The timer's process is killed hard when it has posted the debit and not yet the period."""
    address = urlsplit(os.environ["DATABASE_URL"])
    database = connection.settings_dict["NAME"]
    environment = os.environ | {"DATABASE_URL": address._replace(path=f"/{database}").geturl()}
    blocker = connections.create_connection("default")
    try:
        blocker.set_autocommit(False)
        with blocker.cursor() as cursor:
            cursor.execute("LOCK TABLE billing_subscriptionperiod IN SHARE MODE")
            process = subprocess.Popen(
                [sys.executable, "manage.py", "renew", "--at", at.isoformat()],
                cwd=PROJECT,
                env=environment,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
            try:
                deadline = time.monotonic() + 90
                while not blocked(cursor):
                    assert process.poll() is None
                    assert time.monotonic() < deadline
                    time.sleep(0.05)
            finally:
                process.kill()
                process.wait(30)
        blocker.rollback()
    finally:
        blocker.close()
    # The server learns of it when it answers: only then are the locks of the dead free.
    while True:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT count(*) FROM pg_locks lock JOIN pg_stat_activity USING (pid)"
                " WHERE lock.relation = 'billing_subscriptionperiod'::regclass"
                " AND pid <> pg_backend_pid()"
            )
            if not cursor.fetchone()[0]:
                return
        time.sleep(0.05)


def blocked(cursor: Any) -> bool:
    cursor.execute(BLOCKED)
    return bool(cursor.fetchone()[0])


def test_a_year_of_features_charges_each_period_once(year: Year, tmp_path: Path) -> None:
    company = year.alice.company
    bob, fiona, anna, dora = (
        make_member(company, name) for name in ("bob", "fiona", "anna", "dora")
    )
    year.buy("90")
    area = year.door.get("numbers/areas").json()["results"][0]["id"]
    kept = year.post("numbers/reserve", {"area": area, "count": 1})["numbers"][0]["id"]
    line = year.give("line", bob, numbers=[kept], residence_accepted=True)
    year.clock.move_to(moment(date(2027, 1, 31)))
    minutes = year.give("minutes", bob)
    box = year.give("box", fiona, months=3)
    gone = year.give("box", anna)
    withdrawn = year.give("divert", dora)
    year.post("allocations", {"member": bob.pk, "amount": "5"})

    def first_minutes() -> None:
        assert year.call(bob, 45) == 0
        # 15 are left: 15 of 30 are paid.
        assert year.call(bob, 30) == 9

    def next_minutes() -> None:
        assert year.call(bob, 60) == 0

    def anna_goes() -> None:
        assert year.door.delete(f"members/{anna.pk}").status_code < 300

    def credit_runs_out() -> None:
        left = year.balance()
        assert left > 0
        year.post("allocations", {"member": fiona.pk, "amount": str(left)})
        terms = {"amount": "10", "threshold": "5", "monthly_limit": "40"}
        answer = year.door.put(f"members/{dora.pk}/auto-recharge", terms)
        assert answer.json()["state"] == "waiting"

    def credit_comes_again() -> None:
        assert {year.feature(pk)["status"] for pk in (line, minutes, withdrawn)} == {"grace"}
        ahead = year.door.get("renewals/unpaid").json()
        assert (ahead["count"], ahead["total"]) == (3, "10.0000")
        assert [row["lost_on"] for row in ahead["results"]] == [
            "2027-07-07",
            "2027-07-07",
            "2027-07-29",
        ]
        year.buy("12")
        # Renewals first: 2 are left, and dora still waits for 10.
        assert {year.feature(pk)["status"] for pk in (line, minutes, withdrawn)} == {"active"}
        assert year.balance() == 2
        year.buy("300")
        assert year.balance() == 292
        assert year.door.get(f"members/{dora.pk}").json()["balance"] == "10.0000"

    def plan_is_withdrawn() -> None:
        (tmp_path / "withdrawn.csv").write_text(WITHDRAWN)
        call_command("import_plans", str(tmp_path / "withdrawn.csv"))

    def worker_is_killed() -> None:
        before = year.balance()
        assert year.feature(minutes)["paid_until"] == "2027-11-30"
        killed_between_debit_and_extension(moment(date(2027, 11, 27), 3))
        assert year.balance() == before
        assert year.feature(minutes)["paid_until"] == "2027-11-30"
        assert year.renew(moment(date(2027, 11, 27), 3)).startswith("1 renewed")
        assert year.balance() == before - 5

    events: dict[date, Callable[[], None]] = {
        date(2027, 2, 10): first_minutes,
        date(2027, 3, 5): next_minutes,
        date(2027, 5, 10): anna_goes,
        date(2027, 6, 20): credit_runs_out,
        date(2027, 7, 4): credit_comes_again,
        date(2027, 8, 1): plan_is_withdrawn,
        date(2027, 11, 27): worker_is_killed,
    }
    day = FIRST
    while day <= LAST:
        year.clock.move_to(moment(day))
        if day in events:
            events[day]()
        if day in CLOCKS_CHANGE:
            for hour in range(-3, 4):
                year.renew(moment(day, 0) + timedelta(hours=hour))
        year.renew(moment(day))
        day += timedelta(days=1)

    lines = year.door.get("company/statement", limit="200").json()["results"]
    paid = Counter(Decimal(row["amount"]) for row in lines if row["kind"] == "feature")
    # Number, minutes, fiona's box by the quarter, anna's until May, forwarding until August.
    assert paid == {
        Decimal(-4): 14,
        Decimal(-5): 14,
        Decimal(-6): 5,
        Decimal(-2): 4,
        Decimal(-1): 7,
    }
    assert [year.feature(pk)["status"] for pk in (line, minutes, box, gone, withdrawn)] == [
        *("active", "active", "active", "ended", "ended")
    ]
    assert [year.feature(pk)["paid_until"] for pk in (line, minutes, box)] == [
        *("2028-03-29", "2028-03-31", "2028-04-30")
    ]
    said = StringIO()
    call_command("verify_ledger", stdout=said)
    assert "no difference" in said.getvalue()
