"""The company's auto-recharge buys when it should, once, within its limit, and stops in time."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from billing.auto_purchase import evaluate_auto_purchase, sweep_auto_purchases
from billing.auto_rules import describe_rule, resume_rule, save_rule, switch_off_rule
from billing.consent import VERSION
from billing.gateways.sandbox import SandboxGateway
from billing.links import read_authentication_link
from billing.models import AutoPurchaseConsent, AutoPurchaseRule, Purchase, SandboxCharge
from billing.purchases import advance_purchase
from billing.reconciliation import advance_open_purchases
from credit.accounts import company_balance
from members.actors import Actor
from members.models import Company, Member, Notice
from tests.billing.conftest import (
    ASKING_LATER,
    DECLINED,
    DECLINED_LATER,
    DOWN,
    GOOD,
    LATE,
    LOST,
    NOON,
    STOLEN,
    armed_below,
    buy,
    card_of,
    create,
    five_seconds_pass,
    rule_of,
    run,
    set_rule,
    sweep,
    terms,
)
from tests.conftest import credit_company, give

pytestmark = pytest.mark.django_db


def kinds(alice: Member) -> list[str]:
    return list(Notice.objects.filter(member=alice).order_by("pk").values_list("kind", flat=True))


def test_the_tick_takes_effect_when_the_purchase_is_paid(alice: Member) -> None:
    purchase = buy(alice, "50", terms=terms("20", "50", "200"))
    rule = rule_of(alice)
    assert (rule.state, rule.level, rule.amount, rule.monthly_limit) == ("on", 20, 50, 200)
    consent = AutoPurchaseConsent.objects.get()
    assert (consent.purchase, consent.member) == (purchase, alice)
    assert (rule.consent_by, rule.consent_version) == (alice, VERSION)
    # As the check page showed it.
    assert "Test card •••• 4242 is charged €50.00" in consent.text
    assert armed_below(alice) == 20


def test_the_tick_has_no_effect_when_the_purchase_is_declined(alice: Member) -> None:
    buy(alice, "50", number=DECLINED, terms=terms())
    assert AutoPurchaseConsent.objects.count() == 1
    assert not AutoPurchaseRule.objects.exists()


def test_a_late_payment_does_not_bring_back_an_older_wish(alice: Member) -> None:
    buy(alice, "50", number=LATE, terms=terms("20", "50", "200"))
    save_rule(
        actor=Actor.of_member(alice),
        method=card_of(alice),
        terms=terms("30", "60", "300"),
        consent_version=VERSION,
    )
    five_seconds_pass()
    sweep()
    assert rule_of(alice).level == 30


def test_it_buys_strictly_below_the_level_only(alice: Member) -> None:
    set_rule(alice)
    credit_company(alice.company, "20")
    assert run(alice) is None
    give(alice, alice, "0.0001")
    purchase = run(alice)
    assert purchase is not None
    assert (purchase.is_automatic, purchase.status, purchase.amount) == (True, "succeeded", 50)
    assert company_balance(alice.company) == Decimal("69.9999")
    assert rule_of(alice).last_outcome == "purchased"


def test_nothing_is_bought_while_another_payment_is_open(alice: Member) -> None:
    set_rule(alice)
    open_one = create(alice, now=NOON)
    assert run(alice) is None
    advance_purchase(open_one.pk, now=NOON)
    assert company_balance(alice.company) == 50


def test_an_unknown_outcome_blocks_until_it_is_resolved_and_is_no_decline(alice: Member) -> None:
    set_rule(alice, LOST, terms("60"))
    purchase = run(alice)
    assert purchase is not None
    assert purchase.status == "unknown"
    assert run(alice, NOON + timedelta(hours=2)) is None
    assert (rule_of(alice).declined_count, rule_of(alice).state) == (0, "on")
    five_seconds_pass()
    advance_open_purchases(now=NOON + timedelta(hours=2))
    assert company_balance(alice.company) == 50
    assert run(alice, NOON + timedelta(hours=3)) is not None


def test_a_purchase_that_would_pass_the_limit_is_not_made_and_never_cut(alice: Member) -> None:
    set_rule(alice, chosen=terms("1000", "50", "120"))
    assert run(alice) is not None
    assert run(alice) is not None
    assert run(alice) is None
    assert company_balance(alice.company) == 100
    status = describe_rule(alice.company, now=NOON)
    assert status is not None
    assert (status.state, status.bought_this_month, status.left_this_month) == (
        "limit_reached",
        100,
        20,
    )


def test_only_automatic_purchases_count_for_the_limit(alice: Member) -> None:
    set_rule(alice, chosen=terms("1000", "50", "50"))
    buy(alice, "500", now=NOON)
    assert run(alice) is not None
    assert run(alice) is None


@pytest.mark.parametrize(
    ("zone", "before", "after"),
    [
        (
            "Europe/Paris",
            datetime(2026, 11, 30, 22, 59, tzinfo=UTC),
            datetime(2026, 11, 30, 23, 0, tzinfo=UTC),
        ),
        (
            "Pacific/Auckland",
            datetime(2026, 11, 30, 10, 59, tzinfo=UTC),
            datetime(2026, 11, 30, 11, 0, tzinfo=UTC),
        ),
    ],
)
def test_the_limit_begins_anew_with_the_companys_month(
    alice: Member, zone: str, before: datetime, after: datetime
) -> None:
    Company.objects.update(time_zone=zone)
    set_rule(alice, chosen=terms("1000", "50", "50"))
    assert run(alice) is not None
    assert run(alice, before) is None
    assert run(alice, after) is not None


def test_a_raised_limit_buys_at_once(alice: Member) -> None:
    set_rule(alice, chosen=terms("1000", "50", "50"))
    run(alice)
    assert run(alice) is None
    set_rule(alice, chosen=terms("1000", "50", "100"))
    assert run(alice) is not None


def test_declines_are_tried_again_after_1_3_and_7_hours_then_it_pauses(alice: Member) -> None:
    buy(alice, "10", number=DECLINED_LATER, now=NOON)
    set_rule(alice, DECLINED_LATER)
    at, waits = NOON, []
    for hours in (1, 3, 7):
        purchase = run(alice, at)
        assert purchase is not None
        assert purchase.status == "declined"
        due = at + timedelta(hours=hours)
        assert rule_of(alice).next_attempt_at == due
        assert run(alice, due - timedelta(seconds=1)) is None
        waits.append(due - at)
        at = due
    assert run(alice, at) is not None
    rule = rule_of(alice)
    assert (rule.state, rule.next_attempt_at, rule.last_outcome) == ("paused", None, "declined")
    assert run(alice, at + timedelta(days=30)) is None
    assert kinds(alice) == ["purchase_succeeded", "auto_purchase_declined", "auto_purchase_paused"]
    assert armed_below(alice) is None


def test_a_hard_decline_pauses_at_once_with_one_mail(alice: Member) -> None:
    set_rule(alice, STOLEN)
    run(alice)
    assert rule_of(alice).state == "paused"
    assert kinds(alice) == ["auto_purchase_paused"]


@pytest.mark.parametrize("state", ["on", "paused"])
def test_a_settled_purchase_clears_declines_and_ends_a_pause(alice: Member, state: str) -> None:
    set_rule(alice, DECLINED_LATER if state == "on" else STOLEN)
    run(alice)
    assert rule_of(alice).state == state
    buy(alice, "10", now=NOON)
    rule = rule_of(alice)
    assert (rule.state, rule.declined_count, rule.next_attempt_at) == ("on", 0, None)
    assert armed_below(alice) == 20


def test_an_administrator_resumes_a_pause(alice: Member) -> None:
    set_rule(alice, STOLEN)
    run(alice)
    resume_rule(actor=Actor.of_member(alice))
    assert rule_of(alice).state == "on"
    assert run(alice) is not None


def test_another_card_resumes_a_pause(alice: Member) -> None:
    set_rule(alice, STOLEN)
    run(alice)
    set_rule(alice, GOOD)
    purchase = run(alice)
    assert purchase is not None
    assert purchase.status == "succeeded"


def test_a_decline_of_the_old_card_does_not_pause_the_new_one(alice: Member) -> None:
    set_rule(alice, STOLEN)
    pk = evaluate_auto_purchase(alice.company_id, now=NOON)
    assert pk is not None
    set_rule(alice, GOOD)
    advance_purchase(pk, now=NOON)
    assert rule_of(alice).state == "on"


def test_authentication_is_asked_by_a_signed_link_and_never_retried(alice: Member) -> None:
    set_rule(alice, ASKING_LATER)
    purchase = run(alice)
    assert purchase is not None
    assert purchase.status == "requires_action"
    assert run(alice, NOON + timedelta(hours=12)) is None
    notice = Notice.objects.get(kind="authentication_needed")
    token = notice.data["url"].strip("/").split("/")[-1]
    assert read_authentication_link(token) == purchase.pk
    assert read_authentication_link(token + "x") is None
    SandboxGateway().answer_bank(SandboxCharge.objects.get(), approved=True)
    advance_purchase(purchase.pk, now=NOON + timedelta(hours=13))
    assert company_balance(alice.company) == 50
    assert rule_of(alice).state == "on"


def test_authentication_not_given_within_a_day_is_called_off_and_pauses(alice: Member) -> None:
    set_rule(alice, ASKING_LATER)
    purchase = run(alice)
    assert purchase is not None
    advance_open_purchases(now=NOON + timedelta(hours=24))
    purchase.refresh_from_db()
    assert purchase.status == "expired"
    assert SandboxCharge.objects.get().status == "expired"
    assert (rule_of(alice).state, rule_of(alice).last_outcome) == ("paused", "expired")
    assert kinds(alice) == ["authentication_needed", "auto_purchase_paused"]


def test_refused_authentication_pauses(alice: Member) -> None:
    set_rule(alice, ASKING_LATER)
    purchase = run(alice)
    assert purchase is not None
    SandboxGateway().answer_bank(SandboxCharge.objects.get(), approved=False)
    advance_purchase(purchase.pk, now=NOON)
    assert rule_of(alice).state == "paused"


@pytest.mark.parametrize("state", [Company.State.FROZEN, Company.State.CLOSED])
def test_a_company_that_is_not_active_buys_nothing_by_itself(alice: Member, state: str) -> None:
    set_rule(alice)
    Company.objects.update(state=state)
    assert run(alice) is None
    assert sweep_auto_purchases(now=NOON) == []


def test_a_rule_that_is_off_buys_nothing(alice: Member) -> None:
    set_rule(alice)
    switch_off_rule(actor=Actor.of_member(alice))
    assert run(alice) is None
    assert armed_below(alice) is None


def test_the_sweep_finds_rules_that_were_never_told(alice: Member, charlie: Member) -> None:
    set_rule(alice)
    set_rule(charlie)
    credit_company(charlie.company, "1000")
    (pk,) = sweep_auto_purchases(now=NOON)
    assert Purchase.objects.get(pk=pk).company == alice.company
    assert sweep_auto_purchases(now=NOON) == []


def test_what_the_worker_never_sent_expires_without_blame(alice: Member) -> None:
    set_rule(alice)
    pk = evaluate_auto_purchase(alice.company_id, now=NOON)
    assert pk is not None
    assert advance_purchase(pk, now=NOON + timedelta(hours=2)).status == "expired"
    assert rule_of(alice).state == "on"
    assert run(alice, NOON + timedelta(hours=2)) is not None


def test_what_a_long_outage_kept_from_the_gateway_is_no_decline(alice: Member) -> None:
    set_rule(alice, DOWN)
    purchase = run(alice)
    assert purchase is not None
    assert purchase.status == "unknown"
    five_seconds_pass()
    assert advance_purchase(purchase.pk, now=NOON + timedelta(hours=2)).status == "expired"
    assert (rule_of(alice).state, kinds(alice)) == ("on", [])
    assert run(alice, NOON + timedelta(hours=2)) is not None


def test_a_level_far_above_the_amount_is_reached_step_by_step(alice: Member) -> None:
    set_rule(alice, chosen=terms("120", "50", "500"))
    for _ in range(5):
        run(alice)
    assert company_balance(alice.company) == 150
