"""The test cards of the payment server and what the banks behind them say.

Its one rule: the numbers and their behaviour are those of the real one's test mode.
"""

from dataclasses import dataclass
from hashlib import sha256

SUCCEEDS, DECLINES, AUTHENTICATES = "succeeds", "declines", "authenticates"


@dataclass(frozen=True)
class Card:
    """How a card answers while its holder is there (``here``) and while not (``away``).

    ``code`` is the reason of a decline; ``after`` that of one after a good authentication.
    """

    number: str
    here: str = SUCCEEDS
    away: str = SUCCEEDS
    code: str = ""
    after: str = ""

    @property
    def brand(self) -> str:
        """Whose network it is."""
        first = self.number[0]
        return {"3": "amex", "5": "mastercard"}.get(first, "visa")


def _declined(number: str, code: str) -> Card:
    return Card(number, DECLINES, DECLINES, code)


CARDS = {
    card.number: card
    for card in (
        Card("4242424242424242"),
        Card("5555555555554444"),
        Card("378282246310005"),
        _declined("4000000000000002", "generic_decline"),
        _declined("4000000000009995", "insufficient_funds"),
        _declined("4000000000009987", "lost_card"),
        _declined("4000000000009979", "stolen_card"),
        _declined("4000000000000069", "expired_card"),
        _declined("4000000000000127", "incorrect_cvc"),
        _declined("4000000000000119", "processing_error"),
        _declined("4000000000006975", "card_velocity_exceeded"),
        Card("4000000000000341", SUCCEEDS, DECLINES, "generic_decline"),
        Card("4000002500003155", AUTHENTICATES, SUCCEEDS),
        Card("4000002760003184", AUTHENTICATES, AUTHENTICATES),
        Card("4000008260003178", AUTHENTICATES, AUTHENTICATES, after="insufficient_funds"),
    )
}
# Codes that are the error's own, not the reason of a ``card_declined``.
OWN_CODES = frozenset({"expired_card", "incorrect_cvc", "processing_error"})
WORDS = {
    "generic_decline": "Your card was declined.",
    "insufficient_funds": "Your card has insufficient funds.",
    "expired_card": "Your card has expired.",
    "incorrect_cvc": "Your card's security code is incorrect.",
    "processing_error": "An error occurred while processing your card. Try again in a little bit.",
    "authentication_required": "Your card was declined. This transaction requires authentication.",
    "payment_intent_authentication_failure": (
        "The provided payment method has failed authentication. You can provide payment_method_data"
        " or a new PaymentMethod to attempt to fulfill this PaymentIntent again."
    ),
}


def fingerprint(secret: str) -> str:
    """The same for the same card, account or payer, and nothing else."""
    return sha256(secret.encode()).hexdigest()[:16]
