"""What keeps the company's auto-recharge from doing harm: one charge in flight, the alarm, limits,
the operator's switches, and no other card without consent.
"""

from datetime import datetime, timedelta
from decimal import Decimal

import pytest

from billing.auto_purchase import evaluate_auto_purchase, sweep_auto_purchases
from billing.auto_rules import describe_rule, resume_rule
from billing.auto_state import bought_this_month
from billing.gateways.base import Way
from billing.models import (
    AutoPurchaseOutcome,
    BillingProfile,
    PaymentIncident,
    Purchase,
    SandboxCharge,
)
from billing.purchases import advance_purchase
from billing.switches import resume_purchases, stop_purchases
from credit.accounts import company_balance
from members.actors import Actor
from members.models import Member, Notice
from tests.billing.conftest import (
    ASKING_LATER,
    DECLINED_LATER,
    LATE,
    NOON,
    STOLEN,
    buy,
    create,
    five_seconds_pass,
    rule_of,
    run,
    set_rule,
    terms,
)
from tests.conftest import give

pytestmark = pytest.mark.django_db
MINUTE = timedelta(minutes=1)


def spend_and_run(alice: Member, now: datetime) -> Purchase | None:
    """The company's balance is used up, and auto-recharge looks at it."""
    balance = company_balance(alice.company)
    if balance:
        give(alice, alice, balance, now=now)
    return run(alice, now)


def told(kind: str) -> int:
    return Notice.objects.filter(kind=kind).count()


def test_the_third_charge_in_ten_minutes_stops_it_and_alarms_everybody(alice: Member) -> None:
    set_rule(alice, chosen=terms(limit="5000"))
    for minute in (0, 5, 10):
        assert spend_and_run(alice, NOON + minute * MINUTE) is not None
    rule = rule_of(alice)
    assert (rule.state, rule.paused_because, rule.last_outcome) == (
        "paused",
        "many_charges",
        "many_charges",
    )
    incident = PaymentIncident.objects.get(kind="many_charges")
    assert incident.purchase == Purchase.objects.latest("pk")
    assert told("auto_purchase_paused") == 1
    assert spend_and_run(alice, NOON + timedelta(days=3)) is None


def test_three_charges_in_more_than_ten_minutes_are_no_alarm(alice: Member) -> None:
    set_rule(alice, chosen=terms(limit="5000"))
    for minute in (0, 5, 11, 16, 22):
        assert spend_and_run(alice, NOON + minute * MINUTE) is not None
    assert rule_of(alice).state == "on"
    assert not PaymentIncident.objects.exists()


def test_purchases_by_hand_are_no_alarm_and_do_not_end_one(alice: Member) -> None:
    set_rule(alice, chosen=terms(limit="5000"))
    for _ in range(4):
        buy(alice, "10", now=NOON)
    assert rule_of(alice).state == "on"
    for minute in (0, 1, 2):
        spend_and_run(alice, NOON + minute * MINUTE)
    buy(alice, "10", now=NOON + 3 * MINUTE)
    assert rule_of(alice).paused_because == "many_charges"


def test_an_administrator_resumes_it_and_counting_starts_anew(alice: Member) -> None:
    set_rule(alice, chosen=terms(limit="5000"))
    for minute in (0, 1, 2):
        spend_and_run(alice, NOON + minute * MINUTE)
    resume_rule(actor=Actor.of_member(alice), now=NOON + 3 * MINUTE)
    for minute in (3, 4):
        assert spend_and_run(alice, NOON + minute * MINUTE) is not None
    assert rule_of(alice).state == "on"
    assert spend_and_run(alice, NOON + 5 * MINUTE) is not None
    assert rule_of(alice).state == "paused"
    assert PaymentIncident.objects.filter(kind="many_charges").count() == 2


@pytest.mark.parametrize(
    ("way", "starts"),
    [(Way.CARD, False), (Way.PAYPAL, False), (Way.SEPA_DEBIT, True), (Way.TRANSFER, True)],
)
@pytest.mark.parametrize("status", ["created", "pending", "requires_action", "unknown"])
def test_only_an_open_card_or_paypal_payment_blocks_it(
    alice: Member, way: Way, starts: bool, status: str
) -> None:
    set_rule(alice)
    flying = create(alice, now=NOON)
    Purchase.objects.filter(pk=flying.pk).update(way=way, status=status)
    assert (evaluate_auto_purchase(alice.company_id, now=NOON) is not None) is starts


