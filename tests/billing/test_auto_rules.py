"""The rule of the company's auto-recharge: its terms, its consent, who may touch it."""

from decimal import Decimal

import pytest
from django.db import IntegrityError, transaction

from billing.auto_purchase import evaluate_auto_purchase
from billing.auto_rules import resume_rule, save_rule, switch_off_rule
from billing.consent import VERSION, Terms
from billing.errors import AmountRefused, ConsentMissing, MethodInUse
from billing.method_removal import remove_method
from billing.models import AutoPurchaseConsent, AutoPurchaseRule, Purchase
from credit.accounts import ensure_accounts
from credit.models import Account
from members.actors import Actor
from members.models import Member
from skypemgr.lib.errors import NotAllowed, ProductError
from tests.billing.conftest import (
    NOON,
    armed_below,
    card_of,
    rule_of,
    run,
    set_rule,
    terms,
)

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("chosen", "field"),
    [
        (terms("20", "50", "49.99"), "monthly_limit"),
        (terms("0", "50", "100"), "level"),
        (terms("20", "0.5", "100"), "amount"),
        (terms("20", "50", "-1"), "monthly_limit"),
    ],
)
def test_terms_that_could_never_work_are_refused(alice: Member, chosen: Terms, field: str) -> None:
    card_of(alice)
    with pytest.raises(ProductError) as refusal:
        set_rule(alice, chosen=chosen)
    assert refusal.value.field == field
    assert not AutoPurchaseRule.objects.exists()


def test_an_old_text_is_no_consent(alice: Member) -> None:
    with pytest.raises(ConsentMissing):
        save_rule(
            actor=Actor.of_member(alice),
            method=card_of(alice),
            terms=terms(),
            consent_version="2020-01",
        )
    assert not AutoPurchaseRule.objects.exists()


def test_the_system_cannot_consent_for_anybody(alice: Member) -> None:
    with pytest.raises(ConsentMissing):
        save_rule(
            actor=Actor.system(alice.company),
            method=card_of(alice),
            terms=terms(),
            consent_version=VERSION,
        )


def test_only_administrators_touch_the_rule(alice: Member, bob: Member, fiona: Member) -> None:
    set_rule(alice)
    for member in (bob, fiona):
        actor = Actor.of_member(member)
        with pytest.raises(NotAllowed):
            switch_off_rule(actor=actor)
        with pytest.raises(NotAllowed):
            resume_rule(actor=actor)
        with pytest.raises(NotAllowed):
            save_rule(actor=actor, method=card_of(alice), terms=terms(), consent_version=VERSION)
    assert rule_of(alice).state == "on"


def test_a_card_that_pays_for_the_rule_cannot_be_removed(alice: Member) -> None:
    rule = set_rule(alice)
    with pytest.raises(MethodInUse):
        remove_method(actor=Actor.of_member(alice), pk=rule.method_id)
    switch_off_rule(actor=Actor.of_member(alice))
    remove_method(actor=Actor.of_member(alice), pk=rule.method_id)


def test_the_database_allows_one_automatic_purchase_in_flight(alice: Member) -> None:
    set_rule(alice)
    evaluate_auto_purchase(alice.company_id, now=NOON)
    first = Purchase.objects.get()
    second = Purchase.objects.get()
    second.pk, second.request_key = None, "auto:other"
    with (
        pytest.raises(IntegrityError, match="purchase_one_automatic_in_flight"),
        transaction.atomic(),
    ):
        second.save(force_insert=True)
    assert Purchase.objects.get() == first


def test_a_consent_is_never_changed(alice: Member) -> None:
    set_rule(alice)
    with (
        pytest.raises(IntegrityError, match="auto_purchase_consent_is_never_changed"),
        transaction.atomic(),
    ):
        AutoPurchaseConsent.objects.update(level=1)


def test_the_purse_is_armed_with_the_level(alice: Member) -> None:
    set_rule(alice, chosen=terms("35"))
    assert armed_below(alice) == 35
    account = Account.objects.get(pk=ensure_accounts(alice.company).company)
    assert account.is_due


def test_a_rule_whose_amount_can_no_longer_be_bought_buys_nothing(alice: Member) -> None:
    set_rule(alice)
    AutoPurchaseRule.objects.update(amount=Decimal("0.01"))
    assert run(alice) is None


def test_amounts_refused_say_which(alice: Member) -> None:
    with pytest.raises(AmountRefused) as refusal:
        set_rule(alice, chosen=terms("20", "50", "40"))
    assert refusal.value.code == "limit_below_amount"
