"""What people type as an amount is read in the only way it can be read, or refused."""

from decimal import Decimal

import pytest
from django import forms
from django.core.exceptions import ValidationError
from django.utils import translation
from hypothesis import given
from hypothesis import strategies as st

from skypemgr.lib.amounts import (
    AmountField,
    currency_places,
    parse_exact_amount,
    parse_typed_amount,
    write_typed_amount,
)

AMOUNTS = st.decimals(
    min_value=Decimal("0.0001"), max_value=Decimal("99999999999999.9999"), places=4
)


def refusal(text: str, *, places: int = 4, zero_allowed: bool = False) -> ValidationError:
    with pytest.raises(ValidationError) as caught:
        parse_typed_amount(text, places=places, zero_allowed=zero_allowed)
    return caught.value


@pytest.mark.parametrize(
    ("typed", "amount"),
    [
        ("25", "25"),
        ("1,50", "1.50"),
        ("1.50", "1.50"),
        ("1.5", "1.5"),
        (".5", "0.5"),
        (",05", "0.05"),
        ("0.0001", "0.0001"),
        ("1 500", "1500"),
        ("1\u00a0500,25", "1500.25"),
        ("1\u202f234\u202f567.89", "1234567.89"),
        ("1 234\u00a0567", "1234567"),
        (" 12.3400 ", "12.34"),
        ("\u00a012\u202f", "12"),
        ("1500", "1500"),
        ("1.5000", "1.5"),
        ("007", "7"),
        ("99999999999999.9999", "99999999999999.9999"),
    ],
)
def test_typed_amount_is_read_the_one_way_it_can_be(typed: str, amount: str) -> None:
    assert parse_typed_amount(typed) == Decimal(amount)


@pytest.mark.parametrize("typed", ["1.500", "1,500", "12.345", "0.500", ".500", "1 234,500"])
def test_a_sign_followed_by_exactly_three_digits_is_ambiguous(typed: str) -> None:
    assert refusal(typed).code == "ambiguous"
    assert refusal(typed, places=2).code == "ambiguous"
    assert refusal(typed, places=0).code == "ambiguous"


@pytest.mark.parametrize(
    ("typed", "places", "sentence"),
    [
        ("1.500", 4, "Do you mean 1500 or 1.50? Write one of the two."),
        ("1,500", 2, "Do you mean 1500 or 1,50? Write one of the two."),
        ("1,234", 4, "Do you mean 1234 or 1,2340? Write one of the two."),
        ("1.234", 2, "Do you mean 1234? Then write it without “.”."),
        ("1.000", 0, "Do you mean 1000 or 1? Write one of the two."),
        ("1.500", 0, "Do you mean 1500? Then write it without “.”."),
        ("0.500", 4, "Do you mean 500 or 0.50? Write one of the two."),
    ],
)
def test_the_refusal_of_an_ambiguous_amount_offers_what_would_be_taken(
    typed: str, places: int, sentence: str
) -> None:
    assert refusal(typed, places=places).messages == [sentence]


def test_three_decimals_are_a_price_in_a_currency_of_three() -> None:
    assert parse_typed_amount("1.500", places=currency_places("TND")) == Decimal("1.5")
    assert parse_typed_amount("1,500", places=3) == Decimal("1.5")


@pytest.mark.parametrize(
    ("typed", "code", "sentence"),
    [
        ("", "required", "Enter an amount."),
        (" \u00a0", "required", "Enter an amount."),
        ("0", "not_positive", "The amount must be above 0."),
        ("0,00", "not_positive", "The amount must be above 0."),
        ("-5", "not_positive", "The amount must be above 0."),
        ("\u22125", "not_positive", "The amount must be above 0."),
        ("1.00001", "too_many_decimals", "Use at most 4 decimals."),
        ("1.50000", "too_many_decimals", "Use at most 4 decimals."),
        ("100000000000000", "too_large", "This amount is too large."),
        ("1000000000000000000000", "too_large", "This amount is too large."),
        ("9" * 5000, "too_large", "This amount is too large."),
        ("1e21", "not_a_number", "This is not an amount. Use digits only, for example 12.50."),
        ("ten", "not_a_number", "This is not an amount. Use digits only, for example 12.50."),
        ("25 €", "not_a_number", "This is not an amount. Use digits only, for example 12.50."),
        ("+5", "not_a_number", "This is not an amount. Use digits only, for example 12.50."),
        ("5.", "not_a_number", "This is not an amount. Use digits only, for example 12.50."),
        (".", "not_a_number", "This is not an amount. Use digits only, for example 12.50."),
        ("NaN", "not_a_number", "This is not an amount. Use digits only, for example 12.50."),
        ("1_000", "not_a_number", "This is not an amount. Use digits only, for example 12.50."),
        (
            "\u0661\u0662",
            "not_a_number",
            "Write the amount with the digits 0 to 9, for example 12.50.",
        ),
        (
            "\uff11\uff12",
            "not_a_number",
            "Write the amount with the digits 0 to 9, for example 12.50.",
        ),
        ("1²", "not_a_number", "Write the amount with the digits 0 to 9, for example 12.50."),
        (
            "1,234.50",
            "not_a_number",
            "Use one comma or point only, before the decimals. Part thousands with a space.",
        ),
        ("1 50", "not_a_number", "Spaces only part thousands, as in 1 500. Check the amount."),
        ("1  500", "not_a_number", "Spaces only part thousands, as in 1 500. Check the amount."),
        ("1.234 5", "not_a_number", "Spaces only part thousands, as in 1 500. Check the amount."),
    ],
)
def test_what_is_no_amount_is_refused_with_a_sentence(typed: str, code: str, sentence: str) -> None:
    error = refusal(typed)
    assert error.code == code
    assert error.messages == [sentence]


