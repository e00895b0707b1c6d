"""Why a gateway did not take the money, in words. Its one rule: each code has a sentence that says
what to do, and an unknown code has one too.
"""

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

# Trying these again can never succeed.
HARD_DECLINES = frozenset(
    {"stolen_card", "lost_card", "expired_card", "pickup_card", "authentication_failed"}
)

_SENTENCES = {
    "card_declined": _("The bank declined the card. Ask your bank, or use another card."),
    "insufficient_funds": _("There is not enough money behind the card. Use another card."),
    "stolen_card": _("The card was reported stolen and cannot be used. Use another card."),
    "lost_card": _("The card was reported lost and cannot be used. Use another card."),
    "expired_card": _("The card has expired. Use another card."),
    "authentication_failed": _(
        "The payment was refused on the bank's authentication page. Try again, or use another card."
    ),
}


def explain_decline(code: str) -> str | Promise:
    """The sentence for a decline code."""
    return _SENTENCES.get(code, _("The payment was declined. Try again, or use another card."))
