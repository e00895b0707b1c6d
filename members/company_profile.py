"""What a company says of itself. Its one rule: legal numbers are stored only if their check digits
are right, and the currency changes only until a purse exists.
"""

from datetime import datetime
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import URLValidator
from django.db import transaction
from django.utils.translation import gettext_lazy as _
from stdnum import get_cc_module
from stdnum.exceptions import ValidationError as NumberError
from stdnum.fr import siren

from members.actors import Actor
from members.audit import record
from members.countries import COUNTRIES, CURRENCIES
from members.errors import InvalidField
from members.models import Company
from members.zones import change_time_zone
from skypemgr.lib.text import plain_line

TEXTS = {
    "name": 150,
    "address_line_1": 150,
    "address_line_2": 150,
    "postcode": 20,
    "city": 100,
    "phone": 32,
}
LINKS = ("website", "terms_url", "privacy_url")
CHOICES = ("country", "currency", "language")
NUMBERS = ("siren", "vat_number")
FIELDS = (*TEXTS, *LINKS, *CHOICES, *NUMBERS, "max_call_seconds")
SHORTEST_CALL, LONGEST_CALL = 60, 86_400


def update_company(
    *, actor: Actor, now: datetime | None = None, time_zone: str | None = None, **fields: Any
) -> Company:
    """The named fields of the company are changed, one audit entry says which; all or none.

    A time zone counts from the 1st of the next month. Raises NotAllowed, InvalidField.
    """
    actor.require_administrator()
    unknown = set(fields) - set(FIELDS)
    if unknown:
        raise TypeError(f"not a company's field: {', '.join(sorted(unknown))}")
    with transaction.atomic():
        company = Company.objects.select_for_update(no_key=True).get(pk=actor.company.pk)
        # The numbers are read as those of the country that the company will have.
        country = str(fields.get("country", company.country))
        clean = {name: _clean(name, value, country) for name, value in fields.items()}
        changes = {name: new for name, new in clean.items() if getattr(company, name) != new}
        if "currency" in changes and company.currency_fixed_at is not None:
            raise InvalidField(
                _("The currency cannot be changed any more: credit is kept in it."),
                field="currency",
            )
        if changes:
            for name, new in changes.items():
                setattr(company, name, new)
            company.save(update_fields=list(changes))
            record(actor, "update_company", subject=f"company:{company.pk}", **changes)
        wanted = company.coming_zone[0] if company.coming_zone else company.present_zone
        if time_zone is not None and time_zone != wanted:
            company = change_time_zone(actor=actor, zone=time_zone, now=now)
    return company


def _clean(name: str, value: Any, country: str) -> Any:
    if name == "max_call_seconds":
        if not SHORTEST_CALL <= int(value) <= LONGEST_CALL:
            raise InvalidField(_("Enter 60 to 86,400 seconds."), field=name)
        return int(value)
    text = plain_line(str(value))
    if name in TEXTS:
        return _text(name, text)
    if name in LINKS:
        return _link(name, text)
    if name in NUMBERS:
        return _number(name, text, country) if text else ""
    known = {"country": COUNTRIES, "currency": CURRENCIES, "language": dict(settings.LANGUAGES)}
    if text not in known[name]:
        raise InvalidField(_("Choose one from the list."), field=name)
    return text


def _text(name: str, text: str) -> str:
    if name == "name" and not text:
        raise InvalidField(_("Give the company a name of at most 150 characters."), field="name")
    if len(text) > TEXTS[name]:
        raise InvalidField(_("This is too long."), field=name)
    return text


def _link(name: str, text: str) -> str:
    if not text:
        return ""
    try:
        URLValidator(schemes=["http", "https"])(text)
    except ValidationError as error:
        raise InvalidField(
            _("Enter a whole address that starts with https://."), field=name
        ) from error
    if len(text) > 200:
        raise InvalidField(_("This is too long."), field=name)
    return text


def _number(name: str, text: str, country: str) -> str:
    try:
        if name == "siren":
            return str(siren.validate(text))
        return _vat_number(text, country)
    except NumberError as error:
        sentence = (
            _("This is not a SIREN: 9 digits, of which the last checks the others.")
            if name == "siren"
            else _("This is not a VAT number of your country. Check every sign.")
        )
        raise InvalidField(sentence, field=name) from error


def _vat_number(text: str, country: str) -> str:
    """The number with its country's letters, as invoices write it."""
    module = get_cc_module(country, "vat")
    plain = "".join(sign for sign in text.upper() if sign.isalnum())
    if module is None:
        if not plain.isascii() or not 4 <= len(plain) <= 20:
            raise NumberError
        return plain
    compact = str(module.validate(plain))
    prefix = "EL" if country == "GR" else country
    return compact if compact.startswith(prefix) else f"{prefix}{compact}"
