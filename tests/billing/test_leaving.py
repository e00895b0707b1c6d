"""Being removed and leaving: who may, what ends, what stays, and what was said before."""

import uuid
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from billing.leaving import (
    leave_company,
    preview_leaving,
    preview_removal,
    remove_members,
)
from billing.methods import confirm_method, save_card
from credit.accounts import balances
from credit.allocation import Recipients, allocate
from credit.call_rows import CallRow
from credit.calls import charge_calls
from credit.credit_requests import request_credit
from credit.errors import MemberGone
from credit.holds import authorize_call, release_hold
from credit.models import Account, CreditRequest, Rate, RechargeRule
from credit.requests import OutsideKey
from credit.rules import RuleTerms, save_rules
from credit.standing import reactivate_members, suspend_members
from credit.sweeps import sweep_due_purses
from credit.verification import verify_ledger
from members.actors import Actor
from members.errors import InvalidField, LastAdministrator
from members.invitations import accept_waiting_invitation, invite_members, waiting_invitations
from members.models import ApiToken, AuditEntry, Company, Invitation, Member, Notice
from members.roles import change_role
from members.tokens import issue_token
from skypemgr.lib.errors import NotAllowed
from tests.conftest import credit_company, give, make_company, make_member

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)
LANDLINE = "+33142278186"


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


def of(member: Member) -> Actor:
    return Actor.of_member(Member.objects.select_related("company", "user").get(pk=member.pk))


def rule_for(alice: Member, *members: Member) -> None:
    save_rules(
        actor=of(alice),
        recipients=Recipients(member_ids=tuple(member.pk for member in members)),
        terms=RuleTerms(Decimal(10), Decimal(15), Decimal(100)),
        now=NOON,
    )


def remove(alice: Member, *members: Member) -> int:
    return remove_members(
        actor=of(alice), member_ids=[member.pk for member in members], now=NOON
    ).count


def balance(member: Member) -> Decimal:
    return balances(member.company_id, [member.pk])[member.pk].balance


def status(member: Member) -> str:
    return Member.objects.values_list("status", flat=True).get(pk=member.pk)


def test_whoever_is_removed_keeps_the_credit_and_loses_rule_requests_and_tokens(
    alice: Member, bob: Member
) -> None:
    rule_for(alice, bob)
    request_credit(actor=of(bob), amount=Decimal(5), reason="Calls", now=NOON)
    token, _secret = issue_token(actor=of(bob), name="mine", scopes=["read"])
    done = remove_members(actor=of(alice), member_ids=[bob.pk], now=NOON)
    assert (done.count, done.rules_count, done.requests_count, done.tokens_count) == (1, 1, 1, 1)
    gone = Member.objects.get(pk=bob.pk)
    assert (gone.status, gone.ended_at, balance(bob)) == ("removed", NOON, 20)
    rule, purse = RechargeRule.objects.get(member=bob), Account.objects.get(member=bob)
    assert (rule.is_on, purse.recharge_below, purse.is_due) == (False, None, False)
    assert CreditRequest.objects.get().status == "declined"
    assert ApiToken.objects.get(pk=token.pk).revoked_at == NOON
    entry = AuditEntry.objects.get(verb="remove_member")
    assert (entry.subject, entry.member) == (f"member:{bob.pk}", alice)
    assert Notice.objects.filter(member=bob, kind="member_removed").count() == 1


def test_calls_of_whoever_is_gone_are_authorised_and_charged_from_what_is_left(
    alice: Member, bob: Member
) -> None:
    rule_for(alice, bob)
    remove(alice, bob)
    started = authorize_call(
        bob.company, source="pbx", id="1", member="bob", destination=LANDLINE, now=NOON
    )
    assert started.hold_id is not None
    release_hold(bob.company, started.hold_id, now=NOON)
    row = CallRow("pbx", "2", "bob", LANDLINE, "2026-03-10T11:00:00Z", 600)
    assert charge_calls(bob.company, [row], now=NOON)[0].collected == 6
    assert (balance(bob), sweep_due_purses(now=NOON)) == (14, 0)
    assert verify_ledger() == []


