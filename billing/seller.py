"""Who sells the credit: the installation, as its invoices name it. Its one rule: settings only."""

from dataclasses import dataclass

from django.conf import settings


@dataclass(frozen=True)
class Seller:
    """The seller's legal name, address line by line, country and legal numbers (may be empty)."""

    name: str
    address: tuple[str, ...]
    country: str
    siren: str
    vat_number: str


def find_seller() -> Seller:
    """The seller as configured now."""
    return Seller(
        name=settings.SELLER_NAME,
        address=tuple(settings.SELLER_ADDRESS),
        country=settings.SELLER_COUNTRY,
        siren=settings.SELLER_SIREN,
        vat_number=settings.SELLER_VAT_NUMBER,
    )
