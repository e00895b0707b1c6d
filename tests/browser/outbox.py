"""Reading one's mail and text messages in the development outbox. Its one rule: what arrived is
read and followed on the page, as a person would.
"""

import re

from playwright.sync_api import Page, expect


def open_outbox(page: Page) -> None:
    """The page shows what arrived."""
    page.goto("/outbox/")
    expect(page.locator(".letter").first).to_be_visible()


def newest_to(page: Page, address: str) -> str:
    """The text of the newest message to the address or number."""
    open_outbox(page)
    letter = page.locator(".letter").filter(
        has=page.locator(".letter-head .cell-sub", has_text=address)
    )
    return letter.first.locator(".letter-text").inner_text()


def follow_link(page: Page, address: str, part: str) -> None:
    """The link in the newest message to the address whose address has the part is open."""
    open_outbox(page)
    letter = page.locator(".letter").filter(
        has=page.locator(".letter-head .cell-sub", has_text=address)
    )
    letter.first.locator(f'.letter-text a[href*="{part}"]').first.click()


def read_code(page: Page, address: str) -> str:
    """The six digits of the newest message to the address or number."""
    found = re.search(r"\b\d{6}\b", newest_to(page, address))
    assert found, "no code arrived"
    return found.group()
