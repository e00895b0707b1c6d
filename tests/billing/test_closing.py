"""Closing a company: when it is refused, what ends, what stays, and what is refused for ever."""

from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from io import BytesIO

import pytest
from django.test import Client

from billing.auto_rules import resume_rule, save_rule
from billing.closing import close_company, preview_closing
from billing.consent import VERSION, Terms
from billing.errors import ClosingRefused
from billing.models import AutoPurchaseRule, Purchase
from credit.accounts import balances, company_balance
from credit.allocation import Recipients
from credit.call_rows import CallRow
from credit.calls import charge_calls
from credit.credit_requests import approve_request, request_credit
from credit.holds import authorize_call, release_hold
from credit.models import Account, CreditRequest, Rate, RechargeRule
from credit.rules import RuleTerms, save_rules
from credit.standing import reactivate_member, suspend_member
from credit.sweeps import sweep_due_purses
from credit.verification import verify_ledger
from members.actors import Actor
from members.errors import CompanyNotActive
from members.importing import start_import
from members.invitation_upkeep import make_link, resend_invitation
from members.invitations import invite_members
from members.joining import create_member
from members.models import AuditEntry, Company, Invitation, Member, Notice, User
from members.standing import freeze_company
from skypemgr.lib.errors import Conflict, NotAllowed, ProductError
from tests.billing.conftest import LATE, card_of, create
from tests.conftest import PASSWORD, ClientOf, credit_company, give

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)
LANDLINE = "+33142278186"
TERMS = Terms(level=Decimal(20), amount=Decimal(50), monthly_limit=Decimal(500))


@pytest.fixture(autouse=True)
def _credit(alice: Member, bob: Member) -> None:
    """bob has 20, the company nothing; a minute costs 0.6."""
    Rate.objects.create(
        prefix="33",
        kind="other",
        price_per_minute=Decimal("0.6"),
        currency="EUR",
        valid_from="2025-01-01",
    )
    credit_company(alice.company, "20", now=NOON)
    give(alice, bob, "20", now=NOON)


def of(member: Member) -> Actor:
    return Actor.of_member(Member.objects.select_related("company", "user").get(pk=member.pk))


def close(alice: Member) -> Company:
    return close_company(actor=of(alice), now=NOON)


def state(alice: Member) -> str:
    return Company.objects.values_list("state", flat=True).get(pk=alice.company_id)


def rule_for(alice: Member, bob: Member) -> None:
    save_rules(
        actor=of(alice),
        recipients=Recipients(member_ids=(bob.pk,)),
        terms=RuleTerms(Decimal(10), Decimal(15), Decimal(100)),
        now=NOON,
    )


def auto_purchase(alice: Member) -> None:
    save_rule(
        actor=of(alice), method=card_of(alice), terms=TERMS, consent_version=VERSION, now=NOON
    )


def test_closing_ends_rules_invitations_and_requests_and_takes_nothing_away(
    alice: Member, bob: Member
) -> None:
    rule_for(alice, bob)
    auto_purchase(alice)
    request_credit(actor=of(bob), amount=Decimal(5), reason="Calls", now=NOON)
    invite_members(actor=of(alice), way="email", addresses=["dora@example.com"])
    told = preview_closing(of(alice))
    assert (told.members_count, told.members_balance, told.rules_count) == (2, 20, 1)
    assert (told.requests_count, told.invitations_count, told.has_auto_purchase) == (1, 1, True)
    assert told.refusals == []
    assert close(alice).state == "closed"
    assert RechargeRule.objects.get().is_on is False
    assert not Account.objects.exclude(recharge_below=None).exists()
    assert AutoPurchaseRule.objects.get().state == "off"
    assert CreditRequest.objects.get().status == "declined"
    assert Invitation.objects.get().status == "revoked"
    assert Notice.objects.get(kind="company_closed").member == alice
    assert AuditEntry.objects.get(verb="close_company").data["rules_count"] == 1
    assert balances(alice.company_id, [bob.pk])[bob.pk].balance == 20
    assert verify_ledger() == []


