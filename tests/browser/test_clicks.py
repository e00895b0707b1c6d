"""The clicks that count: never more than promised, from the dashboard."""

from decimal import Decimal

from playwright.sync_api import expect

from billing.purchases import buy_credit
from members.actors import Actor
from members.details import update_member
from members.lists import create_list
from members.models import Invitation, Member
from tests.billing.conftest import a_request, card_of
from tests.browser.conftest import Clicks, Desk
from tests.browser.test_credit import balance_of
from tests.conftest import credit_company, make_member

FIVE = "a@example.com, b@example.com, c@example.com, d@example.com, e@example.com"


def test_credit_for_one_member_takes_three_clicks_and_one_field(
    desk: Desk, clicks: Clicks, alice: Member, bob: Member
) -> None:
    credit_company(alice.company, 100)
    page = desk.open(alice)
    page.goto("/")
    clicks.click(page.locator("#dashboard-lowest").get_by_role("link", name="Bob"))
    expect(page.get_by_label("Amount")).to_be_focused()
    clicks.fill(page.get_by_label("Amount"), "10")
    clicks.click(page.get_by_role("button", name="Add credit"))
    expect(page.locator(".chip-amount")).to_have_text("€90.00")
    assert balance_of(bob) == 10
    assert clicks.clicked <= 3
    assert clicks.filled <= 1


def test_credit_for_a_list_takes_four_clicks_and_one_field(
    desk: Desk, clicks: Clicks, alice: Member, bob: Member
) -> None:
    credit_company(alice.company, 100)
    update_member(
        actor=Actor.of_member(alice),
        member=bob,
        list=create_list(actor=Actor.of_member(alice), name="Sales"),
    )
    page = desk.open(alice)
    page.goto("/")
    clicks.click(page.get_by_role("navigation").get_by_role("link", name="Members"))
    clicks.click(page.get_by_role("table").get_by_role("link", name="Sales"))
    clicks.click(page.get_by_role("link", name="Manage credit", exact=True))
    clicks.fill(page.get_by_label("Amount for each member"), "10")
    clicks.click(page.get_by_role("button", name="Add credit"))
    expect(page.locator(".chip-amount")).to_have_text("€90.00")
    assert (balance_of(bob), balance_of(alice)) == (10, 0)
    assert clicks.clicked <= 4
    assert clicks.filled <= 1


def test_a_rule_for_thirty_members_takes_four_clicks_and_three_fields(
    desk: Desk, clicks: Clicks, alice: Member
) -> None:
    for number in range(29):
        make_member(alice.company, f"m{number}")
    page = desk.open(alice)
    page.goto("/")
    clicks.click(page.get_by_role("navigation").get_by_role("link", name="Members"))
    clicks.click(page.get_by_label("Select all on this page"))
    clicks.click(page.locator(".action-bar").get_by_role("button", name="Manage auto-recharge"))
    clicks.fill(page.get_by_label("Recharge member's account with"), "10")
    clicks.fill(page.get_by_label("when balance falls below"), "5")
    clicks.fill(page.get_by_label("Monthly recharge limit"), "25")
    clicks.click(page.get_by_role("button", name="Save and activate"))
    expect(page.locator("tbody tr").first).to_be_visible()
    assert alice.company.recharge_rules.filter(is_on=True).count() == 30
    assert clicks.clicked <= 4
    assert clicks.filled <= 3


def test_five_people_are_invited_into_a_new_list_with_five_clicks_and_two_fields(
    desk: Desk, clicks: Clicks, alice: Member
) -> None:
    page = desk.open(alice)
    page.goto("/")
    clicks.click(page.get_by_role("link", name="Invite members").first)
    clicks.fill(page.get_by_label("E-mail addresses, user names or phone numbers"), FIVE)
    clicks.click(page.get_by_role("button", name="Next"))
    clicks.click(page.locator("summary", has_text="Create a list"))
    clicks.fill(page.get_by_label("List name"), "Sales")
    clicks.click(page.get_by_role("button", name="Create", exact=True))
    clicks.click(page.get_by_role("button", name="Send invites"))
    expect(page.get_by_role("main")).to_contain_text("e@example.com")
    invited = Invitation.objects.filter(company=alice.company, list__name="Sales")
    assert invited.count() == 5
    assert clicks.clicked <= 5
    assert clicks.filled <= 2


def test_buying_again_with_the_saved_card_takes_three_clicks(
    desk: Desk, clicks: Clicks, alice: Member
) -> None:
    buy_credit(
        actor=Actor.of_member(alice),
        amount=Decimal(50),
        method=card_of(alice),
        request=a_request(),
    )
    page = desk.open(alice)
    page.goto("/")
    clicks.click(page.get_by_role("main").get_by_role("link", name="Buy credit").first)
    clicks.click(page.get_by_role("link", name="again"))
    clicks.click(page.get_by_role("button", name="Pay now"))
    expect(page.locator(".chip-amount")).to_have_text("€100.00")
    assert clicks.clicked <= 3
    assert clicks.filled == 0


def test_this_months_usage_as_a_spreadsheet_takes_three_clicks(
    desk: Desk, clicks: Clicks, fiona: Member
) -> None:
    page = desk.open(fiona)
    page.goto("/")
    clicks.click(page.get_by_role("navigation").get_by_role("link", name="Reports"))
    clicks.click(page.get_by_role("navigation", name="Reports").get_by_role("link", name="Usage"))
    with page.expect_download() as download:
        clicks.click(page.get_by_role("link", name="Download XLSX"))
    assert download.value.suggested_filename.endswith(".xlsx")
    assert clicks.clicked <= 3


def test_why_a_recharge_did_not_happen_takes_two_clicks(
    desk: Desk, clicks: Clicks, alice: Member, bob: Member
) -> None:
    page = desk.open(alice)
    page.goto(f"/members/{bob.pk}/auto-recharge/")
    for label, amount in (
        ("Recharge member's account with", "10"),
        ("when balance falls below", "5"),
        ("Monthly recharge limit", "25"),
    ):
        page.get_by_label(label).fill(amount)
    page.get_by_role("button", name="Save and activate").click()
    expect(page.locator("#rule-state")).to_contain_text("credit is too low")
    page.goto("/")
    clicks.click(page.get_by_role("navigation").get_by_role("link", name="Members"))
    expect(page.locator("tr", has_text="Bob")).to_contain_text("Waiting for company credit")
    clicks.click(page.get_by_role("link", name="Manage auto-recharge of Bob"))
    expect(page.locator("#rule-state")).to_contain_text("The company's credit is too low")
    assert clicks.clicked <= 2
