"""Buying in the browser: each step, each card, each wrong input, each person."""

import re
from decimal import Decimal
from urllib.parse import parse_qs, urlsplit

import pytest
from django.conf import LazySettings
from django.test import Client

from billing.drafts import Draft
from billing.links import authentication_link
from billing.models import AutoPurchaseConsent, AutoPurchaseRule, PaymentMethod, Purchase
from credit.accounts import company_balance
from members.models import Company, Member
from tests.billing.conftest import (
    ASKING,
    DECLINED,
    DOWN,
    GOOD,
    LATE,
    LOST,
    POOR,
    STOLEN,
    buy,
    card_of,
    five_seconds_pass,
    sweep,
    text_of,
)
from tests.conftest import ClientOf

pytestmark = pytest.mark.django_db


def go_to_amount(browser: Client, number: str = GOOD) -> str:
    answer = browser.post("/buy/", {"method": "sandbox", "number": number})
    assert answer.status_code == 302
    return str(answer["Location"])


def go_to_check(browser: Client, number: str = GOOD, **fields: str) -> str:
    answer = browser.post(go_to_amount(browser, number), fields or {"choice": "50"})
    assert answer.status_code == 302
    return str(answer["Location"])


def pay(browser: Client, check_page: str) -> str:
    draft = parse_qs(urlsplit(check_page).query)["draft"][0]
    answer = browser.post("/buy/check/", {"draft": draft})
    assert answer.status_code == 302
    return str(answer["Location"])


def test_a_first_purchase_goes_through_every_page(alice: Member, client_of: ClientOf) -> None:
    browser = client_of(alice)
    assert "Test cards" in text_of(browser.get("/buy/"))
    amount_page = go_to_amount(browser)
    assert "€50.00" in text_of(browser.get(amount_page))
    check_page = browser.post(amount_page, {"choice": "50"})["Location"]
    words = text_of(browser.get(check_page))
    for part in ("Test card •••• 4242", "Credit (net) €50.00", "VAT 20 % €10.00", "Total €60.00"):
        assert part in words
    assert company_balance(alice.company) == 0
    done = text_of(browser.get(pay(browser, check_page)))
    assert "Your payment was received" in done
    assert "The balance is now €50.00." in done
    assert "Allocate credit" in done
    assert company_balance(alice.company) == 50


def test_the_same_in_french(alice: Member, client_of: ClientOf) -> None:
    browser = client_of(alice, "fr")
    check_page = go_to_check(browser, other="1 234,50")
    assert "1 234,50" in text_of(browser.get(check_page)).replace("\u202f", " ").replace(
        "\u00a0", " "
    )
    pay(browser, check_page)
    assert company_balance(alice.company) == Decimal("1234.50")


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (DECLINED, "The bank declined the card."),
        (POOR, "There is not enough money behind the card."),
        (STOLEN, "The card was reported stolen"),
    ],
)
def test_a_declined_card_says_why_and_what_to_do(
    alice: Member, client_of: ClientOf, number: str, words: str
) -> None:
    browser = client_of(alice)
    page = browser.get(pay(browser, go_to_check(browser, number)))
    text = text_of(page)
    assert words in text
    assert "Try again" in text
    assert "Use another card" in text
    assert company_balance(alice.company) == 0


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (LATE, "Your payment is being processed"),
        (LOST, "We are checking with the payment provider"),
        (DOWN, "We are checking with the payment provider"),
    ],
)
def test_a_late_or_lost_answer_refreshes_itself_until_it_is_paid(
    alice: Member, client_of: ClientOf, number: str, words: str
) -> None:
    browser = client_of(alice)
    address = pay(browser, go_to_check(browser, number))
    page = browser.get(address)
    assert words in text_of(page)
    assert b'http-equiv="refresh"' in page.content
    purchase = Purchase.objects.get()
    poll = f"/purchases/{purchase.pk}/status/?was={purchase.status}"
    assert browser.get(poll).status_code == 204
    five_seconds_pass()
    sweep()
    assert browser.get(poll)["HX-Refresh"] == "true"
    page = browser.get(address)
    assert "Your payment was received" in text_of(page)
    assert b'http-equiv="refresh"' not in page.content


@pytest.mark.parametrize(
    ("answer", "words", "balance"),
    [
        ("approve", "Your payment was received", 50),
        ("refuse", "The payment was declined", 0),
    ],
)
def test_a_card_that_needs_authentication_leads_to_the_sandboxs_page(
    alice: Member, client_of: ClientOf, answer: str, words: str, balance: int
) -> None:
    browser = client_of(alice)
    address = pay(browser, go_to_check(browser, ASKING))
    purchase = Purchase.objects.get()
    assert "Your bank asks for authentication" in text_of(browser.get(address))
    page = text_of(browser.get(purchase.action_url))
    assert "Sandbox: this is no bank" in page
    assert "Approve" in page
    back = browser.post(purchase.action_url, {"answer": answer})
    assert back["Location"] == address
    assert words in text_of(browser.get(address))
    assert company_balance(alice.company) == balance
    assert "Approve" not in text_of(browser.get(purchase.action_url))


