"""Adding credit to many members at once: all of them or none."""

import uuid
from collections.abc import Callable

import pytest
from django.test import Client

from credit.accounts import company_balance
from members.models import Company, Member
from tests.conftest import ClientOf, make_member
from tests.credit_pages.conftest import BAD_AMOUNTS, balance_of, moved, query_count, words_of
from tests.credit_pages.test_members_table import put_in_list

ALL = "/members/credit/?all=1"


def page_of(*members: Member) -> str:
    return "/members/credit/?" + "&".join(f"member={member.pk}" for member in members)


def wish(amount: str, count: int, key: str = "") -> dict[str, str]:
    return {
        "amount": amount,
        "form_key": key or str(uuid.uuid4()),
        "shown_count": str(count),
    }


def test_the_page_tells_who_gets_what_and_that_nothing_comes_back(
    desk: Client, bob: Member, fiona: Member
) -> None:
    response = desk.get(page_of(bob, fiona))
    words = words_of(response)
    assert "2 members selected" in words
    assert "Company balance before €200.00" in words
    assert "cannot be taken back" in words
    assert "Bob – €0.00 €0.00" in words
    assert "Fiona – €0.00 €0.00" in words
    content = response.content.decode()
    assert 'data-base="200.0000" data-factor="-2"' in content
    assert 'data-base="0" data-factor="2"' in content


def test_each_receives_the_amount_and_the_company_pays_the_sum(
    desk: Client, bob: Member, fiona: Member
) -> None:
    response = desk.post(page_of(bob, fiona), wish("12,5", 2), follow=True)
    assert response.redirect_chain == [("/members/", 302)]
    assert (balance_of(bob), balance_of(fiona)) == (12.5, 12.5)
    assert company_balance(bob.company) == 175
    assert (
        "€12.50 added to the accounts of 2 members, €25.00 in all."
        " The company's balance is now €175.00."
    ) in words_of(response)


def test_a_list_and_everybody_mean_active_members(desk: Client, rich: Member, bob: Member) -> None:
    away = make_member(bob.company, "away")
    sales = put_in_list(rich, "Sales", bob, away)
    Member.objects.filter(pk=away.pk).update(status=Member.Status.SUSPENDED)
    of_list = f"/members/credit/?list={sales.pk}"
    assert "1 active member in the list Sales" in words_of(desk.get(of_list))
    desk.post(of_list, wish("10", 1))
    assert (balance_of(bob), balance_of(away)) == (10, 0)
    assert "2 active members: everybody in the company" in words_of(desk.get(ALL))
    desk.post(ALL, wish("1", 2))
    assert (balance_of(bob), balance_of(away), balance_of(rich)) == (11, 0, 1)


def test_a_sum_above_the_balance_gives_nobody_anything(
    desk: Client, bob: Member, fiona: Member
) -> None:
    before = moved(bob.company)
    response = desk.post(page_of(bob, fiona), wish("100.01", 2))
    assert response.status_code == 422
    assert "The company's credit is too low" in words_of(response)
    assert 'value="100.01"' in response.content.decode()
    assert moved(bob.company) == before


@pytest.mark.parametrize(("typed", "sentence"), BAD_AMOUNTS)
def test_a_bad_amount_is_refused_with_a_sentence_and_moves_nothing(
    desk: Client, bob: Member, fiona: Member, typed: str, sentence: str
) -> None:
    before = moved(bob.company)
    response = desk.post(page_of(bob, fiona), wish(typed, 2))
    assert response.status_code == 422
    assert sentence in words_of(response)
    assert moved(bob.company) == before


def test_a_form_sent_twice_adds_once(desk: Client, bob: Member, fiona: Member) -> None:
    form = wish("10", 2)
    for _ in range(2):
        response = desk.post(page_of(bob, fiona), form, follow=True)
        assert "The company's balance is now €180.00." in words_of(response)
    assert (balance_of(bob), balance_of(fiona)) == (10, 10)


def test_more_members_than_the_page_told_are_asked_about_again(desk: Client, bob: Member) -> None:
    before = moved(bob.company)
    form = wish("10", 2)
    make_member(bob.company, "newcomer")
    response = desk.post(ALL, form)
    assert response.status_code == 422
    assert "Meanwhile they are 3 members. Please check the total again." in words_of(response)
    assert 'name="shown_count" value="3"' in response.content.decode()
    assert moved(bob.company) == before
    desk.post(ALL, {**form, "shown_count": "3"})
    assert company_balance(bob.company) == 170


def test_a_repetition_is_answered_although_somebody_joined_meanwhile(
    desk: Client, bob: Member
) -> None:
    form = wish("10", 2)
    desk.post(ALL, form)
    make_member(bob.company, "newcomer")
    response = desk.post(ALL, form, follow=True)
    assert "€20.00 in all" in words_of(response)
    assert company_balance(bob.company) == 180


def test_nobody_chosen_and_members_who_left_are_told(desk: Client, bob: Member) -> None:
    response = desk.get("/members/credit/", follow=True)
    assert "Choose at least one member." in words_of(response)
    Member.objects.filter(pk=bob.pk).update(status=Member.Status.LEFT)
    response = desk.get(page_of(bob), follow=True)
    assert "Bob is no longer in the company" in words_of(response)


@pytest.mark.parametrize(
    "query",
    ["member=999999", "member=x", "member=-1", "list=999999", "list=x", "member=" + "9" * 30],
)
def test_what_is_not_there_is_not_found(desk: Client, query: str) -> None:
    assert desk.get(f"/members/credit/?{query}").status_code == 404


def test_only_administrators_open_it_and_never_for_another_company(
    client_of: ClientOf, rich: Member, bob: Member, fiona: Member, charlie: Member
) -> None:
    sales = put_in_list(rich, "Sales", bob)
    before = moved(bob.company)
    for member, status in ((bob, 403), (fiona, 403), (charlie, 404)):
        client = client_of(member)
        for address in (page_of(bob), f"/members/credit/?list={sales.pk}"):
            assert client.get(address).status_code == status
            assert client.post(address, wish("5", 1)).status_code == status
    assert moved(bob.company) == before


def test_a_frozen_company_says_so_instead_of_a_form(desk: Client, bob: Member) -> None:
    Company.objects.filter(pk=bob.company_id).update(state=Company.State.FROZEN)
    before = moved(bob.company)
    assert "The company is frozen" in words_of(desk.get(page_of(bob)))
    response = desk.post(page_of(bob), wish("5", 1))
    assert response.status_code == 422
    assert "The company is frozen" in words_of(response)
    assert moved(bob.company) == before


def test_at_most_fifty_are_listed_and_the_rest_is_counted(
    desk: Client, rich: Member, team: Callable[[int], list[Member]]
) -> None:
    few = query_count(desk, ALL)
    team(60)
    response = desk.get(ALL)
    assert len(response.context["rows"]) == 50
    assert "and 11 more members" in words_of(response)
    assert query_count(desk, ALL) == few
    desk.post(ALL, wish("1", 61))
    assert company_balance(rich.company) == 139
