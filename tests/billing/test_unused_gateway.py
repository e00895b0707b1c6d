"""A gateway that the settings name no more, with purchases that still wait for it."""

from datetime import UTC, datetime, timedelta

import pytest
from pytest_django import Settings

from billing.models import Purchase
from billing.reconciliation import advance_open_purchases
from members.models import Member
from tests.billing.inbox_kit import start
from tests.fakes.scripted import ScriptedGateway

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 11, 10, 12, tzinfo=UTC)


def test_what_was_never_sent_ends_after_an_hour_without_its_gateway(
    alice: Member, scripted: ScriptedGateway, settings: Settings
) -> None:
    purchase = start(alice, "50", now=NOON)
    Purchase.objects.filter(pk=purchase.pk).update(status="created", sent_at=None)
    settings.GATEWAYS = ["sandbox"]
    for minutes, status in ((30, "created"), (61, "expired")):
        advance_open_purchases(now=NOON + timedelta(minutes=minutes))
        assert Purchase.objects.get(pk=purchase.pk).status == status
