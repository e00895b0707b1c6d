"""Suspending and reactivating: who may, what stops, what goes on, and what cannot race."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from credit.accounts import balances
from credit.allocation import Recipients
from credit.call_rows import CallRow
from credit.calls import charge_calls
from credit.holds import authorize_call, settle_call
from credit.models import Account, Rate, RechargeRule, Transfer
from credit.recharge import evaluate_purses
from credit.rules import RuleTerms, save_rules, switch_off_rule
from credit.standing import reactivate_member, suspend_member
from credit.sweeps import resume_rules, sweep_due_purses
from credit.verification import verify_ledger
from members.actors import Actor
from members.errors import LastAdministrator, MemberGone
from members.models import AuditEntry, Company, Member
from skypemgr.lib.errors import NotAllowed, NotFound
from tests.conftest import credit_company, give, make_member
from tests.credit.test_races import at_once

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _credit(alice: Member, bob: Member) -> None:
    """bob has 20, the company 980; a minute costs 0.6."""
    Rate.objects.create(
        prefix="33",
        kind="other",
        price_per_minute=Decimal("0.6"),
        currency="EUR",
        valid_from="2025-01-01",
    )
    credit_company(alice.company, "1000", now=NOON)
    give(alice, bob, "20", now=NOON)


def actor(member: Member) -> Actor:
    return Actor.of_member(member)


def suspend(alice: Member, member: Member, now: datetime = NOON) -> Member:
    return suspend_member(actor=actor(alice), member_id=member.pk, now=now)


def reactivate(alice: Member, member: Member, now: datetime = NOON) -> Member:
    return reactivate_member(actor=actor(alice), member_id=member.pk, now=now)


def rule_for(alice: Member, member: Member, amount: str, below: str, limit: str) -> None:
    save_rules(
        actor=actor(alice),
        recipients=Recipients(member_ids=(member.pk,)),
        terms=RuleTerms(Decimal(amount), Decimal(below), Decimal(limit)),
        now=NOON,
    )


def call(bob: Member, seconds: int, name: str = "1", now: datetime = NOON) -> Decimal:
    row = CallRow("pbx", name, bob.pk, "+33142278186", "2026-03-10T11:00:00Z", seconds)
    return charge_calls(bob.company, [row], now=now)[0].collected


def balance(member: Member) -> Decimal:
    return balances(member.company_id, [member.pk])[member.pk].balance


def armed(member: Member) -> tuple[Decimal | None, object]:
    purse = Account.objects.get(member=member)
    return purse.recharge_below, purse.recharge_resumes_on


def test_a_suspended_member_may_start_no_call_but_to_the_emergency_services(
    alice: Member, bob: Member
) -> None:
    suspend(alice, bob)
    wish: dict[str, Any] = {"source": "pbx", "member": "bob", "now": NOON}
    refused = authorize_call(bob.company, id="1", destination="+33142278186", **wish)
    assert (refused.allowed, refused.code) == (False, "member_suspended")
    assert authorize_call(bob.company, id="2", destination="112", **wish).allowed
    reactivate(alice, bob)
    assert authorize_call(bob.company, id="3", destination="+33142278186", **wish).allowed


def test_calls_made_and_in_progress_are_charged_after_the_suspension(
    alice: Member, bob: Member
) -> None:
    give(alice, bob, "30", now=NOON)
    started = authorize_call(
        bob.company, source="pbx", id="7", member="bob", destination="+33142278186", now=NOON
    )
    suspend(alice, bob)
    assert call(bob, 60) == Decimal("0.6")
    assert started.hold_id is not None
    settled = settle_call(
        bob.company, started.hold_id, started_at=NOON, duration_seconds=120, now=NOON
    )
    assert settled.collected == Decimal("1.2")
    assert balance(bob) == Decimal("48.2")
    assert verify_ledger() == []


def test_a_rule_does_nothing_while_its_member_is_suspended(alice: Member, bob: Member) -> None:
    rule_for(alice, bob, "10", "15", "100")
    suspend(alice, bob)
    assert armed(bob) == (None, None)
    call(bob, 600)
    assert sweep_due_purses(now=NOON) == 0
    purse = Account.objects.get(member=bob)
    assert evaluate_purses(bob.company_id, [purse.pk], now=NOON) == []
    assert balance(bob) == 14
    assert not Transfer.objects.filter(kind="auto_recharge").exists()


def test_a_suspended_member_keeps_and_may_be_given_credit(alice: Member, bob: Member) -> None:
    suspend(alice, bob)
    assert balance(bob) == 20
    give(alice, bob, "5", now=NOON)
    assert balance(bob) == 25


def test_reactivation_evaluates_the_rule_at_once(alice: Member, bob: Member) -> None:
    rule_for(alice, bob, "10", "15", "100")
    suspend(alice, bob)
    call(bob, 600)
    assert reactivate(alice, bob).status == Member.Status.ACTIVE
    assert balance(bob) == 24
    assert armed(bob) == (Decimal(15), None)


def test_reactivation_in_a_month_whose_limit_is_used_up_waits_for_the_next(
    alice: Member, bob: Member
) -> None:
    rule_for(alice, bob, "10", "30", "10")
    assert balance(bob) == 30
    call(bob, 600)
    suspend(alice, bob)
    assert armed(bob) == (None, None)
    reactivate(alice, bob)
    assert armed(bob)[1] == date(2026, 4, 1)
    assert balance(bob) == 24


def test_reactivation_in_the_next_month_finds_a_fresh_limit(alice: Member, bob: Member) -> None:
    rule_for(alice, bob, "10", "30", "10")
    call(bob, 600)
    suspend(alice, bob)
    april = datetime(2026, 4, 1, 12, tzinfo=UTC)
    assert resume_rules(now=april) == 0
    reactivate(alice, bob, now=april)
    assert balance(bob) == 34


def test_a_rule_that_is_off_stays_off_through_both(alice: Member, bob: Member) -> None:
    rule_for(alice, bob, "10", "15", "100")
    switch_off_rule(actor=actor(alice), member_id=bob.pk)
    suspend(alice, bob)
    reactivate(alice, bob)
    assert armed(bob) == (None, None)


def test_a_rule_saved_during_the_suspension_waits_for_the_return(
    alice: Member, bob: Member
) -> None:
    suspend(alice, bob)
    rule_for(alice, bob, "10", "25", "100")
    assert (armed(bob), balance(bob)) == ((None, None), 20)
    reactivate(alice, bob)
    assert balance(bob) == 30


def test_a_suspended_member_waits_for_no_company_credit(alice: Member, bob: Member) -> None:
    rule_for(alice, bob, "2000", "25", "9000")
    assert RechargeRule.objects.get(member=bob).waiting_since is not None
    suspend(alice, bob)
    assert RechargeRule.objects.get(member=bob).waiting_since is None
    reactivate(alice, bob)
    assert RechargeRule.objects.get(member=bob).waiting_since is not None


def test_in_a_frozen_company_reactivation_arms_and_moves_nothing(
    alice: Member, bob: Member
) -> None:
    rule_for(alice, bob, "10", "15", "100")
    suspend(alice, bob)
    call(bob, 600)
    Company.objects.filter(pk=bob.company_id).update(state="frozen")
    reactivate(alice, bob)
    assert (armed(bob), balance(bob)) == ((Decimal(15), None), 14)
    Company.objects.filter(pk=bob.company_id).update(state="active")
    assert sweep_due_purses(now=NOON) == 1


def test_doing_either_twice_is_harmless_and_recorded_once(alice: Member, bob: Member) -> None:
    suspend(alice, bob)
    suspend(alice, bob)
    reactivate(alice, bob)
    reactivate(alice, bob)
    verbs = AuditEntry.objects.filter(subject=f"member:{bob.pk}").order_by("pk")
    assert list(verbs.values_list("verb", flat=True)) == ["suspend_member", "reactivate_member"]


@pytest.mark.parametrize("verb", [suspend, reactivate])
def test_only_administrators_may_and_only_in_their_company(
    verb: object, alice: Member, bob: Member, fiona: Member, charlie: Member
) -> None:
    assert callable(verb)
    for outsider, refusal in ((bob, NotAllowed), (fiona, NotAllowed), (charlie, NotFound)):
        with pytest.raises(refusal):
            verb(outsider, alice)
    assert set(Member.objects.values_list("status", flat=True)) == {"active"}


def test_who_left_is_neither_suspended_nor_reactivated(alice: Member, bob: Member) -> None:
    Member.objects.filter(pk=bob.pk).update(status="left")
    for verb in (suspend, reactivate):
        with pytest.raises(MemberGone):
            verb(alice, bob)


def test_the_last_active_administrator_cannot_be_suspended(alice: Member, bob: Member) -> None:
    with pytest.raises(LastAdministrator):
        suspend(alice, alice)
    anna = make_member(alice.company, "anna", role="administrator")
    suspend(alice, anna)
    with pytest.raises(LastAdministrator):
        suspend(alice, alice)


@pytest.mark.django_db(transaction=True)
def test_two_administrators_who_suspend_each_other_leave_one(alice: Member) -> None:
    anna = make_member(alice.company, "anna", role="administrator")
    outcomes = at_once([lambda: suspend(alice, anna), lambda: suspend(anna, alice)])
    assert sum(isinstance(outcome, LastAdministrator) for outcome in outcomes) == 1
    assert Member.objects.filter(role="administrator", status="active").count() == 1


@pytest.mark.django_db(transaction=True)
def test_a_rule_saved_while_its_member_is_suspended_never_arms_the_purse(
    alice: Member, bob: Member
) -> None:
    for _round in range(10):
        outcomes = at_once(
            [lambda: rule_for(alice, bob, "10", "15", "100"), lambda: suspend(alice, bob)]
        )
        assert not [outcome for outcome in outcomes if isinstance(outcome, Exception)]
        assert armed(bob) == (None, None)
        reactivate(alice, bob)
        assert armed(bob)[0] == 15
    assert verify_ledger() == []
