"""The company's first payments, made on the payment provider's page: by card, by PayPal, declined,
and with a bank that asks; each leads back to a page that says what happened.
"""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect
from pytest_django import Settings

from billing.models import PaymentMethod, Purchase
from credit.verification import verify_ledger
from members.models import Company, Member
from tests.browser.conftest import Desk
from tests.browser.gallery import STORY_VIEWS, Gallery
from tests.browser.words import Words
from tests.fakes.fixtures import payment_process, payment_server
from tests.fakes.payment_client import PaymentServer

__all__ = ["payment_process", "payment_server"]
GOOD, POOR, ASKING = "4242424242424242", "4000000000009995", "4000002760003184"
POOR_LATER = "4000000000000341"


@pytest.fixture
def gallery(words: Words) -> Gallery:
    return Gallery(words.language, views=(STORY_VIEWS[0], STORY_VIEWS[-1]))


@pytest.fixture(autouse=True)
def _shop(payment_server: PaymentServer, settings: Settings, alice: Member) -> None:
    """Only real ways to pay are offered, and what an invoice needs is known."""
    settings.GATEWAYS = ["stripe"]
    Company.objects.filter(pk=alice.company_id).update(
        address_line_1="1 rue de la Paix", postcode="75002", city="Paris", siren="552100554"
    )


def go_and_pay(page: Page, words: Words, way: str, gallery: Gallery | None = None) -> None:
    """From the dashboard to the provider's page, for 50 €."""
    page.goto("/")
    page.get_by_role("main").get_by_role("link", name=words("Buy credit")).first.click()
    page.locator(f'label:has(input[value="stripe:{way}"])').click()
    if gallery is not None:
        gallery.take(page, f"pay-{way}-1-method")
    page.get_by_role("button", name=words("Next")).click()
    page.locator("label").filter(has_text=words.money("50")).first.click()
    page.get_by_role("button", name=words("Continue")).click()
    expect(page.locator(".sum-lines .is-total")).to_contain_text(words.money("60"))
    if gallery is not None:
        gallery.take(page, f"pay-{way}-2-check")
    page.get_by_role("button", name=words("Pay now")).click()
    expect(page.locator(".amount")).to_have_text("60.00 EUR")


def pay_by(page: Page, number: str) -> None:
    """A card is typed in on the provider's page."""
    page.locator("#number").fill(number)
    page.locator("#pay-card").click()


def expect_received(page: Page, words: Words) -> None:
    """The payer is back, and the credit is there."""
    expect(page.get_by_role("heading", name=words("Your payment was received"))).to_be_visible()
    expect(page.locator(".chip-amount")).to_have_text(words.money("50"))
    assert verify_ledger() == []


def test_the_first_purchase_is_paid_by_card_and_the_second_with_the_saved_one(
    desk: Desk, alice: Member, words: Words, gallery: Gallery, payment_server: PaymentServer
) -> None:
    page = desk.open(alice, words.language)
    go_and_pay(page, words, "card", gallery)
    gallery.take(page, "pay-card-3-provider")
    pay_by(page, GOOD)
    expect_received(page, words)
    gallery.take(page, "pay-card-4-received")

    page.goto("/buy/")
    expect(page.get_by_role("main")).to_contain_text("Visa •••• 4242")
    page.get_by_role("main").get_by_role("link", name=words.money("50")).click()
    page.get_by_role("button", name=words("Pay now")).click()
    expect(page.locator(".chip-amount")).to_have_text(words.money("100"))
    charged = [one for one in payment_server.objects("charge") if one["status"] == "succeeded"]
    assert [one["amount"] for one in charged] == [6000, 6000]
    assert not gallery.faults, gallery.describe()


def test_the_first_purchase_is_paid_with_paypal(
    desk: Desk, alice: Member, words: Words, gallery: Gallery
) -> None:
    page = desk.open(alice, words.language)
    go_and_pay(page, words, "paypal", gallery)
    page.locator("#pay-paypal").click()
    gallery.take(page, "pay-paypal-3-paypal")
    page.locator('button[value="approve"]').click()
    expect_received(page, words)
    gallery.take(page, "pay-paypal-4-received")
    expect(page.get_by_role("main")).to_contain_text("payer@example.com")
    assert PaymentMethod.objects.get().kind == "paypal"
    assert not gallery.faults, gallery.describe()


