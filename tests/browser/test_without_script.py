"""Signing in, inviting and sharing out credit work where no script runs."""

from decimal import Decimal

from playwright.sync_api import expect

from members.models import Member
from tests.browser.conftest import Desk
from tests.browser.test_credit import balance_of
from tests.browser.words import Words
from tests.conftest import PASSWORD, credit_company, make_member


def test_signing_in_and_adding_credit_need_no_script(
    desk: Desk, alice: Member, bob: Member, words: Words
) -> None:
    credit_company(alice.company, 100)
    page = desk.open(language=words.language, java_script_enabled=False)
    page.goto("/")
    page.get_by_label(words("E-mail address, phone number or user name")).fill("alice@example.com")
    page.get_by_label(words("Password")).fill(PASSWORD)
    page.get_by_role("button", name=words("Sign in")).click()
    expect(page.get_by_role("heading", level=1)).to_have_text(words("Dashboard"))
    page.get_by_role("navigation").get_by_role("link", name=words("Members")).click()
    page.get_by_role("link", name="Bob", exact=True).click()
    page.get_by_role("link", name=words("Manage credit")).click()
    page.get_by_label(words("Amount")).fill(words.typed("25.50"))
    page.get_by_role("button", name=words("Add credit")).click()
    expect(page.locator(".chip-amount")).to_have_text(words.money("74.50"))
    assert balance_of(bob) == Decimal("25.5")


def test_several_ticked_members_receive_credit_without_script(
    desk: Desk, alice: Member, bob: Member
) -> None:
    credit_company(alice.company, 100)
    dora = make_member(alice.company, "dora")
    page = desk.open(alice, java_script_enabled=False)
    page.goto("/members/")
    for name in ("Bob", "Dora"):
        page.locator("tr", has_text=name).get_by_role("checkbox").check()
    page.get_by_role("button", name="Manage credit").last.click()
    page.get_by_label("Amount for each member").fill("10")
    page.get_by_role("button", name="Add credit").click()
    expect(page.locator(".chip-amount")).to_have_text("€80.00")
    assert [balance_of(member) for member in (bob, dora)] == [10, 10]


def test_a_rule_is_saved_without_script(desk: Desk, alice: Member, bob: Member) -> None:
    credit_company(alice.company, 100)
    page = desk.open(alice, java_script_enabled=False)
    page.goto(f"/members/{bob.pk}/auto-recharge/")
    page.get_by_label("Recharge member's account with").fill("10")
    page.get_by_label("when balance falls below").fill("5")
    page.get_by_label("Monthly recharge limit").fill("25")
    page.get_by_role("button", name="Save and activate").click()
    expect(page.locator(".chip-amount")).to_have_text("€90.00")


def test_buying_needs_no_script(desk: Desk, alice: Member) -> None:
    page = desk.open(alice, java_script_enabled=False)
    page.goto("/buy/")
    page.get_by_label("Test card number").fill("4242 4242 4242 4242")
    page.get_by_role("button", name="Next").click()
    page.get_by_label("Other amount", exact=True).last.fill("50")
    page.get_by_role("button", name="Continue").click()
    page.get_by_role("button", name="Pay now").click()
    expect(page.get_by_role("heading", name="Your payment was received")).to_be_visible()
