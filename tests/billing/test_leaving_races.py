"""People go and companies close while credit moves, on real connections."""

import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from functools import partial
from threading import Event
from time import sleep
from typing import TypeVar

import pytest
from django.db import transaction

from billing.closing import close_company
from billing.errors import ClosingRefused
from billing.leaving import leave_company, remove_members
from billing.models import Purchase
from credit import allocation
from credit.accounts import balances
from credit.allocation import Recipients, allocate
from credit.credit_requests import approve_request, request_credit
from credit.holds import authorize_call
from credit.models import Account, CreditRequest, Rate, RechargeRule
from credit.recharge import evaluate_purses
from credit.requests import OutsideKey
from credit.rules import RuleTerms, save_rules
from credit.verification import verify_ledger
from members.actors import Actor
from members.errors import LastAdministrator
from members.invitations import invite_members
from members.joining import create_member
from members.models import Company, Invitation, Member
from skypemgr.lib.errors import ProductError
from skypemgr.lib.prepared import Prepared
from tests.billing.conftest import create
from tests.conftest import credit_company, give, make_member
from tests.credit.test_races import at_once

pytestmark = pytest.mark.django_db(transaction=True)
NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)
T = TypeVar("T")
Work = Callable[[], object]


def of(member: Member) -> Actor:
    return Actor.of_member(Member.objects.select_related("company", "user").get(pk=member.pk))


def remove(alice: Member, *members: Member) -> int:
    ids = [member.pk for member in members]
    return remove_members(actor=of(alice), member_ids=ids, now=NOON).count


def rule_for(alice: Member, *members: Member) -> None:
    save_rules(
        actor=of(alice),
        recipients=Recipients(member_ids=tuple(member.pk for member in members)),
        terms=RuleTerms(Decimal(10), Decimal(5), Decimal(100)),
        now=NOON,
    )


def approve(alice: Member, request_id: int) -> object:
    return approve_request(actor=of(alice), request_id=request_id, now=NOON).status


def balance(member: Member) -> Decimal:
    return balances(member.company_id, [member.pk])[member.pk].balance


def status(member: Member) -> str:
    return Member.objects.values_list("status", flat=True).get(pk=member.pk)


def one_in_the_others_way(first: Work, second: Work) -> tuple[object, object]:
    """``second`` starts when ``first`` has done its work but not yet committed."""
    done = Event()

    def hold() -> object:
        try:
            with transaction.atomic():
                made = first()
                done.set()
                sleep(0.4)
            return made
        finally:
            done.set()

    def follow() -> object:
        done.wait(10)
        return second()

    outcomes = at_once([hold, follow])
    return outcomes[0], outcomes[1]


def code(outcome: object) -> str:
    return outcome.code if isinstance(outcome, ProductError) else repr(outcome)


def test_two_administrators_who_remove_each_other_leave_one(alice: Member) -> None:
    for turn in range(5):
        anna = make_member(alice.company, f"anna{turn}", role="administrator")
        # Both asked before either was gone, however late a thread begins.
        pairs = [(of(alice), anna), (of(anna), alice)]
        outcomes = at_once(
            [
                partial(remove_members, actor=actor, member_ids=[other.pk], now=NOON)
                for actor, other in pairs
            ]
        )
        assert sum(isinstance(outcome, LastAdministrator) for outcome in outcomes) == 1
        alice = Member.objects.get(role="administrator", status="active")


def test_two_administrators_who_leave_at_once_leave_one(alice: Member) -> None:
    anna = make_member(alice.company, "anna", role="administrator")
    outcomes = at_once([partial(leave_company, actor=of(one)) for one in (alice, anna)])
    assert sum(isinstance(outcome, LastAdministrator) for outcome in outcomes) == 1
    assert Member.objects.filter(role="administrator", status="active").count() == 1


def test_one_member_removed_by_eight_at_once_is_removed_once(alice: Member, bob: Member) -> None:
    outcomes = at_once([lambda: remove(alice, bob)] * 8)
    assert sorted(map(str, outcomes)) == ["0"] * 7 + ["1"]


