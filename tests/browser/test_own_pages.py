"""What a member and finance see: their own page, and the month as a file."""

import csv
import io
from decimal import Decimal
from pathlib import Path

from playwright.sync_api import expect

from billing.purchases import buy_credit
from members.actors import Actor
from members.models import Member
from tests.billing.conftest import a_request, card_of
from tests.browser.conftest import Desk
from tests.browser.words import Words
from tests.conftest import give


def test_a_member_sees_the_own_account_and_nothing_of_the_company(
    desk: Desk, alice: Member, bob: Member, words: Words
) -> None:
    buy_credit(
        actor=Actor.of_member(alice),
        amount=Decimal(100),
        method=card_of(alice),
        request=a_request(),
    )
    give(alice, bob, "12.30")
    page = desk.open(bob, words.language)
    page.goto("/")
    expect(page.get_by_role("heading", level=1)).to_have_text(words("My account"))
    expect(page.locator("p.hero-number")).to_have_text(words.money("12.30"))
    expect(page.locator(".chip-amount")).to_have_text(words.money("12.30"))
    expect(page.locator(".feed-line").first).to_contain_text(words.money("12.30"))
    expect(page.get_by_role("navigation").get_by_role("link", name=words("Members"))).to_have_count(
        0
    )
    expect(page.get_by_role("main")).to_contain_text("Alice")
    desk.watch.expected.add(403)
    for address in ("/members/", "/buy/", "/reports/summary/", f"/members/{bob.pk}/credit/"):
        answer = page.goto(address)
        assert answer is not None
        assert answer.status == 403


def test_finance_reads_everything_and_moves_nothing(
    desk: Desk, alice: Member, bob: Member, fiona: Member, words: Words
) -> None:
    page = desk.open(fiona, words.language)
    page.goto("/members/")
    expect(page.locator("tr", has_text="Bob")).to_be_visible()
    expect(page.locator("[data-tick], [data-tick-all]")).to_have_count(0)
    page.goto(f"/members/{bob.pk}/credit/")
    expect(page.get_by_role("button", name=words("Add credit"))).to_have_count(0)
    page.goto(f"/members/{bob.pk}/auto-recharge/")
    expect(page.get_by_role("button", name=words("Save and activate"))).to_have_count(0)
    expect(page.get_by_role("link", name=words("Buy credit"))).to_have_count(0)


def test_finance_downloads_the_month_of_allocations_and_purchases(
    desk: Desk, alice: Member, bob: Member, fiona: Member, words: Words, tmp_path: Path
) -> None:
    buy_credit(
        actor=Actor.of_member(alice),
        amount=Decimal(100),
        method=card_of(alice),
        request=a_request(),
    )
    give(alice, bob, "12.30")
    page = desk.open(fiona, words.language)
    page.goto("/")
    page.get_by_role("navigation").get_by_role("link", name=words("Reports")).click()
    tabs = page.get_by_role("navigation", name=words("Reports"))
    for tab, amount in (("Allocations", "12.3"), ("Purchases", "100")):
        tabs.get_by_role("link", name=words(tab)).click()
        with page.expect_download() as download:
            page.get_by_role("link", name=words("Download CSV")).click()
        file = tmp_path / "report.csv"
        download.value.save_as(file)
        rows = list(csv.reader(io.StringIO(file.read_text(encoding="utf-8-sig")), delimiter=";"))
        rows = rows if len(rows[0]) > 1 else [row[0].split(",") for row in rows]
        cells = [cell.replace(",", ".") for cell in rows[1]]
        assert any(number(cell) == Decimal(amount) for cell in cells), rows


def number(text: str) -> Decimal | None:
    """The cell as a number, if it is one."""
    try:
        return Decimal(text)
    except ArithmeticError:
        return None
