"""References on bank transfers. Their rule: right check digits, or a guess only."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum import iso11649

from billing.references import find_references, group_reference, guess_references, make_reference


@given(st.integers(min_value=1, max_value=10**12))
def test_every_purchase_has_a_valid_creditor_reference_of_its_own(number: int) -> None:
    reference = make_reference(number)
    assert iso11649.is_valid(reference)
    assert len(reference) <= 25
    assert reference != make_reference(number + 1)
    assert find_references(f"VIR SEPA {reference} ACME") == [reference]


@pytest.mark.parametrize(
    "label",
    [
        "{}",
        "{} 20261122",
        "20261122{}20261122",
        "vir. de acme/{}/merci",
        "VIREMENT {} {}",
        "Facture n° 12 – {}, merci",
    ],
)
@pytest.mark.parametrize("number", [7, 123, 99_999_999])
def test_the_reference_is_found_wherever_it_stands(label: str, number: int) -> None:
    reference = make_reference(number)
    for written in (reference, group_reference(reference), reference.lower(), f"\u00a0{reference}"):
        assert reference in find_references(label.replace("{}", written))


@given(st.integers(min_value=1, max_value=99_999_999), st.data())
def test_one_wrong_digit_is_never_taken_for_a_reference_but_guessed(
    number: int, data: st.DataObject
) -> None:
    reference = make_reference(number)
    at = data.draw(st.sampled_from([2, 3, *range(6, 14)]))
    digit = data.draw(st.sampled_from([d for d in "0123456789" if d != reference[at]]))
    typed = reference[:at] + digit + reference[at + 1 :]
    assert find_references(typed) == []
    assert reference in guess_references(typed)


def test_swapped_missing_doubled_and_forgotten_digits_are_guessed() -> None:
    reference = make_reference(12_345_678)
    body = reference[6:]
    head = reference[:6]
    for typed in (
        head + "21345678",
        head + body[:-1],
        head + body[:3] + body[2:],
        f"SM{body}",
        reference.replace("1", "I"),
    ):
        assert find_references(typed) == []
        assert reference in guess_references(f"VIR {typed} ")


def test_ordinary_labels_hold_no_reference_and_no_guess() -> None:
    for label in (
        "",
        "LOYER SM 12",
        "RF18539007547034",
        "PRLV SEPA EDF 12345678901234567890",
        "é" * 99,
    ):
        assert find_references(label) == []
        assert guess_references(label) == []
