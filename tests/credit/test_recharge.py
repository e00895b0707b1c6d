"""Auto-recharge of members: rules 1 to 7 of the product, told in numbers."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from credit.accounts import company_balance, ensure_accounts
from credit.allocation import Recipients
from credit.errors import CompanyNotActive, InvalidAmount
from credit.ledger import Move, post_transfers
from credit.models import Account, RechargeOutcome, RechargeRule, Transfer
from credit.recharge import evaluate_purses
from credit.recharge_plan import plan_recharge
from credit.rules import RuleTerms, SavedRules, describe_rule, save_rules, switch_off_rule
from credit.sweeps import resume_rules, serve_waiting_rules, sweep_due_purses
from members.actors import Actor
from members.models import Company, Member, Notice
from skypemgr.lib.errors import NotAllowed
from tests.conftest import credit_company, give, make_member

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)


def terms(amount: str, threshold: str, limit: str) -> RuleTerms:
    return RuleTerms(Decimal(amount), Decimal(threshold), Decimal(limit))


def rule_for(
    alice: Member, member: Member, amount: str, threshold: str, limit: str, now: datetime = NOON
) -> SavedRules:
    return save_rules(
        actor=Actor.of_member(alice),
        recipients=Recipients(member_ids=(member.pk,)),
        terms=terms(amount, threshold, limit),
        now=now,
    )


def balance(member: Member) -> Decimal:
    return Account.objects.get(member=member).balance


def spend(member: Member, amount: str, now: datetime = NOON) -> None:
    """A call's debit, and what the waking of the purse does."""
    accounts = ensure_accounts(member.company, [member.pk])
    purse = accounts.members[member.pk]
    count = Transfer.objects.count()
    move = Move("call", purse, accounts.calls, Decimal(amount), f"call:test:{count}")
    post_transfers(member.company.pk, [move], now=now)
    evaluate_purses(member.company.pk, [purse], now=now)


def recharges(member: Member) -> list[Decimal]:
    return list(
        Transfer.objects.filter(kind="auto_recharge", destination__member=member)
        .order_by("pk")
        .values_list("amount", flat=True)
    )


def test_below_the_level_recharges_and_equal_does_not(
    alice: Member, acme: Company, bob: Member
) -> None:
    credit_company(acme, "100", now=NOON)
    give(alice, bob, "6", now=NOON)
    rule_for(alice, bob, "10", "5", "40")
    spend(bob, "1")
    assert (balance(bob), recharges(bob)) == (5, [])
    spend(bob, "0.0001")
    assert (balance(bob), recharges(bob)) == (Decimal("14.9999"), [10])


def test_saving_evaluates_at_once(alice: Member, acme: Company, bob: Member) -> None:
    credit_company(acme, "100", now=NOON)
    saved = rule_for(alice, bob, "10", "5", "40")
    assert saved.recharged == 10
    assert balance(bob) == 10


def test_the_fewest_steps_are_one_transfer(alice: Member, acme: Company, bob: Member) -> None:
    credit_company(acme, "100", now=NOON)
    rule_for(alice, bob, "10", "35", "1000")
    assert recharges(bob) == [40]


@pytest.mark.parametrize("zone", ["Europe/Paris", "Pacific/Auckland"])
def test_limit_25_amount_10_gives_10_10_5_then_rests_until_the_first_in_the_companys_zone(
    alice: Member, acme: Company, bob: Member, zone: str
) -> None:
    Company.objects.filter(pk=acme.pk).update(time_zone=zone)
    acme.refresh_from_db()
    credit_company(acme, "100", now=NOON)
    rule_for(alice, bob, "10", "5", "25")
    spend(bob, "8")
    spend(bob, "8")
    spend(bob, "7")
    assert recharges(bob) == [10, 10, 5]
    status = describe_rule(bob, now=NOON)
    assert status is not None
    assert (status.state, status.resumes_on.isoformat()) == ("suspended", "2026-04-01")
    midnight = datetime(2026, 4, 1, tzinfo=ZoneInfo(zone))
    spend(bob, "0.5", now=midnight - timedelta(seconds=1))
    assert recharges(bob) == [10, 10, 5]
    spend(bob, "0.5", now=midnight)
    assert recharges(bob) == [10, 10, 5, 10]


