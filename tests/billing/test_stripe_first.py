"""A first payment by Stripe: on its own page, by card, PayPal or direct debit."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from billing.gateways.base import ChargeStatus, Way
from tests.billing.stripe_world import (
    ASKING,
    ASKING_THEN_POOR,
    BACK,
    KEY,
    POOR,
    ask_again,
    gateway,
    paid,
    saved,
    wish,
)
from tests.fakes.payment_client import PaymentServer


def test_a_first_payment_waits_on_the_gateways_own_page(payment_server: PaymentServer) -> None:
    result = gateway.charge(wish())
    assert result.status == ChargeStatus.REQUIRES_ACTION
    assert result.action_url.startswith(payment_server.base)
    assert result.expires_at is not None
    hours = (result.expires_at - datetime.now(UTC)).total_seconds() / 3600
    assert 23 < hours <= 24
    assert ask_again().action_url == ask_again(reference=result.reference).action_url


def test_a_card_pays_and_is_kept_when_that_was_asked_for(payment_server: PaymentServer) -> None:
    page = gateway.charge(wish(saves_method=True))
    assert payment_server.pay(page.action_url, number="5555555555554444") == BACK
    result = ask_again(reference=page.reference)
    assert (result.status, result.amount, result.currency) == ("succeeded", Decimal("60.00"), "EUR")
    assert result.reference.startswith("pi_")
    assert result.customer_reference.startswith("cus_")
    assert result.saved is not None
    assert (result.saved.kind, result.saved.label) == ("card", "Mastercard •••• 4444")
    assert result.saved.expires_on == date(2034, 12, 31)
    assert result.saved.fingerprint


def test_nothing_is_kept_when_it_was_not_asked_for(payment_server: PaymentServer) -> None:
    page = gateway.charge(wish())
    payment_server.pay(page.action_url)
    assert ask_again(reference=page.reference).saved is None


def test_the_same_card_has_the_same_fingerprint_each_time(payment_server: PaymentServer) -> None:
    prints = set()
    for number in (1, 2):
        page = gateway.charge(wish(f"purchase:{number}", saves_method=True))
        payment_server.pay(page.action_url)
        kept = ask_again(f"purchase:{number}").saved
        assert kept is not None
        prints.add(kept.fingerprint)
    assert len(prints) == 1


def test_what_was_kept_can_be_charged_without_the_payer(payment_server: PaymentServer) -> None:
    page = gateway.charge(wish(saves_method=True))
    payment_server.pay(page.action_url)
    first = ask_again()
    assert first.saved is not None
    again = gateway.charge(
        wish(
            "purchase:8",
            method_reference=first.saved.reference,
            customer_reference=first.customer_reference,
            is_off_session=True,
        )
    )
    assert again.status == ChargeStatus.SUCCEEDED
    assert paid(payment_server) == [6000, 6000]


def test_a_known_customer_is_used_again(payment_server: PaymentServer) -> None:
    known = saved(payment_server)["customer_reference"]
    page = gateway.charge(wish(customer_reference=known, saves_method=True))
    payment_server.pay(page.action_url)
    assert ask_again().customer_reference == known
    assert len(payment_server.objects("customer")) == 1


def test_a_declined_card_leaves_the_page_open_for_another(payment_server: PaymentServer) -> None:
    page = gateway.charge(wish())
    status, text = payment_server.press(page.action_url, number=POOR)
    assert (status, "insufficient funds" in text) == (200, True)
    waiting = ask_again(reference=page.reference)
    assert (waiting.status, waiting.action_url) == ("requires_action", page.action_url)
    assert ask_again().status == ChargeStatus.REQUIRES_ACTION
    payment_server.pay(page.action_url)
    assert ask_again(reference=page.reference).status == ChargeStatus.SUCCEEDED
    assert paid(payment_server) == [6000]


def test_a_bank_that_asks_is_answered_on_its_page(payment_server: PaymentServer) -> None:
    page = gateway.charge(wish())
    status, bank = payment_server.press(page.action_url, number=ASKING)
    assert (status, "/3ds/" in bank) == (303, True)
    assert ask_again().status == ChargeStatus.REQUIRES_ACTION
    payment_server.press(bank, answer="approve")
    assert ask_again().status == ChargeStatus.SUCCEEDED


@pytest.mark.parametrize(("number", "answer"), [(ASKING, "refuse"), (ASKING_THEN_POOR, "approve")])
def test_a_bank_that_refuses_leads_back_to_the_page(
    payment_server: PaymentServer, number: str, answer: str
) -> None:
    page = gateway.charge(wish())
    _status, bank = payment_server.press(page.action_url, number=number)
    _status, back = payment_server.press(bank, answer=answer)
    assert payment_server.open(back)[1].startswith(page.action_url)
    assert ask_again().status == ChargeStatus.REQUIRES_ACTION
    assert paid(payment_server) == []


def test_paypal_pays_and_the_payer_is_kept(payment_server: PaymentServer) -> None:
    page = gateway.charge(wish(way=Way.PAYPAL, saves_method=True))
    assert payment_server.pay(page.action_url, email="alice@example.com") == BACK
    result = ask_again()
    assert result.status == ChargeStatus.SUCCEEDED
    assert result.saved is not None
    assert (result.saved.kind, result.saved.label) == ("paypal", "alice@example.com")
    assert result.saved.expires_on is None


def test_paypal_refused_leaves_the_page_open(payment_server: PaymentServer) -> None:
    page = gateway.charge(wish(way=Way.PAYPAL))
    _status, paypal = payment_server.press(page.action_url, email="alice@example.com")
    payment_server.press(paypal, answer="refuse")
    assert ask_again().status == ChargeStatus.REQUIRES_ACTION
    assert paid(payment_server) == []


def test_a_direct_debit_is_paid_only_when_the_bank_paid(payment_server: PaymentServer) -> None:
    page = gateway.charge(wish(way=Way.SEPA_DEBIT, saves_method=True))
    payment_server.pay(page.action_url)
    pending = ask_again(reference=page.reference)
    assert (pending.status, pending.saved) == (ChargeStatus.PENDING, None)
    payment_server.order("settle", intent=pending.reference)
    result = ask_again(reference=pending.reference)
    assert (result.status, result.amount) == (ChargeStatus.SUCCEEDED, Decimal("60.00"))
    assert result.saved is not None
    assert (result.saved.kind, result.saved.label) == ("sepa_debit", "DE •••• 3000")


def test_a_direct_debit_that_the_bank_refuses_is_declined(payment_server: PaymentServer) -> None:
    page = gateway.charge(wish(way=Way.SEPA_DEBIT))
    payment_server.pay(page.action_url)
    payment_server.order("settle", intent=ask_again().reference, code="insufficient_funds")
    result = ask_again(reference=page.reference)
    assert (result.status, result.decline_code) == ("declined", "insufficient_funds")
    assert paid(payment_server) == []


def test_a_page_nobody_paid_on_expires_after_a_day(payment_server: PaymentServer) -> None:
    page = gateway.charge(wish())
    payment_server.order("advance", seconds=24 * 3600 + 1)
    assert ask_again(reference=page.reference).status == ChargeStatus.EXPIRED


def test_a_page_that_is_called_off_cannot_be_paid(payment_server: PaymentServer) -> None:
    page = gateway.charge(wish())
    assert gateway.cancel(KEY, reference=page.reference).status == ChargeStatus.EXPIRED
    assert payment_server.open(page.action_url)[0] == 410
    assert gateway.cancel(KEY).status == ChargeStatus.EXPIRED


def test_calling_off_comes_too_late_when_the_payer_was_quicker(
    payment_server: PaymentServer,
) -> None:
    page = gateway.charge(wish())
    payment_server.pay(page.action_url)
    assert gateway.cancel(KEY, reference=page.reference).status == ChargeStatus.SUCCEEDED
    assert gateway.cancel(KEY).status == ChargeStatus.SUCCEEDED


def test_a_debit_under_way_is_not_called_off(payment_server: PaymentServer) -> None:
    page = gateway.charge(wish(way=Way.SEPA_DEBIT))
    payment_server.pay(page.action_url)
    assert gateway.cancel(KEY, reference=page.reference).status == ChargeStatus.PENDING


def test_the_page_speaks_the_payers_language(payment_server: PaymentServer) -> None:
    page = gateway.charge(wish(language="fr"))
    assert "Numéro de carte" in payment_server.open(page.action_url)[1]


def test_a_way_that_does_not_know_the_currency_is_declined(payment_server: PaymentServer) -> None:
    result = gateway.charge(wish(way=Way.SEPA_DEBIT, currency="USD"))
    assert (result.status, result.decline_code) == ("declined", "payment_refused")
    assert payment_server.objects("checkout.session") == []
