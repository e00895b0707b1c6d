"""How the browser of these tests starts, who sits before it, and who works behind the pages.

Its one rule: every page is watched, and a story in which the browser complained has failed.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as configured
from django.test import Client
from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer

from billing.tasks import sweep_auto_purchases
from credit.tasks import resume, sweep
from members.models import Member
from members.tasks import send_pending_notices
from tests.billing.conftest import sweep as ask_about_purchases
from tests.browser.chromium import ARGUMENTS, find
from tests.browser.watch import Watch
from tests.browser.words import Words

LOCALES = {"en": "en-IE", "fr": "fr-FR"}
PATIENCE_MS = 15_000

expect.set_options(timeout=PATIENCE_MS)


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, Any]) -> dict[str, Any]:
    """The Chromium of this machine; Playwright's own where there is none."""
    program = find()
    found = {"executable_path": program} if program else {}
    return {**browser_type_launch_args, **found, "args": ARGUMENTS}


@pytest.fixture(autouse=True)
def _letters(settings: Settings, live_server: LiveServer, tmp_path: Path) -> None:
    """Mails and text messages go to an outbox of this test, with links that lead to its server."""
    settings.SITE_URL = live_server.url
    settings.EMAIL_BACKEND = "skypemgr.lib.outbox.EmailBackend"
    settings.OUTBOX_DIR = tmp_path / "outbox"


@pytest.fixture(params=["fr", "en"])
def words(request: pytest.FixtureRequest) -> Words:
    """The story is told in French, then in English."""
    return Words(str(request.param))


@dataclass
class Desk:
    """Opens browsers: one context a person, as on devices of their own."""

    browser: Browser
    address: str
    contexts: list[BrowserContext] = field(default_factory=list)
    watch: Watch = field(default_factory=Watch)

    def open(self, member: Member | None = None, language: str = "en", **options: Any) -> Page:
        """A page of the member's browser, or of somebody who is not signed in."""
        context = self.browser.new_context(
            base_url=self.address,
            locale=LOCALES[language],
            timezone_id="Europe/Paris",
            reduced_motion="reduce",
            accept_downloads=True,
            **{"viewport": {"width": 1280, "height": 800}, **options},
        )
        context.set_default_timeout(PATIENCE_MS)
        self.contexts.append(context)
        self.watch.listen(context)
        if member is not None:
            self._sign_in(context, member, language)
        return context.new_page()

    def _sign_in(self, context: BrowserContext, member: Member, language: str) -> None:
        member.user.language = language
        member.user.save(update_fields=("language",))
        client = Client()
        client.force_login(member.user, backend="django.contrib.auth.backends.ModelBackend")
        name = configured.SESSION_COOKIE_NAME
        context.add_cookies(
            [{"name": name, "value": client.cookies[name].value, "url": self.address}]
        )


@pytest.fixture
def desk(browser: Browser, live_server: LiveServer) -> Iterator[Desk]:
    """Opens browsers and closes them; their complaints fail the test."""
    made = Desk(browser, live_server.url)
    yield made
    for context in made.contexts:
        context.close()
    assert made.watch.complaints == []


@pytest.fixture
def work() -> Callable[[], None]:
    """The worker and Beat have done what waits for them."""

    def run() -> None:
        ask_about_purchases()
        sweep_auto_purchases()
        sweep()
        resume()
        send_pending_notices()

    return run


@dataclass
class Clicks:
    """Clicks and fills on behalf of a person, and counts both."""

    clicked: int = 0
    filled: int = 0

    def click(self, target: Locator) -> None:
        """One click more."""
        target.click()
        self.clicked += 1

    def fill(self, target: Locator, text: str) -> None:
        """One field more."""
        target.fill(text)
        self.filled += 1


@pytest.fixture
def clicks() -> Clicks:
    return Clicks()
