"""Amounts that people type, and amounts that machines send.

Its one rule: an amount that could be read in two ways is refused, never guessed. What comes out is
a Decimal that the ledger can hold: at most 14 digits before the sign, at most ``places`` after.
"""

import re
from decimal import Decimal
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils import translation
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from skypemgr.lib.formats import currency_decimals

CREDIT_PLACES = 4
MAX_WHOLE_DIGITS = 14

_GROUPING = " \u00a0\u202f"
_MINUS_SIGNS = "-\u2212"
# Either plain digits, or groups of three parted by single spaces; then perhaps sign and decimals.
_TYPED = re.compile(
    rf"(?P<whole>[0-9]*|[0-9]{{1,3}}(?:[{_GROUPING}][0-9]{{3}})+)"
    r"(?:(?P<sign>[.,])(?P<decimals>[0-9]+))?"
)
_EXACT = re.compile(r"(?P<whole>[0-9]+)(?:\.(?P<decimals>[0-9]+))?")


def currency_places(currency: str) -> int:
    """How many decimals the currency itself has: 0, 2 or 3."""
    return currency_decimals(currency)


def parse_typed_amount(
    text: str, *, places: int = CREDIT_PLACES, zero_allowed: bool = False
) -> Decimal:
    """The amount a person typed on a page, in major units, above 0; else ValidationError.

    ``,`` and ``.`` are both the decimal sign, only spaces group. A sign followed by exactly three
    digits is refused, unless ``places`` is 3 (a price in a currency of three decimals).
    """
    typed = text.strip()
    if not typed:
        raise ValidationError(_("Enter an amount."), code="required")
    _refuse_other_digits(typed)
    is_negative = typed[0] in _MINUS_SIGNS
    match = _TYPED.fullmatch(typed.lstrip(_MINUS_SIGNS).lstrip() if is_negative else typed)
    if match is None or not (match["whole"] or match["decimals"]):
        raise _not_an_amount(typed)
    whole = match["whole"].translate({ord(space): None for space in _GROUPING})
    decimals = match["decimals"] or ""
    if is_negative:
        raise _too_small(zero_allowed=zero_allowed)
    if len(decimals) == 3 and places != 3:
        raise _ambiguous(whole, match["sign"], decimals, places)
    return _checked(whole, decimals, places=places, zero_allowed=zero_allowed)


def parse_exact_amount(
    text: str, *, places: int = CREDIT_PLACES, zero_allowed: bool = False
) -> Decimal:
    """The amount that a machine or a command gave, in major units, above 0; else ValidationError.

    ASCII digits with a point only, no grouping, no exponent; ``1.500`` is one and a half.
    """
    match = _EXACT.fullmatch(text.removeprefix("-"))
    if match is None:
        raise ValidationError(
            _("Write the amount with the digits 0 to 9 and a point only, for example 12.50."),
            code="not_a_number",
        )
    if text.startswith("-"):
        raise _too_small(zero_allowed=zero_allowed)
    return _checked(
        match["whole"], match["decimals"] or "", places=places, zero_allowed=zero_allowed
    )


def write_typed_amount(amount: Decimal, *, places: int = CREDIT_PLACES) -> str:
    """The amount as the reader would type it, so that the field reads the same amount back."""
    exponent = amount.normalize().as_tuple().exponent
    own = max(0, -exponent) if isinstance(exponent, int) else 0
    shortest = places if places <= 3 else 2
    text = f"{amount:.{shortest if own <= shortest else places}f}"
    is_french = (translation.get_language() or "en").startswith("fr")
    return text.replace(".", ",") if is_french else text


