"""The drawings used on the pages, read from `static/img/icons`.

One rule: an icon that is not there is an error while the page is written, never an empty space.
"""

from functools import cache
from pathlib import Path

from django.contrib.staticfiles import finders
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe


class UnknownIconError(LookupError):
    """No drawing of that name is in `static/img/icons`."""


@cache
def read_icon(name: str) -> str:
    """Give the SVG source of an icon, read once; raises UnknownIconError."""
    found = finders.find(f"img/icons/{name}.svg")
    if not isinstance(found, str) or not name.replace("-", "").isalnum():
        raise UnknownIconError(name)
    return Path(found).read_text(encoding="utf-8").strip()


def render_icon(name: str, *, size: int = 20, label: str = "", extra: str = "") -> SafeString:
    """Give an inline SVG of `size` pixels; hidden from screen readers unless it has a label."""
    purpose = (
        format_html('role="img" aria-label="{}"', label)
        if label
        else mark_safe('aria-hidden="true"')
    )
    head = format_html(
        '<svg class="icon icon-{}{}" width="{}" height="{}" focusable="false" {} ',
        name,
        f" {extra}" if extra else "",
        size,
        size,
        purpose,
    )
    # The drawings are files of this project, nothing that a person typed.
    return mark_safe(read_icon(name).replace("<svg ", head, 1))  # noqa: S308
