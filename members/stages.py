"""What somebody who gave the right password must still prove. Its one rule: one proof is enough.

An address is proven by the link in a mail, a number by the code in a text message.
"""

from typing import Any

from allauth.account.models import EmailAddress
from allauth.account.stages import EmailVerificationStage, PhoneVerificationStage

from members.models import User


class PhoneStage(PhoneVerificationStage):  # type: ignore[misc]
    """Asks for the code unless an e-mail address was proven."""

    def handle(self) -> tuple[Any, bool]:
        """Goes on, or leads to the page for the code."""
        if _has_proven_email(self.login.user):
            return None, True
        outcome: tuple[Any, bool] = super().handle()
        return outcome


class EmailStage(EmailVerificationStage):  # type: ignore[misc]
    """Asks for the link unless a number was proven; operators are trusted."""

    def handle(self) -> tuple[Any, bool]:
        """Goes on, or leads to the page that tells of the mail."""
        user = self.login.user
        if isinstance(user, User) and (user.phone_verified or user.is_superuser):
            return None, True
        outcome: tuple[Any, bool] = super().handle()
        return outcome


def _has_proven_email(user: User | None) -> bool:
    return user is not None and EmailAddress.objects.filter(user=user, verified=True).exists()
