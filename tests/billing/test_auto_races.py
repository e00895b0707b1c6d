"""Many at once: a rule never rests on a removed card, and the chain from an empty company to
waiting members is one charge, whatever repeats or dies on the way.
"""

import random
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from functools import partial
from threading import Barrier, Thread

import pytest
from django.db import connection, transaction

from billing.auto_purchase import evaluate_auto_purchase, sweep_auto_purchases
from billing.auto_rules import activate_rule, save_rule, store_consent
from billing.consent import VERSION
from billing.method_removal import remove_method
from billing.methods import list_methods, set_default
from billing.models import (
    AutoPurchaseConsent,
    AutoPurchaseOutcome,
    AutoPurchaseRule,
    PaymentMethod,
    Purchase,
    SandboxCharge,
)
from billing.purchases import advance_purchase
from billing.reconciliation import advance_open_purchases
from credit.accounts import company_balance, ensure_accounts
from credit.allocation import Recipients
from credit.models import Account, Transfer
from credit.recharge import evaluate_purses
from credit.rules import RuleTerms, save_rules
from credit.sweeps import serve_waiting_rules, sweep_due_purses
from credit.verification import verify_ledger
from members.actors import Actor
from members.models import Member
from skypemgr.lib.errors import ProductError
from skypemgr.lib.periods import utc_now
from tests.billing.conftest import GOOD, LOST, card_of, five_seconds_pass, set_rule, terms
from tests.conftest import credit_company, make_member

pytestmark = pytest.mark.django_db(transaction=True)
ROUNDS = 8
Step = Callable[[], object]


