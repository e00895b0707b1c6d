"""How allauth sees our logins. Its one rule: a number belongs to whoever has proven it."""

import logging
from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.models import EmailAddress
from django.contrib import messages
from django.contrib.sites.shortcuts import get_current_site
from django.forms import Form
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import get_language, gettext
from django.utils.translation import gettext_lazy as _

from members.account_fields import PhoneField
from members.addresses import find_user_by_phone, plain_email
from members.details import refresh_search
from members.middleware import find_present_member
from members.models import Member, User
from members.models.people import Role
from members.sessions import TOLD
from skypemgr.lib.emails import send_templated
from skypemgr.lib.sms import SmsNotSent, send_sms
from skypemgr.lib.text import plain_line

logger = logging.getLogger(__name__)

INVITED_EMAIL_KEY = "invited_email"
UNPROVEN_TRIED = 3
_MISMATCH = _("These details are not right. Check what you typed, then try again.")


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]
    """Signing up, proving an address or number, signing in, and where that leads."""

    error_messages = {
        **DefaultAccountAdapter.error_messages,
        "email_password_mismatch": _MISMATCH,
        "phone_password_mismatch": _MISMATCH,
        "username_password_mismatch": _MISMATCH,
        "invalid_login": _MISMATCH,
        "account_inactive": _("This account is closed."),
        "incorrect_code": _("This code is not right. Check it, then try again."),
        "incorrect_password": _("This password is not right."),
        "enter_current_password": _("Enter your current password."),
        "duplicate_email": _("This e-mail address is already yours."),
        "same_as_current": _("Enter a value that differs from the present one."),
        "phone_taken": _("This phone number cannot be used."),
        "email_taken": _("This e-mail address cannot be used."),
        "too_many_login_attempts": _("Too many attempts. Wait a few minutes, then try again."),
        "rate_limited": _("Too many attempts. Wait a few minutes, then try again."),
        "username_taken": _("This user name is not available."),
        "username_blacklisted": _("This user name is not available."),
        "cannot_remove_primary_email": _("Your main e-mail address cannot be removed."),
        "unverified_primary_email": _("Confirm the e-mail address first."),
        "max_email_addresses": _("You cannot add more than %d e-mail addresses."),
    }

    # --- making a login -------------------------------------------------------------------------

    def save_user(self, request: HttpRequest, user: User, form: Form, commit: bool = True) -> User:
        """The login is saved with its name; the language is that of the page it signed up on."""
        user.name = plain_line(form.cleaned_data.get("name", ""))
        user.language = get_language() or ""
        saved: User = super().save_user(request, user, form, commit)
        return saved

    def populate_username(self, request: HttpRequest, user: User) -> None:
        """A user name is never made up."""
        user.username = user.username or None

    def clean_email(self, email: str) -> str:
        """The address in its one form."""
        return plain_email(super().clean_email(email))

    def unstash_verified_email(self, request: HttpRequest) -> str | None:
        """An invitation proves an address, it never adds one that was not typed."""
        return None

    def is_email_verified(self, request: HttpRequest, email: str) -> bool:
        """Whether this browser came by a link that was mailed to the address only."""
        invited = str(request.session.get(INVITED_EMAIL_KEY, ""))
        return bool(invited) and invited == email.lower()

    # --- numbers --------------------------------------------------------------------------------

    def phone_form_field(self, **kwargs: Any) -> PhoneField:
        """Our field: national numbers are read in the browser's country."""
        return PhoneField(**kwargs)

    def get_phone(self, user: User) -> tuple[str, bool] | None:
        """The number of the login and whether it was proven."""
        return (str(user.phone), user.phone_verified) if user.phone else None

    def set_phone(self, user: User, phone: str, verified: bool) -> None:
        """The login has the number."""
        user.phone, user.phone_verified = phone, verified
        user.save(update_fields=["phone", "phone_verified"])
        refresh_search(user)

    def set_phone_verified(self, user: User, phone: str) -> None:
        """The login has proven the number."""
        self.set_phone(user, phone, True)

    def get_user_by_phone(self, phone: str) -> User | None:
        """The login that has proven the number."""
        return find_user_by_phone(phone)

    def send_verification_code_sms(self, user: User, phone: str, code: str, **kwargs: Any) -> None:
        """The number got the code, or the page says that it could not be sent."""
        self._text(
            phone,
            gettext("%(code)s is your Skype Manager code. It is valid for 15 minutes.")
            % {"code": code},
        )

    def send_account_already_exists_sms(self, phone: str) -> None:
        """The number's owner learns that somebody tried to sign up with it."""
        self._text(
            phone,
            gettext(
                "Somebody tried to create a Skype Manager account with this number, which already "
                "has one. Sign in or choose a new password: %(url)s"
            )
            % {"url": self.request.build_absolute_uri(reverse("account_login"))},
        )

    def send_unknown_account_sms(self, phone: str, **kwargs: Any) -> None:
        """The number learns that it has no account, nobody else does."""
        self._text(phone, gettext("This number has no Skype Manager account."))

    def _text(self, phone: str, text: str) -> None:
        try:
            send_sms(to=phone, text=text)
        except SmsNotSent as error:
            messages.error(self.request, str(error))

    # --- signing in -----------------------------------------------------------------------------

    def authenticate(self, request: HttpRequest, **credentials: Any) -> User | None:
        """The login whose details these are; a number not yet proven may sign in to prove it."""
        user: User | None = super().authenticate(request, **credentials)
        phone = credentials.get("phone")
        if user or not phone or self.get_user_by_phone(phone):
            return user
        unproven = User.objects.filter(phone=phone, phone_verified=False, is_active=True)
        for candidate in unproven.order_by("-pk")[:UNPROVEN_TRIED]:
            if candidate.check_password(credentials.get("password", "")):
                return candidate
        return None

    def _get_login_attempts_cache_key(self, request: HttpRequest, **credentials: Any) -> str:
        # allauth's own key leaves the number out: all who sign in by phone would share one limit.
        names = (credentials.get(method) for method in ("email", "phone", "username"))
        login = next((name for name in names if name), "")
        return f"{get_current_site(request).domain}:{login.lower()}"

    def post_login(self, request: HttpRequest, user: User, **kwargs: Any) -> HttpResponse:
        """The browser stands among those in which the person is signed in."""
        response: HttpResponse = super().post_login(request, user, **kwargs)
        request.session[TOLD] = True
        return response

    def get_login_stages(self) -> list[str]:
        """Ours: one proven address or number is enough to sign in."""
        return ["members.stages.PhoneStage", "members.stages.EmailStage"]

    def get_login_redirect_url(self, request: HttpRequest) -> str:
        """Where somebody who signed in belongs."""
        user = request.user
        member = find_present_member(user) if isinstance(user, User) else None
        if member is None:
            is_operator = isinstance(user, User) and user.is_staff
            return reverse("admin:index") if is_operator else reverse("company_new")
        if member.status == Member.Status.SUSPENDED or member.role == Role.MEMBER:
            return reverse("me")
        return reverse("dashboard")

    def get_signup_redirect_url(self, request: HttpRequest) -> str:
        """Whoever signed up names the company next."""
        return self.get_login_redirect_url(request)

    def get_email_verification_redirect_url(self, email_address: EmailAddress) -> str:
        """A link opened in another browser proves the address and leads to the sign-in."""
        if self.request.user.is_authenticated:
            return self.get_login_redirect_url(self.request)
        return reverse("account_login")

    def confirm_email(self, request: HttpRequest, email_address: EmailAddress) -> bool:
        """The address is proven and found by look-ups."""
        confirmed = bool(super().confirm_email(request, email_address))
        refresh_search(email_address.user)
        return confirmed

    # --- mail -----------------------------------------------------------------------------------

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """allauth's mails are ours: ``emails/account_<name>``, in the language of the page."""
        name = template_prefix.rpartition("/")[2]
        send_templated(
            f"account_{name}", to=email, language=get_language() or "en", context=context
        )
