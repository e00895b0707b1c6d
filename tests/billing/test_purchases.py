"""A purchase is charged once and credited once, whatever is repeated and wherever it stops."""

from datetime import datetime, timedelta
from decimal import Decimal

import pytest
from django.db import transaction

from billing.gateways.base import ChargeResult, ChargeStatus
from billing.gateways.registry import find_gateway
from billing.gateways.sandbox import SandboxGateway
from billing.models import PaymentEvent, Purchase, SandboxCharge
from billing.purchases import (
    _charge,
    _claim,
    advance_purchase,
    buy_credit,
    create_purchase,
)
from billing.reconciliation import advance_open_purchases
from billing.settlement import apply_result
from credit.accounts import company_balance
from credit.errors import IdempotencyConflict
from credit.models import Transfer
from credit.requests import OutsideKey
from members.actors import Actor
from members.models import AuditEntry, Member, Notice
from tests.billing.conftest import (
    ASKING,
    DECLINED,
    DOWN,
    LATE,
    LOST,
    a_request,
    assert_paid_once,
    buy,
    card_of,
    create,
    five_seconds_pass,
    sweep,
)

pytestmark = pytest.mark.django_db
Status = Purchase.Status


class Crash(Exception):
    """The process dies here."""


def apply_and_crash(purchase: Purchase, result: ChargeResult) -> None:
    with transaction.atomic():
        apply_result(purchase.pk, result, now=purchase.created_at)
        raise Crash


def test_a_paid_purchase_credits_its_net_amount(alice: Member) -> None:
    purchase = buy(alice, "50")
    assert_paid_once(purchase)
    assert (purchase.vat_rate, purchase.vat_amount, purchase.total) == (20, 10, Decimal("60"))
    assert purchase.transfer is not None
    assert purchase.transfer.kind == Transfer.Kind.PURCHASE
    assert purchase.transfer.destination_balance_after == Decimal("50")


def test_a_purchase_leaves_one_entry_of_audit_and_one_receipt(alice: Member) -> None:
    purchase = buy(alice)
    advance_purchase(purchase.pk)
    entry = AuditEntry.objects.get(verb="create_purchase")
    assert (entry.member, entry.subject) == (alice, f"purchase:{purchase.pk}")
    assert Notice.objects.get(member=alice).kind == "purchase_succeeded"


def test_a_declined_purchase_credits_nothing_and_says_why(alice: Member) -> None:
    purchase = buy(alice, number=DECLINED)
    assert (purchase.status, purchase.decline_code) == (Status.DECLINED, "card_declined")
    assert company_balance(alice.company) == 0
    assert not Transfer.objects.exists()


def test_the_same_request_is_the_same_purchase(alice: Member) -> None:
    request, card = a_request("50"), card_of(alice)
    made = [
        buy_credit(
            actor=Actor.of_member(alice), amount=Decimal(50), method=card, request=request
        ).pk
        for _ in range(3)
    ]
    assert len(set(made)) == 1
    assert_paid_once(Purchase.objects.get())


def test_the_same_key_with_another_content_is_a_conflict(alice: Member) -> None:
    actor, card = Actor.of_member(alice), card_of(alice)
    create_purchase(
        actor=actor, amount=Decimal(50), method=card, request=OutsideKey.of_form("a", 50)
    )
    with pytest.raises(IdempotencyConflict):
        create_purchase(
            actor=actor, amount=Decimal(60), method=card, request=OutsideKey.of_form("a", 60)
        )
    assert Purchase.objects.count() == 1


def test_two_companies_may_use_the_same_key(alice: Member, charlie: Member) -> None:
    request = a_request()
    for member in (alice, charlie):
        buy_credit(
            actor=Actor.of_member(member),
            amount=Decimal(50),
            method=card_of(member),
            request=request,
        )
    assert company_balance(alice.company) == company_balance(charlie.company) == 50


@pytest.mark.parametrize("steps", range(5))
def test_a_crash_after_any_step_is_healed_by_the_sweep(alice: Member, steps: int) -> None:
    purchase = create(alice)
    if steps >= 1:
        assert _claim(purchase.pk, now=purchase.created_at)
    if steps >= 2:
        result = _charge(find_gateway("sandbox"), purchase)
    if steps >= 3:
        apply_result(purchase.pk, result, now=purchase.created_at)
    if steps >= 4:
        apply_result(purchase.pk, result, now=purchase.created_at)
    for _ in range(3):
        sweep()
    assert_paid_once(purchase)


def test_a_crash_while_the_word_is_applied_undoes_all_of_it(alice: Member) -> None:
    purchase = create(alice)
    _claim(purchase.pk, now=purchase.created_at)
    result = _charge(find_gateway("sandbox"), purchase)
    with pytest.raises(Crash):
        apply_and_crash(purchase, result)
    assert Purchase.objects.get().status == Status.PENDING
    assert company_balance(alice.company) == 0
    sweep()
    assert_paid_once(purchase)


