"""Stripe fails, answers late, or its answer is lost: one charge, and an outage is no decline."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
import time_machine
from pytest_django import Settings

from billing.gateways.base import ChargeRequest, ChargeStatus, GatewayUnavailable
from skypemgr.lib.periods import utc_now
from tests.billing.stripe_world import ASKING, KEY, ask_again, gateway, paid, saved, wish
from tests.fakes.payment_client import PaymentServer

NOTHING_DONE = ("lost_before", "unavailable", "too_many", "error_500")
DONE = ("lost_after", "error_500_after")


@pytest.mark.parametrize("what", [*NOTHING_DONE, *DONE])
@pytest.mark.parametrize("is_first", [True, False])
def test_an_outage_is_not_a_decline(
    payment_server: PaymentServer, what: str, is_first: bool
) -> None:
    request = wish() if is_first else wish(**saved(payment_server))
    payment_server.order("fail", what=what)
    with pytest.raises(GatewayUnavailable):
        gateway.charge(request)


@pytest.mark.parametrize("what", DONE)
def test_a_charge_whose_answer_was_lost_is_found_and_not_made_again(
    payment_server: PaymentServer, what: str
) -> None:
    request = wish(**saved(payment_server), is_off_session=True)
    payment_server.order("fail", what=what)
    with pytest.raises(GatewayUnavailable):
        gateway.charge(request)
    assert ask_again().status == ChargeStatus.SUCCEEDED
    assert paid(payment_server) == [6000]


def test_it_is_found_before_the_search_knows_it(payment_server: PaymentServer) -> None:
    payment_server.order("search_lag", seconds=60)
    payment_server.order("fail", what="lost_after")
    with pytest.raises(GatewayUnavailable):
        gateway.charge(wish(**saved(payment_server)))
    assert ask_again().status == ChargeStatus.SUCCEEDED


def test_a_page_whose_answer_was_lost_is_found(payment_server: PaymentServer) -> None:
    payment_server.order("fail", what="lost_after")
    with pytest.raises(GatewayUnavailable):
        gateway.charge(wish())
    page = ask_again()
    assert gateway.charge(wish()).action_url == page.action_url
    payment_server.pay(page.action_url)
    assert paid(payment_server) == [6000]


@pytest.mark.parametrize("what", ["lost_before", "unavailable", "too_many"])
def test_what_never_arrived_is_unknown_there_and_may_be_sent_again(
    payment_server: PaymentServer, what: str
) -> None:
    request = wish(**saved(payment_server))
    payment_server.order("fail", what=what)
    with pytest.raises(GatewayUnavailable):
        gateway.charge(request)
    assert gateway.fetch(KEY) is None
    assert gateway.charge(request).status == ChargeStatus.SUCCEEDED
    assert paid(payment_server) == [6000]


def test_sent_again_after_a_lost_answer_it_is_the_same_charge(
    payment_server: PaymentServer,
) -> None:
    request = wish(**saved(payment_server))
    payment_server.order("fail", what="lost_after", times=3)
    for _try in range(3):
        with pytest.raises(GatewayUnavailable):
            gateway.charge(request)
    assert gateway.charge(request).status == ChargeStatus.SUCCEEDED
    assert paid(payment_server) == [6000]


def test_many_at_once_make_one_charge(payment_server: PaymentServer) -> None:
    request = wish(**saved(payment_server))
    payment_server.order("fail", what="delay", seconds=0.3)

    def try_it(_number: int) -> str:
        try:
            return gateway.charge(request).status
        except GatewayUnavailable:
            return "unavailable"

    with ThreadPoolExecutor(8) as pool:
        answers = set(pool.map(try_it, range(16)))
    assert answers <= {"succeeded", "unavailable"}
    assert "succeeded" in answers
    assert paid(payment_server) == [6000]


def test_an_answer_that_takes_too_long_is_given_up(
    payment_server: PaymentServer, settings: Settings
) -> None:
    settings.STRIPE_TIMEOUT_SECONDS = 1
    request = wish(**saved(payment_server))
    payment_server.order("fail", what="delay", seconds=20)
    with pytest.raises(GatewayUnavailable):
        gateway.charge(request)
    # Still on its way there: the same wish is not taken a second time.
    with pytest.raises(GatewayUnavailable):
        gateway.charge(request)


def test_an_answer_that_is_only_repeated_is_brought_up_to_date(
    payment_server: PaymentServer,
) -> None:
    request = wish(**saved(payment_server, ASKING))
    asked = gateway.charge(request)
    payment_server.pay(asked.action_url, answer="approve")
    assert gateway.charge(request).status == ChargeStatus.SUCCEEDED
    page = wish("purchase:8")
    payment_server.pay(gateway.charge(page).action_url)
    assert gateway.charge(page).status == ChargeStatus.SUCCEEDED


@pytest.mark.parametrize("fields", [{"email": "new@example.com"}, {"language": "fr"}])
def test_the_same_key_with_other_words_is_the_charge_that_was_made(
    payment_server: PaymentServer, fields: dict[str, str]
) -> None:
    first = gateway.charge(wish())
    assert gateway.charge(wish(**fields)).reference == first.reference
    assert len(payment_server.objects("checkout.session")) == 1


def test_another_amount_under_the_same_key_charges_nothing_more(
    payment_server: PaymentServer,
) -> None:
    fields = saved(payment_server)
    gateway.charge(wish(**fields))
    result = gateway.charge(wish(amount="90.00", **fields))
    assert str(result.amount) == "60.00"
    assert paid(payment_server) == [6000]


def test_what_was_called_off_before_it_arrived_can_never_be_made(
    payment_server: PaymentServer,
) -> None:
    request = wish(**saved(payment_server))
    payment_server.order("fail", what="lost_before")
    with pytest.raises(GatewayUnavailable):
        gateway.charge(request)
    assert gateway.cancel(KEY).status == ChargeStatus.EXPIRED
    assert gateway.cancel(KEY).status == ChargeStatus.EXPIRED
    with pytest.raises(GatewayUnavailable):
        gateway.charge(request)
    assert paid(payment_server) == []


@pytest.mark.parametrize(
    ("what", "status"),
    [("lost_after", "succeeded"), ("error_500_after", "succeeded")],
)
def test_calling_off_tells_what_was_made_after_all(
    payment_server: PaymentServer, what: str, status: str
) -> None:
    payment_server.order("search_lag", seconds=60)
    payment_server.order("fail", what=what)
    with pytest.raises(GatewayUnavailable):
        gateway.charge(wish(**saved(payment_server)))
    assert gateway.cancel(KEY).status == status


def test_calling_off_waits_while_the_wish_is_still_being_dealt_with(
    payment_server: PaymentServer, settings: Settings
) -> None:
    settings.STRIPE_TIMEOUT_SECONDS = 1
    request = wish(**saved(payment_server))
    payment_server.order("fail", what="delay", seconds=20)
    with pytest.raises(GatewayUnavailable):
        gateway.charge(request)
    with pytest.raises(GatewayUnavailable):
        gateway.cancel(KEY)


def test_a_key_that_was_used_in_vain_is_believed_after_five_minutes(
    payment_server: PaymentServer,
) -> None:
    payment_server.order("fail", what="error_500")
    with pytest.raises(GatewayUnavailable):
        gateway.charge(wish(**saved(payment_server)))
    for minutes in (0, 4):
        later = utc_now() + timedelta(minutes=minutes)
        with time_machine.travel(later), pytest.raises(GatewayUnavailable):
            gateway.cancel(KEY)
    with time_machine.travel(utc_now() + timedelta(minutes=6)):
        assert gateway.cancel(KEY).status == ChargeStatus.EXPIRED
    assert paid(payment_server) == []


@pytest.mark.parametrize("what", ["lost_before", "unavailable", "too_many"])
def test_nothing_is_said_while_it_cannot_be_asked(payment_server: PaymentServer, what: str) -> None:
    page = gateway.charge(wish())
    payment_server.order("fail", what=what, method="GET", times=9)
    payment_server.order("fail", what=what, times=9)
    questions: list[Callable[[], object]] = [
        lambda: gateway.fetch(KEY),
        lambda: gateway.fetch(KEY, reference=page.reference),
        lambda: gateway.cancel(KEY, reference=page.reference),
        lambda: gateway.cancel(KEY),
        lambda: gateway.detach("pm_1"),
    ]
    for ask in questions:
        with pytest.raises(GatewayUnavailable):
            ask()


def test_a_wrong_secret_key_is_an_outage(payment_server: PaymentServer, settings: Settings) -> None:
    settings.STRIPE_SECRET_KEY = "sk_test_wrong"
    with pytest.raises(GatewayUnavailable):
        gateway.charge(wish())
    settings.STRIPE_SECRET_KEY = ""
    with pytest.raises(GatewayUnavailable):
        gateway.fetch(KEY)


def test_nobody_there_is_an_outage(payment_server: PaymentServer, settings: Settings) -> None:
    settings.STRIPE_API_BASE = "http://127.0.0.1:9"
    with pytest.raises(GatewayUnavailable):
        gateway.charge(wish())


def test_what_was_written_survives_a_hard_kill(payment_server: PaymentServer) -> None:
    request: ChargeRequest = wish(**saved(payment_server))
    first = gateway.charge(request)
    payment_server.restart()
    assert gateway.charge(request) == first
    assert paid(payment_server) == [6000]