def test_the_resume_job_serves_those_who_make_no_call(
    alice: Member, acme: Company, bob: Member
) -> None:
    credit_company(acme, "100", now=NOON)
    rule_for(alice, bob, "10", "5", "10")
    spend(bob, "9")
    before = datetime(2026, 3, 31, 21, 59, tzinfo=UTC)
    assert resume_rules(now=before) == 0
    after = datetime(2026, 3, 31, 22, 0, tzinfo=UTC)
    assert resume_rules(now=after) == 1
    assert sweep_due_purses(now=after) == 1
    assert sweep_due_purses(now=after) == 0
    assert recharges(bob) == [10, 10]


def test_an_allocation_by_hand_does_not_count_towards_the_limit(
    alice: Member, acme: Company, bob: Member
) -> None:
    credit_company(acme, "100", now=NOON)
    rule_for(alice, bob, "10", "5", "20")
    give(alice, bob, "30", now=NOON)
    spend(bob, "36")
    assert recharges(bob) == [10, 10]


def test_switching_off_and_on_never_refreshes_the_months_total(
    alice: Member, acme: Company, bob: Member
) -> None:
    credit_company(acme, "100", now=NOON)
    rule_for(alice, bob, "10", "5", "10")
    switch_off_rule(actor=Actor.of_member(alice), member_id=bob.pk)
    spend(bob, "9")
    assert recharges(bob) == [10]
    rule_for(alice, bob, "10", "5", "10")
    assert recharges(bob) == [10]
    status = describe_rule(bob, now=NOON)
    assert status is not None
    assert (status.state, status.left_this_month) == ("suspended", 0)


def test_lowering_the_limit_suspends_at_once_and_raising_it_resumes_at_once(
    alice: Member, acme: Company, bob: Member
) -> None:
    credit_company(acme, "100", now=NOON)
    rule_for(alice, bob, "10", "5", "40")
    rule_for(alice, bob, "10", "5", "10")
    lowered = describe_rule(bob, now=NOON)
    assert lowered is not None
    assert lowered.state == "suspended"
    spend(bob, "9")
    assert recharges(bob) == [10]
    rule_for(alice, bob, "10", "5", "15")
    assert recharges(bob) == [10, 5]


def test_an_amount_above_the_limit_is_accepted_and_cut(
    alice: Member, acme: Company, bob: Member
) -> None:
    credit_company(acme, "100", now=NOON)
    saved = rule_for(alice, bob, "50", "5", "20")
    assert saved.is_cut
    assert recharges(bob) == [20]


def test_an_empty_company_recharges_nobody_and_everybody_once_credited_oldest_wait_first(
    alice: Member, acme: Company, bob: Member, fiona: Member
) -> None:
    dora = make_member(acme, "dora")
    rule_for(alice, bob, "30", "5", "60", now=NOON)
    rule_for(alice, dora, "10", "5", "40", now=NOON + timedelta(minutes=1))
    rule_for(alice, fiona, "10", "5", "40", now=NOON + timedelta(minutes=2))
    assert Transfer.objects.count() == 0
    status = describe_rule(bob, now=NOON)
    assert status is not None
    assert (status.state, status.last_outcome) == ("waiting", "company_credit_too_low")
    later = NOON + timedelta(hours=1)
    credit_company(acme, "25", now=later)
    assert serve_waiting_rules(acme.pk, now=later) == 2
    # bob's 30 cannot be paid and does not hold up the smaller ones.
    assert (recharges(bob), recharges(dora), recharges(fiona)) == ([], [10], [10])
    credit_company(acme, "100", now=later)
    assert serve_waiting_rules(acme.pk, now=later) == 1
    assert recharges(bob) == [30]
    assert company_balance(acme) == 75


def test_an_allocation_ends_a_wait_and_the_next_one_starts_anew(
    alice: Member, acme: Company, bob: Member
) -> None:
    rule_for(alice, bob, "10", "5", "60", now=NOON)
    credit_company(acme, "6", now=NOON)
    give(alice, bob, "6", now=NOON)
    status = describe_rule(bob, now=NOON)
    assert status is not None
    assert status.state == "on"
    later = NOON + timedelta(hours=1)
    credit_company(acme, "1", now=later)
    assert serve_waiting_rules(acme.pk, now=later) == 0
    rule = RechargeRule.objects.get(member=bob)
    assert (rule.waiting_since, rule.last_outcome) == (None, "not_due")
    spend(bob, "2", now=later + timedelta(hours=1))
    rule.refresh_from_db()
    assert rule.waiting_since == later + timedelta(hours=1)


