"""Phone numbers as people read them. Its one rule: what cannot be read stands as it is."""

import phonenumbers

# Numbers of a country's own services have no code of a country before them.
LONGEST_SHORT_NUMBER = 6


def readable_number(digits: str) -> str:
    """The number in its international form; short ones (112), and what cannot be read, as they
    stand.
    """
    if len(digits) <= LONGEST_SHORT_NUMBER and not digits.startswith("+"):
        return digits
    text = digits if digits.startswith("+") else f"+{digits}"
    try:
        number = phonenumbers.parse(text, None)
    except phonenumbers.NumberParseException:
        return digits
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.INTERNATIONAL)
