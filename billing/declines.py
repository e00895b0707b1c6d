"""Why a gateway did not take the money, in words. Its one rule: each code has a sentence that says
what to do, and an unknown code has one too.
"""

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

# Trying these again can never succeed.
HARD_DECLINES = frozenset(
    {
        "account_closed",
        "amount_not_chargeable",
        "authentication_failed",
        "card_not_supported",
        "currency_not_supported",
        "debit_not_authorized",
        "do_not_try_again",
        "expired_card",
        "fraudulent",
        "incorrect_number",
        "invalid_account",
        "invalid_expiry_month",
        "invalid_expiry_year",
        "lost_card",
        "merchant_blacklist",
        "method_unavailable",
        "new_account_information_available",
        "no_account",
        "payment_refused",
        "pickup_card",
        "restricted_card",
        "revocation_of_all_authorizations",
        "revocation_of_authorization",
        "security_violation",
        "stolen_card",
        "stop_payment_order",
        "transaction_not_allowed",
    }
)

_ASK_BANK = _("The bank declined the card. Ask your bank, or use another card.")
_LIMIT = _("The card's limit is reached. Ask your bank, or use another card.")
_MISTYPED = _("The card's details are not right. Enter the card anew, or use another card.")
_NO_DEBIT = _("This account cannot be debited. Use another account or another way to pay.")
_SENTENCES = {
    "account_closed": _NO_DEBIT,
    "amount_not_chargeable": _(
        "This amount cannot be charged in this currency. Choose another amount, or pay another way."
    ),
    "authentication_failed": _(
        "The payment was refused on the bank's authentication page. Try again, or use another card."
    ),
    "bank_account_restricted": _NO_DEBIT,
    "call_issuer": _ASK_BANK,
    "card_declined": _ASK_BANK,
    "card_not_supported": _("This card cannot be used for this payment. Use another card."),
    "card_velocity_exceeded": _LIMIT,
    "currency_not_supported": _("This card does not know the currency. Use another card."),
    "debit_not_authorized": _(
        "The bank refused the direct debit. Ask your bank, or pay another way."
    ),
    "do_not_honor": _ASK_BANK,
    "expired_card": _("The card has expired. Use another card."),
    "incorrect_cvc": _MISTYPED,
    "incorrect_number": _MISTYPED,
    "insufficient_funds": _("There is not enough money behind the card. Use another card."),
    "invalid_account": _ASK_BANK,
    "invalid_cvc": _MISTYPED,
    "invalid_expiry_month": _MISTYPED,
    "invalid_expiry_year": _MISTYPED,
    "issuer_not_available": _("The card's bank could not be reached. Try again later."),
    "lost_card": _("The card was reported lost and cannot be used. Use another card."),
    "method_unavailable": _(
        "The saved payment method can no longer be charged. Use another one, or enter it anew."
    ),
    "no_account": _NO_DEBIT,
    "payment_refused": _("This payment cannot be made this way. Pay another way, or contact us."),
    "processing_error": _("Something went wrong at the card's bank. Try again later."),
    "restricted_card": _ASK_BANK,
    "stolen_card": _("The card was reported stolen and cannot be used. Use another card."),
    "transaction_not_allowed": _ASK_BANK,
    "try_again_later": _("Something went wrong at the card's bank. Try again later."),
    "withdrawal_count_limit_exceeded": _LIMIT,
}


def explain_decline(code: str) -> str | Promise:
    """The sentence for a decline code."""
    return _SENTENCES.get(code, _("The payment was declined. Try again, or use another card."))