def test_members_of_a_closed_company_spend_what_they_have(alice: Member, bob: Member) -> None:
    rule_for(alice, bob)
    close(alice)
    started = authorize_call(
        bob.company, source="pbx", id="1", member="bob", destination=LANDLINE, now=NOON
    )
    assert started.hold_id is not None
    release_hold(bob.company, started.hold_id, now=NOON)
    row = CallRow("pbx", "2", "bob", LANDLINE, "2026-03-10T11:00:00Z", 600)
    assert charge_calls(bob.company, [row], now=NOON)[0].collected == 6
    assert sweep_due_purses(now=NOON) == 0


def test_it_is_refused_while_a_call_is_in_progress(alice: Member, bob: Member) -> None:
    started = authorize_call(
        bob.company, source="pbx", id="1", member="bob", destination=LANDLINE, now=NOON
    )
    with pytest.raises(ClosingRefused) as refusal:
        close(alice)
    assert (refusal.value.code, state(alice)) == ("calls_in_progress", "active")
    assert started.hold_id is not None
    release_hold(bob.company, started.hold_id, now=NOON)
    assert close(alice).state == "closed"


def test_it_is_refused_while_a_purchase_is_open(alice: Member) -> None:
    create(alice, number=LATE)
    with pytest.raises(ClosingRefused) as refusal:
        close(alice)
    assert (refusal.value.code, state(alice)) == ("purchase_open", "active")


def test_it_is_refused_while_the_company_has_credit_and_nothing_ends(
    alice: Member, bob: Member
) -> None:
    rule_for(alice, bob)
    credit_company(alice.company, "0.0001", now=NOON)
    with pytest.raises(ClosingRefused) as refusal:
        close(alice)
    assert refusal.value.code == "company_has_credit"
    assert RechargeRule.objects.get().is_on
    assert Account.objects.get(member=bob).recharge_below == 15


def test_only_administrators_close_and_only_the_operator_a_frozen_company(
    alice: Member, bob: Member, fiona: Member
) -> None:
    for member in (bob, fiona):
        with pytest.raises(NotAllowed):
            close(member)
        with pytest.raises(NotAllowed):
            preview_closing(of(member))
    system = Actor.system(alice.company)
    freeze_company(actor=system)
    with pytest.raises(CompanyNotActive):
        close(alice)
    assert close_company(actor=system).state == "closed"
    with pytest.raises(Conflict) as refusal:
        close(alice)
    assert refusal.value.code == "company_closed"


def test_the_operator_closes_from_the_desk_by_the_same_verb(alice: Member, bob: Member) -> None:
    root = User.objects.create_superuser("root", "", PASSWORD)
    client = Client()
    client.force_login(root, backend="django.contrib.auth.backends.ModelBackend")
    credit_company(alice.company, "1")
    chosen = {"action": "close", "_selected_action": [alice.company_id]}
    page = client.post("/admin/members/company/", chosen, follow=True)
    assert (state(alice), b"Allocate it to members first" in page.content) == ("active", True)
    give(alice, bob, "1")
    client.post("/admin/members/company/", chosen)
    assert state(alice) == "closed"


Wish = Callable[[Member, Member], object]
ADDING: dict[str, Wish] = {
    "allocate": lambda alice, bob: give(alice, bob, "1"),
    "save_rules": rule_for,
    "request_credit": lambda alice, bob: request_credit(
        actor=of(bob), amount=Decimal(1), reason="Calls"
    ),
    "create_purchase": lambda alice, bob: create(alice),
    "save_rule": lambda alice, bob: auto_purchase(alice),
    "resume_rule": lambda alice, bob: resume_rule(actor=of(alice)),
    "invite_members": lambda alice, bob: invite_members(
        actor=of(alice), way="email", addresses=["erik@example.com"]
    ),
    "create_member": lambda alice, bob: create_member(
        actor=of(alice), email="erik@example.com", name="Erik"
    ),
    "start_import": lambda alice, bob: start_import(
        actor=of(alice), file=BytesIO(b"email,name"), file_name="x.csv"
    ),
    "close_company": lambda alice, bob: close(alice),
}


