"""The company pays by bank transfer: it is told where to, and credited when the bank says so."""

from collections.abc import Callable
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import call_command
from playwright.sync_api import expect
from pytest_django import Settings

from billing.models import Purchase
from credit.verification import verify_ledger
from members.models import Member
from skypemgr.lib.periods import utc_now
from tests.browser.conftest import Desk
from tests.browser.gallery import STORY_VIEWS, Gallery
from tests.browser.outbox import newest_to
from tests.browser.words import Words

ADDRESS = {
    "address_line_1": "1 rue de la Paix",
    "postcode": "75002",
    "city": "Paris",
    "siren": "732829320",
}


@pytest.fixture(autouse=True)
def _transfers(settings: Settings) -> None:
    settings.GATEWAYS = ["sandbox", "transfer"]


def test_a_transfer_is_ordered_arrives_and_is_credited(
    desk: Desk,
    alice: Member,
    words: Words,
    work: Callable[[], None],
    tmp_path: Path,
) -> None:
    gallery = Gallery(words.language, views=STORY_VIEWS)
    page = desk.open(alice, words.language)
    page.goto("/")
    page.get_by_role("main").get_by_role("link", name=words("Buy credit")).first.click()
    page.locator('label:has(input[value="transfer:transfer"])').click()
    page.get_by_role("button", name=words("Next")).click()
    page.locator("label").filter(has_text=words.money("50")).first.click()
    page.get_by_role("button", name=words("Continue")).click()
    for name, value in ADDRESS.items():
        page.locator(f'[name="{name}"]').fill(value)
    page.get_by_role("main").locator("form button.btn-primary").click()
    expect(page.locator(".sum-lines .is-total")).to_contain_text(words.money("60"))
    page.get_by_role("button", name=words("Pay now")).click()

    heading = words("We are waiting for your bank transfer")
    expect(page.get_by_role("heading", name=heading)).to_be_visible()
    purchase = Purchase.objects.get()
    facts = page.locator(".transfer-facts")
    expect(facts.locator(f'[data-copy="{purchase.payment_reference}"]')).to_be_visible()
    expect(facts).to_contain_text(words.money("60"))
    expect(facts).to_contain_text("FR76 3000 6000 0112 3456 7890 189")
    gallery.take(page, "pay-transfer-instructions")
    assert gallery.describe() == ""

    work()
    letter = newest_to(desk.open(alice, words.language), "alice@example.com")
    assert purchase.payment_reference in letter.replace(" ", "")

    statement = tmp_path / "releve.csv"
    paid = f"{utc_now():%d/%m/%Y};VIR ACME {purchase.payment_reference};60,00"
    statement.write_text(f"Date;Libellé;Montant\n{paid}\n", encoding="utf-8")
    for _time in range(2):
        call_command("import_bank_statement", str(statement), stdout=StringIO())
    page.reload()
    expect(page.get_by_role("heading", name=words("Your payment was received"))).to_be_visible()
    expect(page.locator(".chip-amount")).to_have_text(words.money("50"))
    assert verify_ledger() == []