def test_a_stop_by_the_operator_holds_it_and_it_goes_on_by_itself(alice: Member) -> None:
    set_rule(alice)
    stop_purchases(automatic_only=True, reason="maintenance")
    assert run(alice) is None
    assert run(alice) is None
    assert rule_of(alice).last_outcome == "stopped"
    assert AutoPurchaseOutcome.objects.count() == 1
    status = describe_rule(alice.company, now=NOON)
    assert status is not None
    assert (status.state, "maintenance" in status.stopped) == ("stopped", True)
    resume_purchases()
    assert sweep_auto_purchases(now=NOON) != []


def test_a_stop_of_one_company_stops_no_other(alice: Member, charlie: Member) -> None:
    set_rule(alice)
    set_rule(charlie)
    stop_purchases(company=alice.company)
    started = sweep_auto_purchases(now=NOON)
    assert [Purchase.objects.get(pk=pk).company for pk in started] == [charlie.company]


def test_the_companys_own_limit_on_purchases_holds_it_until_it_is_raised(alice: Member) -> None:
    set_rule(alice)
    BillingProfile.objects.update_or_create(
        company=alice.company, defaults={"company_limit": Decimal("49.99")}
    )
    assert run(alice) is None
    status = describe_rule(alice.company, now=NOON)
    assert status is not None
    assert (status.state, rule_of(alice).last_outcome) == ("limit_reached", "purchase_limit")
    BillingProfile.objects.update(company_limit=Decimal(50))
    assert run(alice) is not None


def test_the_monthly_limit_counts_what_is_still_being_paid(alice: Member) -> None:
    set_rule(alice, LATE)
    assert run(alice) is not None
    assert bought_this_month(alice.company, now=NOON) == 50
    five_seconds_pass()
    advance_purchase(Purchase.objects.get().pk, now=NOON)
    assert bought_this_month(alice.company, now=NOON) == 50


def test_the_monthly_limit_counts_net(alice: Member) -> None:
    set_rule(alice, chosen=terms("1000", "50", "100"))
    run(alice, NOON)
    assert run(alice, NOON + timedelta(hours=1)) is not None
    assert Purchase.objects.latest("pk").total == 60
    assert bought_this_month(alice.company, now=NOON) == 100


def test_a_hard_decline_never_charges_another_card_without_consent(alice: Member) -> None:
    buy(alice, "1", now=NOON)
    set_rule(alice, STOLEN)
    run(alice)
    paused = Notice.objects.get(kind="auto_purchase_paused")
    assert paused.data["other"] == "•••• 4242"
    assert run(alice, NOON + timedelta(days=2)) is None
    charged = SandboxCharge.objects.filter(status="succeeded")
    assert [charge.amount for charge in charged] == [Decimal("1.2")]


def test_a_week_of_declines_is_four_attempts(alice: Member) -> None:
    set_rule(alice, DECLINED_LATER)
    at = NOON
    while at < NOON + timedelta(days=7):
        sweep_auto_purchases(now=at)
        for pk in Purchase.objects.filter(status="created").values_list("pk", flat=True):
            advance_purchase(pk, now=at)
        at += 15 * MINUTE
    sent = Purchase.objects.order_by("pk").values_list("sent_at", flat=True)
    assert [(moment - NOON) / timedelta(hours=1) for moment in sent if moment] == [0, 1, 4, 11]
    assert SandboxCharge.objects.count() == 4
    assert (rule_of(alice).state, rule_of(alice).paused_because) == ("paused", "declined")


def test_authentication_is_never_retried_in_a_week(alice: Member) -> None:
    set_rule(alice, ASKING_LATER)
    at = NOON
    while at < NOON + timedelta(days=7):
        sweep_auto_purchases(now=at)
        for pk in Purchase.objects.exclude(status__in=Purchase.FINAL).values_list("pk", flat=True):
            advance_purchase(pk, now=at)
        at += timedelta(hours=3)
    assert SandboxCharge.objects.count() == 1
    assert (rule_of(alice).state, rule_of(alice).paused_because) == ("paused", "not_authenticated")


def test_the_history_has_a_line_for_each_change_only(alice: Member) -> None:
    set_rule(alice, chosen=terms("1000", "50", "100"))
    for hour in range(6):
        run(alice, NOON + timedelta(hours=hour))
    lines = AutoPurchaseOutcome.objects.order_by("pk").values_list("outcome", flat=True)
    assert list(lines) == ["started", "purchased", "started", "purchased", "limit_reached"]
    assert rule_of(alice).outcome_since == NOON + timedelta(hours=2)
