"""A person makes a token, tries it in the API's documentation, and revokes it."""

import re
from pathlib import Path

from playwright.sync_api import expect

from members.models import ApiToken, Member
from tests.browser.conftest import Desk

SCREENSHOTS = Path(__file__).parent / "screenshots"
SCREENS = 60


def test_a_token_is_made_tried_in_the_documentation_and_revoked(desk: Desk, alice: Member) -> None:
    page = desk.open(alice)
    page.goto("/settings/")
    page.get_by_role("link", name="API tokens").first.click()
    page.get_by_label("Name").first.fill("Dashboard in the hall")
    page.get_by_role("button", name="Create a token", exact=True).click()
    secret = page.locator("#token-secret").inner_text()
    assert re.fullmatch(r"smt_[\w-]{43}", secret)
    page.screenshot(path=SCREENSHOTS / "token_made.png", full_page=True)

    page.goto("/api/v1/docs")
    page.get_by_role("button", name="Authorize", exact=True).click()
    page.locator(".auth-container input").fill(secret)
    page.locator(".auth-container").get_by_role("button", name="Apply credentials").click()
    page.locator(".modal-ux").get_by_role("button", name="Close").last.click()
    # The documentation draws what is near the window only.
    operation = page.get_by_role("button", name="GET /api/v1/company", exact=True)
    for _screen in range(SCREENS):
        if operation.count():
            break
        page.mouse.wheel(0, 400)
        page.wait_for_timeout(200)
    operation.click()
    page.get_by_role("button", name="Try it out").click()
    page.get_by_role("button", name="Execute").click()
    expect(page.locator(".live-responses-table")).to_contain_text('"name": "Acme"')
    page.screenshot(path=SCREENSHOTS / "api_documentation.png")

    page.goto("/settings/tokens/")
    row = page.locator("tr", has_text="Dashboard in the hall")
    expect(row).not_to_contain_text("never")
    page.screenshot(path=SCREENSHOTS / "tokens.png", full_page=True)
    row.get_by_role("link", name="Revoke").click()
    page.get_by_role("button", name="Revoke").click()
    expect(page.get_by_text("The token Dashboard in the hall is revoked.")).to_be_visible()
    assert ApiToken.objects.get().revoked_at is not None
