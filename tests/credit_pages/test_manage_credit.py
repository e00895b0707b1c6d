"""Adding credit to one member."""

import uuid
from decimal import Decimal

import pytest
from django.test import Client

from credit.accounts import company_balance
from members.models import AuditEntry, Company, Member
from tests.conftest import ClientOf, credit_company, give
from tests.credit_pages.conftest import (
    BAD_AMOUNTS,
    balance_of,
    moved,
    post_call,
    query_count,
    words_of,
)


def page_of(member: Member) -> str:
    return f"/members/{member.pk}/credit/"


def wish(amount: str, key: str = "") -> dict[str, str]:
    return {"amount": amount, "form_key": key or str(uuid.uuid4())}


def test_the_page_tells_both_balances_and_that_nothing_comes_back(
    desk: Client, bob: Member
) -> None:
    words = words_of(desk.get(page_of(bob)))
    assert "Manage credit" in words
    assert "Add credit" in words
    assert "Company balance before €200.00 after €200.00" in words
    assert "Bob before €0.00 after €0.00" in words
    assert "leaves the company's balance at once and cannot be taken back" in words


def test_added_credit_leaves_the_company_and_the_page_says_so(desk: Client, bob: Member) -> None:
    response = desk.post(page_of(bob), wish("25"), follow=True)
    assert response.redirect_chain == [(page_of(bob), 302)]
    assert balance_of(bob) == 25
    assert company_balance(bob.company) == 175
    words = words_of(response)
    assert "€25.00 added to Bob's account. The company's balance is now €175.00." in words
    assert "Company balance before €175.00" in words
    entry = AuditEntry.objects.get(verb="allocate")
    assert entry.member is not None
    assert entry.member.name == "Alice"


@pytest.mark.parametrize("typed", ["1 500,25", "1\u202f500.25", "1500,2500"])
def test_amounts_are_typed_as_people_do(
    typed: str, client_of: ClientOf, alice: Member, bob: Member
) -> None:
    credit_company(alice.company, "2000")
    client_of(alice).post(page_of(bob), wish(typed))
    assert balance_of(bob) == Decimal("1500.25")


@pytest.mark.parametrize(("typed", "sentence"), BAD_AMOUNTS)
def test_a_bad_amount_is_refused_with_a_sentence_and_moves_nothing(
    desk: Client, bob: Member, typed: str, sentence: str
) -> None:
    before = moved(bob.company)
    response = desk.post(page_of(bob), wish(typed))
    assert response.status_code == 422
    assert sentence in words_of(response)
    assert f'value="{typed}"' in response.content.decode() or not typed
    assert moved(bob.company) == before


def test_more_than_the_company_has_is_refused_and_stays_typed(desk: Client, bob: Member) -> None:
    before = moved(bob.company)
    response = desk.post(page_of(bob), wish("200.01"))
    assert response.status_code == 422
    assert "The company's credit is too low" in words_of(response)
    assert 'value="200.01"' in response.content.decode()
    assert moved(bob.company) == before


def test_a_form_sent_twice_adds_once_and_answers_the_same(desk: Client, bob: Member) -> None:
    form = wish("25")
    first = desk.post(page_of(bob), form, follow=True)
    second = desk.post(page_of(bob), form, follow=True)
    sentence = "€25.00 added to Bob's account. The company's balance is now €175.00."
    assert sentence in words_of(first)
    assert sentence in words_of(second)
    assert balance_of(bob) == 25


def test_a_form_sent_again_with_another_amount_is_a_conflict(desk: Client, bob: Member) -> None:
    key = str(uuid.uuid4())
    desk.post(page_of(bob), wish("25", key))
    response = desk.post(page_of(bob), wish("30", key))
    assert response.status_code == 409
    assert "This form was already sent with another amount" in words_of(response)
    assert key not in response.content.decode()
    assert balance_of(bob) == 25


