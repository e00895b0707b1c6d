"""The words to which an administrator agrees before the company is charged automatically.

Its one rule: whoever changes the words changes the version; what was agreed to is stored as shown.
"""

from dataclasses import dataclass
from decimal import Decimal

from django.utils.translation import gettext as _

from skypemgr.lib.formats import format_money

VERSION = "2026-11"


@dataclass(frozen=True)
class Terms:
    """What the administrator agrees to; amounts net, in the company's currency."""

    level: Decimal
    amount: Decimal
    monthly_limit: Decimal


def write_consent(terms: Terms, *, currency: str, card: str) -> str:
    """The text in the reader's language, with its numbers."""
    return _(
        "I agree that %(card)s is charged %(amount)s plus VAT, without asking again, each time "
        "the company's balance falls below %(level)s, and at most %(limit)s before VAT in a "
        "calendar month. I can change this or switch it off at any time in Payment settings."
    ) % {
        "card": card,
        "amount": format_money(terms.amount, currency),
        "level": format_money(terms.level, currency),
        "limit": format_money(terms.monthly_limit, currency),
    }
