"""A purchase is charged once and credited once, whatever is repeated and wherever it stops."""

from datetime import datetime, timedelta
from decimal import Decimal

import pytest
from django.conf import LazySettings
from django.db import IntegrityError, connection, transaction

from billing.errors import AmountRefused, GatewayNotConfigured
from billing.gateways.base import ChargeResult, ChargeStatus
from billing.gateways.registry import find_gateway
from billing.gateways.sandbox import SandboxGateway
from billing.models import PaymentEvent, PaymentMethod, Purchase, SandboxCharge
from billing.purchases import (
    _ask_again,
    _charge,
    _claim,
    advance_open_purchases,
    advance_purchase,
    buy_credit,
    create_purchase,
)
from billing.settlement import apply_result
from credit.accounts import company_balance
from credit.errors import CompanyNotActive, IdempotencyConflict
from credit.models import Transfer
from credit.requests import OutsideKey
from members.actors import Actor
from members.models import AuditEntry, Company, Member, Notice
from skypemgr.lib.errors import NotAllowed
from tests.billing.conftest import (
    ASKING,
    DECLINED,
    DOWN,
    GOOD,
    LATE,
    LOST,
    a_request,
    buy,
    card_of,
    create,
    five_seconds_pass,
)

pytestmark = pytest.mark.django_db
Status = Purchase.Status


class Crash(Exception):
    """The process dies here."""


def apply_and_crash(purchase: Purchase, result: ChargeResult) -> None:
    with transaction.atomic():
        apply_result(purchase.pk, result, now=purchase.created_at)
        raise Crash


def assert_paid_once(purchase: Purchase, balance: str = "50") -> None:
    purchase = Purchase.objects.get(pk=purchase.pk)
    assert purchase.status == Status.SUCCEEDED
    assert company_balance(purchase.company) == Decimal(balance)
    assert Transfer.objects.filter(key=f"purchase:{purchase.pk}").count() == 1
    assert SandboxCharge.objects.filter(idempotency_key=f"purchase:{purchase.pk}").count() == 1


def test_a_paid_purchase_credits_its_net_amount(alice: Member) -> None:
    purchase = buy(alice, "50")
    assert_paid_once(purchase)
    assert (purchase.vat_rate, purchase.vat_amount, purchase.total) == (0, 0, Decimal("50"))
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
        advance_open_purchases()
    assert_paid_once(purchase)


def test_a_crash_while_the_word_is_applied_undoes_all_of_it(alice: Member) -> None:
    purchase = create(alice)
    _claim(purchase.pk, now=purchase.created_at)
    result = _charge(find_gateway("sandbox"), purchase)
    with pytest.raises(Crash):
        apply_and_crash(purchase, result)
    assert Purchase.objects.get().status == Status.PENDING
    assert company_balance(alice.company) == 0
    advance_open_purchases()
    assert_paid_once(purchase)


def test_a_late_answer_is_pending_until_the_worker_asks_again(alice: Member) -> None:
    purchase = buy(alice, number=LATE)
    assert purchase.status == Status.PENDING
    advance_open_purchases()
    assert Purchase.objects.get().status == Status.PENDING
    five_seconds_pass()
    advance_open_purchases()
    assert_paid_once(purchase)


def test_a_lost_answer_is_unknown_until_fetched_and_never_charged_again(alice: Member) -> None:
    purchase = buy(alice, number=LOST)
    assert purchase.status == Status.UNKNOWN
    advance_open_purchases()
    assert Purchase.objects.get().status == Status.UNKNOWN
    five_seconds_pass()
    advance_open_purchases()
    assert_paid_once(purchase)


def test_what_never_reached_the_gateway_is_sent_again_under_the_same_key(alice: Member) -> None:
    purchase = buy(alice, number=DOWN)
    assert purchase.status == Status.UNKNOWN
    five_seconds_pass()
    advance_open_purchases()
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
    advance_open_purchases()
    five_seconds_pass()
    advance_open_purchases()
    assert list(purchase.events.order_by("pk").values_list("status", flat=True)) == [
        "created",
        "pending",
        "unknown",
        "succeeded",
    ]


@pytest.mark.parametrize("state", [Company.State.FROZEN, Company.State.CLOSED])
def test_a_company_that_is_not_active_buys_nothing(alice: Member, state: str) -> None:
    Company.objects.update(state=state)
    with pytest.raises(CompanyNotActive) as refusal:
        buy(alice)
    assert refusal.value.code == f"company_{state}"
    assert not Purchase.objects.exists()


def test_what_a_frozen_company_wished_before_is_not_sent(alice: Member, now: datetime) -> None:
    purchase = create(alice, now=now)
    Company.objects.update(state=Company.State.FROZEN)
    assert advance_purchase(purchase.pk, now=now).status == Status.EXPIRED
    assert not SandboxCharge.objects.exists()


