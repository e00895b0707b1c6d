"""Which Chromium the browser tests use.

Its one rule: from CHROMIUM or PATH, else installed by apt where we are root on Debian, else
Playwright's own; `python -m tests.browser.chromium` prints it, or ends with 1 where there is none.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from playwright.sync_api import Error, sync_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
MAC = Path("/Applications/Google Chrome.app/Contents/MacOS/Google Chrome")
INSTALL_SECONDS = 300
# Chromium's sandbox needs what containers and root do not have; the pages are our own.
ARGUMENTS = ["--no-sandbox", "--disable-dev-shm-usage"]


def find() -> str | None:
    """A Chromium of this machine."""
    if named := os.environ.get("CHROMIUM"):
        return named
    for name in NAMES:
        if found := shutil.which(name):
            return found
    return str(MAC) if MAC.exists() else None


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def _succeeds(*command: str) -> bool:
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    try:
        answer = subprocess.run(
            command,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=INSTALL_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return answer.returncode == 0


def install_by_apt() -> str | None:
    """The Chromium of the distribution, installed now."""
    if os.geteuid() != 0 or not Path("/etc/debian_version").exists():
        return None
    _say("Installing Chromium by apt …")
    install = ("apt-get", "install", "-y", "--no-install-recommends", "chromium")
    if not _succeeds(*install) and not (_succeeds("apt-get", "update") and _succeeds(*install)):
        return None
    return find()


def install_by_playwright() -> str | None:
    """Playwright's own Chromium, downloaded now where it was not yet, if it runs here."""
    with sync_playwright() as playwright:
        program = playwright.chromium.executable_path
    if not Path(program).exists():
        _say("Installing Playwright's Chromium …")
        _succeeds(sys.executable, "-m", "playwright", "install", "chromium")
    return program if Path(program).exists() and runs(program) else None


def runs(program: str) -> bool:
    """Whether the browser starts: system libraries may be missing."""
    try:
        with sync_playwright() as playwright:
            playwright.chromium.launch(executable_path=program, args=ARGUMENTS).close()
    except Error:
        return False
    return True


def main() -> int:
    """Prints the browser that the tests are to use."""
    program = find() or install_by_apt() or install_by_playwright()
    if program is None:
        return 1
    print(program)
    return 0


if __name__ == "__main__":
    sys.exit(main())
