"""A card that declines for a week is tried four times, and people hear of it as often as needed."""

from datetime import UTC, datetime, timedelta

import pytest

from billing.auto_purchase import sweep_auto_purchases
from billing.auto_rules import save_rule
from billing.consent import VERSION
from billing.gateways.base import ChargeStatus, SavedMethod, Way
from billing.methods import confirm_method, keep_method
from billing.models import AutoPurchaseRule, Purchase
from billing.reconciliation import advance_open_purchases
from members.actors import Actor
from members.models import Member, Notice
from tests.billing.conftest import rule_of, terms
from tests.fakes.scripted import ScriptedGateway

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 11, 10, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


def live_through(gateway: ScriptedGateway, *, since: datetime, days: int) -> None:
    """What Beat and the worker do, every ten minutes; each charge is declined."""
    now = since
    while now <= since + timedelta(days=days):
        gateway.now = now
        gateway.outcomes.clear()
        gateway.outcomes.extend([ChargeStatus.DECLINED] * 3)
        sweep_auto_purchases(now=now)
        advance_open_purchases(now=now)
        now += timedelta(minutes=10)


def attempts() -> list[datetime]:
    """When the gateway was asked for money."""
    asked = Purchase.objects.filter(sent_at__isnull=False).order_by("pk")
    return [purchase.sent_at for purchase in asked if purchase.sent_at]


@pytest.fixture
def declining(alice: Member, scripted: ScriptedGateway) -> ScriptedGateway:
    """The company's auto-recharge pays with a card of the scripted gateway; the balance is 0."""
    saved = SavedMethod(kind=Way.CARD, reference="pm_1", fingerprint="f1", label="•••• 4242")
    card = keep_method(alice.company, "scripted", saved, member=alice, now=NOON)
    confirm_method(card, now=NOON)
    card.refresh_from_db()
    save_rule(
        actor=Actor.of_member(alice),
        method=card,
        terms=terms(),
        consent_version=VERSION,
        now=NOON,
    )
    return scripted


def test_a_week_of_declines_is_four_attempts_at_0_1_4_and_11_hours(
    alice: Member, declining: ScriptedGateway
) -> None:
    live_through(declining, since=NOON, days=7)
    # Each is sent within ten minutes of being due, and the wait counts from then.
    assert [(at - attempts()[0]) // HOUR for at in attempts()] == [0, 1, 4, 11]
    assert len(declining.charges) == 4
    assert declining.captured() == {}
    assert rule_of(alice).state == AutoPurchaseRule.State.PAUSED


def test_the_first_decline_and_the_pause_are_told_and_nothing_between(
    alice: Member, declining: ScriptedGateway
) -> None:
    live_through(declining, since=NOON, days=7)
    told = Notice.objects.filter(member=alice).order_by("pk").values_list("kind", flat=True)
    assert list(told) == ["auto_purchase_declined", "auto_purchase_paused"]


def test_an_outage_of_a_day_is_no_decline_and_no_second_charge(
    alice: Member, declining: ScriptedGateway
) -> None:
    declining.is_down = True
    live_through(declining, since=NOON, days=1)
    assert rule_of(alice).declined_count == 0
    assert Purchase.objects.count() == 1
    assert not declining.charges
