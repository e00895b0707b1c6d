"""Every open purchase is asked about, and every finished day agrees, charge by charge."""

import json
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from io import StringIO

import pytest
from billiard.exceptions import SoftTimeLimitExceeded
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from billing.check_times import next_check
from billing.gateways.base import ChargeResult, ChargeStatus, SettledCharge
from billing.models import GatewayDay, PaymentIncident, Purchase
from billing.purchases import advance_purchase
from billing.reconciliation import advance_open_purchases, compare_day, compare_days
from credit.accounts import company_balance
from members.models import Member, User
from tests.billing.conftest import create
from tests.billing.inbox_kit import key_of, kinds, start, status_of
from tests.fakes.scripted import ScriptedGateway

pytestmark = pytest.mark.django_db
Status = Purchase.Status
NOON = datetime(2026, 11, 10, 12, tzinfo=UTC)
DAY = date(2026, 11, 10)
NEXT_DAY = NOON + timedelta(days=1)


def at(hour: int, minute: int = 0, *, day: int = 10) -> datetime:
    return datetime(2026, 11, day, hour, minute, tzinfo=UTC)


def paid(
    member: Member,
    gateway: ScriptedGateway,
    *,
    there: datetime = NOON,
    here: datetime | None = NOON,
    amount: str = "50",
) -> Purchase:
    """A purchase paid at the gateway at one time, of which we heard at another, or not yet."""
    purchase = start(member, amount, now=there)
    gateway.now = there
    gateway.answer(key_of(purchase), ChargeStatus.SUCCEEDED)
    if here:
        purchase = advance_purchase(purchase.pk, now=here)
    return purchase


def fail_for(
    gateway: ScriptedGateway, monkeypatch: pytest.MonkeyPatch, bad: str, error: Exception
) -> None:
    """The question about one purchase ends with this error."""
    asked = gateway.fetch

    def fetch(key: str, *, reference: str = "") -> ChargeResult | None:
        if key == bad:
            raise error
        return asked(key, reference=reference)

    monkeypatch.setattr(gateway, "fetch", fetch)


# --- asking about what is open ------------------------------------------------------------------


def test_an_open_purchase_is_asked_about_often_at_first_then_daily_for_ever(
    alice: Member, scripted: ScriptedGateway
) -> None:
    scripted.outcomes.append(ChargeStatus.PENDING)
    start(alice, now=NOON)
    asked, now = [], NOON
    while now < NOON + timedelta(days=4):
        before = len(scripted.asked)
        advance_open_purchases(now=now)
        if len(scripted.asked) > before:
            asked.append(now - NOON)
        now += timedelta(seconds=10) if now < NOON + timedelta(hours=2) else timedelta(hours=1)
    minute, hour, day = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
    assert asked[:5] == [timedelta(seconds=10), minute, 5 * minute, 15 * minute, hour]
    assert asked[5:] == [day + hour, 2 * day + hour, 3 * day + hour]
    assert Purchase.objects.get().checks_count == len(asked)


def test_the_end_of_the_time_to_pay_is_a_time_to_ask(
    alice: Member, scripted: ScriptedGateway
) -> None:
    purchase = start(alice, now=NOON)
    assert purchase.action_expires_at == NOON + timedelta(hours=24)
    advance_open_purchases(now=NOON + timedelta(hours=1))
    purchase.refresh_from_db()
    assert purchase.next_check_at == NOON + timedelta(hours=24)
    advance_open_purchases(now=NOON + timedelta(hours=24))
    assert status_of(purchase) == Status.EXPIRED
    assert scripted.charges[key_of(purchase)].status == ChargeStatus.EXPIRED


def test_whoever_made_the_purchase_asks_first(alice: Member, scripted: ScriptedGateway) -> None:
    purchase = create(alice, now=NOON)
    assert advance_open_purchases(now=NOON + timedelta(seconds=9)) == 0
    assert advance_open_purchases(now=NOON + timedelta(seconds=10)) == 1
    assert status_of(purchase) == Status.SUCCEEDED


def test_a_purchase_that_cannot_be_asked_about_keeps_no_other_waiting(
    alice: Member, scripted: ScriptedGateway
) -> None:
    bad, good = start(alice, now=NOON), start(alice, now=NOON)
    Purchase.objects.filter(pk=bad.pk).update(gateway="gone")
    scripted.answer(key_of(good), ChargeStatus.SUCCEEDED)
    assert advance_open_purchases(now=NOON + timedelta(minutes=1)) == 2
    assert status_of(good) == Status.SUCCEEDED
    assert advance_open_purchases(now=NOON + timedelta(minutes=2)) == 0


