"""Somebody new creates an account, activates it, names the company and learns what comes next."""

import re

from playwright.sync_api import Page, expect

from tests.browser.conftest import Desk
from tests.browser.outbox import follow_link, read_code
from tests.browser.words import Words

PASSWORD = "quatre petits chevaux"
NEW_PASSWORD = "cinq grands chevaux"
EMAIL = "marie@example.com"
PHONE = "+33 6 12 34 56 78"


def fill_in(page: Page, words: Words, contact: str, username: str = "") -> None:
    """The form for a new account was sent."""
    page.goto("/")
    expect(page.get_by_role("heading", level=1)).to_have_text(words("Sign in or create an account"))
    page.get_by_role("link", name=words("Create an account")).click()
    page.get_by_label(words("Your name")).fill("Marie Curie")
    page.get_by_label(words("E-mail address or phone number")).fill(contact)
    if username:
        page.get_by_label(words("User name")).fill(username)
    page.get_by_label(words("Password")).fill(PASSWORD)
    page.get_by_role("button", name=words("Create an account")).click()


def activate_by_link(page: Page, words: Words) -> None:
    """The link of the mail was followed and confirmed."""
    expect(page.get_by_role("heading", level=1)).to_have_text(words("Activate your account"))
    follow_link(page, EMAIL, "/accounts/confirm-email/")
    page.get_by_role("button", name=words("Confirm")).click()


def name_the_company(page: Page, words: Words, name: str = "Radium SARL") -> None:
    """The company exists and its dashboard is open."""
    expect(page.get_by_role("heading", level=1)).to_have_text(words("Name your company"))
    page.get_by_label(words("Company name")).fill(name)
    page.get_by_role("button", name=words("Create the company")).click()
    expect(page.get_by_role("heading", level=1)).to_have_text(words("Dashboard"))


def sign_out(page: Page, words: Words) -> None:
    """Nobody is signed in."""
    page.locator("summary", has_text=words("Your menu")).click()
    page.get_by_role("button", name=words("Sign out")).click()
    expect(page.get_by_role("heading", level=1)).to_have_text(words("Sign in or create an account"))


def sign_in(page: Page, words: Words, name: str, password: str) -> None:
    """The sign-in form was sent."""
    page.get_by_label(words("E-mail address, phone number or user name")).fill(name)
    page.get_by_label(words("Password")).fill(password)
    page.get_by_role("button", name=words("Sign in")).click()


def test_an_account_by_email_is_activated_by_the_link_and_leads_to_three_steps(
    desk: Desk, words: Words
) -> None:
    page = desk.open(language=words.language)
    fill_in(page, words, EMAIL)
    activate_by_link(page, words)
    name_the_company(page, words)
    steps = page.locator(".checklist-item")
    expect(steps).to_have_count(3)
    for step, label in enumerate(("Invite members", "Buy credit", "Allocate credit")):
        expect(steps.nth(step).locator(".checklist-title")).to_have_text(words(label))
    expect(page.locator(".chip-amount")).to_have_text(words.money("0"))
    expect(page.locator("html")).to_have_attribute("lang", words.language)


def test_an_account_by_phone_is_activated_by_the_code(desk: Desk, words: Words) -> None:
    page = desk.open(language=words.language)
    fill_in(page, words, PHONE)
    expect(page.get_by_role("heading", level=1)).to_have_text(words("Enter the code"))
    device = desk.open(language=words.language)
    page.get_by_label(words("Code")).fill(read_code(device, "+33612345678"))
    page.get_by_role("button", name=words("Confirm")).click()
    name_the_company(page, words)


def test_a_wrong_code_says_so_and_activates_nothing(desk: Desk) -> None:
    words = Words("en")
    page = desk.open()
    fill_in(page, words, PHONE)
    code = read_code(desk.open(), "+33612345678")
    page.get_by_label("Code").fill("000000" if code != "000000" else "111111")
    page.get_by_role("button", name="Confirm").click()
    expect(page.locator("[aria-invalid=true]")).to_be_visible()
    expect(page.get_by_role("heading", level=1)).to_have_text("Enter the code")


def test_a_user_name_signs_in_as_well_as_the_address(desk: Desk, words: Words) -> None:
    page = desk.open(language=words.language)
    fill_in(page, words, EMAIL, username="marie.curie")
    activate_by_link(page, words)
    name_the_company(page, words)
    for name in ("marie.curie", EMAIL):
        sign_out(page, words)
        sign_in(page, words, name, PASSWORD)
        expect(page.get_by_role("heading", level=1)).to_have_text(words("Dashboard"))


def test_a_forgotten_password_is_replaced_with_the_code_by_mail(desk: Desk, words: Words) -> None:
    page = desk.open(language=words.language)
    fill_in(page, words, EMAIL)
    activate_by_link(page, words)
    name_the_company(page, words)
    sign_out(page, words)
    replace_password(desk, page, words, EMAIL, EMAIL)
    expect(page.get_by_role("heading", level=1)).to_have_text(words("Dashboard"))
    sign_out(page, words)
    sign_in(page, words, EMAIL, PASSWORD)
    expect(page.get_by_role("alert")).to_be_visible()
    sign_in(page, words, EMAIL, NEW_PASSWORD)
    expect(page.get_by_role("heading", level=1)).to_have_text(words("Dashboard"))


def replace_password(desk: Desk, page: Page, words: Words, name: str, arrives_at: str) -> None:
    """The code that arrived was typed, and a new password chosen."""
    page.get_by_role("link", name=words("Forgot your password?")).click()
    page.get_by_label(words("E-mail address, phone number or user name")).fill(name)
    page.get_by_role("button", name=words("Send a code")).click()
    expect(page.get_by_role("heading", level=1)).to_have_text(words("Enter the code"))
    page.get_by_label(words("Code")).fill(read_code(desk.open(language=words.language), arrives_at))
    page.get_by_role("button", name=words("Next")).click()
    expect(page.get_by_role("heading", level=1)).to_have_text(words("Choose a new password"))
    for field in page.locator("input[type=password]").all():
        field.fill(NEW_PASSWORD)
    page.get_by_role("button", name=words("Save")).click()


def test_a_forgotten_password_is_replaced_with_the_code_by_sms(desk: Desk) -> None:
    words = Words("en")
    page = desk.open()
    fill_in(page, words, PHONE)
    page.get_by_label("Code").fill(read_code(desk.open(), "+33612345678"))
    page.get_by_role("button", name="Confirm").click()
    name_the_company(page, words)
    sign_out(page, words)
    replace_password(desk, page, words, PHONE, "+33612345678")
    expect(page.get_by_role("heading", level=1)).to_have_text("Dashboard")


def test_the_country_brings_its_currency_and_zone(desk: Desk) -> None:
    words = Words("en")
    page = desk.open()
    fill_in(page, words, EMAIL)
    activate_by_link(page, words)
    page.get_by_label("Company name").fill("Kiwi Ltd")
    page.get_by_label("Country").select_option(label="New Zealand")
    expect(page.get_by_label("Currency")).to_have_value("NZD")
    expect(page.get_by_label("Time zone")).to_have_value(re.compile("Pacific/Auckland"))
