"""Which signs the fonts of a PDF can draw. Its one rule: no text is refused; what the font lacks is
drawn as □, what has no shape of its own is left out.
"""

import unicodedata
from functools import cache
from pathlib import Path

from django.conf import settings
from fpdf import FPDF
from fpdf.fonts import TTFFont

FONTS = {"": "Inter-Regular.ttf", "B": "Inter-SemiBold.ttf"}
MISSING = "□"


def font_file(style: str) -> Path:
    """Where the font of that style lies: regular without one, ``B`` for bold."""
    return Path(settings.BASE_DIR) / "static" / "vendor" / "inter" / FONTS[style]


def drawable(text: str) -> str:
    """The text as it can be drawn: one line, no sign without a shape, □ for what the font lacks."""
    known = _known_signs()
    shown = []
    for sign in unicodedata.normalize("NFC", text):
        if sign in known:
            shown.append(sign)
        elif sign.isspace():
            shown.append(" ")
        elif unicodedata.category(sign) not in ("Cc", "Cf", "Mn", "Me") and not _is_tone(sign):
            shown.append(MISSING)
    return "".join(shown).strip()


def _is_tone(sign: str) -> bool:
    """Whether it only colours the sign before it."""
    return "\U0001f3fb" <= sign <= "\U0001f3ff"


@cache
def _known_signs() -> frozenset[str]:
    font = FPDF()
    font.add_font("inter", "", str(font_file("")))
    loaded = font.fonts["inter"]
    if not isinstance(loaded, TTFFont):
        raise TypeError(FONTS[""])
    signs = [chr(code) for code in loaded.cmap]
    loaded.ttfont.close()
    return frozenset(sign for sign in signs if sign.isprintable() or sign in "\u00a0\u202f")