def test_a_purchase_that_fails_keeps_no_other_waiting_and_waits_its_time(
    alice: Member, scripted: ScriptedGateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    bad, good = start(alice, now=NOON), start(alice, now=NOON)
    scripted.answer(key_of(good), ChargeStatus.SUCCEEDED)
    fail_for(scripted, monkeypatch, key_of(bad), ValueError("an answer nobody expects"))
    assert advance_open_purchases(now=NOON + timedelta(minutes=1)) == 2
    assert status_of(good) == Status.SUCCEEDED
    bad.refresh_from_db()
    assert bad.next_check_at is not None
    assert bad.next_check_at > NOON + timedelta(minutes=1)


def test_the_end_of_the_sweeps_time_ends_it(
    alice: Member, scripted: ScriptedGateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = start(alice, now=NOON)
    fail_for(scripted, monkeypatch, key_of(first), SoftTimeLimitExceeded())
    with pytest.raises(SoftTimeLimitExceeded):
        advance_open_purchases(now=NOON + timedelta(minutes=1))


def test_a_sweep_with_nothing_due_is_one_query(alice: Member, scripted: ScriptedGateway) -> None:
    for _ in range(3):
        start(alice, now=NOON)
    advance_open_purchases(now=NOON + timedelta(minutes=1))
    with CaptureQueriesContext(connection) as queries:
        assert advance_open_purchases(now=NOON + timedelta(minutes=2)) == 0
    assert len(queries) == 1


def test_the_next_time_is_always_ahead(alice: Member, scripted: ScriptedGateway) -> None:
    purchase = start(alice, now=NOON)
    for hours in range(0, 24 * 400, 7):
        now = NOON + timedelta(hours=hours)
        assert now < next_check(purchase, now) <= now + timedelta(days=1)


# --- comparing days -----------------------------------------------------------------------------


def test_a_day_on_which_both_count_the_same_has_no_difference(
    alice: Member, scripted: ScriptedGateway
) -> None:
    purchases = [paid(alice, scripted, amount=amount) for amount in ("50", "10", "20")]
    row = compare_day(scripted, DAY, now=NEXT_DAY)
    assert row is not None
    assert (row.ours_count, row.theirs_count, row.differences) == (3, 3, [])
    assert row.ours_sums == row.theirs_sums
    assert Decimal(row.ours_sums["EUR"]) == sum(purchase.total for purchase in purchases)
    assert not kinds()


def test_what_was_paid_there_and_never_heard_of_here_is_asked_about_and_credited(
    alice: Member, scripted: ScriptedGateway
) -> None:
    purchase = paid(alice, scripted, here=None)
    row = compare_day(scripted, DAY, now=NEXT_DAY)
    assert row is not None
    assert row.differences == []
    assert status_of(purchase) == Status.SUCCEEDED
    assert company_balance(alice.company) == 50


@pytest.mark.parametrize(
    ("there", "here"),
    [(at(23, 59), at(0, 1, day=11)), (at(0, 1, day=11), at(23, 59)), (at(23, 59), at(9, day=14))],
)
def test_payments_heard_of_on_another_day_are_no_difference(
    alice: Member, scripted: ScriptedGateway, there: datetime, here: datetime
) -> None:
    purchase = start(alice, now=at(10))
    scripted.now = there
    scripted.answer(key_of(purchase), ChargeStatus.SUCCEEDED)
    advance_purchase(purchase.pk, now=here)
    assert status_of(purchase) == Status.SUCCEEDED
    rows = [compare_day(scripted, date(2026, 11, day), now=at(12, day=20)) for day in range(9, 16)]
    assert [row.differences for row in rows if row] == [[]] * 7
    assert not kinds()


def test_a_purchase_that_the_gateway_does_not_count_as_paid_is_a_difference(
    alice: Member, scripted: ScriptedGateway
) -> None:
    purchase = paid(alice, scripted)
    charge = scripted.charges[key_of(purchase)]
    charge.status, charge.paid_at = ChargeStatus.DECLINED, None
    for _ in range(2):
        row = compare_day(scripted, DAY, now=NEXT_DAY)
    assert row is not None
    assert [found["what"] for found in row.differences] == ["not_at_gateway"]
    assert row.differences[0]["key"] == key_of(purchase)
    assert kinds() == ["totals_differ"]


def test_equal_sums_of_different_charges_are_differences(
    alice: Member, scripted: ScriptedGateway
) -> None:
    purchase = paid(alice, scripted)
    scripted.charges["purchase:999999"] = scripted.charges.pop(key_of(purchase))
    row = compare_day(scripted, DAY, now=NEXT_DAY)
    assert row is not None
    assert row.ours_sums == row.theirs_sums
    assert [found["what"] for found in row.differences] == ["unknown_purchase", "not_at_gateway"]


def test_another_amount_there_is_a_difference(alice: Member, scripted: ScriptedGateway) -> None:
    purchase = paid(alice, scripted)
    charge = scripted.charges[key_of(purchase)]
    charge.request = replace(charge.request, amount=Decimal(40))
    row = compare_day(scripted, DAY, now=NEXT_DAY)
    assert row is not None
    assert [found["what"] for found in row.differences] == ["amount_differs"]
    assert row.differences[0]["theirs"] == "40 EUR"


def test_money_taken_for_a_declined_purchase_is_an_incident_of_its_own_and_no_credit(
    alice: Member, scripted: ScriptedGateway
) -> None:
    purchase = start(alice, now=NOON)
    scripted.now = NOON
    scripted.answer(key_of(purchase), ChargeStatus.DECLINED)
    advance_purchase(purchase.pk, now=NOON)
    charge = scripted.charges[key_of(purchase)]
    charge.status, charge.paid_at = ChargeStatus.SUCCEEDED, NOON
    row = compare_day(scripted, DAY, now=NEXT_DAY)
    assert row is not None
    assert [found["what"] for found in row.differences] == ["paid_after_end"]
    assert sorted(kinds()) == ["paid_after_end", "totals_differ"]
    assert company_balance(alice.company) == 0


def test_finished_days_are_compared_once_and_differing_ones_again(
    alice: Member, scripted: ScriptedGateway
) -> None:
    purchase = paid(alice, scripted)
    charge = scripted.charges[key_of(purchase)]
    charge.status, charge.paid_at = ChargeStatus.DECLINED, None
    assert len(compare_days(now=at(1, day=11))) == 14
    assert not GatewayDay.objects.filter(day=DAY).exists()
    assert {row.day for row in compare_days(now=at(2, 30, day=11))} == {DAY}
    assert compare_days(now=at(3, 30, day=11)) == []
    charge.status, charge.paid_at = ChargeStatus.SUCCEEDED, NOON
    assert [row.differences for row in compare_days(now=at(9, day=11))] == [[]]
    assert GatewayDay.objects.get(day=DAY, gateway="scripted").differences == []


def test_a_gateway_that_does_not_answer_is_compared_later_and_holds_up_no_other(
    alice: Member, scripted: ScriptedGateway
) -> None:
    scripted.is_down = True
    assert {row.gateway for row in compare_days(now=NEXT_DAY)} == {"sandbox"}
    scripted.is_down = False
    assert {row.gateway for row in compare_days(now=NEXT_DAY)} == {"scripted"}


def test_a_day_that_cannot_be_compared_holds_up_no_later_one(
    alice: Member, scripted: ScriptedGateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    listed, broken = scripted.settled_on, DAY - timedelta(days=6)

    def settled_on(day: date) -> list[SettledCharge] | None:
        if day == broken:
            raise ValueError(day)
        return listed(day)

    monkeypatch.setattr(scripted, "settled_on", settled_on)
    days = {row.day for row in compare_days(now=NEXT_DAY) if row.gateway == "scripted"}
    assert DAY in days
    assert broken not in days


def test_a_gateway_that_cannot_list_its_charges_has_no_days(
    alice: Member, scripted: ScriptedGateway
) -> None:
    scripted.lists_days = False
    assert compare_day(scripted, DAY, now=NEXT_DAY) is None
    assert not GatewayDay.objects.exists()


def test_the_command_tells_differences_and_exits_1(
    alice: Member, scripted: ScriptedGateway
) -> None:
    purchase = paid(alice, scripted)
    told, wrong = StringIO(), StringIO()
    call_command("payment_differences", day="2026-11-10", stdout=told, stderr=wrong)
    assert "0 differences" in told.getvalue()
    charge = scripted.charges[key_of(purchase)]
    charge.status, charge.paid_at = ChargeStatus.DECLINED, None
    with pytest.raises(SystemExit) as ended:
        call_command(
            "payment_differences", day="2026-11-10", gateway="scripted", stdout=told, stderr=wrong
        )
    assert ended.value.code == 1
    assert f"not_at_gateway: {key_of(purchase)}" in wrong.getvalue()
    scripted.is_down = True
    with pytest.raises(SystemExit) as ended:
        call_command("payment_differences", gateway="scripted", stdout=told, stderr=wrong)
    assert ended.value.code == 2


@pytest.mark.parametrize(
    "asked", [{"day": "yesterday"}, {"day": "2999-01-01"}, {"gateway": "nobody"}]
)
def test_the_command_names_what_it_cannot_read(
    db: None, scripted: ScriptedGateway, asked: dict[str, str]
) -> None:
    with pytest.raises(CommandError, match=f"--{next(iter(asked))}"):
        call_command("payment_differences", **asked)


def test_the_operator_reads_days_and_compares_one_again(
    client: Client, alice: Member, scripted: ScriptedGateway
) -> None:
    user = User.objects.create_user("operator", "operator@example.com", "x")
    User.objects.filter(pk=user.pk).update(is_staff=True, is_superuser=True)
    user.refresh_from_db()
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    purchase = paid(alice, scripted)
    charge = scripted.charges[key_of(purchase)]
    charge.status, charge.paid_at = ChargeStatus.DECLINED, None
    row = compare_day(scripted, DAY, now=NEXT_DAY)
    assert row is not None
    address = "/admin/billing/gatewayday/"
    assert client.get(address).status_code == 200
    assert "not_at_gateway" in client.get(f"{address}{row.pk}/change/").content.decode()
    charge.status, charge.paid_at = ChargeStatus.SUCCEEDED, NOON
    client.post(address, {"action": "compare_again", "_selected_action": [row.pk]})
    row.refresh_from_db()
    assert row.differences == []
    assert json.dumps(PaymentIncident.objects.get().data)
