"""Sign-in addresses: how they are written and who owns them.

Its one rule: an address or number is compared in its one normal form, and only a proven one
belongs to somebody.
"""

import unicodedata

import phonenumbers
from allauth.account.models import EmailAddress
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import connection
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from members.errors import InvalidField
from members.models import User
from members.models.users import USERNAME_FORM

MAX_EMAIL_LENGTH = 254
_ALL_NAMES = "all names"


def normal_email(text: str, *, field: str = "email") -> str:
    """The address in its one form (see ``plain_email``); InvalidField if it is none."""
    email = plain_email(text)
    try:
        validate_email(email)
    except ValidationError as error:
        raise InvalidField(
            _("Enter a valid e-mail address."), field=field, code="invalid_email"
        ) from error
    if len(email) > MAX_EMAIL_LENGTH:
        raise InvalidField(_("Enter a valid e-mail address."), field=field, code="invalid_email")
    return email


def plain_email(text: str) -> str:
    """What was typed as an address: lower case, no blanks around, a domain in its own letters, of
    which ``xn--…`` is another way of writing; not checked.
    """
    email = unicodedata.normalize("NFC", text.strip().lower())
    name, at, domain = email.rpartition("@")
    if "xn--" not in domain:
        return email
    try:
        return f"{name}{at}{domain.encode('ascii').decode('idna')}"
    except UnicodeError:
        return email


def normal_username(text: str, *, field: str = "username") -> str:
    """The user name in lower case; InvalidField if it has not the form of one."""
    username = text.strip().lower()
    try:
        USERNAME_FORM(username)
    except ValidationError as error:
        raise InvalidField(error.message, field=field, code="invalid_username") from error
    return username


def parse_phone(text: str, country: str = "") -> str | None:
    """The number as E.164, national forms read in the country; None if it is none."""
    try:
        number = phonenumbers.parse(text.strip(), country or None)
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_valid_number(number):
        return None
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def normal_phone(text: str, country: str = "", *, field: str = "phone") -> str:
    """The number as E.164, national forms read in the country; InvalidField if it is none."""
    phone = parse_phone(text, country)
    if phone is None:
        raise InvalidField(
            _("Enter a valid phone number with its country code, such as +33 1 23 45 67 89."),
            field=field,
            code="invalid_phone",
        )
    return phone


def find_user_by_email(email: str) -> User | None:
    """The login with this address; whoever has proven it comes before whoever only typed it."""
    address = (
        EmailAddress.objects.filter(email=email).order_by("-verified", "pk").select_related("user")
    ).first()
    if address:
        owner: User = address.user
        return owner
    return User.objects.filter(email__iexact=email).order_by("pk").first()


def find_user_by_phone(phone: str) -> User | None:
    """The login that has proven this number."""
    return User.objects.filter(phone=phone, phone_verified=True).first()


def owns_email(user: User, email: str) -> bool:
    """Whether the login has proven the address."""
    return bool(EmailAddress.objects.filter(user=user, email=email, verified=True).exists())


def proven_emails(user: User) -> list[str]:
    """Every address that the login has proven."""
    proven = EmailAddress.objects.filter(user=user, verified=True)
    return list(proven.values_list("email", flat=True))


def prove_email(user: User, email: str) -> None:
    """The address is the login's proven main one."""
    EmailAddress.objects.filter(user=user, primary=True).exclude(email=email).update(primary=False)
    EmailAddress.objects.update_or_create(
        user=user, email=email, defaults={"verified": True, "primary": True}
    )
    if user.email != email:
        user.email = email
        user.save(update_fields=["email"])


def best_email(user: User) -> str:
    """The address that mail to the login goes to: proven before main before any; may be empty."""
    address = EmailAddress.objects.filter(user=user).order_by("-verified", "-primary", "pk").first()
    return address.email if address else user.email


def hold_name(kind: str, value: str) -> None:
    """Until the transaction ends nobody else decides about this sign-in name."""
    with connection.cursor() as cursor:
        # Shared with everybody but an import, which decides about many names at once.
        cursor.execute("SELECT pg_advisory_xact_lock_shared(hashtext(%s))", [_ALL_NAMES])
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext(%s))", [f"{kind}:{value}"])


def hold_all_names() -> None:
    """Until the transaction ends nobody else decides about any sign-in name; taken first in it."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext(%s))", [_ALL_NAMES])


def contact_taken_by_others(user: User, *, email: str = "", phone: str = "") -> bool:
    """Whether another login has proven the address or the number."""
    if email and (
        EmailAddress.objects.filter(email=email, verified=True).exclude(user=user).exists()
    ):
        return True
    others = User.objects.filter(Q(phone=phone) & Q(phone_verified=True)).exclude(pk=user.pk)
    return bool(phone) and others.exists()