def test_nothing_is_added_to_whoever_is_gone(alice: Member, bob: Member) -> None:
    remove(alice, bob)
    for recipients in (Recipients(member_ids=(bob.pk,)), Recipients(member_ids=(alice.pk, bob.pk))):
        with pytest.raises(MemberGone):
            allocate(
                actor=of(alice),
                amount=Decimal(1),
                recipients=recipients,
                request=OutsideKey.of_form(str(uuid.uuid4()), "1"),
            )
    with pytest.raises(MemberGone):
        rule_for(alice, bob)
    with pytest.raises(NotAllowed):
        request_credit(actor=of(bob), amount=Decimal(5), reason="Calls")
    assert reactivate_members(actor=of(alice), member_ids=[bob.pk]).unchanged_count == 1
    assert (status(bob), balance(bob)) == ("removed", 20)


def test_a_member_of_any_role_leaves_alone_and_the_administrators_are_told(
    alice: Member, bob: Member, fiona: Member
) -> None:
    suspend_members(actor=of(alice), member_ids=[bob.pk])
    for member in (bob, fiona):
        assert leave_company(actor=of(member), now=NOON).status == "left"
    assert Notice.objects.filter(member=alice, kind="member_left").count() == 2
    assert Member.objects.get(pk=fiona.pk).ended_at == NOON
    assert AuditEntry.objects.filter(verb="leave_company").count() == 2


def test_going_twice_changes_nothing_and_is_recorded_once(alice: Member, bob: Member) -> None:
    assert remove(alice, bob) == 1
    again = remove_members(actor=of(alice), member_ids=[bob.pk])
    assert (again.count, again.unchanged_count) == (0, 1)
    assert leave_company(actor=of(bob)).status == "removed"
    assert Member.objects.get(pk=bob.pk).ended_at == NOON
    assert AuditEntry.objects.filter(verb__in=("remove_member", "leave_company")).count() == 1


def test_the_last_administrator_neither_leaves_nor_is_removed(alice: Member, bob: Member) -> None:
    with pytest.raises(LastAdministrator):
        remove(alice, alice)
    with pytest.raises(LastAdministrator):
        remove(alice, bob, alice)
    with pytest.raises(LastAdministrator):
        leave_company(actor=of(alice))
    assert (status(alice), status(bob)) == ("active", "active")
    assert preview_leaving(of(alice)).blocked_by == "last_administrator"
    change_role(actor=of(alice), member=bob, role="administrator")
    assert leave_company(actor=of(alice)).status == "left"


def test_nobody_removes_themselves_by_ticking_everybody(alice: Member, bob: Member) -> None:
    change_role(actor=of(alice), member=bob, role="administrator")
    dora = make_member(alice.company, "dora")
    assert preview_removal(of(alice), [alice.pk, dora.pk]).blocked_by == "yourself"
    with pytest.raises(InvalidField) as refusal:
        remove(alice, alice, dora)
    assert refusal.value.code == "yourself"
    assert (status(alice), status(dora)) == ("active", "active")


def test_only_administrators_remove_and_only_in_their_company(
    alice: Member, bob: Member, fiona: Member, charlie: Member
) -> None:
    for outsider in (bob, fiona):
        with pytest.raises(NotAllowed):
            remove(outsider, alice)
        with pytest.raises(NotAllowed):
            preview_removal(of(outsider), [alice.pk])
    for ids in ([bob.pk], [charlie.pk, bob.pk]):
        with pytest.raises(InvalidField) as refusal:
            remove_members(actor=of(charlie), member_ids=ids)
        assert refusal.value.code == "unknown_member"
    with pytest.raises(InvalidField):
        remove_members(actor=of(alice), member_ids=[])
    with pytest.raises(NotAllowed):
        leave_company(actor=Actor.system(alice.company))
    assert status(bob) == "active"