def test_decimals_that_the_currency_lacks_are_refused() -> None:
    assert refusal("1.50", places=0).code == "too_many_decimals"
    assert refusal("1.5001", places=2).messages == ["Use at most 2 decimals."]


def test_zero_is_taken_only_where_it_is_allowed() -> None:
    assert parse_typed_amount("0,00", zero_allowed=True) == 0
    assert refusal("-1", zero_allowed=True).messages == ["The amount cannot be below 0."]


@given(st.text(max_size=80))
def test_any_text_is_an_amount_the_ledger_can_hold_or_is_refused(text: str) -> None:
    for parse in (parse_typed_amount, parse_exact_amount):
        try:
            amount = parse(text)
        except ValidationError:
            continue
        assert 0 < amount < 10**14
        assert amount == amount.quantize(Decimal("0.0001"))


@given(st.text(alphabet="0123456789., \u00a0\u202f-", max_size=24))
def test_what_looks_like_an_amount_is_read_without_losing_a_digit(text: str) -> None:
    try:
        amount = parse_typed_amount(text)
    except ValidationError:
        return
    plain = "".join(char for char in text if char in "0123456789.,").replace(",", ".")
    assert amount == Decimal(plain)


@given(AMOUNTS, st.sampled_from(["en", "fr"]))
def test_what_the_field_shows_it_reads_back_as_the_same_amount(
    amount: Decimal, language: str
) -> None:
    with translation.override(language):
        assert parse_typed_amount(write_typed_amount(amount)) == amount


@given(st.integers(min_value=1, max_value=10**15), st.sampled_from([0, 2, 3]))
def test_a_price_is_read_back_as_the_same_price(minor: int, places: int) -> None:
    price = Decimal(minor).scaleb(-places)
    if price < 10**14:
        assert parse_typed_amount(write_typed_amount(price, places=places), places=places) == price


@given(AMOUNTS)
def test_comma_point_and_spaces_make_no_difference(amount: Decimal) -> None:
    text = f"{amount:.4f}"
    grouped = f"{amount:,.4f}".replace(",", "\u202f")
    assert (
        parse_typed_amount(text)
        == parse_typed_amount(text.replace(".", ","))
        == parse_typed_amount(grouped)
        == amount
    )


@pytest.mark.parametrize(
    ("text", "amount"), [("1.500", "1.5"), ("10", "10"), ("0.0001", "0.0001"), ("010", "10")]
)
def test_a_machine_may_write_three_decimals(text: str, amount: str) -> None:
    assert parse_exact_amount(text) == Decimal(amount)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("1,5", "not_a_number"),
        ("1 500", "not_a_number"),
        (" 1", "not_a_number"),
        ("1\n", "not_a_number"),
        ("1e3", "not_a_number"),
        (".5", "not_a_number"),
        ("1.", "not_a_number"),
        ("", "not_a_number"),
        ("--1", "not_a_number"),
        ("Infinity", "not_a_number"),
        ("\u0661", "not_a_number"),
        ("0", "not_positive"),
        ("-1", "not_positive"),
        ("1.00001", "too_many_decimals"),
        ("1" + "0" * 14, "too_large"),
    ],
)
def test_a_machine_must_write_plain_digits_and_a_point(text: str, code: str) -> None:
    with pytest.raises(ValidationError) as caught:
        parse_exact_amount(text)
    assert caught.value.code == code


class Purse(forms.Form):
    amount = AmountField()
    level = AmountField(required=False, zero_allowed=True)


def test_the_field_gives_a_decimal_and_keeps_what_was_typed() -> None:
    good = Purse({"amount": "1 500,25", "level": ""})
    assert good.is_valid()
    assert good.cleaned_data == {"amount": Decimal("1500.25"), "level": None}
    bad = Purse({"amount": "1.500", "level": "0"})
    assert not bad.is_valid()
    assert 'value="1.500"' in str(bad["amount"])
    assert Purse({"amount": ""}).errors == {"amount": ["Enter an amount."]}


@pytest.mark.parametrize(("language", "shown"), [("en", "1500.50"), ("fr", "1500,50")])
def test_a_stored_amount_stands_in_the_field_as_one_would_type_it(
    language: str, shown: str
) -> None:
    with translation.override(language):
        form = Purse(initial={"amount": Decimal("1500.5000")})
        assert f'value="{shown}"' in str(form["amount"])
        assert not Purse({"amount": shown}, initial={"amount": Decimal("1500.5")}).has_changed()
        assert Purse({"amount": "x"}, initial={"amount": Decimal(5)}).has_changed()


def test_currencies_have_their_own_decimals() -> None:
    assert [currency_places(code) for code in ("EUR", "JPY", "TND")] == [2, 0, 3]
