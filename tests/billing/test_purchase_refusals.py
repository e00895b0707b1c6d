"""What may not be bought, by whom, and what the database refuses."""

from datetime import datetime
from decimal import Decimal

import pytest
from django.conf import LazySettings
from django.db import IntegrityError, connection, transaction

from billing.errors import AmountRefused, GatewayNotConfigured
from billing.gateways.registry import find_gateway
from billing.models import PaymentMethod, Purchase, SandboxCharge
from billing.purchases import (
    _ask_again,
    advance_purchase,
    buy_credit,
    create_purchase,
)
from credit.errors import CompanyNotActive
from members.actors import Actor
from members.models import Company, Member
from skypemgr.lib.errors import NotAllowed
from tests.billing.conftest import (
    DECLINED,
    GOOD,
    LATE,
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
    sweep()
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
    sweep()
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
