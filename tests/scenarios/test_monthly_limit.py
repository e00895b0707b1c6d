"""A member's month: calls push the balance below the level, the rule recharges 10, 10, 5 and rests
until the first of the next month in the company's zone, without any scheduled job."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.core.management import call_command

from members.models import Member
from tests.api.conftest import Api, ApiClient
from tests.conftest import make_company, make_member

pytestmark = pytest.mark.django_db


class Month:
    """What the phone system and the administrator do."""

    def __init__(self, door: ApiClient, member: Member) -> None:
        self.door = door
        self.member = member
        self.count = 0

    def call(self, minutes: int) -> str:
        """A call that costs one a minute; what of it was collected."""
        self.count += 1
        started = datetime.now(UTC) - timedelta(hours=1)
        row = {
            "source": "pbx",
            "id": str(self.count),
            "member": self.member.user.username,
            "destination": "+33142278186",
            "started_at": started.isoformat(),
            "duration_seconds": minutes * 60,
        }
        answer = self.door.post("calls", {"calls": [row]}).json()["results"][0]
        assert answer["status"] == "charged", answer
        return str(answer["collected"])

    def balance(self) -> str:
        return str(self.door.get(f"members/{self.member.pk}").json()["balance"])

    def rule(self) -> dict[str, str]:
        answer = self.door.get(f"members/{self.member.pk}/auto-recharge").json()
        return {name: answer[name] for name in ("state", "recharged_this_month")}

    def arm(self, amount: str, threshold: str, limit: str) -> None:
        terms = {"amount": amount, "threshold": threshold, "monthly_limit": limit}
        answer = self.door.put(f"members/{self.member.pk}/auto-recharge", terms)
        assert answer.status_code == 200, answer.content


@pytest.fixture
def deck(tmp_path_factory: pytest.TempPathFactory, db: None) -> None:
    """One a minute to France."""
    file = tmp_path_factory.mktemp("deck") / "rates.csv"
    file.write_text("prefix,price_per_minute,currency,valid_from\n33,1,EUR,2025-01-01\n")
    call_command("import_rates", str(file))


def buy(door: ApiClient, amount: str, key: str) -> None:
    wish = {"amount": amount, "payment_method": "sandbox"}
    answer = door.post("purchases", wish, key=key)
    assert (answer.status_code, answer.json()["status"]) == (201, "succeeded")


@pytest.mark.parametrize("zone", ["Europe/Paris", "Pacific/Auckland"])
def test_10_10_5_then_rest_until_the_first_in_the_companys_zone(
    api: Api, deck: None, zone: str
) -> None:
    alice = make_company("Acme", "alice", time_zone=zone)
    bob = make_member(alice.company, "bob")
    with time_machine.travel(datetime(2026, 3, 10, 12, tzinfo=UTC), tick=False) as clock:
        month = Month(api(alice), bob)
        buy(month.door, "100", "first")
        month.arm("10", "5", "25")
        assert month.balance() == "10.0000"
        month.call(5)
        assert month.balance() == "5.0000"  # equal is not below
        assert month.rule() == {"state": "on", "recharged_this_month": "10.0000"}
        month.call(1)
        assert month.balance() == "14.0000"
        month.call(12)
        assert month.balance() == "7.0000"
        assert month.rule() == {"state": "suspended", "recharged_this_month": "25.0000"}
        month.call(4)
        assert month.balance() == "3.0000"
        midnight = datetime(2026, 4, 1, tzinfo=ZoneInfo(zone))
        clock.move_to(midnight - timedelta(seconds=1))
        month.call(1)
        assert month.balance() == "2.0000"
        clock.move_to(midnight)
        month.call(1)
        assert month.balance() == "11.0000"
        assert month.rule() == {"state": "on", "recharged_this_month": "10.0000"}
        call_command("verify_ledger")


def test_an_empty_company_recharges_nobody_and_everybody_once_it_is_credited(
    api: Api, alice: Member, bob: Member, fiona: Member, deck: None
) -> None:
    door = api(alice)
    months = [Month(door, bob), Month(door, fiona)]
    for month in months:
        month.arm("10", "5", "40")
        assert month.balance() == "0.0000"
        assert month.rule()["state"] == "waiting"
    assert months[0].call(3) == "0.0000"
    buy(door, "50", "first")
    call_command("recharge")
    assert [month.balance() for month in months] == ["10.0000", "10.0000"]
    # What was missing when the call came is never collected later.
    assert months[0].call(2) == "2.0000"
    call_command("verify_ledger")