def test_the_sandboxs_page_does_not_exist_without_the_sandbox(
    alice: Member, client_of: ClientOf, settings: LazySettings
) -> None:
    purchase = buy(alice, number=ASKING)
    settings.GATEWAYS = []
    assert client_of(alice).get(purchase.action_url).status_code == 404


def test_an_unknown_reference_is_not_found(alice: Member, client_of: ClientOf) -> None:
    assert client_of(alice).get("/sandbox/authenticate/abc/").status_code == 404


def test_whoever_holds_the_mailed_link_reaches_the_banks_page(
    alice: Member, client: Client
) -> None:
    purchase = buy(alice, number=ASKING)
    from_mail = authentication_link(purchase.pk)
    assert client.get(from_mail)["Location"] == purchase.action_url
    client.post(purchase.action_url, {"answer": "approve"})
    assert "Payment confirmed" in text_of(client.get(from_mail))
    assert client.get(from_mail[:-2] + "x/").status_code == 404


def test_pressing_pay_now_again_shows_the_same_purchase(alice: Member, client_of: ClientOf) -> None:
    browser = client_of(alice)
    check_page = go_to_check(browser)
    first = pay(browser, check_page)
    assert [pay(browser, check_page) for _ in range(3)] == [first] * 3
    assert company_balance(alice.company) == 50


def test_two_windows_pay_what_each_of_them_showed(alice: Member, client_of: ClientOf) -> None:
    browser = client_of(alice)
    one, two = go_to_check(browser, choice="50"), go_to_check(browser, choice="100")
    pay(browser, one)
    assert company_balance(alice.company) == 50
    pay(browser, two)
    assert company_balance(alice.company) == 150


def test_a_changed_draft_is_refused(alice: Member, client_of: ClientOf) -> None:
    browser = client_of(alice)
    go_to_check(browser)
    answer = browser.post("/buy/check/", {"draft": "forged"})
    assert answer["Location"] == "/buy/"
    assert not Purchase.objects.exists()


def test_another_companys_draft_and_card_are_of_no_use(
    alice: Member, charlie: Member, client_of: ClientOf
) -> None:
    browser = client_of(charlie)
    card = card_of(alice)
    draft = Draft.start(alice.company, means=card, amount=Decimal(50), terms=None)
    assert browser.post("/buy/check/", {"draft": draft.sign()})["Location"] == "/buy/"
    stolen = Draft.start(charlie.company, means=card, amount=Decimal(50), terms=None)
    assert browser.post("/buy/check/", {"draft": stolen.sign()})["Location"] == "/buy/"
    assert browser.get(f"/buy/amount/?method={card.pk}")["Location"] == "/buy/"
    assert not Purchase.objects.exists()


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("0", "The amount must be above 0."),
        ("-5", "The amount must be above 0."),
        ("10.00001", "Use at most 2 decimals."),
        ("1.500", "Do you mean"),
        ("1e21", "This is not an amount."),
        ("9" * 22, "This amount is too large."),
        ("ten", "This is not an amount."),
        ("١٢", "Write the amount with the digits 0 to 9"),
        ("0.50", "You can buy €1.00 or more."),
        ("100001", "You can buy at most €100,000.00 at once."),
        ("", "Enter an amount."),
    ],
)
def test_a_wrong_amount_gets_a_sentence_and_keeps_what_was_typed(
    alice: Member, client_of: ClientOf, typed: str, words: str
) -> None:
    browser = client_of(alice)
    answer = browser.post(go_to_amount(browser), {"choice": "other", "other": typed})
    assert answer.status_code == 422
    assert words in text_of(answer)
    assert f'value="{typed}"'.encode() in answer.content or not typed
    assert not Purchase.objects.exists()


def test_choosing_nothing_or_two_amounts_is_refused(alice: Member, client_of: ClientOf) -> None:
    browser = client_of(alice)
    page = go_to_amount(browser)
    assert "Choose an amount." in text_of(browser.post(page, {}))
    both = browser.post(page, {"choice": "50", "other": "60"})
    assert "not both" in text_of(both)
    assert browser.post(page, {"choice": "7"}).status_code == 422


