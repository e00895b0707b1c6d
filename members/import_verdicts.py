"""What becomes of each row of an import. Its one rule: a verdict tells about the own company only;
a login elsewhere is "invite instead", whether it belongs somewhere is never said.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from allauth.account.models import EmailAddress
from django.db import models
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy as _

from members.addresses import normal_email, normal_phone, normal_username
from members.errors import InvalidField
from members.joining import MAX_NAME_LENGTH
from members.lists import MAX_LIST_NAME_LENGTH
from members.models import Company, Member, User
from members.models.people import PRESENT, Role
from skypemgr.lib.text import plain_line, search_key

MAX_JOB_TITLE_LENGTH = 100
MAX_COST_CENTRE_LENGTH = 40
_ROLES = {
    Role.ADMINISTRATOR: "administrator admin administrateur administratrice",
    Role.FINANCE: "finance finances comptabilite",
    Role.MEMBER: "member membre employee employe user utilisateur",
}
_ROLE_OF = {word: role for role, words in _ROLES.items() for word in words.split()}


class RowCode(models.TextChoices):
    """Whether a row can be imported, or why not."""

    OK = "ok", _("Can be imported")
    IMPORTED = "imported", _("Imported")
    MISSING_EMAIL = "missing_email", _("No e-mail address")
    INVALID_EMAIL = "invalid_email", _("Not an e-mail address")
    MISSING_NAME = "missing_name", _("No name")
    NAME_TOO_LONG = "name_too_long", _("Name longer than 150 characters")
    INVALID_USERNAME = "invalid_username", _("Not a user name")
    INVALID_PHONE = "invalid_phone", _("Not a phone number")
    UNKNOWN_ROLE = "unknown_role", _("No such role")
    LIST_TOO_LONG = "list_too_long", _("List name longer than 80 characters")
    JOB_TITLE_TOO_LONG = "job_title_too_long", _("Job title longer than 100 characters")
    COST_CENTRE_TOO_LONG = "cost_centre_too_long", _("Cost centre longer than 40 characters")
    TWICE_EMAIL = "twice_email", _("E-mail address stands in the file before")
    TWICE_PHONE = "twice_phone", _("Phone number stands in the file before")
    TWICE_USERNAME = "twice_username", _("User name stands in the file before")
    DUPLICATE_EMAIL = "duplicate_email", _("A member has this e-mail address")
    DUPLICATE_PHONE = "duplicate_phone", _("A member has this phone number")
    INVITE_INSTEAD = "invite_instead", _("Has an account already: invite instead")
    USERNAME_TAKEN = "username_not_available", _("User name not available")


@dataclass(frozen=True, slots=True)
class Person:
    """A row in normal form."""

    email: str
    name: str
    username: str | None
    phone: str | None
    list_name: str
    role: str
    job_title: str
    cost_centre: str


@dataclass(frozen=True, slots=True)
class Read:
    """A row's verdict so far, and the person if it can be one."""

    code: RowCode
    person: Person | None = None


class Seen:
    """The sign-in names that stood in good rows of the file before."""

    def __init__(self) -> None:
        self.emails: set[str] = set()
        self.phones: set[str] = set()
        self.usernames: set[str] = set()

    def note(self, person: Person) -> RowCode:
        """TWICE_… for a name that was there; else OK and the person's names are there."""
        if person.email in self.emails:
            return RowCode.TWICE_EMAIL
        if person.phone in self.phones:
            return RowCode.TWICE_PHONE
        if person.username in self.usernames:
            return RowCode.TWICE_USERNAME
        self.emails.add(person.email)
        if person.phone:
            self.phones.add(person.phone)
        if person.username:
            self.usernames.add(person.username)
        return RowCode.OK


def read_person(values: dict[str, str], country: str) -> Read:
    """The row in normal form, or the first thing that is wrong with it."""
    texts = {field: plain_line(text) for field, text in values.items()}
    code = _first_fault(texts)
    if code:
        return Read(code)
    try:
        email = normal_email(texts["email"])
        username = normal_username(texts["username"]) if texts.get("username") else None
        phone = normal_phone(texts["phone"], country) if texts.get("phone") else None
    except InvalidField as error:
        return Read(RowCode(error.code))
    role = texts.get("role", "")
    return Read(
        RowCode.OK,
        Person(
            email=email,
            name=texts["name"],
            username=username,
            phone=phone,
            list_name=texts.get("list", ""),
            role=_ROLE_OF[search_key(role)] if role else Role.MEMBER,
            job_title=texts.get("job_title", ""),
            cost_centre=texts.get("cost_centre", ""),
        ),
    )


def judge_people(company: Company, people: Sequence[Person]) -> list[RowCode]:
    """One verdict per person by what the installation knows; five queries however many."""
    emails = {person.email for person in people}
    phones = {person.phone for person in people if person.phone}
    usernames = {person.username for person in people if person.username}
    email_owners: dict[str, int] = dict(
        User.objects.annotate(key=Lower("email")).filter(key__in=emails).values_list("key", "pk")
    )
    email_owners.update(
        EmailAddress.objects.filter(email__in=emails)
        .order_by("verified", "-pk")
        .values_list("email", "user_id")
    )
    proven = User.objects.filter(phone__in=phones, phone_verified=True)
    phone_owners = {str(phone): pk for phone, pk in proven.values_list("phone", "pk")}
    taken = set(User.objects.filter(username__in=usernames).values_list("username", flat=True))
    owners = {*email_owners.values(), *phone_owners.values()}
    inside = set(
        Member.objects.filter(company=company, user__in=owners, status__in=PRESENT).values_list(
            "user_id", flat=True
        )
    )

    def judge(person: Person) -> RowCode:
        owner = email_owners.get(person.email)
        if owner is not None:
            return RowCode.DUPLICATE_EMAIL if owner in inside else RowCode.INVITE_INSTEAD
        owner = phone_owners.get(person.phone or "")
        if owner is not None:
            return RowCode.DUPLICATE_PHONE if owner in inside else RowCode.INVITE_INSTEAD
        if person.username in taken:
            return RowCode.USERNAME_TAKEN
        return RowCode.OK

    return [judge(person) for person in people]


def _first_fault(texts: dict[str, str]) -> RowCode | None:
    role = texts.get("role", "")
    faults = (
        (not texts["email"], RowCode.MISSING_EMAIL),
        (not texts["name"], RowCode.MISSING_NAME),
        (len(texts["name"]) > MAX_NAME_LENGTH, RowCode.NAME_TOO_LONG),
        (bool(role) and search_key(role) not in _ROLE_OF, RowCode.UNKNOWN_ROLE),
        (len(texts.get("list", "")) > MAX_LIST_NAME_LENGTH, RowCode.LIST_TOO_LONG),
        (len(texts.get("job_title", "")) > MAX_JOB_TITLE_LENGTH, RowCode.JOB_TITLE_TOO_LONG),
        (
            len(texts.get("cost_centre", "")) > MAX_COST_CENTRE_LENGTH,
            RowCode.COST_CENTRE_TOO_LONG,
        ),
    )
    return next((code for is_wrong, code in faults if is_wrong), None)
