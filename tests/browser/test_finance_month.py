"""Finance's month: what came and went, what it was made of, and its files; in both languages."""

import re
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import openpyxl
import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import Desk
from tests.browser.gallery import STORY_VIEWS, Gallery
from tests.browser.words import Words
from tests.browser.world import World, make_world


@pytest.fixture
def world(transactional_db: None, words: Words) -> World:
    return make_world(words.language)


def lines(page: Page) -> Locator:
    return page.locator("table.rows tbody tr")


def total(page: Page) -> Locator:
    return page.locator("table.rows tfoot tr")


def asked(page: Page) -> dict[str, list[str]]:
    """What the page's address asks for."""
    return parse_qs(urlsplit(page.url).query)


def test_finance_follows_a_month_down_to_its_calls_and_takes_it_along(
    desk: Desk, world: World, words: Words, tmp_path: Path
) -> None:
    gallery = Gallery(words.language, views=STORY_VIEWS)
    page = desk.open(world.fiona, words.language)
    page.goto("/")
    page.get_by_role("navigation").get_by_role("link", name=words("Reports")).first.click()

    # The month, then the one before it; each adds up.
    tabs = page.get_by_role("navigation", name=words("Reports"))
    expect(tabs).to_be_visible()
    gallery.take(page, "month-summary")
    page.get_by_role("link", name=words("Previous month")).click()
    expect(page.locator(".strip")).to_contain_text(words("Closing balance"))
    assert "month" in asked(page)
    gallery.take(page, "month-before")

    # What was given, down to one member, found by name.
    lines(page).get_by_role("link", name=words("Allocation"), exact=True).click()
    expect(lines(page)).to_have_count(len(world.members))
    assert asked(page)["kind"] == ["allocation"]
    gallery.take(page, "month-allocations")
    page.get_by_role("searchbox", name=words("Member")).fill("khayyam")
    page.get_by_role("button", name=words("Show")).last.click()
    expect(lines(page)).to_have_count(1)
    expect(lines(page)).to_contain_text("Omar Khayyam")
    page.get_by_role("link", name=words("All members")).click()
    expect(lines(page)).to_have_count(len(world.members))

    # Usage: sorted by calls, then a member's days.
    tabs.get_by_role("link", name=words("Usage")).click()
    gallery.take(page, "month-usage")
    calls = page.get_by_role("columnheader", name=words("Calls"))
    calls.get_by_role("link").click()
    expect(calls).to_have_attribute("aria-sort", "descending")
    calls.get_by_role("link").click()
    expect(calls).to_have_attribute("aria-sort", "ascending")
    for cut in ("By day", "By month", "By list", "By cost centre", "By destination"):
        page.get_by_role("link", name=words(cut), exact=True).click()
        expect(lines(page).first).to_be_visible()
        gallery.take(page, f"month-usage-{cut.removeprefix('By ').replace(' ', '-')}")
    page.get_by_role("link", name=words("By list"), exact=True).click()
    lines(page).get_by_role("link", name="Direction").click()
    expect(lines(page)).to_have_count(2)

    # All of it as a spreadsheet.
    with page.expect_download() as download:
        page.get_by_role("link", name=words("Download XLSX")).click()
    file = tmp_path / "usage.xlsx"
    download.value.save_as(file)
    sheet = openpyxl.load_workbook(file).worksheets[0]
    names = [row[0].value for row in sheet.iter_rows(min_row=2)]
    assert {"Émile Ørsted", "Maëlys de La Rochefoucauld-Montbel"} <= set(names)

    # Purchases of the year; finance looks and moves nothing.
    tabs.get_by_role("link", name=words("Purchases")).click()
    page.get_by_role("link", name=words("Year"), exact=True).click()
    expect(lines(page).first).to_be_visible()
    gallery.take(page, "month-purchases")
    expect(page.get_by_role("link", name=words("Buy credit"))).to_have_count(0)
    lines(page).get_by_role("link").first.click()
    expect(page).to_have_url(re.compile("/purchases/[0-9]+/"))
    desk.watch.expected |= {422}
    page.goto("/reports/usage/?month=2026-13")
    gallery.take(page, "month-refused")
    assert not gallery.faults, gallery.describe()
