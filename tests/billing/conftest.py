"""What the tests of billing share: test cards, purchases, and a worker that is run by hand."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Protocol
from uuid import uuid4

import pytest
from pytest_django import Settings

from billing.auto_purchase import evaluate_auto_purchase
from billing.auto_rules import save_rule
from billing.consent import VERSION, Terms
from billing.gateways import registry
from billing.methods import save_card
from billing.models import AutoPurchaseRule, PaymentMethod, Purchase, SandboxCharge
from billing.purchases import advance_purchase, buy_credit, create_purchase
from billing.reconciliation import advance_open_purchases
from credit.accounts import company_balance
from credit.models import Account, Transfer
from credit.requests import OutsideKey
from members.actors import Actor
from members.models import Member
from skypemgr.lib.periods import utc_now
from tests.fakes.fixtures import payment_process, payment_server  # noqa: F401
from tests.fakes.scripted import ScriptedGateway

GOOD = "4242424242424242"
DECLINED = "4000000000000002"
POOR = "4000000000009995"
STOLEN = "4000000000009979"
ASKING = "4000002760003184"
ASKING_LATER = "4000002500003155"
DECLINED_LATER = "4000000000000341"
LATE = "4000000000000077"
LOST = "4000000000000119"
DOWN = "4000000000000259"
NOON = datetime(2026, 11, 10, 12, tzinfo=UTC)

Buy = Callable[..., Purchase]


def card_of(member: Member, number: str = GOOD) -> PaymentMethod:
    """The test card, saved for the member's company."""
    return save_card(actor=Actor.of_member(member), gateway="sandbox", number=number)


def a_request(content: object = "") -> OutsideKey:
    """A wish that was never made before."""
    return OutsideKey.of_form(str(uuid4()), content)


def create(
    member: Member, amount: str = "50", number: str = GOOD, now: datetime | None = None
) -> Purchase:
    """A purchase that is wished but not sent."""
    return create_purchase(
        actor=Actor.of_member(member),
        amount=Decimal(amount),
        method=card_of(member, number),
        request=a_request(),
        now=now,
    )


def buy(
    member: Member,
    amount: str = "50",
    number: str = GOOD,
    terms: Terms | None = None,
    now: datetime | None = None,
) -> Purchase:
    """A purchase about which the gateway was asked once."""
    return buy_credit(
        actor=Actor.of_member(member),
        amount=Decimal(amount),
        method=card_of(member, number),
        request=a_request(),
        auto_purchase=terms,
        consent_version=VERSION,
        now=now,
    )


def sweep() -> None:
    """The worker asks about every open purchase, as if each were due."""
    Purchase.objects.filter(status__in=Purchase.OPEN).update(next_check_at=utc_now())
    advance_open_purchases()


def five_seconds_pass() -> None:
    """Late and lost answers of the gateway can be had now."""
    SandboxCharge.objects.update(settles_at=utc_now() - timedelta(seconds=1))


def terms(level: str = "20", amount: str = "50", limit: str = "200") -> Terms:
    """Terms of an auto-recharge."""
    return Terms(Decimal(level), Decimal(amount), Decimal(limit))


def rule_of(member: Member) -> AutoPurchaseRule:
    """The company's rule as it stands."""
    return AutoPurchaseRule.objects.get(company=member.company)


@pytest.fixture
def now() -> datetime:
    """One instant for a whole test."""
    return utc_now()


def assert_paid_once(purchase: Purchase, balance: str = "50") -> None:
    """The purchase was charged once and credited once, and the balance is this."""
    purchase = Purchase.objects.get(pk=purchase.pk)
    assert purchase.status == Purchase.Status.SUCCEEDED
    assert company_balance(purchase.company) == Decimal(balance)
    assert Transfer.objects.filter(key=f"purchase:{purchase.pk}").count() == 1
    assert SandboxCharge.objects.filter(idempotency_key=f"purchase:{purchase.pk}").count() == 1


def set_rule(
    alice: Member, number: str = GOOD, chosen: Terms | None = None, now: datetime = NOON
) -> AutoPurchaseRule:
    """The company's rule, saved by the administrator."""
    return save_rule(
        actor=Actor.of_member(alice),
        method=card_of(alice, number),
        terms=chosen or terms(),
        consent_version=VERSION,
        now=now,
    )


def run(alice: Member, now: datetime = NOON) -> Purchase | None:
    """What the worker does: look at the rule, then ask the gateway."""
    pk = evaluate_auto_purchase(alice.company_id, now=now)
    return None if pk is None else advance_purchase(pk, now=now)


def armed_below(alice: Member) -> Decimal | None:
    """Below which balance the company's purse is due."""
    return Account.objects.get(company=alice.company, kind="company").recharge_below


@pytest.fixture
def scripted(monkeypatch: pytest.MonkeyPatch, settings: Settings) -> ScriptedGateway:
    """A gateway whose every answer the test chooses, besides the sandbox."""
    gateway = ScriptedGateway()
    monkeypatch.setitem(registry.KNOWN, gateway.name, gateway)
    settings.GATEWAYS = ["sandbox", gateway.name]
    return gateway


class Page(Protocol):
    """An answer with a page in it."""

    @property
    def content(self) -> bytes: ...


def text_of(response: Page) -> str:
    """What stands on the page, with its gaps made one space."""
    plain = re.sub(r"<(script|style).*?</\1>|<[^>]+>", " ", response.content.decode(), flags=re.S)
    return " ".join(plain.split())