def test_a_declined_card_charges_nothing_and_another_one_pays(
    desk: Desk, alice: Member, words: Words, gallery: Gallery
) -> None:
    page = desk.open(alice, words.language)
    go_and_pay(page, words, "card")
    pay_by(page, POOR)
    expect(page.get_by_role("alert")).to_be_visible()
    gallery.take(page, "pay-declined-1-provider")
    page.locator("#cancel").click()
    expect(page.get_by_role("heading", name=words("Finish your payment"))).to_be_visible()
    expect(page.locator(".chip-amount")).to_have_text(words.money("0"))
    expect(page.get_by_role("main")).to_contain_text(words("Waiting for payment"))
    expect(page.get_by_role("main")).to_contain_text(words("Payment page opened"))
    gallery.take(page, "pay-declined-2-back")
    page.get_by_role("link", name=words("Continue to the payment page")).click()
    pay_by(page, GOOD)
    expect_received(page, words)
    assert not gallery.faults, gallery.describe()


def test_a_saved_card_that_is_declined_says_so_and_offers_another(
    desk: Desk, alice: Member, words: Words, gallery: Gallery, payment_server: PaymentServer
) -> None:
    page = desk.open(alice, words.language)
    go_and_pay(page, words, "card")
    pay_by(page, GOOD)
    expect_received(page, words)
    payment_server.order("decline", code="insufficient_funds")
    page.goto("/buy/")
    page.get_by_role("main").get_by_role("link", name=words.money("50")).click()
    page.get_by_role("button", name=words("Pay now")).click()
    expect(page.get_by_role("heading", name=words("The payment was declined"))).to_be_visible()
    expect(page.get_by_role("alert")).to_contain_text(words("Nothing was charged."))
    gallery.take(page, "pay-declined-3-saved-card")
    expect(page.locator(".chip-amount")).to_have_text(words.money("50"))
    page.get_by_role("link", name=words("Use another card")).click()
    expect(page.locator('input[value="stripe:card"]')).to_be_attached()
    assert not gallery.faults, gallery.describe()


def test_a_bank_that_asks_is_answered_on_its_page(
    desk: Desk, alice: Member, words: Words, gallery: Gallery
) -> None:
    page = desk.open(alice, words.language)
    go_and_pay(page, words, "card")
    pay_by(page, ASKING)
    gallery.take(page, "pay-authentication-1-bank")
    page.locator('button[value="approve"]').click()
    expect_received(page, words)

    page.goto("/buy/")
    page.get_by_role("main").get_by_role("link", name=words.money("50")).click()
    page.get_by_role("button", name=words("Pay now")).click()
    asks = page.get_by_role("heading", name=words("Your bank asks for authentication"))
    expect(asks).to_be_visible()
    gallery.take(page, "pay-authentication-2-asks")
    page.get_by_role("link", name=words("Continue to the bank")).click()
    page.locator('button[value="refuse"]').click()
    expect(page.get_by_role("heading", name=words("The payment was declined"))).to_be_visible()
    gallery.take(page, "pay-authentication-3-refused")
    expect(page.locator(".chip-amount")).to_have_text(words.money("50"))
    assert not gallery.faults, gallery.describe()


def test_a_direct_debit_is_credited_when_the_bank_has_paid(
    desk: Desk,
    alice: Member,
    words: Words,
    gallery: Gallery,
    payment_server: PaymentServer,
    work: Callable[[], None],
) -> None:
    page = desk.open(alice, words.language)
    go_and_pay(page, words, "sepa_debit")
    page.locator("#pay-sepa_debit").click()
    expect(
        page.get_by_role("heading", name=words("Your payment is being processed"))
    ).to_be_visible()
    expect(page.get_by_role("main")).to_contain_text(
        words(
            "Your bank pays a direct debit within a few working days. The credit is added by itself"
            " when it has; you can leave this page."
        )
    )
    gallery.take(page, "pay-debit-1-processed")
    expect(page.locator(".chip-amount")).to_have_text(words.money("0"))
    payment_server.order("settle", intent=Purchase.objects.get().gateway_reference)
    work()
    expect_received(page, words)
    assert not gallery.faults, gallery.describe()
