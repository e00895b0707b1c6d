"""How people get a place in a company. Its one rule: a login has one place at a time."""

from allauth.account.models import EmailAddress
from django.db import IntegrityError, transaction
from django.utils.translation import gettext_lazy as _

from members.actors import Actor
from members.addresses import (
    find_user_by_email,
    find_user_by_phone,
    hold_name,
    normal_email,
    normal_phone,
    normal_username,
)
from members.audit import record
from members.errors import (
    AlreadyInCompany,
    DuplicateEmail,
    DuplicatePhone,
    InvalidField,
    InviteInstead,
    UsernameTaken,
)
from members.models import Company, Member, MemberList, User
from members.models.people import PRESENT, Role
from members.placement import note_placement
from members.standing import hold_active_company, require_active_company
from members.welcome import send_welcome
from skypemgr.lib.text import plain_line

MAX_NAME_LENGTH = 150


def add_member(
    *,
    company: Company,
    user: User,
    name: str = "",
    role: str = Role.MEMBER,
    member_list: MemberList | None = None,
) -> Member:
    """The login has an active place in the company; AlreadyInCompany if it has one anywhere."""
    member = Member(
        company=company,
        user=user,
        role=role,
        list=member_list,
        name=(name or user.name or _name_from(user))[:MAX_NAME_LENGTH],
        work_email=user.email,
    )
    member.set_name_keys()
    try:
        with transaction.atomic():
            member.save(force_insert=True)
            note_placement(member)
    except IntegrityError as error:
        if "user_in_one_company" not in str(error):
            raise
        raise AlreadyInCompany(
            _("You already belong to a company. Leave it first, then try again.")
        ) from error
    return member


def create_member(
    *,
    actor: Actor,
    email: str,
    name: str,
    username: str | None = None,
    phone: str | None = None,
    list: MemberList | None = None,  # noqa: A002 - the word of the product, in the API too
    role: str = Role.MEMBER,
) -> Member:
    """A new login has a place in the company and a mail to set its password.

    Raises DuplicateEmail or DuplicatePhone for a member of the company, InviteInstead for an
    address or number that has a login outside it, UsernameTaken, InvalidField.
    """
    actor.require_administrator()
    require_active_company(actor.company)
    name = normal_name(name)
    email = normal_email(email)
    username = normal_username(username) if username else None
    phone = normal_phone(phone, actor.company.country) if phone else None
    if role not in Role.values:
        raise InvalidField(_("Choose a role from the list."), field="role")
    with transaction.atomic():
        hold_active_company(actor.company.pk)
        _require_free(actor.company, email, username, phone)
        user = _make_user(email, name, username, phone)
        member = add_member(
            company=actor.company, user=user, name=name, role=role, member_list=list
        )
        record(
            actor,
            "create_member",
            subject=f"member:{member.pk}",
            name=name,
            email=email,
            role=role,
            list=list.pk if list else None,
        )
        send_welcome(member, actor)
    return member


def normal_name(text: str, *, field: str = "name") -> str:
    """The name with single blanks; InvalidField if it is empty or too long."""
    name = plain_line(text)
    if not name:
        raise InvalidField(_("Enter a name."), field=field)
    if len(name) > MAX_NAME_LENGTH:
        raise InvalidField(_("Use at most 150 characters."), field=field)
    return name


def _name_from(user: User) -> str:
    return user.username or user.email.split("@", 1)[0] or str(user.phone or "")


def _require_free(company: Company, email: str, username: str | None, phone: str | None) -> None:
    # Two administrators creating the same person at once wait here for each other.
    hold_name("email", email)
    owner = find_user_by_email(email)
    if owner:
        if _is_in(company, owner):
            raise DuplicateEmail(
                _("A member of your company already has this e-mail address."), field="email"
            )
        raise InviteInstead(
            _("This e-mail address already has an account. Invite the person instead."),
            field="email",
        )
    if phone:
        hold_name("phone", phone)
        owner = find_user_by_phone(phone)
        if owner and _is_in(company, owner):
            raise DuplicatePhone(
                _("A member of your company already has this phone number."), field="phone"
            )
        if owner:
            raise InviteInstead(
                _("This phone number already has an account. Invite the person instead."),
                field="phone",
            )
    if username:
        hold_name("username", username)
        if User.objects.filter(username=username).exists():
            raise UsernameTaken(_("This user name is not available."), field="username")


def _is_in(company: Company, user: User) -> bool:
    return Member.objects.filter(company=company, user=user, status__in=PRESENT).exists()


def _make_user(email: str, name: str, username: str | None, phone: str | None) -> User:
    # No password: nobody can sign in before the link in the mail was followed.
    user = User.objects.create_user(username, email, name=name, phone=phone)
    EmailAddress.objects.create(user=user, email=email, primary=True, verified=False)
    return user
