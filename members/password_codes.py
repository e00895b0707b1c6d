"""Codes for a forgotten password, by mail or text message.

Its one rule: whoever asks sees the same page whether the name has an account or not.
"""

from typing import Any

from allauth.account.adapter import get_adapter
from allauth.account.internal.flows.password_reset_by_code import PasswordResetVerificationProcess
from allauth.account.internal.flows.signup import send_unknown_account_mail
from django.http import HttpRequest

from members.models import User


class PasswordCode(PasswordResetVerificationProcess):  # type: ignore[misc]
    """allauth's process, which sends to a number as well; the view resumes it by its session."""

    @classmethod
    def start(
        cls, *, request: HttpRequest, user: User | None, typed: str, kind: str, target: str
    ) -> "PasswordCode":
        """The code was sent to the target if there is one."""
        known = user if target else None
        # What proves the address afterwards is where the code went, not the name that was typed.
        state: dict[str, Any] = cls.initial_state(known, target if known else typed)
        process = cls(request, state=state, user=known)
        process.deliver(kind=kind, target=target)
        process.persist()
        return process

    def deliver(self, *, kind: str, target: str) -> None:
        """A mail or text message left, unless an unknown user name was typed."""
        adapter = get_adapter(self.request)
        by_mail = "@" in target
        if self.user is None:
            if kind == "email":
                send_unknown_account_mail(self.request, target)
            elif kind == "phone":
                adapter.send_unknown_account_sms(target)
            return
        code = adapter.generate_password_reset_code()
        self.state["code"] = code
        if by_mail:
            adapter.send_mail(
                "account/email/password_reset_code",
                target,
                {"request": self.request, "code": code},
            )
        else:
            adapter.send_verification_code_sms(user=self.user, phone=target, code=code)
