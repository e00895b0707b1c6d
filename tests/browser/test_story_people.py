"""The people of a company, from the first invitation to the first alert, told by their browsers in
both languages, with pictures at three widths.
"""

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from credit.low_balance import sweep_low_balances
from members.import_work import advance_import
from members.mailing import send_notice
from members.models import ImportJob, Member, Notice
from tests.browser.conftest import Desk
from tests.browser.gallery import STORY_VIEWS, Gallery
from tests.browser.outbox import follow_link, newest_to
from tests.browser.test_credit import balance_of
from tests.browser.test_invite import GUEST, OTHER, invite, read_in, sign_up_as_invited
from tests.browser.words import Words
from tests.conftest import credit_company

SAMPLE = Path(__file__).parents[1] / "data" / "members.csv"
# The file's broken rows: line, and what the page says of it.
REFUSED = {
    19: "Not an e-mail address",
    48: "E-mail address stands in the file before",
    77: "Not a phone number",
    106: "No such role",
    135: "No e-mail address",
    193: "Name longer than 150 characters",
}


@pytest.fixture
def gallery(words: Words) -> Gallery:
    return Gallery(words.language, views=STORY_VIEWS)


def press_in_menu(page: Page, words: Words, address: str, action: str) -> None:
    """The action of the address's row of pending invitations was chosen."""
    page.goto("/members/invitations/")
    row = page.locator("tr", has_text=address)
    row.locator("summary").click()
    row.get_by_role("button", name=words(action)).click()


def test_two_are_invited_one_is_revoked_the_other_invited_again_and_comes(
    desk: Desk, alice: Member, words: Words, gallery: Gallery, work: Callable[[], None]
) -> None:
    read_in(alice.company, words)
    page = desk.open(alice, words.language)
    invite(page, words, f"{GUEST}\n{OTHER}", "Ventes")
    work()
    page.goto("/members/invitations/")
    expect(page.locator("tbody tr")).to_have_count(2)
    gallery.take(page, "story-invitations")
    press_in_menu(page, words, OTHER, "Revoke")
    first = newest_to(desk.open(language=words.language), GUEST)
    press_in_menu(page, words, GUEST, "Send again")
    work()

    desk.watch.expected |= {404, 410}
    stranger = desk.open(language=words.language)
    follow_link(stranger, OTHER, "/invitations/")
    expect(stranger.get_by_role("main")).to_contain_text(
        words("This invitation was withdrawn. Ask for a new one.")
    )
    guest = desk.open(language=words.language)
    assert newest_to(guest, GUEST) != first
    follow_link(guest, GUEST, "/invitations/")
    sign_up_as_invited(guest, words, "Nadia Boulanger")
    guest.get_by_role("button", name=words("Accept the invitation")).click()
    expect(guest.get_by_role("heading", level=1)).to_have_text(words("My account"))

    nadia = Member.objects.get(name="Nadia Boulanger")
    page.goto(f"/members/{nadia.pk}/activity/")
    expect(page.get_by_role("main")).to_contain_text(words("Was invited"))
    gallery.take(page, "story-activity")
    page.goto("/notices/")
    expect(page.locator(".inbox-line.is-unread")).to_have_count(1)
    page.locator(".inbox-line").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Nadia Boulanger")
    assert not gallery.faults, gallery.describe()


def test_an_account_is_created_and_a_file_imported_row_by_row(
    desk: Desk, alice: Member, words: Words, gallery: Gallery
) -> None:
    page = desk.open(alice, words.language)
    page.goto("/members/create/")
    page.get_by_label(words("Name"), exact=True).fill("Zoé Ng")
    page.get_by_label(words("E-mail address")).fill("zoe.ng@example.com")
    page.get_by_role("button", name=words("Create an account")).click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Zoé Ng")

    page.goto("/members/import/")
    page.locator("input[type=file]").set_input_files(SAMPLE)
    page.get_by_role("button", name=words("Next")).click()
    expect(page.get_by_label(words("E-mail address"))).not_to_have_value("")
    gallery.take(page, "story-import-columns")
    page.get_by_role("button", name=words("Check the rows")).click()
    expect(page.locator("progress, #import-progress").first).to_be_visible()
    advance_import(ImportJob.objects.get().pk)
    for line, reason in REFUSED.items():
        row = page.locator("tbody tr").filter(has=page.get_by_role("cell", name=f"{line}"))
        expect(row.filter(has_text=words(reason))).to_have_count(1)
    expect(page.locator("tbody tr")).to_have_count(len(REFUSED))
    gallery.take(page, "story-import-checked")
    page.locator("button[value=import]").click()
    expect(page.locator("#import-progress")).to_be_visible()
    advance_import(ImportJob.objects.get().pk)
    expect(page.locator(".notice-success")).to_contain_text("251")
    assert Member.objects.filter(company=alice.company).count() == 253

    page.goto("/members/?q=OZDEMIR")
    expect(page.locator("tr", has_text="Özdemir").first).to_be_visible()
    assert not gallery.faults, gallery.describe()


def test_a_member_is_moved_suspended_and_reactivated(
    desk: Desk, alice: Member, bob: Member, words: Words, gallery: Gallery
) -> None:
    page = desk.open(alice, words.language)
    page.goto(f"/members/{bob.pk}/")
    page.locator("#id_new_list").fill("Nantes")
    page.get_by_role("button", name=words("Save changes")).click()
    expect(page.locator(".page-subtitle")).to_contain_text("Nantes")

    for action, status in (("Suspend", "suspended"), ("Reactivate", "active")):
        page.locator(".page-actions summary").click()
        page.get_by_role("link", name=words(action), exact=True).click()
        if status == "suspended":
            gallery.take(page, "story-suspend")
        page.get_by_role("button", name=words(action), exact=True).click()
        expect(page.locator("h1")).to_contain_text(words(status))
        bob.refresh_from_db()
        assert bob.status == status
    assert not gallery.faults, gallery.describe()


def test_credit_is_asked_for_consent_given_and_a_low_balance_told(
    desk: Desk, alice: Member, bob: Member, words: Words, gallery: Gallery
) -> None:
    credit_company(alice.company, 100)
    read_in(alice.company, words)
    page = desk.open(alice, words.language)
    page.goto("/settings/alerts/")
    page.locator("#id_level").fill(words.typed("95.50"))
    page.locator("input[name=recipients]").first.check()
    page.get_by_role("button", name=words("Save"), exact=True).click()
    expect(page.locator("#id_level")).to_have_value(words.typed("95.50"))
    gallery.take(page, "story-alert")

    own = desk.open(bob, words.language)
    own.goto("/me/request/")
    own.get_by_label(words("Amount")).fill(words.typed("12.50"))
    own.locator("#id_reason").fill("Casablanca")
    own.get_by_role("button", name=words("Send the request")).click()
    own.goto("/profile/")
    own.get_by_role("button", name=words("I consent")).click()
    expect(own.get_by_role("button", name=words("Withdraw my consent"))).to_be_visible()

    page.goto("/requests/")
    page.get_by_role("button", name=words("Approve and add credit")).click()
    expect(page.locator(".chip-amount")).to_have_text(words.money("87.50"))
    assert balance_of(bob) == Decimal("12.5")
    assert sweep_low_balances() == 1
    assert sweep_low_balances() == 0
    assert send_notice(Notice.objects.get(kind="low_balance").pk)
    assert words.money("87.50") in newest_to(desk.open(language=words.language), "alice@")
    page.goto("/")
    expect(page.locator("#dashboard-attention")).to_contain_text(words.money("95.50"))
    gallery.take(page, "story-dashboard-low")
    assert not gallery.faults, gallery.describe()
