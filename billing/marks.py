"""What a way to pay looks like beside its name. Its one rule: decoration; the name says it all."""

from django.utils.html import format_html
from django.utils.safestring import SafeString

from billing.gateways.base import Way
from billing.models import PaymentMethod
from skypemgr.lib.icons import render_icon

# Brands as they stand on a card, by what its label begins with.
BRANDS = {
    "visa": "VISA",
    "mastercard": "mastercard",
    "american": "AMEX",
    "amex": "AMEX",
    "maestro": "maestro",
    "cartes": "CB",
    "diners": "Diners",
    "discover": "Discover",
    "jcb": "JCB",
    "unionpay": "UnionPay",
    "union": "UnionPay",
}
ICONS = {
    Way.CARD: "credit-card",
    Way.PAYPAL: "brand-paypal",
    Way.TRANSFER: "building-bank",
}


def method_mark(method: PaymentMethod) -> SafeString:
    """The mark of a saved method: a card's brand, else that of its way."""
    brand = BRANDS.get(method.label.partition(" ")[0].lower(), "")
    if method.kind == PaymentMethod.Kind.CARD and brand:
        return _word(brand)
    return way_mark(method.kind)


def way_mark(way: str) -> SafeString:
    """The mark of a way to pay."""
    if way == Way.SEPA_DEBIT:
        return _word("SEPA")
    icon = render_icon(ICONS[Way(way)], size=22)
    return format_html('<span class="pay-mark" aria-hidden="true">{}</span>', icon)


def _word(word: str) -> SafeString:
    extra = " is-long" if len(word) > 5 else ""
    return format_html('<span class="pay-mark is-word{}" aria-hidden="true">{}</span>', extra, word)


def marked(mark: SafeString, words: object) -> SafeString:
    """The mark and the words beside it, for a choice drawn as a card."""
    return format_html('{}<span class="choice-card-words">{}</span>', mark, words)