@pytest.mark.parametrize("number", ["4111 1111 1111 1111", "", "12"])
def test_a_number_that_is_no_test_card_is_refused(
    alice: Member, client_of: ClientOf, number: str
) -> None:
    answer = client_of(alice).post("/buy/", {"method": "sandbox", "number": number})
    assert answer.status_code == 422
    assert "test card" in text_of(answer)
    assert not PaymentMethod.objects.exists()


def test_a_method_that_does_not_exist_is_refused(alice: Member, client_of: ClientOf) -> None:
    for method in ("paypal", "999999999999", "9" * 40):
        assert client_of(alice).post("/buy/", {"method": method}).status_code == 422


def test_the_tick_is_never_set_beforehand_and_asks_level_and_limit(
    alice: Member, client_of: ClientOf
) -> None:
    browser = client_of(alice)
    page = go_to_amount(browser)
    assert b"checked" not in browser.get(page).content
    answer = browser.post(page, {"choice": "50", "auto_recharge": "on"})
    assert answer.status_code == 422
    assert text_of(answer).count("Enter an amount.") >= 2
    low = browser.post(
        page, {"choice": "50", "auto_recharge": "on", "level": "10", "monthly_limit": "49"}
    )
    assert "The monthly limit must be at least" in text_of(low)


def test_the_tick_stores_the_consent_with_the_purchase(alice: Member, client_of: ClientOf) -> None:
    browser = client_of(alice)
    check_page = go_to_check(
        browser, choice="50", auto_recharge="on", level="10", monthly_limit="200"
    )
    words = text_of(browser.get(check_page))
    assert "With Pay now you agree to this:" in words
    assert "is charged €50.00 plus VAT" in words
    assert not AutoPurchaseConsent.objects.exists()
    done = text_of(browser.get(pay(browser, check_page)))
    assert "Auto-recharge was set up: €50.00 are bought" in done
    rule = AutoPurchaseRule.objects.get()
    assert (rule.level, rule.amount, rule.monthly_limit, rule.state) == (10, 50, 200, "on")
    assert AutoPurchaseConsent.objects.get().member == alice


def test_level_and_limit_without_the_tick_do_nothing(alice: Member, client_of: ClientOf) -> None:
    browser = client_of(alice)
    pay(browser, go_to_check(browser, choice="50", level="x", monthly_limit=""))
    assert not AutoPurchaseConsent.objects.exists()


def test_back_from_the_check_page_keeps_what_was_chosen(alice: Member, client_of: ClientOf) -> None:
    browser = client_of(alice)
    check = browser.get(
        go_to_check(browser, other="33", auto_recharge="on", level="10", monthly_limit="99")
    )
    address = re.search(rb'href="(/buy/amount/[^"]+)"', check.content)
    assert address is not None
    page = browser.get(address[1].decode().replace("&amp;", "&")).content
    for value in (b'value="33.00"', b'value="10.00"', b'value="99.00"'):
        assert value in page


def test_buying_again_with_the_saved_card_is_three_clicks(
    alice: Member, client_of: ClientOf
) -> None:
    buy(alice, "75")
    browser = client_of(alice)
    page = browser.get("/buy/")
    assert b'href="/buy/again/"' in page.content
    check_page = browser.get("/buy/again/")["Location"]
    pay(browser, check_page)
    assert company_balance(alice.company) == 150


def test_trying_again_is_a_new_purchase_of_the_same(alice: Member, client_of: ClientOf) -> None:
    declined = buy(alice, number=DECLINED)
    browser = client_of(alice)
    pay(browser, browser.get(f"/purchases/{declined.pk}/retry/")["Location"])
    assert Purchase.objects.count() == 2


@pytest.mark.parametrize("state", [Company.State.FROZEN, Company.State.CLOSED])
def test_a_company_that_is_not_active_is_told_so(
    alice: Member, client_of: ClientOf, state: str
) -> None:
    browser = client_of(alice)
    check_page = go_to_check(browser)
    Company.objects.update(state=state)
    assert f"The company is {state}" in text_of(browser.get("/buy/"))
    draft = parse_qs(urlsplit(check_page).query)["draft"][0]
    answer = browser.post("/buy/check/", {"draft": draft})
    assert answer.status_code == 422
    assert f"The company is {state}" in text_of(answer)
    assert not Purchase.objects.exists()


def test_amounts_are_offered_in_the_companys_currency(alice: Member, client_of: ClientOf) -> None:
    Company.objects.update(currency="JPY")
    browser = client_of(alice)
    page = go_to_amount(browser)
    assert "1,000" in text_of(browser.get(page))
    answer = browser.post(page, {"choice": "other", "other": "1500.5"})
    assert "This currency has no decimals." in text_of(answer)
    pay(browser, browser.post(page, {"choice": "other", "other": "1 500"})["Location"])
    assert company_balance(alice.company) == 1500
