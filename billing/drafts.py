"""What somebody is about to buy, carried from page to page.

Its one rule: signed and in the address, so that what is paid is what the page showed, in each
window of the browser; its key makes pressing twice one purchase.
"""

from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from uuid import uuid4

from django.core import signing

from billing.consent import VERSION, Terms
from billing.gateways.base import Way
from billing.means import Means, NewMethod, name_of
from billing.models import PaymentMethod, Purchase
from credit.requests import OutsideKey
from members.models import Company

_SALT = "billing.draft"
DRAFT_LASTS = timedelta(days=1)


@dataclass(frozen=True)
class Draft:
    """One purchase to be made: what with, net amount, perhaps auto-recharge, and its own key.

    ``means`` is the name of a saved method or of a new one (``billing.means``).
    """

    company_id: int
    means: str
    amount: Decimal
    terms: Terms | None
    version: str
    key: str

    @classmethod
    def start(
        cls, company: Company, *, means: Means, amount: Decimal, terms: Terms | None
    ) -> "Draft":
        """A draft with a key of its own."""
        return cls(company.pk, name_of(means), amount, terms, VERSION, str(uuid4()))

    @classmethod
    def again(cls, purchase: Purchase) -> "Draft | None":
        """The same purchase once more, as a new one; None if its card is gone."""
        means: Means = purchase.method or NewMethod(purchase.gateway, Way(purchase.way))
        if isinstance(means, PaymentMethod) and means.removed_at is not None:
            return None
        consent = getattr(purchase, "auto_purchase_consent", None)
        terms = None
        if consent is not None and purchase.status != Purchase.Status.SUCCEEDED:
            terms = Terms(consent.level, consent.amount, consent.monthly_limit)
        return cls.start(purchase.company, means=means, amount=purchase.amount, terms=terms)

    def sign(self) -> str:
        """The draft as text for an address."""
        terms = self.terms
        plain = {
            "c": self.company_id,
            "m": self.means,
            "a": str(self.amount),
            "t": [str(terms.level), str(terms.monthly_limit)] if terms else None,
            "v": self.version,
            "k": self.key,
        }
        return signing.dumps(plain, salt=_SALT, compress=True)

    @classmethod
    def read(cls, text: str, company: Company) -> "Draft | None":
        """The draft, if it was signed here, for this company, within a day."""
        try:
            plain = signing.loads(text, salt=_SALT, max_age=DRAFT_LASTS)
        except signing.BadSignature:
            return None
        if plain["c"] != company.pk:
            return None
        amount = Decimal(plain["a"])
        terms = None
        if plain["t"]:
            level, monthly_limit = (Decimal(value) for value in plain["t"])
            terms = Terms(level, amount, monthly_limit)
        return cls(company.pk, str(plain["m"]), amount, terms, plain["v"], plain["k"])

    @property
    def request(self) -> OutsideKey:
        """The key and content under which the purchase is made once."""
        return OutsideKey.of_form(
            self.key, [self.means, str(self.amount), str(self.terms), self.version]
        )
