"""An administrator invites people into a new list; they accept by the link and appear in it."""

from collections.abc import Callable

from playwright.sync_api import Page, expect

from members.models import Company, Member
from tests.browser.conftest import Desk
from tests.browser.outbox import follow_link
from tests.browser.words import Words

PASSWORD = "quatre petits chevaux"
GUEST = "nadia@example.com"
OTHER = "omar@example.com"


def read_in(company: Company, words: Words) -> None:
    """The company's mails are written in the language."""
    company.language = words.language
    company.save(update_fields=("language",))


def invite(page: Page, words: Words, addresses: str, list_name: str) -> None:
    """From the dashboard: the people are invited into a list made on the way."""
    page.goto("/")
    page.get_by_role("link", name=words("Invite members")).first.click()
    way = page.get_by_role("radio", name=words("By e-mail address"))
    way.check()
    page.get_by_label(words("E-mail addresses, user names or phone numbers")).fill(addresses)
    page.get_by_role("button", name=words("Next")).click()
    page.locator("summary", has_text=words("Create a list")).click()
    page.get_by_label(words("List name")).fill(list_name)
    page.get_by_role("button", name=words("Create"), exact=True).click()
    expect(page.locator("#id_list option:checked")).to_have_text(list_name)
    page.get_by_role("button", name=words("Send invites")).click()
    expect(page.locator(".steps-item.is-current .steps-label")).to_have_text(words("Sent"))


def sign_up_as_invited(page: Page, words: Words, name: str) -> None:
    """From the invitation: an account was created; the link has proven the address already."""
    page.get_by_role("link", name=words("Create an account")).click()
    page.get_by_label(words("Your name")).fill(name)
    expect(page.get_by_label(words("E-mail address or phone number"))).to_have_value(GUEST)
    page.get_by_label(words("Password")).fill(PASSWORD)
    page.get_by_role("button", name=words("Create an account")).click()


def test_the_invited_accepts_by_the_link_and_appears_in_the_list(
    desk: Desk, alice: Member, words: Words, work: Callable[[], None]
) -> None:
    read_in(alice.company, words)
    page = desk.open(alice, words.language)
    invite(page, words, f"{GUEST}\n{OTHER}", "Ventes")
    work()

    guest = desk.open(language=words.language)
    follow_link(guest, GUEST, "/invitations/")
    expect(guest.get_by_role("heading", level=1)).to_contain_text("Acme")
    sign_up_as_invited(guest, words, "Nadia Boulanger")
    guest.get_by_role("button", name=words("Accept the invitation")).click()
    expect(guest.get_by_role("heading", level=1)).to_have_text(words("My account"))
    expect(guest.locator(".hero-number")).to_have_text(words.money("0"))

    page.get_by_role("navigation").get_by_role("link", name=words("Members")).click()
    row = page.locator("tr", has_text="Nadia Boulanger")
    expect(row).to_contain_text("Ventes")
    expect(page.locator("tr", has_text=OTHER)).to_have_count(0)


def test_a_link_works_once_and_never_for_somebody_else(
    desk: Desk, alice: Member, charlie: Member, work: Callable[[], None]
) -> None:
    words = Words("en")
    invite(desk.open(alice), words, GUEST, "Sales")
    work()
    desk.watch.expected |= {403, 404, 410}
    other = desk.open(charlie)
    follow_link(other, GUEST, "/invitations/")
    expect(other.get_by_role("alert").or_(other.locator(".notice"))).to_contain_text(GUEST)
    expect(other.get_by_role("button", name="Accept the invitation")).to_have_count(0)

    guest = desk.open()
    follow_link(guest, GUEST, "/invitations/")
    guest.get_by_role("button", name="Decline the invitation").click()
    expect(guest.get_by_role("heading", level=1)).to_be_visible()
    follow_link(guest, GUEST, "/invitations/")
    expect(guest.get_by_role("button", name="Accept the invitation")).to_have_count(0)


def test_what_cannot_be_invited_is_told_before_anything_is_sent(
    desk: Desk, alice: Member, bob: Member
) -> None:
    page = desk.open(alice)
    page.goto("/members/invite/")
    page.get_by_label("E-mail addresses, user names or phone numbers").fill(
        f"bob@example.com, not an address; {GUEST}, {GUEST.upper()}"
    )
    page.get_by_role("button", name="Next").click()
    expect(
        page.locator(".panel-title, h2").filter(has_text="1 person will be invited")
    ).to_be_visible()
    expect(page.locator("tbody tr").filter(has_text=GUEST).first).to_be_visible()
    expect(page.get_by_role("button", name="Send invites")).to_be_visible()


def test_an_account_created_directly_gets_a_link_to_set_a_password(
    desk: Desk, alice: Member, words: Words, work: Callable[[], None]
) -> None:
    read_in(alice.company, words)
    page = desk.open(alice, words.language)
    page.goto("/members/")
    page.get_by_role("link", name=words("Create an account")).click()
    page.get_by_label(words("Name"), exact=True).fill("Nadia Boulanger")
    page.get_by_label(words("E-mail address")).fill(GUEST)
    page.get_by_role("button", name=words("Create an account")).click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Nadia Boulanger")
    work()

    guest = desk.open(language=words.language)
    follow_link(guest, GUEST, "/welcome/")
    for field in guest.locator("input[type=password]").all():
        field.fill(PASSWORD)
    guest.get_by_role("button", name=words("Set a password")).click()
    expect(guest.get_by_role("heading", level=1)).to_have_text(words("My account"))
