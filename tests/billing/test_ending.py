"""An operator ends a purchase for which something else was paid."""

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal

import pytest
from django.test import Client

from billing.ending import end_purchase
from billing.errors import NotCancellable, ResolutionMissing
from billing.gateways.base import ChargeResult, ChargeStatus
from billing.models import PaymentIncident, Purchase
from billing.settlement import apply_result
from credit.accounts import company_balance
from members.models import AuditEntry, Member, User
from skypemgr.lib.errors import NotAllowed
from skypemgr.lib.periods import utc_now
from tests.billing.conftest import create

pytestmark = pytest.mark.django_db

PAID_LESS = ChargeResult(
    status=ChargeStatus.SUCCEEDED, reference="x", amount=Decimal(1), currency="EUR"
)


@pytest.fixture
def operator(db: None) -> User:
    return User.objects.create_superuser(email="op@example.com", username="op", password="x")


@pytest.fixture
def differing(alice: Member) -> Purchase:
    """A purchase for which one euro came."""
    purchase = create(alice)
    apply_result(purchase.pk, PAID_LESS, now=utc_now())
    return Purchase.objects.get(pk=purchase.pk)


def test_it_has_ended_nothing_is_credited_and_the_word_is_kept(
    operator: User, differing: Purchase
) -> None:
    assert differing.status == "created"
    ended = end_purchase(user=operator, purchase_id=differing.pk, text="sent back")
    assert ended.status == "expired"
    assert company_balance(differing.company) == 0
    incident = PaymentIncident.objects.get(kind="amount_differs")
    assert (incident.resolution, incident.resolved_by) == ("sent back", operator)
    entry = AuditEntry.objects.get(verb="end_purchase")
    assert (entry.user, entry.data["reason"]) == (operator, "sent back")
    with pytest.raises(NotCancellable):
        end_purchase(user=operator, purchase_id=differing.pk, text="again")


def test_without_a_word_nothing_changes(operator: User, differing: Purchase) -> None:
    with pytest.raises(ResolutionMissing):
        end_purchase(user=operator, purchase_id=differing.pk, text=" ")
    differing.refresh_from_db()
    assert differing.status == "created"
    assert not AuditEntry.objects.filter(verb="end_purchase").exists()


def test_a_purchase_about_which_nothing_differs_is_not_ended(operator: User, alice: Member) -> None:
    purchase = create(alice)
    with pytest.raises(NotCancellable) as refusal:
        end_purchase(user=operator, purchase_id=purchase.pk, text="no")
    assert refusal.value.code == "nothing_differs"


def test_nobody_of_a_company_ends_it(alice: Member, differing: Purchase) -> None:
    with pytest.raises(NotAllowed):
        end_purchase(user=alice.user, purchase_id=differing.pk, text="mine")


def test_money_that_comes_rightly_after_all_is_reported_not_lost(
    operator: User, differing: Purchase
) -> None:
    end_purchase(user=operator, purchase_id=differing.pk, text="sent back")
    rightly = replace(PAID_LESS, amount=differing.total)
    apply_result(differing.pk, rightly, now=utc_now())
    assert PaymentIncident.objects.filter(kind="paid_after_end").count() == 1


def test_the_desk_ends_it(
    operator: User, differing: Purchase, client: Client, settings: object
) -> None:
    client.force_login(operator, backend="django.contrib.auth.backends.ModelBackend")
    incident = PaymentIncident.objects.get()
    press: Callable[[str], object] = lambda word: client.post(  # noqa: E731
        "/admin/billing/paymentincident/",
        {"action": "end_purchases", "_selected_action": [incident.pk], "word": word},
        follow=True,
    )
    press("")
    differing.refresh_from_db()
    assert differing.status == "created"
    press("sent back")
    differing.refresh_from_db()
    assert differing.status == "expired"
