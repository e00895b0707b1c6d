"""Who acts. Its one rule: every verb takes an Actor, and checks the role through it."""

from dataclasses import dataclass

from django.utils.translation import gettext_lazy as _

from members.models import ApiToken, Company, Member, User
from members.models.people import Role
from skypemgr.lib.errors import NotAllowed


@dataclass(frozen=True)
class Actor:
    """A person, a token or the system itself, acting inside one company."""

    company: Company
    member: Member | None = None
    user: User | None = None
    token: ApiToken | None = None
    is_system: bool = False

    @classmethod
    def of_member(cls, member: Member, *, token: ApiToken | None = None) -> "Actor":
        """The member acting by the browser or by a token."""
        return cls(company=member.company, member=member, user=member.user, token=token)

    @classmethod
    def of_token(cls, token: ApiToken) -> "Actor":
        """The company's own token (a phone system)."""
        return cls(company=token.company, token=token)

    @classmethod
    def of_operator(cls, user: User, company: Company) -> "Actor":
        """The operator acting on a company; may do what an administrator may."""
        return cls(company=company, user=user, is_system=True)

    @classmethod
    def system(cls, company: Company) -> "Actor":
        """A command or job; may do what an administrator may."""
        return cls(company=company, is_system=True)

    @property
    def role(self) -> str:
        """The role at this moment; empty for a company token."""
        if self.is_system:
            return Role.ADMINISTRATOR
        return self.member.role if self.member else ""

    def require(self, *roles: str) -> None:
        """Returns only if the actor holds one of the roles and is active; else NotAllowed."""
        active = self.is_system or (
            self.member is not None and self.member.status == Member.Status.ACTIVE
        )
        if not active or self.role not in roles:
            raise NotAllowed(_("Your role does not permit this. Ask an administrator."))

    def require_administrator(self) -> None:
        """Returns only for an active administrator (or the system)."""
        self.require(Role.ADMINISTRATOR)
