"""Credit is shared out; every open page shows the new balances by itself."""

import re
from decimal import Decimal

from playwright.sync_api import Page, expect

from credit.accounts import balances, company_balance
from members.models import Company, Member
from tests.browser.conftest import Desk
from tests.browser.words import Words
from tests.conftest import credit_company, make_member

# A page hears of a new balance within two seconds.
SOON_MS = 2_000


def balance_of(member: Member) -> Decimal:
    """What the member has, in the company's currency."""
    return balances(member.company_id, [member.pk])[member.pk].balance


def open_credit(page: Page, words: Words, name: str) -> None:
    """From the dashboard: Members, the name, Manage credit."""
    page.goto("/")
    page.get_by_role("navigation").get_by_role("link", name=words("Members")).click()
    page.get_by_role("link", name=name, exact=True).click()
    page.get_by_role("link", name=words("Manage credit")).click()


def test_added_credit_shows_on_every_open_page_within_two_seconds(
    desk: Desk, alice: Member, bob: Member, fiona: Member, words: Words
) -> None:
    company = alice.company
    credit_company(company, 200)
    ada = make_member(company, "ada", role="administrator")
    other, own, reader = (
        desk.open(ada, words.language),
        desk.open(bob, words.language),
        desk.open(fiona, words.language),
    )
    other.goto("/members/")
    tick = other.locator("tr", has_text="Bob").get_by_role("checkbox")
    tick.check()
    own.goto("/me/")
    reader.goto("/")
    for page in (other, own, reader):
        page.evaluate("window.neverReloaded = true")

    page = desk.open(alice, words.language)
    open_credit(page, words, "Bob")
    amount = page.get_by_label(words("Amount"))
    amount.fill(words.typed("25.50"))
    notice = page.locator("[data-preview-known]")
    expect(notice).to_contain_text(words.money("25.50"))
    expect(notice).to_contain_text(words.money("174.50"))
    expect(page.locator("[data-preview-unknown]")).to_be_hidden()
    page.get_by_role("button", name=words("Add credit")).click()
    expect(page.locator(".chip-amount")).to_have_text(words.money("174.50"))

    expect(other.locator(".chip-amount")).to_have_text(words.money("174.50"), timeout=SOON_MS)
    expect(own.locator(".chip-amount")).to_have_text(words.money("25.50"), timeout=SOON_MS)
    expect(reader.locator(".chip-amount")).to_have_text(words.money("174.50"), timeout=SOON_MS)
    expect(other.locator("tr", has_text="Bob")).to_contain_text(words.money("25.50"))
    expect(tick).to_be_checked()
    expect(own.locator("p.hero-number")).to_have_text(words.money("25.50"))
    expect(own.locator(".feed-line").first).to_contain_text(words.money("25.50"))
    expect(reader.locator("p.hero-number")).to_have_text(words.money("174.50"))
    for page in (other, own, reader):
        assert page.evaluate("window.neverReloaded")
    assert (company_balance(company), balance_of(bob)) == (Decimal("174.5"), Decimal("25.5"))


def test_credit_for_several_ticked_members_is_told_in_total_before(
    desk: Desk, alice: Member, bob: Member, words: Words
) -> None:
    company = alice.company
    credit_company(company, 100)
    others = [make_member(company, name) for name in ("dora", "emil", "zoe")]
    page = desk.open(alice, words.language)
    page.goto("/members/")
    for name in ("Bob", "Dora", "Emil"):
        page.locator("tr", has_text=name).get_by_role("checkbox").check()
    bar = page.locator(".action-bar")
    expect(bar).to_contain_text("3")
    bar.get_by_role("button", name=words("Manage credit")).click()
    page.get_by_label(words("Amount for each member")).fill(words.typed("12.50"))
    expect(page.locator("[data-preview-known]")).to_contain_text(words.money("37.50"))
    expect(page.locator("[data-preview-known]")).to_contain_text(words.money("62.50"))
    page.get_by_role("button", name=words("Add credit")).click()
    expect(page.locator(".chip-amount")).to_have_text(words.money("62.50"))
    assert [balance_of(member) for member in (bob, *others)] == [
        Decimal("12.5"),
        Decimal("12.5"),
        Decimal("12.5"),
        0,
    ]


