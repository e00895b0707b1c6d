"""What an invoice will say is frozen when the purchase is paid."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from pytest_django import Settings

from billing.invoice_facts import freeze
from billing.models import Purchase, VatRate
from billing.purchases import advance_purchase
from billing.vat_checks import decide_vat_number
from members.actors import Actor
from members.company_profile import update_company
from members.models import Member
from tests.billing.conftest import DECLINED, LATE, NOON, buy, five_seconds_pass
from tests.conftest import make_company

pytestmark = pytest.mark.django_db
ADDRESS: dict[str, Any] = {
    "address_line_1": "12 rue de la Paix",
    "address_line_2": "Bâtiment B",
    "postcode": "75002",
    "city": "Paris",
    "siren": "303 265 045",
    "vat_number": "FR40303265045",
}
FROZEN = {
    "amount": Decimal(51),
    "vat_rate": Decimal(5),
    "vat_reason": "export",
    "invoice_facts": {},
    "currency": "USD",
}


def facts_of(purchase: Purchase) -> dict[str, Any]:
    facts = Purchase.objects.get(pk=purchase.pk).invoice_facts
    assert isinstance(facts, dict)
    return facts


def test_a_paid_purchase_has_all_that_its_invoice_needs(alice: Member, settings: Settings) -> None:
    settings.SELLER_NAME = "Communications SARL"
    settings.SELLER_ADDRESS = ["1 place du Marché", "69001 Lyon"]
    settings.SELLER_SIREN = "552100554"
    settings.SELLER_VAT_NUMBER = "FR83404833048"
    update_company(actor=Actor.of_member(alice), **ADDRESS)
    purchase = buy(alice, "50", now=NOON)
    facts = facts_of(purchase)
    assert facts.pop("payment") == {
        "gateway": "sandbox",
        "way": "card",
        "label": purchase.method_label,
        "gateway_reference": purchase.gateway_reference,
        "payment_reference": "",
    }
    assert facts == {
        "version": 1,
        "seller": {
            "name": "Communications SARL",
            "address": ["1 place du Marché", "69001 Lyon"],
            "country": "FR",
            "siren": "552100554",
            "vat_number": "FR83404833048",
        },
        "buyer": {
            "company": alice.company_id,
            "name": "Acme",
            "address": ["12 rue de la Paix", "Bâtiment B"],
            "postcode": "75002",
            "city": "Paris",
            "country": "FR",
            "siren": "303265045",
            "vat_number": "FR40303265045",
        },
        "language": "en",
        "lines": [
            {
                "text": "Communication credit",
                "quantity": "1",
                "unit_price": "50.00",
                "net": "50.00",
            }
        ],
        "net": "50.00",
        "vat": {"rate": "20", "amount": "10.00", "reason": "domestic"},
        "total": "60.00",
        "currency": "EUR",
        "purchase": purchase.pk,
        "ordered_on": "2026-11-10",
        "paid_on": "2026-11-10",
        "paid_at": "2026-11-10T12:00:00+00:00",
        "time_zone": "Europe/Paris",
    }


def test_nothing_that_changes_later_touches_it(alice: Member, settings: Settings) -> None:
    actor = Actor.of_member(alice)
    update_company(actor=actor, country="DE", vat_number="DE136695976", city="Berlin")
    decide_vat_number(actor=Actor.system(alice.company), is_valid=True, now=NOON)
    purchase = buy(alice, "50", now=NOON)
    before = facts_of(purchase)
    assert before["vat"] == {"rate": "0", "amount": "0.00", "reason": "reverse_charge"}
    update_company(
        actor=actor, name="Acme neu", country="FR", vat_number="", city="Lyon", language="fr"
    )
    VatRate.objects.create(country="FR", rate=Decimal("21"), valid_from=NOON.date())
    settings.SELLER_NAME = "Somebody else"
    purchase = advance_purchase(purchase.pk, now=NOON + timedelta(days=30))
    assert facts_of(purchase) == before
    assert (purchase.vat_rate, purchase.total) == (0, 50)
    later = buy(alice, "50", now=NOON + timedelta(days=30))
    assert facts_of(later)["vat"] == {"rate": "21", "amount": "10.50", "reason": "domestic"}


def test_it_is_frozen_when_paid_not_before(alice: Member) -> None:
    purchase = buy(alice, "50", number=LATE, now=NOON)
    assert purchase.invoice_facts is None
    update_company(actor=Actor.of_member(alice), city="Nantes")
    five_seconds_pass()
    advance_purchase(purchase.pk, now=NOON + timedelta(days=2))
    facts = facts_of(purchase)
    assert facts["buyer"]["city"] == "Nantes"
    assert (facts["ordered_on"], facts["paid_on"]) == ("2026-11-10", "2026-11-12")


def test_what_was_not_paid_has_none(alice: Member) -> None:
    assert buy(alice, number=DECLINED, now=NOON).invoice_facts is None


def test_amounts_have_the_currencys_decimals(db: None) -> None:
    tokyo = make_company("Tokyo", "dora", country="JP", currency="JPY", time_zone="Asia/Tokyo")
    facts = facts_of(buy(tokyo, "1000", now=NOON.replace(hour=16)))
    assert (facts["net"], facts["vat"]["amount"], facts["total"]) == ("1000", "0", "1000")
    assert (facts["vat"]["reason"], facts["paid_on"]) == ("export", "2026-11-11")


def test_the_line_is_in_the_companys_language(alice: Member) -> None:
    update_company(actor=Actor.of_member(alice), language="fr")
    assert facts_of(buy(alice, now=NOON))["language"] == "fr"


def test_freezing_twice_gives_the_same(alice: Member) -> None:
    purchase = buy(alice, now=NOON)
    assert freeze(purchase, now=NOON) == facts_of(purchase)


@pytest.mark.parametrize("field", FROZEN)
def test_the_database_keeps_what_a_paid_purchase_cost(alice: Member, field: str) -> None:
    purchase = buy(alice, "50", now=NOON)
    with pytest.raises(IntegrityError, match="purchase_facts_are_frozen"), transaction.atomic():
        Purchase.objects.filter(pk=purchase.pk).update(**{field: FROZEN[field]})


def test_what_happens_to_a_paid_purchase_later_can_still_be_noted(alice: Member) -> None:
    purchase = buy(alice, "50", now=NOON)
    Purchase.objects.filter(pk=purchase.pk).update(
        refunded_amount=5, dispute_state="open", disputed_amount=60, checked_at=NOON
    )
    assert Purchase.objects.get().refunded_amount == 5
