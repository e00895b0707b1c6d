"""Keys to sort and search names by. Its one rule: accents and case never separate two names."""

import unicodedata


def search_key(text: str) -> str:
    """The text without accents, case-folded, with single spaces: what look-ups compare."""
    plain = unicodedata.normalize("NFKD", text)
    letters = "".join(char for char in plain if not unicodedata.combining(char))
    return " ".join(letters.casefold().split())
