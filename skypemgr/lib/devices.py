"""What a browser says it is, in words. Its one rule: it is a hint for people; nothing is decided
by it.
"""

from dataclasses import dataclass

from django.utils.translation import gettext as _

# The first that stands in the text is it: most browsers also name those they resemble.
BROWSERS = (
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("SamsungBrowser/", "Samsung Internet"),
    ("Firefox/", "Firefox"),
    ("FxiOS/", "Firefox"),
    ("CriOS/", "Chrome"),
    ("Chromium/", "Chromium"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
)
SYSTEMS = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("Windows", "Windows"),
    ("Mac OS X", "macOS"),
    ("CrOS", "ChromeOS"),
    ("Linux", "Linux"),
)
HELD_IN_HAND = frozenset({"iPhone", "iPad", "Android"})


@dataclass(frozen=True, slots=True)
class Device:
    """A browser and the system it runs on; either may be empty."""

    browser: str
    system: str

    @property
    def is_held_in_hand(self) -> bool:
        """Whether it is a phone or tablet."""
        return self.system in HELD_IN_HAND

    @property
    def words(self) -> str:
        """How people call it."""
        if self.browser and self.system:
            return _("%(browser)s on %(system)s") % {
                "browser": self.browser,
                "system": self.system,
            }
        return self.browser or self.system or _("Unknown browser")


def read_device(user_agent: str) -> Device:
    """The device that the header ``User-Agent`` names."""
    return Device(_first(BROWSERS, user_agent), _first(SYSTEMS, user_agent))


def _first(known: tuple[tuple[str, str], ...], text: str) -> str:
    return next((name for mark, name in known if mark in text), "")