def test_a_blocked_rule_is_left_alone_until_the_companys_purse_moved(
    alice: Member, acme: Company, bob: Member
) -> None:
    rule_for(alice, bob, "30", "5", "60")
    assert sweep_due_purses(now=NOON) == 0
    before = RechargeRule.objects.get().last_outcome_at
    sweep_due_purses(now=NOON + timedelta(minutes=1))
    assert RechargeRule.objects.get().last_outcome_at == before
    credit_company(acme, "100", now=NOON)
    assert sweep_due_purses(now=NOON + timedelta(minutes=2)) == 1


def test_administrators_are_told_once_until_the_company_is_next_credited(
    alice: Member, acme: Company, bob: Member, fiona: Member
) -> None:
    rule_for(alice, bob, "30", "5", "60")
    rule_for(alice, fiona, "30", "5", "60")
    assert Notice.objects.filter(kind="recharge_blocked", member=alice).count() == 1
    credit_company(acme, "1", now=NOON)
    serve_waiting_rules(acme.pk, now=NOON)
    assert Notice.objects.filter(kind="recharge_blocked", member=alice).count() == 2


def test_history_gets_a_row_only_when_the_outcome_changes(
    alice: Member, acme: Company, bob: Member
) -> None:
    credit_company(acme, "100", now=NOON)
    rule_for(alice, bob, "10", "5", "40")
    spend(bob, "6")
    spend(bob, "10", now=NOON + timedelta(hours=1))
    assert [row.outcome for row in RechargeOutcome.objects.order_by("pk")] == ["recharged"]
    rule = RechargeRule.objects.get()
    assert (rule.outcome_since, rule.last_outcome_at) == (NOON, NOON + timedelta(hours=1))


def test_a_frozen_company_recharges_nobody(alice: Member, acme: Company, bob: Member) -> None:
    credit_company(acme, "100", now=NOON)
    rule_for(alice, bob, "10", "5", "40")
    Company.objects.filter(pk=acme.pk).update(state="frozen")
    spend(bob, "8")
    assert sweep_due_purses(now=NOON) == 0
    assert recharges(bob) == [10]
    alice.company.refresh_from_db()
    with pytest.raises(CompanyNotActive):
        rule_for(alice, bob, "10", "5", "40")


def test_evaluating_again_and_again_changes_nothing(
    alice: Member, acme: Company, bob: Member
) -> None:
    credit_company(acme, "100", now=NOON)
    rule_for(alice, bob, "10", "5", "40")
    spend(bob, "8")
    purse = Account.objects.get(member=bob).pk
    for _ in range(3):
        evaluate_purses(acme.pk, [purse], now=NOON)
    assert recharges(bob) == [10, 10]


def test_only_an_administrator_saves_a_rule(bob: Member, fiona: Member) -> None:
    for member in (bob, fiona):
        with pytest.raises(NotAllowed):
            rule_for(member, bob, "10", "5", "40")
    assert not RechargeRule.objects.exists()


@pytest.mark.parametrize("field", ["amount", "threshold", "monthly_limit"])
def test_each_field_must_be_above_zero_and_is_named(alice: Member, bob: Member, field: str) -> None:
    values = {"amount": "1", "threshold": "1", "monthly_limit": "1", field: "0"}
    with pytest.raises(InvalidAmount) as refusal:
        rule_for(alice, bob, values["amount"], values["threshold"], values["monthly_limit"])
    assert refusal.value.field == field


CENTS = st.decimals(min_value=Decimal("0.0001"), max_value=Decimal("300"), places=4)


@given(
    balance=st.decimals(min_value=0, max_value=Decimal("60"), places=4),
    threshold=CENTS,
    amount=st.decimals(min_value=Decimal("1"), max_value=Decimal("60"), places=4),
    left=st.decimals(min_value=Decimal("-5"), max_value=Decimal("200"), places=4),
    company=st.decimals(min_value=0, max_value=Decimal("300"), places=4),
)
def test_the_computed_plan_is_that_of_the_loop(
    balance: Decimal, threshold: Decimal, amount: Decimal, left: Decimal, company: Decimal
) -> None:
    plan = plan_recharge(
        balance=balance,
        threshold=threshold,
        amount=amount,
        limit_left=left,
        company_available=company,
    )
    paid, unpaid = Decimal(0), False
    while balance + paid < threshold and left - paid > 0:
        step = min(amount, left - paid)
        if company - paid < step:
            unpaid = True
            break
        paid += step
    assert (plan.paid, plan.is_unpaid) == (paid, unpaid)