def at_once(*works: Step) -> None:
    """All have run, started together, each on a connection of its own; refusals are fine."""
    barrier = Barrier(len(works))
    failures: list[BaseException] = []

    def run(work: Step) -> None:
        barrier.wait(timeout=30)
        try:
            work()
        except ProductError:
            pass
        except BaseException as error:
            failures.append(error)
        finally:
            connection.close()

    threads = [Thread(target=run, args=(work,)) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert failures == []


def rests_on_a_removed_card() -> bool:
    return AutoPurchaseRule.objects.filter(state="on", method__removed_at__isnull=False).exists()


def forget_rules() -> None:
    """As if the company never had a rule."""
    AutoPurchaseOutcome.objects.all().delete()
    AutoPurchaseRule.objects.all().delete()


def test_without_the_locks_a_rule_would_be_left_on_a_removed_card(alice: Member) -> None:
    card = card_of(alice)
    looked = Barrier(2)

    def save() -> None:
        with transaction.atomic():
            assert PaymentMethod.objects.get(pk=card.pk).removed_at is None
            looked.wait(timeout=30)
            consent = store_consent(
                actor=Actor.of_member(alice),
                method=card,
                terms=terms(),
                version=VERSION,
                now=utc_now(),
            )
            AutoPurchaseRule.objects.create(
                company=alice.company,
                level=consent.level,
                amount=consent.amount,
                monthly_limit=consent.monthly_limit,
                method=card,
                state="on",
                consent_by=alice,
                consent_at=consent.created_at,
                consent_version=VERSION,
            )

    def remove() -> None:
        with transaction.atomic():
            assert not AutoPurchaseRule.objects.exists()
            looked.wait(timeout=30)
            PaymentMethod.objects.filter(pk=card.pk).update(removed_at=utc_now())

    at_once(save, remove)
    assert rests_on_a_removed_card()


@pytest.mark.parametrize("is_first", [True, False])
def test_saving_a_rule_while_its_card_is_removed_leaves_no_rule_without_a_card(
    alice: Member, is_first: bool
) -> None:
    actor = Actor.of_member(alice)
    ensure_accounts(alice.company)
    for _round in range(ROUNDS):
        card = card_of(alice)
        if is_first:
            forget_rules()
        at_once(
            partial(save_rule, actor=actor, method=card, terms=terms(), consent_version=VERSION),
            partial(remove_method, actor=actor, pk=card.pk),
            partial(remove_method, actor=actor, pk=card.pk, pauses=True),
        )
        assert not rests_on_a_removed_card()


def pay(consent: AutoPurchaseConsent) -> None:
    """What a settled payment does with the tick that came with it."""
    with transaction.atomic():
        activate_rule(consent, now=utc_now())


def test_a_tick_that_is_paid_while_its_card_is_removed_leaves_no_rule_without_a_card(
    alice: Member,
) -> None:
    actor = Actor.of_member(alice)
    ensure_accounts(alice.company)
    for _round in range(ROUNDS):
        card = card_of(alice)
        forget_rules()
        consent = store_consent(
            actor=actor, method=card, terms=terms(), version=VERSION, now=utc_now()
        )

        at_once(partial(pay, consent), partial(remove_method, actor=actor, pk=card.pk, pauses=True))
        assert not rests_on_a_removed_card()


def test_ten_looks_at_once_start_one_charge(alice: Member) -> None:
    set_rule(alice, now=utc_now())
    at_once(*[lambda: evaluate_auto_purchase(alice.company_id)] * 10)
    assert Purchase.objects.count() == 1


def emptied(alice: Member, number: str = GOOD) -> list[Member]:
    """Three members due for 10 each; the company has 12, and a rule that buys 100 below 5."""
    staff = [make_member(alice.company, name) for name in ("dan", "eva", "fred")]
    credit_company(alice.company, "12")
    set_rule(alice, number, terms("5", "100", "1000"), now=utc_now())
    save_rules(
        actor=Actor.of_member(alice),
        recipients=Recipients(member_ids=tuple(member.pk for member in staff)),
        terms=RuleTerms(Decimal(10), Decimal(5), Decimal(40)),
    )
    return staff


def steps_of(alice: Member) -> list[Step]:
    """Every task that the chain may run, and every sweep behind it."""
    company = alice.company_id

    def members_due() -> None:
        purses = Account.objects.filter(company=company, kind="member").values_list("pk", flat=True)
        evaluate_purses(company, list(purses), now=utc_now())

    def charge() -> None:
        for pk in Purchase.objects.values_list("pk", flat=True):
            advance_purchase(pk)

    return [
        members_due,
        charge,
        lambda: evaluate_auto_purchase(company),
        lambda: serve_waiting_rules(company, now=utc_now()),
        lambda: sweep_due_purses(now=utc_now()),
        sweep_auto_purchases,
        lambda: advance_open_purchases(now=utc_now() + timedelta(minutes=2)),
    ]


def assert_served_by_one_charge(alice: Member, staff: list[Member]) -> None:
    assert [purchase.status for purchase in Purchase.objects.all()] == ["succeeded"]
    assert SandboxCharge.objects.filter(status="succeeded").count() == 1
    purses = Account.objects.filter(member__in=staff)
    assert [purse.balance for purse in purses] == [Decimal(10)] * 3
    assert Transfer.objects.filter(kind="auto_recharge").count() == 3
    assert company_balance(alice.company) == Decimal(82)
    assert verify_ledger() == []


@pytest.mark.parametrize("seed", range(4))
def test_the_chain_is_one_charge_in_any_order_and_however_often(alice: Member, seed: int) -> None:
    staff = emptied(alice)
    steps = steps_of(alice)
    luck = random.Random(seed)
    for _again in range(4):
        luck.shuffle(steps)
        for step in steps:
            step()
            if luck.random() < 0.5:
                step()
    assert_served_by_one_charge(alice, staff)


def test_the_chain_is_one_charge_when_every_task_runs_at_once(alice: Member) -> None:
    staff = emptied(alice)
    for _again in range(4):
        at_once(*steps_of(alice), *steps_of(alice))
    assert_served_by_one_charge(alice, staff)


def test_the_chain_is_one_charge_when_the_answer_about_it_gets_lost(alice: Member) -> None:
    staff = emptied(alice, LOST)
    for _again in range(2):
        for step in steps_of(alice):
            step()
    assert Purchase.objects.get().status == "unknown"
    five_seconds_pass()
    for _again in range(2):
        for step in steps_of(alice):
            step()
    assert_served_by_one_charge(alice, staff)


def test_the_methods_of_a_crowd_that_orders_and_removes_have_one_default(alice: Member) -> None:
    actor = Actor.of_member(alice)
    numbers = ("4242424242424242", "4000002500003155", "4000000000000077", "4000000000000341")
    cards = [card_of(alice, number) for number in numbers]
    PaymentMethod.objects.update(confirmed_at=utc_now())
    remove: Step = partial(remove_method, actor=actor, pk=cards[0].pk)
    order: list[Step] = [partial(set_default, actor=actor, pk=card.pk) for card in cards]
    at_once(remove, *order, *order)
    methods = list_methods(alice.company)
    assert len(methods) == 3
    assert [one.is_default for one in methods] == [True, False, False]
