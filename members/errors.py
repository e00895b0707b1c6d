"""What the verbs about people may refuse. Its one rule: a code never changes its meaning."""

from skypemgr.lib.errors import Conflict, NotAllowed, NotFound, ProductError


class InvalidField(ProductError):
    """One field holds something that cannot be used; ``field`` says which."""

    code = "invalid"


class DuplicateEmail(ProductError):
    """The address already belongs to a member of the company."""

    code = "duplicate_email"


class DuplicatePhone(ProductError):
    """The number already belongs to a member of the company."""

    code = "duplicate_phone"


class DuplicateList(ProductError):
    """The company already has a list of that name."""

    code = "duplicate_list"


class InviteInstead(ProductError):
    """The address or number already has a login; only an invitation can bring it in."""

    code = "invite_instead"


class UsernameTaken(ProductError):
    """The user name is not available."""

    code = "username_not_available"


class AlreadyInCompany(Conflict):
    """The login already has a place in a company and must leave it first."""

    code = "already_in_company"


class LastAdministrator(ProductError):
    """The company would be left without an administrator."""

    code = "last_administrator"


class MemberGone(ProductError):
    """The member left or was removed."""

    code = "member_gone"


class CompanyNotActive(ProductError):
    """The company is frozen or closed; ``code`` says which."""

    code = "company_frozen"


class InvitationNotFound(NotFound):
    """No invitation has this link."""

    code = "invitation_unknown"


class InvitationGone(Conflict):
    """The invitation was used, declined, revoked or is too old; ``code`` says which."""

    code = "invitation_expired"
    status = 410


class InvitationForSomebodyElse(NotAllowed):
    """The login does not own the invited address or user name."""

    code = "invitation_for_somebody_else"


class MessageNotSent(ProductError):
    """The mail or text message could not be handed over."""

    code = "message_not_sent"
    status = 503


class ImportConflict(Conflict):
    """The import is at another step, or its rows do not allow this one; ``code`` says which."""

    code = "import_conflict"
