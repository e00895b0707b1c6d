"""The references that payers write on bank transfers (ISO 11649: ``RF``, two check digits, ``SM``,
the purchase's number).

Its one rule: only a reference whose check digits are right names a purchase; everything else is
at most a guess for a person to look at.
"""

import re

from stdnum import iso11649
from stdnum.iso7064 import mod_97_10

PREFIX = "SM"
DIGITS = 8
MOST_DIGITS = 19
MOST_GUESSES = 20

_WRITTEN = re.compile(rf"RF([0-9]{{2}}){PREFIX}([0-9]{{{DIGITS},{MOST_DIGITS}}})")
_NEARLY = re.compile(
    rf"(?:RF([0-9OIL]{{2}}))?(?:{PREFIX}|5M)([0-9OIL]{{{DIGITS - 1},{DIGITS + 1}}})(?![0-9])"
)
_LOOKALIKES = str.maketrans("OIL", "011")


def make_reference(purchase_pk: int) -> str:
    """The purchase's payment reference, without spaces; the same purchase always has the same."""
    body = f"{PREFIX}{purchase_pk:0{DIGITS}d}"
    return f"RF{mod_97_10.calc_check_digits(f'{body}RF')}{body}"


def group_reference(reference: str) -> str:
    """The reference in groups of four, as people read it out."""
    return iso11649.format(reference)


def find_references(text: str) -> list[str]:
    """Every reference with right check digits in the text, each once, in its order; spaces, case
    and punctuation do not matter.
    """
    found: dict[str, None] = {}
    for match in _WRITTEN.finditer(_compact(text)):
        digits = match[2]
        # What follows in the label may run into the number, which has a fixed length unless large.
        longest = DIGITS if digits[0] == "0" else len(digits)
        for length in range(DIGITS, longest + 1):
            reference = f"RF{match[1]}{PREFIX}{digits[:length]}"
            if iso11649.is_valid(reference):
                found[reference] = None
    return list(found)


def guess_references(text: str) -> list[str]:
    """The references that somebody may have meant who mistyped one digit, swapped two, left one
    out, doubled one, or forgot the check digits; at most 20, none that is written rightly.
    """
    written = set(find_references(text))
    found: dict[str, None] = {}
    for match in _NEARLY.finditer(_compact(text)):
        check = (match[1] or "").translate(_LOOKALIKES)
        digits = match[2].translate(_LOOKALIKES)
        for body in (digits, *_one_edit_away(digits)):
            reference = make_reference(int(body)) if len(body) == DIGITS else ""
            # With the digits as written, the mistake may sit in the check digits.
            fits = body == digits or (check and reference[2:4] == check)
            if reference and fits and reference not in written:
                found[reference] = None
    return list(found)[:MOST_GUESSES]


def _compact(text: str) -> str:
    return "".join(char for char in text.upper() if char.isascii() and char.isalnum())


def _one_edit_away(digits: str) -> list[str]:
    near = []
    for at in range(len(digits) + 1):
        before, after = digits[:at], digits[at:]
        near += [before + digit + after for digit in "0123456789"]
        if after:
            near.append(before + after[1:])
            near += [before + digit + after[1:] for digit in "0123456789"]
        if len(after) > 1:
            near.append(before + after[1] + after[0] + after[2:])
    return near
