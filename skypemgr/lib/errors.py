"""The one shape of a refusal: a stable code, a sentence for people, the field it is about.

Verbs raise subclasses of ProductError. Pages show ``message`` beside ``field``; the API answers
problem+json with ``code`` and ``status``; commands print the message and exit non-zero.
"""

from typing import Any

from django.utils.functional import Promise


class ProductError(Exception):
    """A rule refused the wish; nothing was changed."""

    code = "refused"
    status = 422

    def __init__(
        self, message: str | Promise, *, field: str = "", code: str = "", **details: Any
    ) -> None:
        super().__init__(message)
        self.message = message
        self.field = field
        self.code = code or self.code
        self.details = details

    def __str__(self) -> str:
        return str(self.message)


class NotAllowed(ProductError):
    """The actor's role does not permit this."""

    code = "not_allowed"
    status = 403


class NotFound(ProductError):
    """There is no such thing in the actor's company."""

    code = "not_found"
    status = 404


class Conflict(ProductError):
    """The wish contradicts something that is already so."""

    code = "conflict"
    status = 409
