"""The sandbox gateway behaves as documented, and only outside production."""

from decimal import Decimal
from pathlib import Path

import pytest
from django.conf import LazySettings
from django.core.checks import ERROR

from billing.checks import check_gateways
from billing.errors import CardNotAccepted, GatewayNotConfigured
from billing.gateways.base import ChargeRequest, ChargeStatus, GatewayUnavailable
from billing.gateways.cards import TEST_CARDS
from billing.gateways.registry import find_gateway, list_gateways
from billing.gateways.sandbox import SandboxGateway
from billing.models import SandboxCharge
from tests.billing.conftest import (
    ASKING,
    ASKING_LATER,
    DECLINED,
    DECLINED_LATER,
    DOWN,
    GOOD,
    LATE,
    LOST,
    POOR,
    STOLEN,
    five_seconds_pass,
)

pytestmark = pytest.mark.django_db
gateway = SandboxGateway()


def ask(number: str, key: str = "purchase:1", *, is_off_session: bool = False) -> ChargeRequest:
    return ChargeRequest(
        idempotency_key=key,
        amount=Decimal("10.00"),
        currency="EUR",
        method_reference=gateway.save_method(number).reference,
        is_off_session=is_off_session,
    )


@pytest.mark.parametrize(
    ("number", "status", "code"),
    [
        (GOOD, "succeeded", ""),
        (DECLINED, "declined", "card_declined"),
        (POOR, "declined", "insufficient_funds"),
        (STOLEN, "declined", "stolen_card"),
        (ASKING, "requires_action", ""),
        (ASKING_LATER, "succeeded", ""),
        (DECLINED_LATER, "succeeded", ""),
        (LATE, "pending", ""),
    ],
)
def test_each_card_answers_as_documented(number: str, status: str, code: str) -> None:
    result = gateway.charge(ask(number))
    assert (result.status, result.decline_code) == (status, code)
    assert bool(result.action_url) == (status == "requires_action")


@pytest.mark.parametrize(
    ("number", "status"), [(ASKING_LATER, "requires_action"), (DECLINED_LATER, "declined")]
)
def test_some_cards_answer_otherwise_when_nobody_is_there(number: str, status: str) -> None:
    assert gateway.charge(ask(number, is_off_session=True)).status == status


def test_a_late_answer_comes_after_five_seconds() -> None:
    gateway.charge(ask(LATE))
    assert gateway.fetch("purchase:1").status == ChargeStatus.PENDING  # type: ignore[union-attr]
    five_seconds_pass()
    assert gateway.fetch("purchase:1").status == ChargeStatus.SUCCEEDED  # type: ignore[union-attr]


def test_a_lost_answer_was_a_charge_nevertheless() -> None:
    with pytest.raises(GatewayUnavailable):
        gateway.charge(ask(LOST))
    with pytest.raises(GatewayUnavailable):
        gateway.fetch("purchase:1")
    five_seconds_pass()
    assert gateway.fetch("purchase:1").status == ChargeStatus.SUCCEEDED  # type: ignore[union-attr]


def test_a_gateway_that_was_down_never_heard_of_the_charge_and_takes_it_later() -> None:
    with pytest.raises(GatewayUnavailable):
        gateway.charge(ask(DOWN))
    five_seconds_pass()
    assert gateway.fetch("purchase:1") is None
    assert gateway.charge(ask(DOWN)).status == ChargeStatus.SUCCEEDED


def test_one_key_is_one_charge() -> None:
    first, second = gateway.charge(ask(GOOD)), gateway.charge(ask(GOOD))
    assert first == second
    assert SandboxCharge.objects.count() == 1


def test_a_paid_charge_cannot_be_called_off() -> None:
    gateway.charge(ask(GOOD))
    assert gateway.cancel("purchase:1").status == ChargeStatus.SUCCEEDED


def test_a_charge_called_off_before_it_was_made_is_never_made() -> None:
    assert gateway.cancel("purchase:1").status == ChargeStatus.EXPIRED
    assert gateway.charge(ask(GOOD)).status == ChargeStatus.EXPIRED


def test_the_first_answer_to_the_bank_counts() -> None:
    gateway.charge(ask(ASKING))
    charge = SandboxCharge.objects.get()
    gateway.answer_bank(charge, approved=True)
    gateway.answer_bank(charge, approved=False)
    assert gateway.fetch("purchase:1").status == ChargeStatus.SUCCEEDED  # type: ignore[union-attr]


@pytest.mark.parametrize(
    "number", ["4111111111111111", "5555555555554444", "", "42", "４２４２４２４２４２４２４２４２"]
)
def test_a_number_outside_the_list_is_refused(number: str) -> None:
    with pytest.raises(CardNotAccepted):
        gateway.save_method(number)


def test_spaces_and_hyphens_in_a_number_do_not_matter() -> None:
    saved = gateway.save_method(" 4242-4242 4242\u00a04242 ")
    assert saved == gateway.save_method(GOOD)


def test_the_documents_list_every_test_card() -> None:
    text = Path("docs/sandbox.md").read_text(encoding="utf-8")
    assert [card.number for card in TEST_CARDS if card.spaced not in text] == []


def test_the_sandbox_is_an_error_in_production(settings: LazySettings) -> None:
    settings.PRODUCTION, settings.GATEWAYS = True, ["sandbox"]
    (problem,) = check_gateways()
    assert (problem.id, problem.level) == ("billing.E001", ERROR)
    assert list_gateways() == []
    with pytest.raises(GatewayNotConfigured):
        find_gateway("sandbox")


def test_a_gateway_that_does_not_exist_is_an_error(settings: LazySettings) -> None:
    settings.GATEWAYS = ["sandbox", "monopoly"]
    assert [problem.id for problem in check_gateways()] == ["billing.E002"]


def test_the_sandbox_is_fine_outside_production() -> None:
    assert check_gateways() == []
