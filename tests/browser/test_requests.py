"""A member asks for credit; an administrator grants it; both see it at once."""

from playwright.sync_api import expect

from members.models import Member
from tests.browser.conftest import Desk
from tests.browser.test_credit import balance_of
from tests.browser.words import Words
from tests.conftest import credit_company


def test_credit_that_a_member_asks_for_is_added_by_an_administrator(
    desk: Desk, alice: Member, bob: Member, words: Words
) -> None:
    credit_company(alice.company, 100)
    own = desk.open(bob, words.language)
    own.goto("/")
    own.get_by_role("link", name=words("Request credit")).first.click()
    own.get_by_label(words("Amount")).fill(words.typed("12.50"))
    own.locator("#id_reason").fill("Casablanca")
    own.get_by_role("button", name=words("Send the request")).click()

    page = desk.open(alice, words.language)
    page.goto("/")
    page.locator("#dashboard-attention a").first.click()
    expect(page.get_by_role("heading", level=1)).to_have_text(words("Requests"))
    expect(page.get_by_role("main")).to_contain_text("Casablanca")
    page.get_by_role("button", name=words("Approve and add credit")).click()
    expect(page.locator(".chip-amount")).to_have_text(words.money("87.50"))
    expect(own.locator(".chip-amount")).to_have_text(words.money("12.50"))
    assert balance_of(bob) == 12.5