def test_more_than_the_company_has_is_refused_and_what_was_typed_is_kept(
    desk: Desk, alice: Member, bob: Member
) -> None:
    credit_company(alice.company, 10)
    page = desk.open(alice)
    open_credit(page, Words("en"), "Bob")
    page.get_by_label("Amount").fill("10.01")
    expect(page.locator("[data-preview-short]")).to_be_visible()
    page.get_by_role("button", name="Add credit").click()
    expect(page.locator("input[aria-invalid=true]")).to_have_value("10.01")
    expect(page.get_by_role("alert").first).to_be_visible()
    assert company_balance(alice.company) == 10


def test_amounts_that_mean_nothing_are_refused_beside_the_field(
    desk: Desk, alice: Member, bob: Member
) -> None:
    credit_company(alice.company, 10)
    page = desk.open(alice)
    page.goto(f"/members/{bob.pk}/credit/")
    for typed in ("0", "-5", "1.12345", "1.500", "1e21", "ten", "٥"):
        page.get_by_label("Amount").fill(typed)
        page.get_by_role("button", name="Add credit").click()
        expect(page.locator("input[aria-invalid=true]")).to_have_value(typed)
    assert company_balance(alice.company) == 10


def test_a_button_pressed_twice_adds_once(desk: Desk, alice: Member, bob: Member) -> None:
    credit_company(alice.company, 100)
    page = desk.open(alice)
    page.goto(f"/members/{bob.pk}/credit/")
    page.get_by_label("Amount").fill("10")
    page.get_by_role("button", name="Add credit").dblclick()
    expect(page.locator(".chip-amount")).to_have_text("€90.00")
    page.go_back()
    page.wait_for_load_state()
    assert balance_of(bob) == 10


def test_details_are_seen_and_updated(desk: Desk, alice: Member, bob: Member, words: Words) -> None:
    page = desk.open(alice, words.language)
    page.goto("/")
    page.get_by_role("navigation").get_by_role("link", name=words("Members")).click()
    page.get_by_role("link", name="Bob", exact=True).click()
    tabs = page.get_by_role("navigation", name=words("Pages of this member"))
    tabs.get_by_role("link", name=words("Details")).click()
    expect(page.get_by_role("main")).to_contain_text("bob@example.com")
    page.get_by_label(words("Name"), exact=True).fill("Bob Martin")
    page.get_by_label(words("Job title")).fill("Architecte")
    page.get_by_label(words("Work phone")).fill("+33 1 42 27 00 00")
    page.get_by_role("button", name=words("Save changes")).click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Bob Martin")
    expect(page.get_by_label(words("Job title"))).to_have_value("Architecte")
    bob.refresh_from_db()
    assert (bob.name, bob.job_title) == ("Bob Martin", "Architecte")


def test_another_companys_member_is_not_there(desk: Desk, alice: Member, charlie: Member) -> None:
    desk.watch.expected.add(404)
    page = desk.open(alice)
    for part in ("", "credit/", "auto-recharge/"):
        page.goto(f"/members/{charlie.pk}/{part}")
        expect(page.locator("body")).not_to_contain_text(re.compile("charlie", re.IGNORECASE))


def test_search_finds_members_without_their_accents(
    desk: Desk, acme: Company, alice: Member
) -> None:
    make_member(acme, "emile")
    page = desk.open(alice)
    page.goto("/members/")
    page.locator("#members-search").fill("EMÍL")
    expect(page.locator("tbody tr")).to_have_count(1)
    expect(page.locator("tbody tr")).to_contain_text("Emile")