def test_the_preview_says_what_the_removal_then_does(alice: Member, bob: Member) -> None:
    dora, erik = make_member(alice.company, "dora"), make_member(alice.company, "erik")
    give(alice, dora, "7.5", now=NOON)
    rule_for(alice, bob, dora)
    issue_token(actor=of(bob), name="one", scopes=["read"])
    request_credit(actor=of(dora), amount=Decimal(5), reason="Calls")
    remove(alice, erik)
    ids = [bob.pk, dora.pk, erik.pk]
    told = preview_removal(of(alice), ids)
    assert (told.count, told.unchanged_count, told.balance) == (2, 1, Decimal("37.5"))
    done = remove_members(actor=of(alice), member_ids=ids)
    assert (told.count, told.rules_count, told.requests_count, told.tokens_count) == (
        done.count,
        done.rules_count,
        done.requests_count,
        done.tokens_count,
    )
    assert AuditEntry.objects.get(verb="remove_members").data["members_count"] == 2


def test_a_hundred_cost_as_many_statements_as_two(alice: Member) -> None:
    credit_company(alice.company, "9000", now=NOON)

    def statements(prefix: str, count: int) -> dict[str, int]:
        people = [make_member(alice.company, f"{prefix}{n}") for n in range(count)]
        rule_for(alice, *people)
        ids = [person.pk for person in people]
        used = {}
        for verb in (suspend_members, reactivate_members, remove_members):
            with CaptureQueriesContext(
                connection,
            ) as queries:
                verb(actor=of(alice), member_ids=ids, now=NOON)
            used[verb.__name__] = len(queries)
        return used

    assert statements("few", 2) == statements("many", 100)


def test_removing_a_payer_is_told_to_the_administrators(alice: Member, bob: Member) -> None:
    change_role(actor=of(alice), member=bob, role="administrator")
    card = save_card(actor=of(bob), gateway="sandbox", number="4242424242424242")
    confirm_method(card, now=NOON)
    remove(alice, bob)
    notice = Notice.objects.get(kind="payer_gone")
    assert (notice.member, "4242" in notice.data["cards"]) == (alice, True)


def test_somebody_who_left_joins_another_company_with_a_second_purse(
    alice: Member, bob: Member, charlie: Member
) -> None:
    invite_members(actor=of(charlie), way="email", addresses=["bob@example.com"])
    leave_company(actor=of(bob), now=NOON)
    invitation = waiting_invitations(bob.user).get()
    new = accept_waiting_invitation(pk=invitation.pk, user=bob.user)
    credit_company(new.company, "50", now=NOON)
    give(charlie, new, "3", now=NOON)
    assert (balance(bob), balance(new)) == (20, 3)
    for company, place in ((bob.company, bob), (new.company, new)):
        row = CallRow("pbx", f"{company.pk}", "bob", LANDLINE, "2026-03-10T11:00:00Z", 60)
        assert charge_calls(company, [row], now=NOON)[0].collected == Decimal("0.6")
        assert Account.objects.get(member=place).version == 2
    assert verify_ledger() == []


def test_whoever_joins_the_same_company_again_gets_a_new_purse(alice: Member, bob: Member) -> None:
    leave_company(actor=of(bob), now=NOON)
    invite_members(actor=of(alice), way="email", addresses=["bob@example.com"])
    again = accept_waiting_invitation(pk=Invitation.objects.get().pk, user=bob.user)
    give(alice, again, "5", now=NOON)
    row = CallRow("pbx", "9", "bob", LANDLINE, "2026-03-10T11:00:00Z", 60)
    charge_calls(alice.company, [row], now=NOON)
    assert (balance(bob), balance(again)) == (20, Decimal("4.4"))


def test_the_last_administrator_of_a_closed_company_may_leave() -> None:
    last = make_company("Closed", "zoe")
    Company.objects.filter(pk=last.company_id).update(state="closed")
    assert leave_company(actor=of(last)).status == "left"
