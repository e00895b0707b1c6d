"""What people type: keys to sort and search by, lines, searches. Its one rule: accents and case
never separate two names.
"""

import unicodedata

LONGEST_SEARCH = 200
# These turn the text that follows them round, far beyond the name they stand in.
_DIRECTIONS = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def search_key(text: str) -> str:
    """The text without accents, case-folded, with single spaces: what look-ups compare."""
    plain = unicodedata.normalize("NFKD", text)
    letters = "".join(char for char in plain if not unicodedata.combining(char))
    return " ".join(letters.casefold().split())


def typed_search(text: str) -> str:
    """What was typed to search for, not too long, without the NUL that no database text has."""
    return text.replace("\0", "").strip()[:LONGEST_SEARCH]


def plain_line(text: str) -> str:
    """The text on one line: single spaces, no control characters, none that turn the direction."""
    return "".join(
        char
        for char in " ".join(text.split())
        if unicodedata.category(char) != "Cc" and char not in _DIRECTIONS
    ).strip()
