"""The words to which an administrator agrees before the company is charged automatically.

Its one rule: whoever changes the words changes the version; what was agreed to is stored as shown.
"""

from dataclasses import dataclass
from decimal import Decimal

from django.utils.translation import gettext as _

from skypemgr.lib.formats import format_money

VERSION = "2026-11-22"


@dataclass(frozen=True)
class Terms:
    """What the administrator agrees to; amounts net, in the company's currency.

    Either ``amount`` is bought each time, or what brings the balance back to ``target``.
    """

    level: Decimal
    amount: Decimal | None
    monthly_limit: Decimal
    target: Decimal | None = None

    @property
    def most(self) -> Decimal:
        """The most that one purchase can be: the amount, or all of the target from nothing."""
        return self.amount or self.target or Decimal(0)


def write_consent(terms: Terms, *, currency: str, card: str) -> str:
    """The text in the reader's language, with its numbers."""
    if terms.target is None:
        text = _(
            "I agree that %(card)s is charged %(amount)s plus VAT, without asking again, each "
            "time the company's balance falls below %(level)s, and at most %(limit)s before VAT "
            "in a calendar month. I can change this or switch it off at any time in Payment "
            "settings."
        )
    else:
        text = _(
            "I agree that %(card)s is charged, without asking again, each time the company's "
            "balance falls below %(level)s: what is missing to %(target)s, plus VAT, and at most "
            "%(limit)s before VAT in a calendar month. I can change this or switch it off at any "
            "time in Payment settings."
        )
    return text % {
        "card": card,
        "amount": format_money(terms.amount or Decimal(0), currency),
        "target": format_money(terms.target or Decimal(0), currency),
        "level": format_money(terms.level, currency),
        "limit": format_money(terms.monthly_limit, currency),
    }


def write_rule(terms: Terms, *, currency: str, card: str) -> str:
    """What auto-recharge does with these terms, in one sentence."""
    if terms.target is None:
        text = _(
            "Buys %(amount)s with %(card)s when the company's balance falls below %(level)s, at "
            "most %(limit)s a month before VAT."
        )
    else:
        text = _(
            "Brings the company's balance back to %(target)s with %(card)s when it falls below "
            "%(level)s, at most %(limit)s a month before VAT."
        )
    return text % {
        "card": card,
        "amount": format_money(terms.amount or Decimal(0), currency),
        "target": format_money(terms.target or Decimal(0), currency),
        "level": format_money(terms.level, currency),
        "limit": format_money(terms.monthly_limit, currency),
    }
