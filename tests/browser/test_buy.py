"""The company buys credit: method, amount, check, confirmation; and what else a bank may answer."""

from collections.abc import Callable

from playwright.sync_api import Page, expect

from billing.models import AutoPurchaseRule
from members.models import Member
from tests.billing.conftest import ASKING, DECLINED, GOOD, LATE, five_seconds_pass
from tests.browser.conftest import Desk
from tests.browser.words import Words


def open_buying(page: Page, words: Words) -> None:
    """From the dashboard: the payment methods are shown."""
    page.goto("/")
    page.get_by_role("main").get_by_role("link", name=words("Buy credit")).first.click()


def choose_card(page: Page, words: Words, number: str) -> None:
    """Step one is done with a test card."""
    page.get_by_label(words("Test card number")).fill(number)
    page.get_by_role("button", name=words("Next")).click()


def buy(page: Page, words: Words, number: str, amount: str = "50") -> None:
    """Everything up to Pay now, without auto-recharge."""
    open_buying(page, words)
    choose_card(page, words, number)
    page.get_by_label(words("Other amount"), exact=True).last.fill(amount)
    page.get_by_role("button", name=words("Continue")).click()
    page.get_by_role("button", name=words("Pay now")).click()


def test_credit_is_bought_with_auto_recharge_and_confirmed(
    desk: Desk, alice: Member, words: Words
) -> None:
    page = desk.open(alice, words.language)
    open_buying(page, words)
    choose_card(page, words, GOOD)

    page.locator(".choices label, .amounts label, label").filter(
        has_text=words.money("100")
    ).first.click()
    tick = page.get_by_label(words("Turn on auto-recharge"))
    expect(tick).not_to_be_checked()
    expect(page.get_by_label(words("When the company's balance falls below"))).to_be_hidden()
    tick.check()
    page.get_by_label(words("When the company's balance falls below")).fill(words.typed("20"))
    page.get_by_label(words("Monthly limit")).fill(words.typed("300"))
    page.get_by_role("button", name=words("Continue")).click()

    check = page.get_by_role("main")
    expect(check.locator(".sum-lines tr")).to_have_count(3)
    expect(check.locator(".sum-lines .is-total")).to_contain_text(words.money("120"))
    for amount in ("100", "20", "300"):
        expect(check.locator(".agreement")).to_contain_text(words.money(amount))
    page.get_by_role("button", name=words("Pay now")).click()

    expect(page.get_by_role("heading", name=words("Your payment was received"))).to_be_visible()
    expect(page.locator(".chip-amount")).to_have_text(words.money("100"))
    rule = AutoPurchaseRule.objects.get(company=alice.company)
    assert (rule.state, rule.amount, rule.level, rule.monthly_limit) == ("on", 100, 20, 300)
    page.get_by_role("link", name=words("Allocate credit to members")).click()
    expect(page.get_by_role("heading", level=1)).to_have_text(words("Members"))


def test_a_declined_card_charges_nothing_and_offers_another(
    desk: Desk, alice: Member, words: Words
) -> None:
    page = desk.open(alice, words.language)
    buy(page, words, DECLINED)
    expect(page.get_by_role("heading", name=words("The payment was declined"))).to_be_visible()
    expect(page.get_by_role("alert")).to_contain_text(words("Nothing was charged."))
    expect(page.locator(".chip-amount")).to_have_text(words.money("0"))
    page.get_by_role("link", name=words("Use another card")).click()
    choose_card(page, words, GOOD)
    page.get_by_label(words("Other amount"), exact=True).last.fill("50")
    page.get_by_role("button", name=words("Continue")).click()
    page.get_by_role("button", name=words("Pay now")).click()
    expect(page.locator(".chip-amount")).to_have_text(words.money("50"))


def test_authentication_at_the_bank_adds_the_credit_afterwards(
    desk: Desk, alice: Member, words: Words, work: Callable[[], None]
) -> None:
    page = desk.open(alice, words.language)
    buy(page, words, ASKING)
    expect(page.locator(".chip-amount")).to_have_text(words.money("0"))
    page.get_by_role("link", name=words("Continue to the bank")).click()
    page.get_by_role("button", name=words("Approve")).click()
    work()
    expect(page.get_by_role("heading", name=words("Your payment was received"))).to_be_visible()
    expect(page.locator(".chip-amount")).to_have_text(words.money("50"))


def test_an_answer_that_comes_late_is_shown_without_reloading(
    desk: Desk, alice: Member, work: Callable[[], None]
) -> None:
    page = desk.open(alice)
    buy(page, Words("en"), LATE)
    expect(page.get_by_role("heading", name="Your payment is being processed")).to_be_visible()
    page.evaluate("window.neverReloaded = true")
    five_seconds_pass()
    work()
    expect(page.locator(".chip-amount")).to_have_text("€50.00")
    expect(page.get_by_role("heading", name="Your payment was received")).to_be_visible()


def test_amounts_that_mean_nothing_are_told_beside_the_field(desk: Desk, alice: Member) -> None:
    words = Words("en")
    page = desk.open(alice)
    open_buying(page, words)
    choose_card(page, words, GOOD)
    for typed in ("0", "-5", "1.500", "ten", "٥٠", "1e21", "1.00001"):
        page.get_by_label("Other amount", exact=True).last.fill(typed)
        page.get_by_role("button", name="Continue").click()
        expect(page.locator("input[aria-invalid=true]")).to_have_value(typed)
