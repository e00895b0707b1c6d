"""Numbers as people read them."""

import pytest

from members.call_details import hide_last_digits
from skypemgr.lib.phones import readable_number


@pytest.mark.parametrize(
    ("digits", "shown"),
    [
        ("+33142278186", "+33 1 42 27 81 86"),
        ("33142278186", "+33 1 42 27 81 86"),
        ("112", "112"),
        ("15", "15"),
        ("116117", "116117"),
        ("", ""),
        ("+", "+"),
    ],
)
def test_numbers_are_grouped_and_those_of_services_stand_as_they_are(
    digits: str, shown: str
) -> None:
    assert readable_number(digits) == shown


def test_hidden_digits_of_a_service_do_not_look_like_a_foreign_number() -> None:
    assert hide_last_digits(readable_number("112")) == "•••"
