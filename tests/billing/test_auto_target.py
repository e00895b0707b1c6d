"""Bring back to: what is bought, and what makes no sense."""

from decimal import Decimal

import pytest
from django.db import IntegrityError, transaction

from billing.auto_purchase import evaluate_auto_purchase, next_amount
from billing.consent import Terms
from billing.models import AutoPurchaseConsent, AutoPurchaseRule, Purchase
from credit.accounts import company_balance
from members.models import Company, Member
from skypemgr.lib.errors import ProductError
from tests.billing.conftest import NOON, rule_of, run, set_rule
from tests.conftest import credit_company, give

pytestmark = pytest.mark.django_db


def back_to(target: str, level: str = "20", limit: str = "500") -> Terms:
    return Terms(Decimal(level), None, Decimal(limit), Decimal(target))


def test_it_buys_what_is_missing_rounded_up_to_the_currencys_decimals(alice: Member) -> None:
    set_rule(alice, chosen=back_to("80"))
    credit_company(alice.company, "20")
    assert run(alice) is None
    give(alice, alice, "0.5001")
    purchase = run(alice)
    assert purchase is not None
    assert (purchase.amount, purchase.status) == (Decimal("60.51"), "succeeded")
    assert company_balance(alice.company) == Decimal("80.0099")
    assert run(alice) is None


@pytest.mark.parametrize(
    ("currency", "target", "bought"),
    [("EUR", "80", "60.51"), ("JPY", "1000", "981"), ("TND", "80", "60.501")],
)
def test_each_currency_has_its_own_decimals(
    alice: Member, currency: str, target: str, bought: str
) -> None:
    Company.objects.update(currency=currency)
    alice.company.currency = currency
    set_rule(alice, chosen=back_to(target, limit="5000"))
    rule = rule_of(alice)
    balance = Decimal("19.4999")
    assert next_amount(rule, balance) == Decimal(bought)


def test_it_never_buys_less_than_the_smallest_purchase(alice: Member) -> None:
    set_rule(alice, chosen=back_to("20"))
    credit_company(alice.company, "20")
    give(alice, alice, "0.01")
    purchase = run(alice)
    assert purchase is not None
    assert purchase.amount == 1
    assert company_balance(alice.company) == Decimal("20.99")


def test_it_buys_from_nothing_up_to_all_of_it_in_one_charge(alice: Member) -> None:
    set_rule(alice, chosen=back_to("80"))
    purchase = run(alice)
    assert purchase is not None
    assert company_balance(alice.company) == 80


def test_a_purchase_that_would_pass_the_limit_is_not_made_smaller(alice: Member) -> None:
    set_rule(alice, chosen=back_to("80", limit="100"))
    assert run(alice) is not None
    give(alice, alice, "70")
    assert run(alice) is None
    assert rule_of(alice).last_outcome == "limit_reached"
    assert company_balance(alice.company) == 10


@pytest.mark.parametrize(
    ("chosen", "field", "code"),
    [
        (back_to("19.99"), "target", "target_below_level"),
        (back_to("80", limit="79"), "monthly_limit", "limit_below_amount"),
        (back_to("0"), "target", "invalid_amount"),
        (back_to("100000000", limit="900000000"), "target", "amount_too_large"),
        (
            Terms(Decimal(20), Decimal(50), Decimal(200), Decimal(80)),
            "amount",
            "amount_or_target",
        ),
        (Terms(Decimal(20), None, Decimal(200)), "amount", "amount_or_target"),
    ],
)
def test_a_balance_that_makes_no_sense_is_refused(
    alice: Member, chosen: Terms, field: str, code: str
) -> None:
    with pytest.raises(ProductError) as refusal:
        set_rule(alice, chosen=chosen)
    assert (refusal.value.field, refusal.value.code) == (field, code)
    assert not AutoPurchaseConsent.objects.exists()


def test_the_database_knows_one_of_amount_and_target(alice: Member) -> None:
    set_rule(alice, chosen=back_to("80"))
    for change in ({"amount": 5}, {"target": None}, {"target": -1}):
        with (
            pytest.raises(IntegrityError, match="auto_purchase_amount_or_target"),
            transaction.atomic(),
        ):
            AutoPurchaseRule.objects.update(**change)


def test_the_database_refuses_a_limit_below_the_balance_to_bring_back_to(alice: Member) -> None:
    set_rule(alice, chosen=back_to("80"))
    consent = AutoPurchaseConsent.objects.get()
    consent.pk, consent.monthly_limit = None, Decimal("79.9999")
    with (
        pytest.raises(IntegrityError, match="auto_purchase_consent_amounts"),
        transaction.atomic(),
    ):
        consent.save(force_insert=True)


def test_the_database_knows_why_a_rule_is_paused(alice: Member) -> None:
    set_rule(alice)
    for change in ({"state": "paused"}, {"paused_because": "declined"}):
        with (
            pytest.raises(IntegrityError, match="auto_purchase_paused_because"),
            transaction.atomic(),
        ):
            AutoPurchaseRule.objects.update(**change)


def test_the_database_refuses_another_companys_method(alice: Member, charlie: Member) -> None:
    set_rule(alice)
    rule = set_rule(charlie)
    with (
        pytest.raises(IntegrityError, match="auto_purchase_method_of_same_company"),
        transaction.atomic(),
    ):
        AutoPurchaseRule.objects.filter(company=alice.company).update(method=rule.method_id)


def test_the_balance_counts_when_it_is_looked_at(alice: Member) -> None:
    set_rule(alice, chosen=back_to("80"))
    pk = evaluate_auto_purchase(alice.company_id, now=NOON)
    assert pk is not None
    assert Purchase.objects.get(pk=pk).amount == 80
