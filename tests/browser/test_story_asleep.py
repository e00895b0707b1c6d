"""While everybody sleeps a member's calls empty the company, and it buys credit by itself; once the
bank agrees at once, once it wants to hear from somebody first.
"""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect
from pytest_django import Settings

from billing.models import Purchase
from credit.verification import verify_ledger
from members.models import Company, Member
from tests.browser.conftest import Desk
from tests.browser.gallery import STORY_VIEWS, Gallery
from tests.browser.outbox import follow_link
from tests.browser.words import Words
from tests.conftest import give
from tests.fakes.fixtures import payment_process, payment_server
from tests.fakes.payment_client import PaymentServer

__all__ = ["payment_process", "payment_server"]
AGREES, ASKS = "4242424242424242", "4000002760003184"


@pytest.fixture(autouse=True)
def _shop(payment_server: PaymentServer, settings: Settings, alice: Member) -> None:
    settings.GATEWAYS = ["stripe"]
    Company.objects.filter(pk=alice.company_id).update(
        address_line_1="1 rue de la Paix", postcode="75002", city="Paris", siren="552100554"
    )


def buy_with_auto_recharge(page: Page, words: Words, number: str) -> None:
    """50 € now, and again whenever the balance falls below 20 €."""
    page.goto("/buy/")
    page.locator('label:has(input[value="stripe:card"])').click()
    page.get_by_role("button", name=words("Next")).click()
    page.locator("label").filter(has_text=words.money("50")).first.click()
    page.get_by_label(words("Turn on auto-recharge")).check()
    page.get_by_label(words("When the company's balance falls below")).fill(words.typed("20"))
    page.get_by_label(words("Monthly limit")).fill(words.typed("300"))
    page.get_by_role("button", name=words("Continue")).click()
    page.get_by_role("button", name=words("Pay now")).click()
    page.locator("#number").fill(number)
    page.locator("#pay-card").click()
    if number == ASKS:
        page.locator('button[value="approve"]').click()
    expect(page.get_by_role("heading", name=words("Your payment was received"))).to_be_visible()


def test_the_company_buys_by_itself_while_nobody_looks(
    desk: Desk, alice: Member, bob: Member, words: Words, work: Callable[[], None]
) -> None:
    page = desk.open(alice, words.language)
    buy_with_auto_recharge(page, words, AGREES)
    give(alice, bob, "45")
    for _hour in range(3):
        work()
    expect(page.locator(".chip-amount")).to_have_text(words.money("55"))
    page.goto("/purchases/")
    expect(page.locator("tbody tr")).to_have_count(2)
    expect(page.get_by_role("main")).to_contain_text(words("Auto-recharge"))
    assert verify_ledger() == []


def test_a_bank_that_asks_at_night_is_answered_from_the_mail_in_the_morning(
    desk: Desk,
    alice: Member,
    bob: Member,
    words: Words,
    work: Callable[[], None],
    payment_server: PaymentServer,
) -> None:
    gallery = Gallery(words.language, views=(STORY_VIEWS[0], STORY_VIEWS[-1]))
    page = desk.open(alice, words.language)
    buy_with_auto_recharge(page, words, ASKS)
    give(alice, bob, "45")
    for _hour in range(3):
        work()
    expect(page.locator(".chip-amount")).to_have_text(words.money("5"))

    phone = desk.open(None, words.language)
    follow_link(phone, "alice@example.com", "/purchases/authenticate/")
    gallery.take(phone, "asleep-1-bank")
    phone.locator('button[value="approve"]').click()
    expect(phone.get_by_role("heading", name=words("Payment confirmed"))).to_be_visible()
    gallery.take(phone, "asleep-2-confirmed")
    expect(page.locator(".chip-amount")).to_have_text(words.money("55"))
    assert Purchase.objects.filter(is_automatic=True, status="succeeded").count() == 1
    charged = [one for one in payment_server.objects("charge") if one["status"] == "succeeded"]
    assert len(charged) == 2
    assert verify_ledger() == []
    assert not gallery.faults, gallery.describe()
