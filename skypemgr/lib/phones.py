"""Phone numbers as people read them. Its one rule: what cannot be read stands as it is."""

import phonenumbers


def readable_number(digits: str) -> str:
    """The number in its international form, as it stands when it cannot be read."""
    text = digits if digits.startswith("+") else f"+{digits}"
    try:
        number = phonenumbers.parse(text, None)
    except phonenumbers.NumberParseException:
        return digits
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.INTERNATIONAL)