def test_a_form_without_a_key_is_refused(desk: Client, bob: Member) -> None:
    before = moved(bob.company)
    for data in ({"amount": "5"}, {"amount": "5", "form_key": "guess"}):
        response = desk.post(page_of(bob), data)
        assert response.status_code == 422
        assert "This page is too old. Please reload it." in words_of(response)
    assert moved(bob.company) == before


def test_each_page_has_a_key_of_its_own(desk: Client, bob: Member) -> None:
    keys = {desk.get(page_of(bob)).context["form"]["form_key"].value() for _ in range(2)}
    assert len(keys) == 2


def test_finance_reads_the_page_and_adds_nothing(
    client_of: ClientOf, rich: Member, bob: Member, fiona: Member
) -> None:
    give(rich, bob, "5")
    before = moved(bob.company)
    client = client_of(fiona)
    words = words_of(client.get(page_of(bob)))
    assert "Latest movements" in words
    assert "Add credit" not in words
    for data in (wish("5"), wish("ten")):
        assert client.post(page_of(bob), data).status_code == 403
    assert moved(bob.company) == before


def test_a_member_is_refused_and_another_company_finds_nothing(
    client_of: ClientOf, rich: Member, bob: Member, charlie: Member
) -> None:
    before = moved(bob.company)
    for member, status in ((bob, 403), (charlie, 404)):
        client = client_of(member)
        assert client.get(page_of(bob)).status_code == status
        assert client.post(page_of(bob), wish("5")).status_code == status
    assert moved(bob.company) == before


def test_nobody_signed_in_is_sent_to_sign_in(client: Client, bob: Member) -> None:
    response = client.get(page_of(bob))
    assert response.status_code == 302
    assert response["Location"].startswith("/accounts/login/")


@pytest.mark.parametrize("state", [Company.State.FROZEN, Company.State.CLOSED])
def test_a_company_that_is_not_active_adds_nothing_and_says_why(
    desk: Client, bob: Member, state: Company.State
) -> None:
    Company.objects.filter(pk=bob.company_id).update(state=state)
    before = moved(bob.company)
    words = words_of(desk.get(page_of(bob)))
    assert f"The company is {state.value}" in words
    assert "Add credit" not in words
    response = desk.post(page_of(bob), wish("5"))
    assert response.status_code == 422
    assert f"The company is {state.value}" in words_of(response)
    assert moved(bob.company) == before


def test_a_suspended_member_can_receive_and_one_who_left_cannot(desk: Client, bob: Member) -> None:
    Member.objects.filter(pk=bob.pk).update(status=Member.Status.SUSPENDED)
    desk.post(page_of(bob), wish("5"))
    assert balance_of(bob) == 5
    Member.objects.filter(pk=bob.pk).update(status=Member.Status.LEFT)
    assert "Bob is no longer in the company" in words_of(desk.get(page_of(bob)))
    assert desk.post(page_of(bob), wish("5")).status_code == 422
    assert balance_of(bob) == 5


def test_movements_say_who_and_show_calls_as_one_line_a_day(desk: Client, bob: Member) -> None:
    desk.post(page_of(bob), wish("25"))
    post_call(bob, "1.25")
    post_call(bob, "0.5")
    words = words_of(desk.get(page_of(bob)))
    assert "Allocation by Alice +€25.00 €25.00" in words
    assert "Calls, 2 \u2212€1.75" in words
    assert "1.25" not in words


def test_no_movements_is_said_in_words(desk: Client, bob: Member) -> None:
    assert "No movements yet" in words_of(desk.get(page_of(bob)))


def test_a_page_with_more_movements_needs_no_more_queries(desk: Client, bob: Member) -> None:
    desk.post(page_of(bob), wish("1"))
    post_call(bob, "0.1")
    few = query_count(desk, page_of(bob))
    for _ in range(8):
        desk.post(page_of(bob), wish("1"))
        post_call(bob, "0.1")
    assert query_count(desk, page_of(bob)) == few
