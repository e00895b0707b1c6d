"""A saved method charged by Stripe, with the payer there or not."""

from decimal import Decimal

import pytest

from billing.errors import CardNotAccepted
from billing.gateways.base import ChargeStatus, GatewayUnavailable, Way
from tests.billing.stripe_world import (
    ASKING,
    ASKING_ONCE,
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


@pytest.mark.parametrize("is_away", [True, False])
def test_a_saved_card_is_charged_once_however_often_it_is_asked(
    payment_server: PaymentServer, is_away: bool
) -> None:
    request = wish(**saved(payment_server), is_off_session=is_away)
    first, second = gateway.charge(request), gateway.charge(request)
    assert first == second
    assert (first.status, first.amount) == (ChargeStatus.SUCCEEDED, Decimal("60.00"))
    assert paid(payment_server) == [6000]


@pytest.mark.parametrize(
    ("number", "code"),
    [
        ("4000000000000002", "card_declined"),
        (POOR, "insufficient_funds"),
        ("4000000000009987", "lost_card"),
        ("4000000000009979", "stolen_card"),
        ("4000000000000069", "expired_card"),
        ("4000000000000127", "incorrect_cvc"),
        ("4000000000000119", "processing_error"),
        ("4000000000006975", "card_velocity_exceeded"),
    ],
)
@pytest.mark.parametrize("is_away", [True, False])
def test_a_decline_says_why(
    payment_server: PaymentServer, number: str, code: str, is_away: bool
) -> None:
    request = wish(**saved(payment_server, number), is_off_session=is_away)
    result = gateway.charge(request)
    assert (result.status, result.decline_code) == (ChargeStatus.DECLINED, code)
    assert gateway.charge(request) == result
    assert ask_again(reference=result.reference) == result
    assert ask_again() == result
    assert paid(payment_server) == []


def test_any_code_of_the_bank_is_passed_on(payment_server: PaymentServer) -> None:
    payment_server.order("decline", code="restricted_card")
    result = gateway.charge(wish(**saved(payment_server)))
    assert result.decline_code == "restricted_card"


def test_a_bank_that_asks_is_answered_on_its_page(payment_server: PaymentServer) -> None:
    result = gateway.charge(wish(**saved(payment_server, ASKING)))
    assert result.status == ChargeStatus.REQUIRES_ACTION
    assert payment_server.pay(result.action_url, answer="approve").startswith(f"{BACK}?")
    assert ask_again(reference=result.reference).status == ChargeStatus.SUCCEEDED
    assert paid(payment_server) == [6000]


@pytest.mark.parametrize(
    ("number", "answer", "code"),
    [
        (ASKING, "refuse", "authentication_failed"),
        (ASKING_THEN_POOR, "approve", "insufficient_funds"),
    ],
)
def test_a_refused_authentication_is_a_decline(
    payment_server: PaymentServer, number: str, answer: str, code: str
) -> None:
    result = gateway.charge(wish(**saved(payment_server, number)))
    payment_server.press(result.action_url, answer=answer)
    declined = ask_again(reference=result.reference)
    assert (declined.status, declined.decline_code) == (ChargeStatus.DECLINED, code)


def test_a_bank_that_asks_while_nobody_is_there_gives_a_page_to_come_to(
    payment_server: PaymentServer,
) -> None:
    request = wish(**saved(payment_server, ASKING), is_off_session=True)
    result = gateway.charge(request)
    assert result.status == ChargeStatus.REQUIRES_ACTION
    assert "/3ds/" in result.action_url
    assert ask_again(reference=result.reference) == result
    assert gateway.charge(request) == result
    assert payment_server.pay(result.action_url, answer="approve").startswith(f"{BACK}?")
    assert ask_again(reference=result.reference).status == ChargeStatus.SUCCEEDED
    assert gateway.charge(request).status == ChargeStatus.SUCCEEDED
    assert paid(payment_server) == [6000]


def test_the_page_is_found_by_whoever_looks_after_a_crash(payment_server: PaymentServer) -> None:
    payment_server.order("fail", what="lost_before", path="/confirm$")
    request = wish(**saved(payment_server, ASKING), is_off_session=True)
    with pytest.raises(GatewayUnavailable):
        gateway.charge(request)
    result = ask_again()
    assert result.status == ChargeStatus.REQUIRES_ACTION
    assert payment_server.pay(result.action_url, answer="approve").startswith(f"{BACK}?")
    assert paid(payment_server) == [6000]


def test_an_authentication_that_is_called_off_cannot_be_given(
    payment_server: PaymentServer,
) -> None:
    result = gateway.charge(wish(**saved(payment_server, ASKING), is_off_session=True))
    assert gateway.cancel(KEY, reference=result.reference).status == ChargeStatus.EXPIRED
    payment_server.press(result.action_url, answer="approve")
    assert ask_again(reference=result.reference).status == ChargeStatus.EXPIRED
    assert paid(payment_server) == []


def test_a_card_authenticated_when_saved_is_not_asked_again(payment_server: PaymentServer) -> None:
    request = wish(**saved(payment_server, ASKING_ONCE), is_off_session=True)
    assert gateway.charge(request).status == ChargeStatus.SUCCEEDED


def test_saved_paypal_is_charged_alone_and_approved_when_the_payer_is_there(
    payment_server: PaymentServer,
) -> None:
    fields = saved(payment_server, way=Way.PAYPAL)
    away = gateway.charge(wish(**fields, is_off_session=True))
    assert away.status == ChargeStatus.SUCCEEDED
    here = gateway.charge(wish("purchase:8", **fields))
    assert "/paypal/" in here.action_url
    payment_server.pay(here.action_url, answer="approve")
    assert ask_again("purchase:8").status == ChargeStatus.SUCCEEDED


def test_a_saved_account_is_debited_days_later(payment_server: PaymentServer) -> None:
    result = gateway.charge(wish(**saved(payment_server, way=Way.SEPA_DEBIT)))
    assert result.status == ChargeStatus.PENDING
    payment_server.order("settle", intent=result.reference)
    assert ask_again(reference=result.reference).status == ChargeStatus.SUCCEEDED


def test_a_card_removed_meanwhile_is_declined_and_not_charged(
    payment_server: PaymentServer,
) -> None:
    fields = saved(payment_server)
    gateway.detach(fields["method_reference"])
    result = gateway.charge(wish(**fields, is_off_session=True))
    assert (result.status, result.decline_code) == ("declined", "method_unavailable")
    assert paid(payment_server) == []


@pytest.mark.parametrize("part", ["method_reference", "customer_reference"])
def test_a_method_of_nobody_or_of_somebody_else_is_declined(
    payment_server: PaymentServer, part: str
) -> None:
    fields = saved(payment_server)
    fields[part] = saved(payment_server)[part]
    result = gateway.charge(wish(**fields))
    assert (result.status, result.decline_code) == ("declined", "method_unavailable")
    fields[part] = "nothing_1"
    assert gateway.charge(wish("purchase:8", **fields)).decline_code == "method_unavailable"
    assert paid(payment_server) == []


def test_detaching_twice_or_nothing_is_harmless(payment_server: PaymentServer) -> None:
    method = saved(payment_server)["method_reference"]
    for reference in (method, method, "pm_nothing"):
        gateway.detach(reference)
    (kept,) = payment_server.objects("payment_method")
    assert kept["customer"] is None


def test_no_number_is_ever_taken_here() -> None:
    with pytest.raises(CardNotAccepted):
        gateway.save_method("4242424242424242")
