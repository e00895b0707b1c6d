"""The marks beside ways to pay."""

import pytest

from billing.gateways.base import Way
from billing.marks import marked, method_mark, way_mark
from billing.models import PaymentMethod


@pytest.mark.parametrize(
    ("label", "word"),
    [
        ("Visa •••• 4242", "VISA"),
        ("American Express •••• 0005", "AMEX"),
        ("Mastercard •••• 4444", "mastercard"),
        ("Cartes Bancaires •••• 1001", "CB"),
    ],
)
def test_a_card_bears_its_brand(label: str, word: str) -> None:
    mark = method_mark(PaymentMethod(kind=PaymentMethod.Kind.CARD, label=label))
    assert f">{word}<" in mark
    assert 'aria-hidden="true"' in mark


@pytest.mark.parametrize(
    ("kind", "label", "drawing"),
    [
        (PaymentMethod.Kind.CARD, "•••• 4242", "icon-credit-card"),
        (PaymentMethod.Kind.PAYPAL, "visa@example.com", "icon-brand-paypal"),
        (PaymentMethod.Kind.SEPA_DEBIT, "FR •••• 3000", ">SEPA<"),
    ],
)
def test_anything_else_bears_that_of_its_way(kind: str, label: str, drawing: str) -> None:
    assert drawing in method_mark(PaymentMethod(kind=kind, label=label))


@pytest.mark.parametrize("way", list(Way))
def test_every_way_has_one(way: Way) -> None:
    assert 'class="pay-mark' in way_mark(way)


def test_the_words_beside_it_are_never_marks_of_a_page() -> None:
    assert "&lt;b&gt;" in marked(way_mark(Way.CARD), "<b>")
