"""Making a company. Its one rule: whoever names a company is its first administrator."""

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext_lazy as _

from members.actors import Actor
from members.audit import record
from members.countries import COUNTRIES, CURRENCIES, time_zone_choices
from members.errors import InvalidField
from members.joining import add_member
from members.models import Company, Member, User
from members.models.people import Role
from skypemgr.lib.text import plain_line


def create_company(
    *,
    name: str,
    country: str,
    currency: str,
    time_zone: str,
    language: str,
    user: User,
) -> tuple[Company, Member]:
    """The company exists and the login is its administrator.

    Country is ISO 3166 (two letters), currency ISO 4217. Raises InvalidField for a value that
    cannot be used, AlreadyInCompany for a login that has a place already.
    """
    name = plain_line(name)
    if not name or len(name) > 150:
        raise InvalidField(_("Give the company a name of at most 150 characters."), field="name")
    if country not in COUNTRIES:
        raise InvalidField(_("Choose a country from the list."), field="country")
    if currency not in CURRENCIES:
        raise InvalidField(_("Choose a currency from the list."), field="currency")
    if time_zone not in dict(time_zone_choices()):
        raise InvalidField(_("Choose a time zone from the list."), field="time_zone")
    if language not in dict(settings.LANGUAGES):
        raise InvalidField(_("Choose a language from the list."), field="language")
    with transaction.atomic():
        company = Company.objects.create(
            name=name, country=country, currency=currency, time_zone=time_zone, language=language
        )
        member = add_member(company=company, user=user, role=Role.ADMINISTRATOR)
        record(
            Actor.of_member(member),
            "create_company",
            subject=f"company:{company.pk}",
            name=name,
            country=country,
            currency=currency,
        )
    return company, member
