"""Purchases at the same moment cannot pass a limit together, on real connections."""

from decimal import Decimal

import pytest

from billing.errors import AmountRefused
from billing.models import BillingProfile, Purchase
from billing.profile import set_company_limit
from billing.purchases import create_purchase
from members.actors import Actor
from members.models import Member
from tests.billing.conftest import a_request, card_of
from tests.billing.test_purchase_races import all_at_once

pytestmark = pytest.mark.django_db(transaction=True)
CROWD = 8


def wish(member: Member) -> str:
    """What became of one wish to buy 30, with a key of its own."""
    try:
        create_purchase(
            actor=Actor.of_member(member),
            amount=Decimal(30),
            method=card_of(member),
            request=a_request(),
        )
    except AmountRefused as error:
        return error.code
    return "created"


def test_eight_wishes_at_once_stay_within_the_own_limit(alice: Member) -> None:
    set_company_limit(actor=Actor.of_member(alice), limit=Decimal(100))
    card_of(alice)
    answers = all_at_once(CROWD, lambda: wish(alice))
    assert sorted(answers) == ["company_limit_reached"] * 5 + ["created"] * 3
    assert sum(Purchase.objects.values_list("amount", flat=True)) == 90


def test_eight_first_wishes_at_once_make_one_profile(alice: Member) -> None:
    card_of(alice)
    assert all_at_once(CROWD, lambda: wish(alice)) == ["created"] * CROWD
    assert BillingProfile.objects.filter(company=alice.company).count() == 1


def test_the_same_wish_at_once_is_one_purchase_although_the_limit_has_room_for_one(
    alice: Member,
) -> None:
    set_company_limit(actor=Actor.of_member(alice), limit=Decimal(30))
    card, request = card_of(alice), a_request()

    def press() -> int:
        purchase = create_purchase(
            actor=Actor.of_member(alice), amount=Decimal(30), method=card, request=request
        )
        return purchase.pk

    assert len(set(all_at_once(CROWD, press))) == 1