@pytest.mark.parametrize("has_purse", [True, False])
def test_an_allocation_that_waits_for_a_removal_adds_nothing(
    alice: Member, bob: Member, has_purse: bool
) -> None:
    credit_company(alice.company, "100", now=NOON)
    if has_purse:
        give(alice, bob, "5", now=NOON)
    before = balance(bob)
    removed, given = one_in_the_others_way(
        lambda: remove(alice, bob), lambda: give(alice, bob, "7", now=NOON)
    )
    assert (removed, code(given)) == (1, "member_gone")
    assert balance(bob) == before


def test_without_the_lock_an_allocation_reaches_somebody_removed(
    alice: Member, bob: Member, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The race is real."""
    credit_company(alice.company, "100", now=NOON)
    give(alice, bob, "5", now=NOON)
    unlocked = allocation.HOLD_NAMED.text.replace("FOR SHARE", "")
    monkeypatch.setattr(allocation, "HOLD_NAMED", Prepared(unlocked))
    removed, _given = one_in_the_others_way(
        lambda: remove(alice, bob), lambda: give(alice, bob, "7", now=NOON)
    )
    assert (removed, status(bob), balance(bob)) == (1, "removed", 12)


def test_an_allocation_to_all_leaves_out_whoever_is_removed_meanwhile(
    alice: Member, bob: Member
) -> None:
    credit_company(alice.company, "100", now=NOON)

    def to_all() -> object:
        return allocate(
            actor=of(alice),
            amount=Decimal(7),
            recipients=Recipients(all_members=True),
            request=OutsideKey.of_form(str(uuid.uuid4()), "7"),
            now=NOON,
        ).transfers_count

    assert one_in_the_others_way(lambda: remove(alice, bob), to_all) == (1, 1)
    assert (balance(bob), balance(alice)) == (0, 7)


def test_a_removal_that_waits_for_an_allocation_comes_after_it(alice: Member, bob: Member) -> None:
    credit_company(alice.company, "100", now=NOON)
    _given, removed = one_in_the_others_way(
        lambda: give(alice, bob, "7", now=NOON), lambda: remove(alice, bob)
    )
    assert (removed, balance(bob), status(bob)) == (1, 7, "removed")


def test_a_recharge_that_waits_for_a_removal_adds_nothing(alice: Member, bob: Member) -> None:
    rule_for(alice, bob)
    credit_company(alice.company, "100", now=NOON)
    purse = Account.objects.get(member=bob)
    assert purse.is_due
    removed, evaluated = one_in_the_others_way(
        lambda: remove(alice, bob),
        lambda: evaluate_purses(bob.company_id, [purse.pk], now=NOON),
    )
    assert (removed, evaluated, balance(bob)) == (1, [], 0)


def test_a_rule_saved_while_its_member_is_removed_stays_off(alice: Member, bob: Member) -> None:
    removed, saved = one_in_the_others_way(lambda: remove(alice, bob), lambda: rule_for(alice, bob))
    assert (removed, code(saved)) == (1, "member_gone")
    assert not RechargeRule.objects.filter(is_on=True).exists()


def test_an_approval_and_a_removal_at_once_never_collide(alice: Member) -> None:
    credit_company(alice.company, "100", now=NOON)
    for turn in range(8):
        member = make_member(alice.company, f"m{turn}")
        wish = request_credit(actor=of(member), amount=Decimal(1), reason="Calls")
        works: list[Work] = [partial(approve, alice, wish.pk), partial(remove, alice, member)]
        outcomes = at_once(works)
        assert outcomes[1] == 1
        assert code(outcomes[0]) in ("'approved'", "request_answered", "member_gone")
        assert balance(member) == (1 if outcomes[0] == "approved" else 0)
    assert not CreditRequest.objects.filter(status="open").exists()
    assert verify_ledger() == []


def test_removals_allocations_and_rules_of_many_at_once_never_deadlock(alice: Member) -> None:
    credit_company(alice.company, "10000", now=NOON)
    people = [make_member(alice.company, f"m{n}") for n in range(24)]
    give_all = Recipients(all_members=True)

    def to_all() -> object:
        return allocate(
            actor=of(alice),
            amount=Decimal(1),
            recipients=give_all,
            request=OutsideKey.of_form(str(uuid.uuid4()), "1"),
            now=NOON,
        ).transfers_count

    works: list[Work] = []
    for start in range(0, 24, 6):
        some = people[start : start + 6]
        works += [
            partial(rule_for, alice, *some[::-1]),
            partial(remove, alice, *some[:4]),
            partial(remove, alice, *some[2:][::-1]),
            to_all,
        ]
    outcomes = at_once(works)
    unexpected = [o for o in outcomes if isinstance(o, Exception) and code(o) != "member_gone"]
    assert unexpected == []
    assert not RechargeRule.objects.exclude(member__status="active").filter(is_on=True).exists()
    assert verify_ledger() == []


def close(alice: Member) -> str:
    return close_company(actor=of(alice), now=NOON).state


LATECOMERS: dict[str, Callable[[Member, Member], object]] = {
    "purchase": lambda alice, bob: create(alice),
    "rule": rule_for,
    "request": lambda alice, bob: request_credit(actor=of(bob), amount=Decimal(1), reason="Calls"),
    "invitation": lambda alice, bob: invite_members(
        actor=of(alice), way="email", addresses=["dora@example.com"]
    ),
    "account": lambda alice, bob: create_member(
        actor=of(alice), email="dora@example.com", name="Dora"
    ),
}


@pytest.mark.parametrize("late", sorted(LATECOMERS))
def test_whatever_waits_for_the_closing_is_refused(late: str, alice: Member, bob: Member) -> None:
    actors = [of(alice), of(bob)]
    assert all(actors)
    closed, outcome = one_in_the_others_way(
        lambda: close(alice), lambda: LATECOMERS[late](alice, bob)
    )
    assert (closed, code(outcome)) == ("closed", "company_closed")
    assert not Purchase.objects.exists()
    assert not RechargeRule.objects.filter(is_on=True).exists()
    assert not CreditRequest.objects.filter(status="open").exists()
    assert not Invitation.objects.filter(status="pending").exists()
    assert Member.objects.count() == 2


@pytest.mark.parametrize("early", sorted(LATECOMERS))
def test_the_closing_waits_for_what_came_first(early: str, alice: Member, bob: Member) -> None:
    _made, closed = one_in_the_others_way(
        lambda: LATECOMERS[early](alice, bob), lambda: close(alice)
    )
    if early == "purchase":
        assert isinstance(closed, ClosingRefused)
        assert closed.code == "purchase_open"
        return
    assert closed == "closed"
    assert not RechargeRule.objects.filter(is_on=True).exists()
    assert not Account.objects.exclude(recharge_below=None).exists()
    assert not CreditRequest.objects.filter(status="open").exists()
    assert not Invitation.objects.filter(status="pending").exists()


def test_the_closing_waits_for_a_call_that_is_being_authorised(alice: Member, bob: Member) -> None:
    Rate.objects.create(
        prefix="33",
        kind="other",
        price_per_minute=Decimal("0.6"),
        currency="EUR",
        valid_from="2025-01-01",
    )
    credit_company(alice.company, "20", now=NOON)
    give(alice, bob, "20", now=NOON)

    def ask() -> object:
        return authorize_call(
            bob.company, source="pbx", id="1", member="bob", destination="+33142278186", now=NOON
        ).allowed

    assert one_in_the_others_way(ask, lambda: code(_caught(close, alice))) == (
        True,
        "calls_in_progress",
    )
    assert Company.objects.get(pk=alice.company_id).state == "active"


def _caught(verb: Callable[[Member], T], alice: Member) -> T | Exception:
    try:
        return verb(alice)
    except ProductError as error:
        return error
