"""Who can be asked whether a VAT number is valid. Its one rule: "no answer" is not "not valid"."""

from dataclasses import dataclass
from typing import Protocol

import requests
from django.conf import settings

ANSWER_WITHIN_SECONDS = 5
# What VIES says when the number itself is at fault; anything else is its own trouble.
_NUMBER_AT_FAULT = frozenset({"INVALID", "INVALID_INPUT"})


@dataclass(frozen=True)
class VatAnswer:
    """What was said about a number; ``proof`` is the name under which it can be shown later."""

    is_valid: bool
    proof: str = ""


class CheckerUnavailable(Exception):
    """No answer came: nothing is known about the number."""


class VatChecker(Protocol):
    """A service that knows VAT numbers."""

    @property
    def source(self) -> str:
        """How ``BillingProfile.VatSource`` calls it."""

    def check(self, number: str) -> VatAnswer:
        """Whether the number, with its country's letters, is valid; CheckerUnavailable."""


class ViesChecker:
    """The EU's register of VAT numbers, by its public interface."""

    source = "vies"

    def check(self, number: str) -> VatAnswer:
        """What VIES says; with a number of the seller's, the answer has a consultation number."""
        wish = {"countryCode": number[:2], "vatNumber": number[2:]}
        own = settings.SELLER_VAT_NUMBER
        if own:
            wish |= {"requesterMemberStateCode": own[:2], "requesterNumber": own[2:]}
        try:
            response = requests.post(
                f"{settings.VIES_URL}/check-vat-number", json=wish, timeout=ANSWER_WITHIN_SECONDS
            )
            answer = response.json()
        except requests.RequestException as error:
            raise CheckerUnavailable from error
        return _read(answer)


def find_checker() -> VatChecker | None:
    """The configured service; None where the operator alone decides."""
    return ViesChecker() if settings.VAT_CHECKER == "vies" else None


def _read(answer: object) -> VatAnswer:
    if not isinstance(answer, dict):
        raise CheckerUnavailable
    wrappers = answer.get("errorWrappers") or []
    if not isinstance(wrappers, list):
        raise CheckerUnavailable
    errors = {str(each.get("error")) for each in wrappers if isinstance(each, dict)}
    errors |= {str(answer["userError"])} if answer.get("userError") else set()
    if errors - {"VALID"}:
        if errors <= _NUMBER_AT_FAULT:
            return VatAnswer(is_valid=False)
        raise CheckerUnavailable(", ".join(sorted(errors)))
    is_valid = answer.get("valid")
    if not isinstance(is_valid, bool):
        raise CheckerUnavailable
    # The database knows no NUL in a text.
    proof = str(answer.get("requestIdentifier") or "").replace("\0", "")[:40]
    return VatAnswer(is_valid=is_valid, proof=proof)