def test_what_was_paid_before_the_company_was_frozen_is_credited(alice: Member) -> None:
    purchase = buy(alice, number=LATE)
    Company.objects.update(state=Company.State.FROZEN)
    five_seconds_pass()
    advance_open_purchases()
    assert_paid_once(purchase)


@pytest.mark.parametrize(
    ("amount", "code"),
    [
        ("0", "invalid_amount"),
        ("-5", "invalid_amount"),
        ("NaN", "invalid_amount"),
        ("10.001", "invalid_amount"),
        ("0.99", "amount_too_small"),
        ("100000.01", "amount_too_large"),
        ("1E+21", "amount_too_large"),
    ],
)
def test_an_amount_that_cannot_be_bought_is_refused(alice: Member, amount: str, code: str) -> None:
    with pytest.raises(AmountRefused) as refusal:
        buy(alice, amount)
    assert (refusal.value.code, refusal.value.field) == (code, "amount")
    assert not Purchase.objects.exists()


@pytest.mark.parametrize(
    ("currency", "good", "bad"), [("JPY", "1500", "1500.5"), ("KWD", "1.234", "1.2345")]
)
def test_amounts_have_the_decimals_of_their_currency(
    alice: Member, currency: str, good: str, bad: str
) -> None:
    Company.objects.update(currency=currency)
    alice = Member.objects.select_related("company", "user").get(pk=alice.pk)
    with pytest.raises(AmountRefused):
        buy(alice, bad)
    assert_paid_once(buy(alice, good), good)


def test_members_and_finance_buy_nothing(bob: Member, fiona: Member, alice: Member) -> None:
    card = card_of(alice)
    for member in (bob, fiona):
        with pytest.raises(NotAllowed):
            buy_credit(
                actor=Actor.of_member(member),
                amount=Decimal(50),
                method=card,
                request=a_request(),
            )
    assert not Purchase.objects.exists()


def test_a_gateway_taken_out_of_the_settings_takes_no_payment(
    alice: Member, settings: LazySettings
) -> None:
    card = card_of(alice)
    settings.GATEWAYS = []
    with pytest.raises(GatewayNotConfigured):
        create_purchase(
            actor=Actor.of_member(alice), amount=Decimal(50), method=card, request=a_request()
        )


def test_one_purchase_that_cannot_be_asked_about_keeps_no_other_waiting(alice: Member) -> None:
    stuck, other = create(alice), create(alice)
    Purchase.objects.filter(pk=stuck.pk).update(gateway="gone")
    advance_open_purchases()
    assert_paid_once(other)
    assert Purchase.objects.get(pk=stuck.pk).status == Status.CREATED


def test_a_card_is_offered_again_only_after_a_payment_with_it(alice: Member) -> None:
    buy(alice, number=DECLINED)
    assert not PaymentMethod.objects.exclude(confirmed_at=None).exists()
    buy(alice, number=GOOD)
    (kept,) = PaymentMethod.objects.exclude(confirmed_at=None)
    assert (kept.label, kept.is_default) == ("•••• 4242", True)


def test_a_card_typed_twice_is_saved_once(alice: Member) -> None:
    assert card_of(alice).pk == card_of(alice).pk


def test_the_gateway_is_not_asked_inside_a_transaction(alice: Member) -> None:
    purchase = create(alice)
    with transaction.atomic(), transaction.atomic():
        connection.atomic_blocks[-1]._from_testcase = False  # type: ignore[attr-defined]
        with pytest.raises(RuntimeError, match="durable"):
            _ask_again(find_gateway("sandbox"), purchase, now=purchase.created_at)


@pytest.mark.parametrize(
    ("statement", "name"),
    [
        (
            "UPDATE billing_purchase SET status = 'succeeded'",
            "purchase_credited_if_paid",
        ),
        ("UPDATE billing_purchase SET total = 1", "purchase_total_is_net_and_vat"),
        ("DELETE FROM billing_paymentevent", "payment_event_is_never_changed"),
        ("UPDATE billing_paymentevent SET status = 'x'", "payment_event_is_never_changed"),
    ],
)
def test_the_database_keeps_the_promises_past_the_code(
    alice: Member, statement: str, name: str
) -> None:
    buy(alice, number=DECLINED)
    with (
        pytest.raises(IntegrityError, match=name),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(statement)


def test_a_buyer_of_another_company_is_refused_by_the_database(
    alice: Member, charlie: Member
) -> None:
    purchase = create(alice)
    with (
        pytest.raises(IntegrityError, match="purchase_buyer_of_same_company"),
        transaction.atomic(),
    ):
        Purchase.objects.filter(pk=purchase.pk).update(made_by=charlie)
