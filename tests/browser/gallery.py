"""Looks at pages as they are seen: narrow and wide, light and dark.

Its one rule: nothing sticks out, and nothing shuts somebody out (WCAG 2.2 AA, as far as a machine
can tell).
"""

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from playwright.sync_api import Page

FOLDER = Path(__file__).parent / "screenshots"
AXE = (Path(__file__).parent / "vendor" / "axe.min.js").read_text(encoding="utf-8")
RUN_AXE = """async () => {
  const found = await axe.run(document, {
    runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"],
    resultTypes: ["violations"],
  });
  return found.violations.map((rule) => [rule.id, rule.nodes.map((node) => node.html + " " +
    node.any.concat(node.all, node.none).map((check) => check.message).join("; "))]);
}"""
STICKS_OUT = """() => {
  const width = document.documentElement.clientWidth;
  if (document.documentElement.scrollWidth <= width) return [];
  return Array.from(document.querySelectorAll("body *"))
    .filter((part) => part.getBoundingClientRect().right > width + 1)
    .slice(0, 5).map((part) => part.outerHTML.slice(0, 120));
}"""
Theme = Literal["light", "dark"]
# Both widths and both themes once; with ALL_VIEWS=1 each width in each theme, in both languages.
WIDE: tuple[int, Theme] = (1280, "light")
NARROW: tuple[int, Theme] = (390, "dark")
REST: tuple[tuple[int, Theme], ...] = ((1280, "dark"), (390, "light"))
VIEWS: tuple[tuple[int, Theme], ...] = (WIDE, NARROW)
if os.environ.get("ALL_VIEWS"):
    VIEWS += REST
# Pictures are for eyes; no test reads them: PICTURES=1 or ALL_VIEWS=1 takes them.
PICTURES = bool(os.environ.get("PICTURES") or os.environ.get("ALL_VIEWS"))
# A story is seen by readers of both languages, at the three widths of a screen, tablet and phone.
STORY_VIEWS: tuple[tuple[int, Theme], ...] = ((1280, "light"), (768, "light"), (390, "dark"))
HEIGHTS = {1280: 800, 768: 1024, 390: 844}
# Drawings follow a change of width or theme a moment later, colours move on to the new theme: two
# frames after the change their moves have begun.
SETTLE_MS = 100
WEARS_THEME = """(theme) =>
  [null, theme].includes(document.documentElement?.getAttribute("data-bs-theme"))"""
AT_REST = """() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() =>
  Promise.allSettled(document.getAnimations().map((moving) => moving.finished)).then(done))))"""


def find_barriers(page: Page) -> list[Any]:
    """What shuts somebody out, as axe tells it."""
    if not page.evaluate("() => 'axe' in window"):
        page.evaluate(AXE)
    # A field in error is scrolled to: what then lies half under the head is no barrier.
    page.evaluate("() => scrollTo({top: 0, behavior: 'instant'})")
    return list(page.evaluate(RUN_AXE))


@dataclass
class Gallery:
    """Keeps what is wrong with pages in one language, and their pictures where they are wanted."""

    language: str
    faults: list[str] = field(default_factory=list)
    views: tuple[tuple[int, Theme], ...] = ()

    def take(self, page: Page, name: str) -> None:
        """The faults of the page in every width and theme are noted."""
        page.wait_for_load_state()
        for width, theme in self._views():
            page.set_viewport_size({"width": width, "height": HEIGHTS[width]})
            page.emulate_media(color_scheme=theme, reduced_motion="reduce")
            page.wait_for_function(WEARS_THEME, arg=theme)
            page.wait_for_timeout(SETTLE_MS)
            page.evaluate(AT_REST)
            view = f"{name} {self.language} {width} {theme}"
            self.faults += [f"{view} sticks out: {part}" for part in page.evaluate(STICKS_OUT)]
            # What a machine can tell is so in every language.
            if self.language == "en" and (width, theme) in (WIDE, NARROW):
                self.faults += [f"{view}: {fault}" for fault in find_barriers(page)]
            if PICTURES:
                path = FOLDER / f"{name}-{self.language}-{width}-{theme}.png"
                page.screenshot(path=path, full_page=True)

    def _views(self) -> tuple[tuple[int, Theme], ...]:
        """French says it with more words: where it is narrow they are looked at each time."""
        chosen = self.views or VIEWS
        if self.language == "en" or os.environ.get("ALL_VIEWS"):
            return chosen
        return (NARROW,)

    def describe(self) -> str:
        """What is wrong, a line each."""
        return "\n".join(self.faults)

    def visit(self, page: Page, pages: dict[str, str]) -> None:
        """Every address was opened and taken."""
        for name, address in pages.items():
            page.goto(address)
            self.take(page, name)
