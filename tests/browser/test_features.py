"""Numbers are given to two members and bought, one is cancelled, one is handed on."""

from datetime import date

from playwright.sync_api import Page, expect

from billing.models import NumberArea, PhoneNumber, Plan, PlanPrice, Subscription
from credit.accounts import company_balance
from members.models import Member
from skypemgr.lib.phones import readable_number
from tests.browser.conftest import Desk
from tests.browser.words import Words
from tests.conftest import credit_company, make_member

NUMBERS = ("+33199000001", "+33199000002", "+33199000003")
NOTE = "Only with an address in France."


def offer_numbers() -> None:
    """French numbers in Paris, with rules of residence: 4.50 a month, 45 a year."""
    area = NumberArea.objects.create(
        country="FR", code="1", name="Paris", note_en=NOTE, note_fr=NOTE
    )
    PhoneNumber.objects.bulk_create(PhoneNumber(e164=number, area=area) for number in NUMBERS)
    plan = Plan.objects.create(
        code="number-fr",
        kind="number",
        name_en="Number in France",
        name_fr="Numéro en France",
        country="FR",
        valid_from=date(2020, 1, 1),
    )
    PlanPrice.objects.bulk_create(
        PlanPrice(plan=plan, currency="EUR", months=months, price=price)
        for months, price in ((1, "4.50"), (12, "45"))
    )


def give_to_two(page: Page, words: Words) -> None:
    """From the dashboard to the page that says it is done: Bob and Dora have a number each."""
    page.goto("/")
    page.get_by_role("navigation").get_by_role("link", name=words("Features")).click()
    page.get_by_role("main").get_by_role("link", name=words("Numbers")).first.click()
    for name in ("Bob", "Dora"):
        page.locator("tr", has_text=name).get_by_role("checkbox").check()
    page.locator(".action-bar").get_by_role("button", name=words("Give a number")).click()
    page.get_by_label("Paris").check()
    page.get_by_role("button", name=words("Continue")).click()
    expect(page.get_by_role("alert").first).to_be_visible()
    page.get_by_label(words("These rules of residence are kept for each number")).check()
    page.get_by_role("button", name=words("Continue")).click()
    page.locator("label", has_text=words.money("45")).click()
    page.get_by_role("button", name=words("Continue")).click()
    rows = page.locator("tbody tr")
    expect(rows.filter(has_text="Bob")).to_contain_text(readable_number(NUMBERS[0]))
    expect(rows.filter(has_text="Dora")).to_contain_text(readable_number(NUMBERS[1]))
    expect(page.locator(".change-after").first).to_contain_text(words.money("10"))
    page.reload()
    expect(rows.filter(has_text="Dora")).to_contain_text(readable_number(NUMBERS[1]))
    page.get_by_role("button", name=words("Buy now")).dblclick()
    expect(page.get_by_role("status").locator("h2")).to_contain_text("2")
    expect(page.locator(".chip-amount")).to_have_text(words.money("10"))


def test_numbers_are_bought_for_two_one_is_cancelled_and_one_handed_on(
    desk: Desk, alice: Member, bob: Member, words: Words
) -> None:
    company = alice.company
    dora, emil = (make_member(company, name) for name in ("dora", "emil"))
    credit_company(company, 100)
    offer_numbers()
    desk.watch.expected |= {422}
    page = desk.open(alice, words.language)
    give_to_two(page, words)
    assert company_balance(company) == 10
    assert set(Subscription.objects.values_list("member", flat=True)) == {bob.pk, dora.pk}

    page.get_by_role("link", name="Bob").click()
    page.get_by_role("link", name=words("Cancel feature")).click()
    page.get_by_role("button", name=words("Cancel feature")).click()
    expect(page.get_by_role("link", name=words("Undo the cancel"))).to_be_visible()
    assert not Subscription.objects.get(member=bob).renews

    feature = Subscription.objects.get(member=dora)
    page.goto(f"/features/{feature.pk}/")
    page.get_by_role("link", name=words("Reallocate number")).click()
    page.get_by_label(words("New member")).fill("emi")
    page.get_by_role("button", name=words("Search")).click()
    page.get_by_label("Emil").check()
    page.get_by_label(words("The new holder keeps these rules of residence")).check()
    page.get_by_role("button", name=words("Confirm")).click()
    expect(page.get_by_role("heading", level=1)).to_have_text(readable_number(NUMBERS[1]))
    expect(page.get_by_role("main")).to_contain_text("Emil")
    feature.refresh_from_db()
    assert (feature.member_id, feature.renews) == (emil.pk, True)
    assert company_balance(company) == 10
