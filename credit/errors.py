"""Why credit was not moved. Its one rule: each refusal has one stable code."""

from skypemgr.lib.errors import Conflict, ProductError


class CreditError(ProductError):
    """A rule of the ledger or of a verb on credit refused; nothing was moved."""


class NotEnoughCredit(CreditError):
    """A source would fall below what is available."""

    code = "not_enough_credit"


class InvalidAmount(CreditError):
    """Not an amount of credit: must be above 0, with at most 4 decimals and 14 digits before."""

    code = "invalid_amount"


class UnknownMember(CreditError):
    """No such member in the actor's company."""

    code = "unknown_member"


class MemberGone(CreditError):
    """The member left or was removed: nothing is added any more."""

    code = "member_gone"


class NobodyChosen(CreditError):
    """The wish names no member."""

    code = "nobody_chosen"


class CompanyNotActive(CreditError):
    """The company is frozen or closed."""

    code = "company_frozen"


class UnknownAccount(CreditError):
    """A move names an account that is not in the company's ledger."""

    code = "unknown_account"


class KeyConflict(Conflict):
    """The key already names another move."""

    code = "key_conflict"


class IdempotencyConflict(Conflict):
    """The same key came with another content."""

    code = "idempotency_conflict"


class RequestIncomplete(CreditError):
    """A member's request for credit lacks its reason, or a text is too long."""

    code = "invalid"


class RequestAlreadyOpen(Conflict):
    """The member's last request for credit still waits for an answer."""

    code = "request_already_open"


class RequestAnswered(Conflict):
    """The request for credit was approved, declined or withdrawn already."""

    code = "request_answered"
