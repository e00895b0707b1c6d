"""All that a purchase's invoice will say, frozen when it is paid.

Its one rule: plain values, complete in themselves; nothing is looked up again when the invoice is
written. The database refuses any later change.
"""

from datetime import datetime
from decimal import Decimal
from typing import Any

from django.utils import translation
from django.utils.translation import gettext as _

from billing.models import Purchase
from billing.seller import find_seller
from billing.vat import VatReason
from members.models import Company
from skypemgr.lib.amounts import currency_places

VERSION = 1


def freeze(purchase: Purchase, *, now: datetime) -> dict[str, Any]:
    """The facts of the purchase as they are now: seller, buyer, lines, VAT, payment and dates.

    Amounts are text in the currency's own decimals, rates text in percent, days those of the
    company's zone. Called inside the settlement's transaction.
    """
    company = Company.objects.get(pk=purchase.company_id)
    net, vat, total = (
        _money(amount, purchase.currency)
        for amount in (purchase.amount, purchase.vat_amount, purchase.total)
    )
    with translation.override(company.language):
        line = _("Communication credit")
    return {
        "version": VERSION,
        "seller": _seller(),
        "buyer": _buyer(company),
        "language": company.language,
        "lines": [{"text": line, "quantity": "1", "unit_price": net, "net": net}],
        "net": net,
        "vat": {
            "rate": f"{purchase.vat_rate.normalize():f}",
            "amount": vat,
            "reason": purchase.vat_reason or VatReason.NONE.value,
        },
        "total": total,
        "currency": purchase.currency,
        "payment": {
            "gateway": purchase.gateway,
            "way": purchase.way,
            "label": purchase.method_label,
            "gateway_reference": purchase.gateway_reference,
            "payment_reference": purchase.payment_reference,
        },
        "purchase": purchase.pk,
        "ordered_on": company.day_at(purchase.created_at).isoformat(),
        "paid_on": company.day_at(now).isoformat(),
        "paid_at": now.isoformat(),
        "time_zone": company.zone_at(now),
    }


def _seller() -> dict[str, Any]:
    seller = find_seller()
    return {
        "name": seller.name,
        "address": list(seller.address),
        "country": seller.country,
        "siren": seller.siren,
        "vat_number": seller.vat_number,
    }


def _buyer(company: Company) -> dict[str, Any]:
    lines = (company.address_line_1, company.address_line_2)
    return {
        "company": company.pk,
        "name": company.name,
        "address": [line for line in lines if line],
        "postcode": company.postcode,
        "city": company.city,
        "country": company.country,
        "siren": company.siren,
        "vat_number": company.vat_number,
    }


def _money(amount: Decimal, currency: str) -> str:
    return f"{amount:.{currency_places(currency)}f}"
