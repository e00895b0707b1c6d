"""A member's balance recharges by itself, within the limit."""

from collections.abc import Callable

from playwright.sync_api import Page, expect

from members.models import Member
from tests.billing.conftest import GOOD
from tests.browser.conftest import Desk
from tests.browser.test_buy import buy
from tests.browser.test_credit import balance_of
from tests.browser.words import Words
from tests.conftest import credit_company, make_member


def fill_rule(page: Page, words: Words, amount: str, threshold: str, limit: str) -> None:
    """The three fields are filled in."""
    page.get_by_label(words("Recharge member's account with")).fill(words.typed(amount))
    page.get_by_label(words("when balance falls below")).fill(words.typed(threshold))
    page.get_by_label(words("Monthly recharge limit")).fill(words.typed(limit))


def test_a_saved_rule_recharges_at_once_and_tells_what_is_left(
    desk: Desk, alice: Member, bob: Member, words: Words
) -> None:
    credit_company(alice.company, 100)
    own = desk.open(bob, words.language)
    own.goto("/me/")
    page = desk.open(alice, words.language)
    page.goto("/")
    page.get_by_role("navigation").get_by_role("link", name=words("Members")).click()
    page.get_by_role("link", name="Bob", exact=True).click()
    page.get_by_role("link", name=words("Manage auto-recharge")).click()
    fill_rule(page, words, "10", "5", "25")
    sentence = page.locator("#rule-preview .sentence")
    for amount in ("10", "5", "25"):
        expect(sentence).to_contain_text(words.money(amount))
    page.get_by_role("button", name=words("Save and activate")).click()

    expect(page.locator(".chip-amount")).to_have_text(words.money("90"))
    expect(page.locator("#rule-state")).to_contain_text(words.money("10"))
    expect(own.locator("p.hero-number")).to_have_text(words.money("10"))
    expect(own.locator(".own-rule")).to_contain_text(words.money("25"))
    assert balance_of(bob) == 10


def test_an_amount_above_the_limit_is_warned_about_and_cut(
    desk: Desk, alice: Member, bob: Member
) -> None:
    credit_company(alice.company, 100)
    page = desk.open(alice)
    page.goto(f"/members/{bob.pk}/auto-recharge/")
    fill_rule(page, Words("en"), "50", "5", "20")
    expect(page.locator("#rule-preview .notice")).to_contain_text("€20.00")
    page.get_by_role("button", name="Save and activate").click()
    expect(page.locator(".chip-amount")).to_have_text("€80.00")
    expect(page.locator("#rule-state")).to_contain_text("Suspended until")
    assert balance_of(bob) == 20


def test_a_rule_that_cannot_be_paid_waits_and_is_served_when_credit_is_bought(
    desk: Desk, alice: Member, bob: Member, work: Callable[[], None]
) -> None:
    page = desk.open(alice)
    page.goto(f"/members/{bob.pk}/auto-recharge/")
    fill_rule(page, Words("en"), "10", "5", "25")
    page.get_by_role("button", name="Save and activate").click()
    expect(page.locator("#rule-state")).to_contain_text("Waiting for company credit")
    page.goto("/")
    expect(page.locator("#dashboard-attention")).to_contain_text("1 member waits for a recharge")
    buy(page, Words("en"), GOOD)
    expect(page.locator(".chip-amount")).to_have_text("€50.00")
    work()
    expect(page.locator(".chip-amount")).to_have_text("€40.00")
    assert balance_of(bob) == 10


def test_one_rule_is_set_for_several_ticked_members(
    desk: Desk, alice: Member, bob: Member, words: Words
) -> None:
    credit_company(alice.company, 100)
    dora = make_member(alice.company, "dora")
    page = desk.open(alice, words.language)
    page.goto("/members/")
    for name in ("Bob", "Dora"):
        page.locator("tr", has_text=name).get_by_role("checkbox").check()
    page.locator(".action-bar").get_by_role("button", name=words("Manage auto-recharge")).click()
    fill_rule(page, words, "10", "5", "25")
    page.get_by_role("button", name=words("Save and activate")).click()
    expect(page.locator(".chip-amount")).to_have_text(words.money("80"))
    assert [balance_of(member) for member in (bob, dora)] == [10, 10]


def test_switching_off_stops_recharging(desk: Desk, alice: Member, bob: Member) -> None:
    credit_company(alice.company, 100)
    page = desk.open(alice)
    page.goto(f"/members/{bob.pk}/auto-recharge/")
    fill_rule(page, Words("en"), "10", "5", "25")
    page.get_by_role("button", name="Save and activate").click()
    page.get_by_role("button", name="Switch off").click()
    expect(page.get_by_role("button", name="Switch off")).to_have_count(0)
    assert balance_of(bob) == 10