@pytest.mark.parametrize("verb", sorted(ADDING))
def test_in_a_closed_company_every_verb_that_adds_is_refused_with_one_code(
    verb: str, alice: Member, bob: Member
) -> None:
    card_of(alice)
    close(alice)
    before = (Account.objects.count(), Member.objects.count(), Invitation.objects.count())
    with pytest.raises(ProductError) as refusal:
        ADDING[verb](alice, bob)
    assert refusal.value.code == "company_closed"
    assert before == (
        Account.objects.count(),
        Member.objects.count(),
        Invitation.objects.count(),
    )
    assert company_balance(alice.company) == 0


def test_old_invitations_and_requests_of_a_closed_company_open_nothing(
    alice: Member, bob: Member
) -> None:
    invite_members(actor=of(alice), way="email", addresses=["dora@example.com"])
    wish = request_credit(actor=of(bob), amount=Decimal(5), reason="Calls", now=NOON)
    close(alice)
    invitation = Invitation.objects.get()
    for verb in (
        lambda: make_link(actor=of(alice), invitation=invitation),
        lambda: resend_invitation(actor=of(alice), invitation=invitation),
        lambda: approve_request(actor=of(alice), request_id=wish.pk),
    ):
        with pytest.raises(ProductError):
            verb()


def test_suspending_in_a_closed_company_stops_calls_and_coming_back_moves_no_credit(
    alice: Member, bob: Member
) -> None:
    rule_for(alice, bob)
    close(alice)
    suspend_member(actor=of(alice), member_id=bob.pk, now=NOON)
    answer = authorize_call(
        bob.company, source="pbx", id="1", member="bob", destination=LANDLINE, now=NOON
    )
    assert answer.code == "member_suspended"
    reactivate_member(actor=of(alice), member_id=bob.pk, now=NOON)
    assert Account.objects.get(member=bob).recharge_below is None


READ = (
    "/",
    "/members/",
    "/members/{bob}/",
    "/members/{bob}/statement/",
    "/members/lists/",
    "/statement/",
    "/purchases/",
    "/reports/summary/",
    "/reports/usage/export/?format=csv",
)


@pytest.mark.parametrize("path", READ)
def test_administrators_and_finance_still_read_and_export(
    path: str, alice: Member, bob: Member, fiona: Member, client_of: ClientOf
) -> None:
    close(alice)
    for member in (alice, fiona):
        assert client_of(member).get(path.format(bob=bob.pk)).status_code == 200


# Every page that adds: what it shows, and what it does with a form sent all the same.
WRITE: tuple[tuple[str, dict[str, str]], ...] = (
    ("/members/{bob}/credit/", {"amount": "1"}),
    ("/members/credit/?member={bob}", {"amount": "1"}),
    ("/members/{bob}/auto-recharge/", {"amount": "1", "threshold": "1", "monthly_limit": "1"}),
    (
        "/members/auto-recharge/?member={bob}",
        {"amount": "1", "threshold": "1", "monthly_limit": "1"},
    ),
    ("/members/invite/", {"way": "email", "addresses": "erik@example.com"}),
    ("/members/create/", {"name": "Erik", "email": "erik@example.com", "role": "member"}),
    ("/members/import/", {}),
    ("/me/request/", {"amount": "1", "reason": "Calls"}),
    ("/buy/", {}),
    ("/settings/payment/", {"level": "1", "amount": "10", "monthly_limit": "10", "consent": "on"}),
    ("/settings/close/", {"password": PASSWORD}),
)


@pytest.mark.parametrize(("path", "form"), WRITE)
def test_every_page_that_adds_answers_cleanly_in_a_closed_company(
    path: str, form: dict[str, str], alice: Member, bob: Member, client_of: ClientOf
) -> None:
    close(alice)
    client, address = client_of(alice), path.format(bob=bob.pk)
    assert client.get(address).status_code in (200, 302, 409, 422)
    answer = client.post(address, form)
    assert answer.status_code in (200, 302, 409, 422)
    assert not Invitation.objects.exists()
    assert not Purchase.objects.exists()
    assert Member.objects.count() == 2
    assert balances(alice.company_id, [bob.pk])[bob.pk].balance == 20
    assert not CreditRequest.objects.exists()
    assert not AutoPurchaseRule.objects.exclude(state="off").exists()
