"""Auto-recharge of one member or many: three amounts, told in words before they are saved."""

from collections.abc import Callable
from decimal import Decimal

import pytest
from django.test import Client

from credit.accounts import company_balance
from credit.models import RechargeRule
from members.models import Company, Member
from tests.conftest import ClientOf, give
from tests.credit_pages.conftest import (
    BAD_AMOUNTS,
    balance_of,
    moved,
    post_call,
    query_count,
    words_of,
)

PREVIEW = {"HX-Request": "true", "HX-Target": "rule-preview"}
RULE = {"amount": "10", "threshold": "5", "monthly_limit": "40"}
RULE_QUERY = "amount=10&threshold=5&monthly_limit=40"


def page_of(member: Member) -> str:
    return f"/members/{member.pk}/auto-recharge/"


def many(*members: Member) -> str:
    return "/members/auto-recharge/?" + "&".join(f"member={member.pk}" for member in members)


def preview(client: Client, member: Member, query: str = RULE_QUERY) -> str:
    return words_of(client.get(f"{page_of(member)}?{query}", headers=PREVIEW))


def test_the_page_asks_the_three_amounts_by_their_names(desk: Client, bob: Member) -> None:
    words = words_of(desk.get(page_of(bob)))
    for label in (
        "Recharge member's account with",
        "when balance falls below",
        "Monthly recharge limit",
        "Save and activate",
    ):
        assert label in words
    assert "Saving checks the balance at once" in words
    assert "Switch off" not in words


def test_the_three_amounts_make_a_sentence_and_tell_what_saving_does_now(
    desk: Client, bob: Member
) -> None:
    words = preview(desk, bob)
    assert "Recharged with €10.00 when below €5.00, at most €40.00 a month." in words
    assert (
        "Saving recharges this member now with €10.00: the member will have €10.00,"
        " the company €190.00." in words
    )
    assert moved(bob.company)[0] == 1


def test_the_preview_says_when_nothing_would_happen(
    desk: Client, rich: Member, bob: Member
) -> None:
    give(rich, bob, "5")
    assert "Saving recharges nothing now: the balance of €5.00 is not below the level." in preview(
        desk, bob
    )


def test_the_preview_waits_for_three_amounts(desk: Client, bob: Member) -> None:
    for query in ("amount=10", "amount=10&threshold=5&monthly_limit=1.500", ""):
        words = preview(desk, bob, query)
        assert "Recharged with" not in words
        assert "Saving checks the balance at once" in words


def test_an_amount_above_the_limit_is_warned_about_and_cut(desk: Client, bob: Member) -> None:
    words = preview(desk, bob, "amount=30&threshold=5&monthly_limit=25")
    assert "The amount is above the monthly limit: a recharge will be cut to €25.00." in words
    response = desk.post(
        page_of(bob), {"amount": "30", "threshold": "5", "monthly_limit": "25"}, follow=True
    )
    assert balance_of(bob) == 25
    assert "will be cut to €25.00" in words_of(response)


def test_saving_evaluates_at_once_and_says_what_it_did(desk: Client, bob: Member) -> None:
    response = desk.post(page_of(bob), RULE, follow=True)
    assert response.redirect_chain == [(page_of(bob), 302)]
    assert balance_of(bob) == 10
    assert company_balance(bob.company) == 190
    words = words_of(response)
    assert "Auto-recharge of Bob is on. €10.00 was added now." in words
    assert "€10.00 of €40.00 recharged" in words
    assert "€30.00 left until 1 " in words
    assert "State On" in words
    assert "Last outcome Recharged just now" in words
    assert "Recharged with €10.00 when below €5.00, at most €40.00 a month; €30.00 left" in words


def test_saving_twice_recharges_once(desk: Client, bob: Member) -> None:
    desk.post(page_of(bob), RULE)
    response = desk.post(page_of(bob), RULE, follow=True)
    assert "Nothing had to be added now." in words_of(response)
    assert balance_of(bob) == 10


def test_saved_amounts_stand_in_the_form(client_of: ClientOf, rich: Member, bob: Member) -> None:
    client = client_of(rich, language="fr")
    client.post(page_of(bob), {**RULE, "amount": "10,5"})
    content = client.get(page_of(bob)).content.decode()
    for shown in ("10,50", "5,00", "40,00"):
        assert f'value="{shown}"' in content


def test_a_used_limit_is_suspended_until_the_first(desk: Client, bob: Member) -> None:
    desk.post(page_of(bob), {**RULE, "monthly_limit": "10"})
    post_call(bob, "8")
    words = words_of(desk.get(page_of(bob)))
    assert "suspended until 1 " in words
    assert "€0.00 left until 1 " in words
    assert "This month's limit is already used: suspended until 1 " in words


def test_a_company_without_credit_lets_the_member_wait_and_says_what_to_do(
    client_of: ClientOf, alice: Member, bob: Member
) -> None:
    client = client_of(alice)
    assert "The company's credit is too low: the member waits" in preview(client, bob)
    words = words_of(client.post(page_of(bob), RULE, follow=True))
    assert "The company's credit is too low" in words
    assert "Waiting for company credit" in words
    assert "Buy credit" in words
    assert balance_of(bob) == 0


def test_switching_off_stops_the_rule_and_keeps_its_month(desk: Client, bob: Member) -> None:
    desk.post(page_of(bob), RULE)
    words = words_of(desk.post(page_of(bob), {**RULE, "off": "1"}, follow=True))
    assert "Auto-recharge of Bob is switched off." in words
    assert "State Off" in words
    assert "€10.00 of €40.00 recharged" in words
    assert not RechargeRule.objects.get(member=bob).is_on


