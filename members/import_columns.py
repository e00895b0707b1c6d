"""Which column of a file holds what. Its one rule: a guess is only a proposal."""

import re
from collections.abc import Mapping, Sequence

from django.utils.translation import gettext_lazy as _

from members.errors import InvalidField
from skypemgr.lib.text import search_key

FIELDS = {
    "email": _("E-mail address"),
    "name": _("Name"),
    "first_name": _("First name"),
    "last_name": _("Last name"),
    "username": _("User name"),
    "phone": _("Phone number"),
    "list": _("List"),
    "role": _("Role"),
    "job_title": _("Job title"),
    "cost_centre": _("Cost centre"),
}
TEMPLATE = ("email", "name", "username", "phone", "list", "role", "job_title", "cost_centre")
_WORDS = {
    "email": "email mail emailaddress emailaddresse adresseemail adressemail courriel"
    " adresseelectronique workemail emailprofessionnel",
    "name": "name fullname nomcomplet nometprenom prenometnom displayname employee nom",
    "first_name": "firstname prenom givenname forename",
    "last_name": "lastname surname familyname nomdefamille",
    "username": "username user login userid nomdutilisateur identifiant pseudo skypename",
    "phone": "phone phonenumber mobile mobilephone telephone tel portable numerodetelephone"
    " telephonemobile gsm",
    "list": "list memberlist department group team site liste service departement equipe groupe",
    "role": "role profil profile",
    "job_title": "jobtitle job title position poste fonction intitule",
    "cost_centre": "costcentre costcenter cc centredecout centredecouts",
}
_FIELD_OF = {word: field for field, words in _WORDS.items() for word in words.split()}


def guess_mapping(header: Sequence[str]) -> dict[str, int]:
    """The column for each field that a column's name tells, the first of several."""
    mapping: dict[str, int] = {}
    for index, name in enumerate(header):
        field = _FIELD_OF.get(re.sub(r"[^a-z0-9]", "", search_key(name)))
        if field:
            mapping.setdefault(field, index)
    if "first_name" in mapping and "name" in mapping:
        # "Nom" beside "Prénom" is the family name.
        whole = mapping.pop("name")
        mapping.setdefault("last_name", whole)
    return mapping


def check_mapping(mapping: Mapping[str, int], columns_count: int) -> None:
    """Returns only if it has an address, a name and no column twice; else InvalidField."""
    if "email" not in mapping:
        raise InvalidField(_("Say which column holds the e-mail address."), field="email")
    if not {"name", "first_name", "last_name"} & mapping.keys():
        raise InvalidField(_("Say which column holds the name."), field="name")
    seen: set[int] = set()
    for field, index in mapping.items():
        if field not in FIELDS or not 0 <= index < columns_count:
            raise InvalidField(_("There is no such column."), field=field)
        if index in seen:
            raise InvalidField(_("This column is chosen twice."), field=field)
        seen.add(index)


def values_of(cells: Sequence[str], mapping: Mapping[str, int]) -> dict[str, str]:
    """The row's text for each mapped field; first and last name make a name that is missing."""
    values = {field: cells[at] if at < len(cells) else "" for field, at in mapping.items()}
    parts = (values.pop("first_name", ""), values.pop("last_name", ""))
    if not values.get("name"):
        values["name"] = " ".join(part for part in parts if part)
    return values
