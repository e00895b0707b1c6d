"""How the browser of these tests starts. Its one rule: the same one for all of them."""

from typing import Any

import pytest

from tests.browser.chromium import ARGUMENTS, find


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, Any]) -> dict[str, Any]:
    """The Chromium of this machine; Playwright's own where there is none."""
    program = find()
    found = {"executable_path": program} if program else {}
    return {**browser_type_launch_args, **found, "args": ARGUMENTS}