def test_history_lists_each_change_of_outcome(desk: Client, bob: Member) -> None:
    desk.post(page_of(bob), {**RULE, "monthly_limit": "15"})
    post_call(bob, "8")
    desk.post(page_of(bob), {**RULE, "monthly_limit": "15"})
    words = words_of(desk.get(page_of(bob)))
    assert "Monthly limit reached +€5.00" in words
    assert "Recharged +€10.00" in words


@pytest.mark.parametrize("field", ["amount", "threshold", "monthly_limit"])
@pytest.mark.parametrize(("typed", "sentence"), BAD_AMOUNTS)
def test_a_bad_amount_is_refused_with_a_sentence_and_saves_nothing(
    desk: Client, bob: Member, field: str, typed: str, sentence: str
) -> None:
    before = moved(bob.company)
    response = desk.post(page_of(bob), {**RULE, field: typed})
    assert response.status_code == 422
    assert sentence in words_of(response)
    assert response.context["form"].data[field] == typed
    assert moved(bob.company) == before
    assert not RechargeRule.objects.exists()


def test_finance_reads_and_saves_nothing(
    client_of: ClientOf, desk: Client, bob: Member, fiona: Member
) -> None:
    desk.post(page_of(bob), RULE)
    client = client_of(fiona)
    words = words_of(client.get(page_of(bob)))
    assert "€10.00 of €40.00 recharged" in words
    assert "Save and activate" not in words
    assert client.post(page_of(bob), {**RULE, "amount": "11"}).status_code == 403
    assert client.post(page_of(bob), {"off": "1"}).status_code == 403
    rule = RechargeRule.objects.get(member=bob)
    assert (rule.amount, rule.is_on) == (Decimal(10), True)


def test_a_member_is_refused_and_another_company_finds_nothing(
    client_of: ClientOf, rich: Member, bob: Member, charlie: Member
) -> None:
    for member, status in ((bob, 403), (charlie, 404)):
        client = client_of(member)
        assert client.get(page_of(bob)).status_code == status
        assert client.get(page_of(bob), headers=PREVIEW).status_code == status
        assert client.post(page_of(bob), RULE).status_code == status
        assert client.get(many(bob)).status_code == status
        assert client.post(many(bob), {**RULE, "shown_count": "1"}).status_code == status
    assert not RechargeRule.objects.exists()


@pytest.mark.parametrize("state", [Company.State.FROZEN, Company.State.CLOSED])
def test_a_company_that_is_not_active_saves_nothing_and_says_why(
    desk: Client, bob: Member, state: Company.State
) -> None:
    Company.objects.filter(pk=bob.company_id).update(state=state)
    for address, form in ((page_of(bob), RULE), (many(bob), {**RULE, "shown_count": "1"})):
        assert f"The company is {state.value}" in words_of(desk.get(address))
        response = desk.post(address, form)
        assert response.status_code == 422
        assert f"The company is {state.value}" in words_of(response)
    assert not RechargeRule.objects.exists()


def test_many_members_get_the_same_rule_and_are_told_the_sum_before(
    desk: Client, rich: Member, bob: Member, fiona: Member
) -> None:
    give(rich, fiona, "7")
    words = words_of(desk.get(many(bob, fiona)))
    assert "2 members selected" in words
    assert "Bob €0.00 None" in words
    told = words_of(desk.get(f"{many(bob, fiona)}&{RULE_QUERY}", headers=PREVIEW))
    assert "Saving recharges 1 member now with €10.00; the company will have €183.00." in told
    response = desk.post(many(bob, fiona), {**RULE, "shown_count": "2"}, follow=True)
    assert response.redirect_chain == [("/members/", 302)]
    assert "Auto-recharge of 2 members is on. Added now: €10.00 in all." in words_of(response)
    assert (balance_of(bob), balance_of(fiona)) == (10, 7)
    assert RechargeRule.objects.filter(is_on=True).count() == 2


def test_what_the_company_cannot_pay_is_told_before(
    desk: Client, team: Callable[[int], list[Member]]
) -> None:
    people = team(3)
    query = "amount=90&threshold=5&monthly_limit=100"
    told = words_of(desk.get(f"{many(*people)}&{query}", headers=PREVIEW))
    assert "Saving recharges 2 members now with €180.00 in all" in told
    assert "1 member has to wait: the company's credit is too low." in told
    desk.post(
        many(*people),
        {"amount": "90", "threshold": "5", "monthly_limit": "100", "shown_count": "3"},
    )
    assert sorted(balance_of(member) for member in people) == [0, 90, 90]


def test_more_members_than_the_page_told_are_asked_about_again(desk: Client, bob: Member) -> None:
    response = desk.post("/members/auto-recharge/?all=1", {**RULE, "shown_count": "1"})
    assert response.status_code == 422
    assert "Meanwhile they are 2 members. Please check again." in words_of(response)
    assert not RechargeRule.objects.exists()


def test_the_number_of_queries_does_not_grow_with_the_members(
    desk: Client, team: Callable[[int], list[Member]]
) -> None:
    address = "/members/auto-recharge/?all=1"
    few = query_count(desk, address)
    team(60)
    response = desk.get(address)
    assert len(response.context["rows"]) == 50
    assert "and 11 more members" in words_of(response)
    assert query_count(desk, address) == few
