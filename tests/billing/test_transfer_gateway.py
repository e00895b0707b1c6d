"""Bank transfers as a gateway: awaited under a reference, received or expired, never both."""

from datetime import timedelta

import pytest
import time_machine
from django.core.checks import Error
from pytest_django import Settings

from billing.bank_lines import lock_transfer, receive
from billing.checks import check_gateways
from billing.gateways.base import ChargeStatus
from billing.gateways.transfer import TransferGateway
from billing.models import BankTransfer, Purchase
from billing.purchases import advance_purchase, cancel_purchase
from billing.references import make_reference
from billing.transfers import find_instructions, remind_transfers
from members.actors import Actor
from members.models import Member, Notice
from skypemgr.lib.periods import utc_now
from tests.billing.conftest import GOOD, buy, run, set_rule
from tests.billing.transfer_kit import assert_not_credited, buy_by_transfer

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _transfers(settings: Settings) -> None:
    settings.GATEWAYS = ["sandbox", "transfer"]


def test_a_purchase_by_transfer_waits_with_instructions(alice: Member) -> None:
    purchase = buy_by_transfer(alice)
    assert_not_credited(purchase)
    assert purchase.payment_reference == make_reference(purchase.pk)
    instructions = find_instructions(purchase)
    assert instructions is not None
    assert instructions.reference == purchase.payment_reference
    assert instructions.exact_amount == "120.00"
    assert instructions.shown_iban == "FR76 3000 6000 0112 3456 7890 189"
    assert instructions.expires_on == utc_now().date() + timedelta(days=30)


def test_asking_again_changes_nothing_and_tells_once(alice: Member) -> None:
    purchase = buy_by_transfer(alice)
    for _time in range(3):
        advance_purchase(purchase.pk)
    assert_not_credited(purchase)
    assert BankTransfer.objects.count() == 1
    assert Notice.objects.filter(kind="purchase_transfer").count() == 1


def test_it_expires_some_days_after_the_day_it_says(alice: Member) -> None:
    purchase = buy_by_transfer(alice)
    with time_machine.travel(utc_now() + timedelta(days=34), tick=False):
        assert advance_purchase(purchase.pk).status == Purchase.Status.PENDING
    with time_machine.travel(utc_now() + timedelta(days=37), tick=False):
        assert advance_purchase(purchase.pk).status == Purchase.Status.EXPIRED
    assert find_instructions(Purchase.objects.get(pk=purchase.pk)) is None


def test_what_was_received_is_neither_cancelled_nor_expired(alice: Member) -> None:
    purchase = buy_by_transfer(alice)
    transfer = lock_transfer(purchase)
    assert transfer is not None
    receive(transfer, received_on=utc_now().date(), amount=purchase.total, now=utc_now())
    gateway, key = TransferGateway(), f"purchase:{purchase.pk}"
    assert gateway.cancel(key).status == ChargeStatus.SUCCEEDED
    with time_machine.travel(utc_now() + timedelta(days=60), tick=False):
        told = gateway.fetch(key)
    assert told is not None
    assert (told.status, told.amount, told.currency) == (ChargeStatus.SUCCEEDED, 120, "EUR")
    (paid,) = gateway.settled_on(utc_now().date())
    assert (paid.idempotency_key, paid.amount) == (key, 120)
    assert gateway.settled_on(utc_now().date() - timedelta(days=1)) == []


def test_an_unknown_charge_is_unknown_and_can_be_cancelled(db: None) -> None:
    assert TransferGateway().fetch("purchase:0") is None
    assert TransferGateway().cancel("purchase:0").status == ChargeStatus.EXPIRED


def test_the_buyer_calls_it_off(alice: Member) -> None:
    purchase = buy_by_transfer(alice)
    cancelled = cancel_purchase(actor=Actor.of_member(alice), purchase_id=purchase.pk)
    assert cancelled.status == Purchase.Status.EXPIRED
    assert BankTransfer.objects.get().status == BankTransfer.Status.EXPIRED


def test_the_buyer_is_reminded_a_week_before_and_once(alice: Member) -> None:
    buy_by_transfer(alice)
    now = utc_now()
    assert remind_transfers(now=now + timedelta(days=22)) == 0
    assert remind_transfers(now=now + timedelta(days=23)) == 1
    assert remind_transfers(now=now + timedelta(days=24)) == 0
    told = Notice.objects.get(kind="purchase_transfer_reminder")
    assert told.member == alice
    assert told.data["total"] == "120.0000"


def test_nobody_is_reminded_of_what_was_paid(alice: Member) -> None:
    purchase = buy_by_transfer(alice)
    transfer = lock_transfer(purchase)
    assert transfer is not None
    receive(transfer, received_on=utc_now().date(), amount=purchase.total, now=utc_now())
    assert remind_transfers(now=utc_now() + timedelta(days=25)) == 0


def test_a_waiting_transfer_does_not_hold_up_auto_recharge(alice: Member) -> None:
    buy(alice, number=GOOD, amount="10")
    set_rule(alice)
    buy_by_transfer(alice)
    assert run(alice) is not None


@pytest.mark.parametrize(
    ("iban", "holder", "problems"),
    [("FR7630006000011234567890189", "Us", 0), ("", "Us", 1), ("FR76 1", "Us", 1), ("", "", 1)],
)
def test_production_needs_an_account(
    settings: Settings, iban: str, holder: str, problems: int
) -> None:
    settings.PRODUCTION = True
    settings.GATEWAYS = ["transfer"]
    settings.BANK_IBAN, settings.BANK_HOLDER = iban, holder
    found = [one for one in check_gateways() if isinstance(one, Error)]
    assert [one.id for one in found] == ["billing.E005"] * problems
