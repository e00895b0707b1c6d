"""Tags that draw the pieces in `templates/components`.

One rule: a piece is told everything it shows; none looks anything up or knows a model. Tags that
have an inside end with `end` and their name.
"""

from decimal import Decimal
from functools import lru_cache
from typing import Any
from zlib import crc32

from django import template
from django.template.loader import render_to_string
from django.utils.safestring import SafeString

from skypemgr.lib import icons

register = template.Library()

AVATAR_COLOURS = 6


@register.simple_tag
def icon(name: str, size: int = 20, label: str = "") -> SafeString:
    """`{% icon "users" %}` draws an icon; a label makes it speak to screen readers."""
    return icons.render_icon(name, size=size, label=label)


@register.filter
def initials(name: str) -> str:
    """`{{ name|initials }}` gives at most two letters; a dot when there is no name."""
    words = [word for word in str(name).replace("@", " ").split() if word[0].isalnum()]
    if not words:
        return "·"
    letters = words[0][0] + (words[-1][0] if len(words) > 1 else "")
    return letters.upper()


@register.simple_tag
def avatar(name: str, size: str = "md") -> SafeString:
    """`{% avatar name %}` draws the initials (sizes sm, md, lg), coloured by the name."""
    colour = crc32(str(name).encode()) % AVATAR_COLOURS + 1
    return _avatar(initials(name), size, colour)


@register.simple_tag
def badge(label: str, kind: str = "neutral", icon: str = "") -> SafeString:
    """`{% badge label kind="good" %}`: neutral, accent, good, warning or bad; always a word."""
    return _draw("badge", {"label": label, "kind": kind, "icon": icon})


@register.simple_tag
def stat(label: str, value: object, **more: Any) -> SafeString:
    """`{% stat label value %}` with `hint`, `icon`, `url`, `live` (a data-live name)."""
    return _draw("stat", {"label": label, "value": value, **more})


@register.simple_tag
def progress(value: object, maximum: object, label: str, **more: Any) -> SafeString:
    """`{% progress value maximum label %}` draws a bar, with `hint` and `kind` (warning, bad)."""
    return _draw("progress", {"value": value, "maximum": maximum, "label": label, **more})


@register.simple_tag
def steps(current: int, *labels: str) -> SafeString:
    """`{% steps 2 first second third %}` shows where one is in a flow, counted from 1."""
    return _draw("steps", {"current": current, "labels": labels})


@register.simple_tag
def copy_button(value: str, label: str) -> SafeString:
    """`{% copy_button value label %}` puts a text on the clipboard."""
    return _draw("copy_button", {"value": value, "label": label})


@register.simple_tag
def before_after(label: str, before: object, after: object, **more: Any) -> SafeString:
    """`{% before_after label before after %}` tells one change, with `icon` and `kind`."""
    return _draw("before_after", {"label": label, "before": before, "after": after, **more})


@register.simple_tag
def chart(data: dict[str, Any], **more: Any) -> SafeString:
    """`{% chart data %}` draws a chart with its table; `title`, `empty`, `height` (sm, md).

    The data: `id`, `type` (bar, stacked, line), `labels`, `currency`, and `series`, each with
    `kind` (allocation, recharge, calls, features, purchases), `label` and `values`.
    """
    series = [
        {**line, "total": sum(line["values"], start=Decimal(0))} for line in data.get("series", [])
    ]
    has_values = any(value for line in series for value in line["values"])
    rows = [
        {"label": label, "values": [line["values"][index] for line in series]}
        for index, label in enumerate(data.get("labels", []))
    ]
    script_id = f"chart-{data.get('id', 'data')}"
    known = {
        "chart": data,
        "series": series,
        "rows": rows,
        "has_values": has_values,
        "script_id": script_id,
    }
    return _draw("chart", {**known, **more})


@register.simple_block_tag
def page_header(content: str, title: str, **more: Any) -> SafeString:
    """`{% page_header title %}actions{% endpage_header %}`; `subtitle`, `crumb`, `crumb_url`."""
    return _draw("page_header", {"title": title, "actions": content, **more})


@register.simple_block_tag
def card(content: str, title: str = "", **more: Any) -> SafeString:
    """`{% card title %}…{% endcard %}`; `subtitle`, `url` and `link`, `flush` for tables."""
    return _draw("card", {"title": title, "body": content, **more})


@register.simple_block_tag
def notice(content: str, kind: str = "info", title: str = "") -> SafeString:
    """`{% notice kind="warning" %}…{% endnotice %}`: info, success, warning or danger."""
    return _draw("notice", {"kind": kind, "title": title, "body": content})


@register.simple_block_tag
def empty_state(content: str, title: str, **more: Any) -> SafeString:
    """`{% empty_state title text=… icon=… %}actions{% endempty_state %}`."""
    return _draw("empty_state", {"title": title, "actions": content, **more})


@register.simple_block_tag
def table(content: str, label: str, **more: Any) -> SafeString:
    """`{% table label %}<thead>…{% endtable %}` wraps a table; the label names it aloud."""
    return _draw("table", {"label": label, "body": content, **more})


@register.simple_block_tag
def action_bar(content: str, **more: Any) -> SafeString:
    """`{% action_bar %}buttons{% endaction_bar %}` appears while rows are ticked."""
    return _draw("action_bar", {"actions": content, **more})


@register.simple_block_tag
def menu(content: str, label: str, **more: Any) -> SafeString:
    """`{% menu label %}links{% endmenu %}`; `icon`, `bare` (icon alone), `align`."""
    return _draw("menu", {"label": label, "items": content, **more})


@lru_cache(maxsize=2048)
def _avatar(letters: str, size: str, colour: int) -> SafeString:
    """Tables have one in each row, and many are alike."""
    return _draw("avatar", {"letters": letters, "size": size, "colour": colour})


def _draw(piece: str, values: dict[str, Any]) -> SafeString:
    return render_to_string(f"components/{piece}.html", values)
