"""What the dashboard says needs attention, and to whom it offers a way out."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from pytest_django import DjangoAssertNumQueries, DjangoCaptureOnCommitCallbacks

from billing.auto_rules import save_rule
from billing.consent import VERSION, Terms
from billing.methods import save_card
from billing.models import AutoPurchaseRule, PaymentMethod
from billing.purchases import buy_credit
from credit.allocation import Recipients
from credit.requests import OutsideKey
from credit.rules import RuleTerms, save_rules
from credit.sweeps import sweep_due_purses
from members.actors import Actor
from members.invitations import invite_members
from members.models import Company, Member
from skypemgr.lib import live
from skypemgr.portal.queries import people
from skypemgr.portal.queries.attention import Attention, Situation, read_attention
from skypemgr.portal.queries.dashboard import read_board
from skypemgr.portal.scope import Scope
from tests.conftest import ClientOf, credit_company, make_company, make_member
from tests.portal.conftest import NOW, post_call

TERMS = RuleTerms(Decimal(10), Decimal(5), Decimal(20))


def attention_of(company: Company, *, may_act: bool = True, now: datetime = NOW) -> list[Attention]:
    """The lines of the company."""
    board = read_board(Scope(company), viewer=None, now=now)
    assert board.people is not None
    situation = Situation(
        company=company,
        balance=board.balance,
        lasts_days=board.forecast.days,
        members=board.people,
        may_act=may_act,
        now=now,
    )
    return read_attention(situation)


def titles(lines: list[Attention]) -> list[str]:
    """What the lines say."""
    return [line.title for line in lines]


def give_rule(alice: Member, member: Member) -> None:
    """The member is recharged with 10 below 5, at most 20 a month."""
    save_rules(
        actor=Actor.of_member(alice),
        recipients=Recipients(member_ids=(member.pk,)),
        terms=TERMS,
        now=NOW,
    )


def test_a_quiet_company_needs_nothing(alice: Member) -> None:
    credit_company(alice.company, "100", now=NOW)
    assert attention_of(alice.company) == []


def test_a_rule_blocked_by_the_companys_credit_leads_to_buying(alice: Member, bob: Member) -> None:
    give_rule(alice, bob)
    sweep_due_purses(now=NOW)
    line = attention_of(alice.company)[0]
    assert line.title == "1 member waits for a recharge"
    assert (line.kind, line.url, line.action) == ("danger", "/buy/", "Buy credit")


def test_a_suspended_rule_leads_to_the_rule(alice: Member, bob: Member) -> None:
    credit_company(alice.company, "1000", now=NOW)
    give_rule(alice, bob)
    post_call(bob, "9", "1", now=NOW)
    sweep_due_purses(now=NOW)
    line = attention_of(alice.company)[0]
    assert line.title == "1 auto-recharge is suspended until 1 October"
    assert line.url == f"/members/{bob.pk}/auto-recharge/"
    october = attention_of(alice.company, now=datetime(2026, 10, 1, 9, tzinfo=UTC))
    assert not any("suspended" in title for title in titles(october))


def test_more_suspended_rules_than_an_address_names_lead_to_their_members(
    alice: Member, bob: Member, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("skypemgr.portal.queries.attention.LINKED_MEMBERS", 1)
    credit_company(alice.company, "1000", now=NOW)
    for member in (bob, make_member(alice.company, "carol")):
        give_rule(alice, member)
        post_call(member, "9", f"{member.pk}", now=NOW)
    sweep_due_purses(now=NOW)
    assert attention_of(alice.company)[0].url == "/members/?rule=suspended"


def test_finance_reads_the_lines_without_the_actions(alice: Member, bob: Member) -> None:
    give_rule(alice, bob)
    lines = attention_of(alice.company, may_act=False)
    assert titles(lines) == titles(attention_of(alice.company))
    assert all(not line.url and not line.action for line in lines)


@pytest.mark.parametrize(
    ("number", "sentence"),
    [
        ("4000 0000 0000 0002", "The purchase of €50.00 was declined"),
        ("4242 4242 4242 4242", ""),
    ],
)
def test_a_declined_purchase_leads_to_the_purchase_on_open_pages_too(
    alice: Member,
    number: str,
    sentence: str,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    actor = Actor.of_member(alice)
    card = save_card(actor=actor, gateway="sandbox", number=number)
    version = live.version(alice.company_id)
    with django_capture_on_commit_callbacks(execute=True):
        buy_credit(
            actor=actor,
            amount=Decimal(50),
            method=card,
            request=OutsideKey.of_form("one", "50"),
            now=NOW,
        )
    assert live.version(alice.company_id) != version
    assert titles(attention_of(alice.company)) == ([sentence] if sentence else [])


def test_the_card_that_pays_is_told_before_it_expires_and_after(alice: Member) -> None:
    credit_company(alice.company, "10", now=NOW)
    card = save_card(actor=Actor.of_member(alice), gateway="sandbox", number="4242424242424242")
    today = alice.company.day_at(NOW)
    PaymentMethod.objects.filter(pk=card.pk).update(expires_on=today + timedelta(days=20))
    assert titles(attention_of(alice.company)) == []
    PaymentMethod.objects.filter(pk=card.pk).update(is_default=True)
    (line,) = attention_of(alice.company)
    assert (line.title.startswith("The card •••• 4242 expires on"), line.url) == (
        True,
        "/settings/payment/",
    )
    (later,) = titles(attention_of(alice.company, now=NOW + timedelta(days=22)))
    assert later.startswith("The card •••• 4242 expired on")
    PaymentMethod.objects.update(removed_at=NOW, is_default=False)
    assert titles(attention_of(alice.company)) == []


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (
            {"state": "paused", "paused_because": "method_removed"},
            "What it charged was removed. Choose what pays instead.",
        ),
        (
            {"state": "paused", "paused_because": "many_charges"},
            "It charged three times within ten minutes. Look at who spends so fast.",
        ),
        ({"last_outcome": "limit_reached", "next_attempt_at": NOW}, "It goes on by itself on"),
    ],
)
def test_an_auto_recharge_of_the_company_that_waits_is_told(
    alice: Member, change: dict[str, object], sentence: str
) -> None:
    credit_company(alice.company, "1000", now=NOW)
    actor = Actor.of_member(alice)
    save_rule(
        actor=actor,
        method=save_card(actor=actor, gateway="sandbox", number="4242424242424242"),
        terms=Terms(Decimal(20), Decimal(50), Decimal(200)),
        consent_version=VERSION,
        now=NOW,
    )
    assert titles(attention_of(alice.company)) == []
    AutoPurchaseRule.objects.update(**change)
    (line,) = attention_of(alice.company)
    assert sentence in line.text


def test_invitations_about_to_expire_are_told(alice: Member) -> None:
    credit_company(alice.company, "10", now=NOW)
    invite_members(
        actor=Actor.of_member(alice), way="email", addresses=["new@example.com"], language="en"
    )
    assert titles(attention_of(alice.company)) == []
    later = NOW + timedelta(days=27)
    assert titles(attention_of(alice.company, now=later)) == [
        "1 invitation expires within five days"
    ]
    assert titles(attention_of(alice.company, now=NOW + timedelta(days=31))) == [
        "1 invitation has expired unanswered"
    ]


def test_a_frozen_company_is_told_first(alice: Member, bob: Member) -> None:
    Company.objects.filter(pk=alice.company_id).update(state=Company.State.FROZEN)
    company = Company.objects.get(pk=alice.company_id)
    assert titles(attention_of(company))[0] == "Your company is frozen"


def test_of_a_closed_company_nothing_else_is_told(alice: Member, bob: Member) -> None:
    give_rule(alice, bob)
    Company.objects.filter(pk=alice.company_id).update(state=Company.State.CLOSED)
    company = Company.objects.get(pk=alice.company_id)
    assert titles(attention_of(company)) == ["Your company is closed"]


def test_members_without_credit_are_counted(alice: Member, bob: Member) -> None:
    assert "2 members have no credit" in titles(attention_of(alice.company))


def test_another_companys_troubles_are_not_told(alice: Member, bob: Member) -> None:
    give_rule(alice, bob)
    assert attention_of(make_company("Other", "charlie").company) == []


def test_attention_takes_eleven_queries_at_most_without_features(
    alice: Member, bob: Member, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    give_rule(alice, bob)
    told = people.read_people(Scope(alice.company), NOW.date(), 8)
    situation = Situation(alice.company, Decimal(0), None, told, may_act=True, now=NOW)
    with django_assert_max_num_queries(11):
        read_attention(situation)


def test_every_way_out_opens(alice: Member, bob: Member, client_of: ClientOf) -> None:
    credit_company(alice.company, "1000", now=NOW)
    give_rule(alice, bob)
    post_call(bob, "9", "1", now=NOW)
    for line in attention_of(alice.company):
        assert client_of(alice).get(line.url).status_code == 200