def test_a_late_answer_is_pending_until_the_worker_asks_again(alice: Member) -> None:
    purchase = buy(alice, number=LATE)
    assert purchase.status == Status.PENDING
    sweep()
    assert Purchase.objects.get().status == Status.PENDING
    five_seconds_pass()
    sweep()
    assert_paid_once(purchase)


def test_a_lost_answer_is_unknown_until_fetched_and_never_charged_again(alice: Member) -> None:
    purchase = buy(alice, number=LOST)
    assert purchase.status == Status.UNKNOWN
    sweep()
    assert Purchase.objects.get().status == Status.UNKNOWN
    five_seconds_pass()
    sweep()
    assert_paid_once(purchase)


def test_what_never_reached_the_gateway_is_sent_again_under_the_same_key(alice: Member) -> None:
    purchase = buy(alice, number=DOWN)
    assert purchase.status == Status.UNKNOWN
    five_seconds_pass()
    sweep()
    assert_paid_once(purchase)


def test_what_never_reached_the_gateway_is_called_off_after_an_hour(
    alice: Member, now: datetime
) -> None:
    purchase = buy(alice, number=DOWN, now=now)
    five_seconds_pass()
    advance_purchase(purchase.pk, now=now + timedelta(hours=1))
    assert Purchase.objects.get().status == Status.EXPIRED
    assert SandboxCharge.objects.get().status == "expired"


def test_what_was_charged_never_expires(alice: Member, now: datetime) -> None:
    purchase = buy(alice, number=LOST, now=now)
    five_seconds_pass()
    advance_open_purchases(now=now + timedelta(days=30))
    assert_paid_once(purchase)


def test_what_was_never_sent_expires_after_an_hour(alice: Member, now: datetime) -> None:
    purchase = create(alice, now=now)
    assert advance_purchase(purchase.pk, now=now + timedelta(hours=1)).status == Status.EXPIRED
    assert not SandboxCharge.objects.exists()


def test_what_was_sent_an_hour_ago_and_perhaps_charged_is_asked_about(
    alice: Member, now: datetime
) -> None:
    purchase = create(alice, now=now)
    _claim(purchase.pk, now=now)
    _charge(find_gateway("sandbox"), purchase)
    advance_open_purchases(now=now + timedelta(hours=2))
    assert_paid_once(purchase)


def test_authentication_is_waited_for_and_then_credited_once(alice: Member) -> None:
    purchase = buy(alice, number=ASKING)
    assert purchase.status == Status.REQUIRES_ACTION
    assert purchase.action_url
    SandboxGateway().answer_bank(SandboxCharge.objects.get(), approved=True)
    advance_purchase(purchase.pk)
    advance_purchase(purchase.pk)
    assert_paid_once(purchase)


def test_refused_authentication_is_a_decline(alice: Member) -> None:
    purchase = buy(alice, number=ASKING)
    SandboxGateway().answer_bank(SandboxCharge.objects.get(), approved=False)
    purchase = advance_purchase(purchase.pk)
    assert (purchase.status, purchase.decline_code) == (Status.DECLINED, "authentication_failed")
    assert Notice.objects.get().kind == "purchase_declined"


def test_authentication_is_called_off_after_a_day(alice: Member, now: datetime) -> None:
    purchase = buy(alice, number=ASKING, now=now)
    advance_purchase(purchase.pk, now=now + timedelta(hours=23, minutes=59))
    assert Purchase.objects.get().status == Status.REQUIRES_ACTION
    advance_purchase(purchase.pk, now=now + timedelta(hours=24))
    assert Purchase.objects.get().status == Status.EXPIRED
    SandboxGateway().answer_bank(SandboxCharge.objects.get(), approved=True)
    advance_purchase(purchase.pk)
    assert company_balance(alice.company) == 0


def test_authentication_that_came_in_time_counts_even_if_asked_about_later(
    alice: Member, now: datetime
) -> None:
    purchase = buy(alice, number=ASKING, now=now)
    SandboxGateway().answer_bank(SandboxCharge.objects.get(), approved=True)
    advance_purchase(purchase.pk, now=now + timedelta(days=3))
    assert_paid_once(purchase)


def test_a_final_purchase_stays_whatever_is_said_later(alice: Member, now: datetime) -> None:
    purchase = buy(alice)
    apply_result(purchase.pk, ChargeResult(status=ChargeStatus.DECLINED), now=now)
    assert_paid_once(purchase)
    assert PaymentEvent.objects.filter(purchase=purchase, status="declined").count() == 0


def test_an_outage_does_not_hide_what_is_known(alice: Member, now: datetime) -> None:
    purchase = buy(alice, number=ASKING)
    apply_result(purchase.pk, ChargeResult(status=ChargeStatus.UNKNOWN), now=now)
    purchase.refresh_from_db()
    assert purchase.status == Status.REQUIRES_ACTION
    assert purchase.action_url


def test_the_time_line_has_one_event_for_each_state(alice: Member) -> None:
    purchase = buy(alice, number=LOST)
    sweep()
    five_seconds_pass()
    sweep()
    assert list(purchase.events.order_by("pk").values_list("status", flat=True)) == [
        "created",
        "pending",
        "unknown",
        "succeeded",
    ]