class AmountField(forms.Field):
    """A form field for an amount above 0, typed by a person; its value is a Decimal."""

    widget = forms.TextInput

    def __init__(
        self, *, places: int = CREDIT_PLACES, zero_allowed: bool = False, **options: Any
    ) -> None:
        options.setdefault("error_messages", {"required": _("Enter an amount.")})
        super().__init__(**options)
        self.places = places
        self.zero_allowed = zero_allowed

    def to_python(self, value: Any) -> Decimal | None:
        """The typed text as an amount; None when nothing was typed."""
        if isinstance(value, Decimal) or value is None:
            return value
        text = str(value)
        if not text.strip():
            return None
        return parse_typed_amount(text, places=self.places, zero_allowed=self.zero_allowed)

    def prepare_value(self, value: Any) -> Any:
        """What stands in the field: text as it was typed, a stored amount as one would type it."""
        if isinstance(value, Decimal):
            return write_typed_amount(value, places=self.places)
        return value

    def widget_attrs(self, widget: forms.Widget) -> dict[str, Any]:
        """A phone shows its keyboard for numbers, and no browser offers old amounts."""
        return {"inputmode": "decimal", "autocomplete": "off"}

    def has_changed(self, initial: Any, data: Any) -> bool:
        """Whether another amount was typed, however it is written."""
        try:
            return bool(self.to_python(initial) != self.to_python(data))
        except ValidationError:
            return True


def _checked(whole: str, decimals: str, *, places: int, zero_allowed: bool) -> Decimal:
    if len(decimals) > places:
        raise _too_many_decimals(places)
    if len(whole.lstrip("0")) > MAX_WHOLE_DIGITS:
        raise ValidationError(_("This amount is too large."), code="too_large")
    amount = Decimal(f"{whole or 0}.{decimals or 0}")
    if amount == 0 and not zero_allowed:
        raise _too_small(zero_allowed=zero_allowed)
    return amount


def _refuse_other_digits(typed: str) -> None:
    if any(char.isdigit() and not char.isascii() for char in typed):
        raise ValidationError(
            _("Write the amount with the digits 0 to 9, for example 12.50."), code="not_a_number"
        )


def _not_an_amount(typed: str) -> ValidationError:
    marks = typed.count(".") + typed.count(",")
    rest = typed.translate({ord(char): None for char in f".,{_GROUPING}"})
    if rest.isascii() and rest.isdigit() and marks > 1:
        return ValidationError(
            _("Use one comma or point only, before the decimals. Part thousands with a space."),
            code="not_a_number",
        )
    if rest.isascii() and rest.isdigit() and any(space in typed for space in _GROUPING):
        return ValidationError(
            _("Spaces only part thousands, as in 1 500. Check the amount."), code="not_a_number"
        )
    return ValidationError(
        _("This is not an amount. Use digits only, for example 12.50."), code="not_a_number"
    )


def _too_many_decimals(places: int) -> ValidationError:
    if places == 0:
        return ValidationError(
            _("This currency has no decimals. Enter a whole amount."), code="too_many_decimals"
        )
    sentence = ngettext("Use at most %(count)s decimal.", "Use at most %(count)s decimals.", places)
    return ValidationError(sentence, code="too_many_decimals", params={"count": places})


def _too_small(*, zero_allowed: bool) -> ValidationError:
    if zero_allowed:
        return ValidationError(_("The amount cannot be below 0."), code="not_positive")
    return ValidationError(_("The amount must be above 0."), code="not_positive")


def _ambiguous(whole: str, sign: str, decimals: str, places: int) -> ValidationError:
    """Says both readings that the field would take, each in a way that has only one."""
    thousands = f"{whole}{decimals}".lstrip("0") or "0"
    kept = decimals.rstrip("0")
    if len(kept) > places:
        return ValidationError(
            _("Do you mean %(whole)s? Then write it without “%(sign)s”."),
            code="ambiguous",
            params={"whole": thousands, "sign": sign},
        )
    fraction = kept.ljust(2 if len(kept) <= 2 else CREDIT_PLACES, "0")[: max(places, len(kept))]
    shown = f"{whole or 0}{sign}{fraction}" if fraction else whole or "0"
    return ValidationError(
        _("Do you mean %(whole)s or %(decimal)s? Write one of the two."),
        code="ambiguous",
        params={"whole": thousands, "decimal": shown},
    )
