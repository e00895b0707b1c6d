"""Forms for signing up, signing in and a forgotten password.

Its one rule: one field takes every kind of sign-in name, and no answer tells whether one exists.
"""

from typing import Any

from allauth.account.adapter import get_adapter
from allauth.account.fields import PasswordField
from allauth.account.forms import LoginForm, ResetPasswordForm, ResetPasswordKeyForm, SignupForm
from allauth.account.internal import flows
from allauth.account.internal.userkit import filter_users_by_email
from django import forms
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from members.account_fields import PHONE_MESSAGE, asked_phone, browser_country
from members.addresses import (
    best_email,
    find_user_by_phone,
    normal_email,
    normal_username,
    parse_phone,
    plain_email,
)
from members.models import User
from members.models.users import USERNAME_FORM
from members.password_codes import PasswordCode
from skypemgr.lib.errors import ProductError

username_validators = [USERNAME_FORM]

_TEXT = {"autocapitalize": "none", "spellcheck": "false"}


def read_sign_in_name(text: str) -> tuple[str, str]:
    """The kind (email, phone or username) and normal form of what was typed as a sign-in name."""
    text = text.strip()
    if "@" in text:
        return "email", plain_email(text)
    phone = parse_phone(text, browser_country())
    if phone:
        return "phone", phone
    return "username", text.lower()


class SignInForm(LoginForm):  # type: ignore[misc]
    """One field for e-mail address, phone number or user name, and the password."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["login"] = forms.CharField(
            label=_("E-mail address, phone number or user name"),
            max_length=254,
            widget=forms.TextInput(attrs={**_TEXT, "autocomplete": "username", "autofocus": True}),
        )
        self.fields["password"].help_text = ""
        self.fields["password"].label = _("Password")
        self.fields["password"].widget.attrs.pop("placeholder", None)
        self.order_fields(["login", "password"])

    def user_credentials(self) -> dict[str, str]:
        """What authenticates: one kind of sign-in name in normal form, and the password."""
        kind, name = read_sign_in_name(self.cleaned_data["login"])
        return {kind: name, "password": self.cleaned_data["password"]}


class SignUpForm(SignupForm):  # type: ignore[misc]
    """Name, e-mail address or phone number, if wished a user name, and a password."""

    field_order = ["name", "contact", "username", "password1"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in ("email", "phone", "password2"):
            self.fields.pop(name, None)
        self.fields["name"] = forms.CharField(
            label=_("Your name"),
            max_length=150,
            widget=forms.TextInput(attrs={"autocomplete": "name", "autofocus": True}),
        )
        self.fields["contact"] = forms.CharField(
            label=_("E-mail address or phone number"),
            help_text=_("We send a link by e-mail or a code by SMS to activate your account."),
            max_length=254,
            initial=self.initial.get("email") or asked_phone(),
            widget=forms.TextInput(attrs={**_TEXT, "autocomplete": "email"}),
        )
        username = self.fields["username"]
        username.label = _("User name")
        username.help_text = _("If you wish, you can sign in with it too.")
        username.widget.attrs = {**_TEXT, "autocomplete": "username", "maxlength": "64"}
        self.fields["password1"] = PasswordField(
            label=_("Password"),
            autocomplete="new-password",
            help_text=_("At least 10 characters, not a common password."),
        )
        self.fields["password1"].widget.attrs.pop("placeholder", None)
        self.order_fields(self.field_order)

    def clean_username(self) -> str:
        """The user name in lower case, free and well formed; or empty."""
        self.cleaned_data["username"] = self.cleaned_data["username"].strip().lower()
        return str(super().clean_username())

    def clean_contact(self) -> str:
        """The address or number in normal form; allauth finds it as email or phone."""
        text = str(self.cleaned_data["contact"]).strip()
        if "@" in text or any(char.isalpha() for char in text):
            try:
                email = normal_email(text)
            except ProductError as error:
                raise forms.ValidationError(str(error)) from error
            self.cleaned_data["email"] = self.validate_unique_email(email)
            return email
        phone = parse_phone(text, browser_country())
        if phone is None:
            raise forms.ValidationError(PHONE_MESSAGE, code="invalid_phone")
        self.cleaned_data["phone"] = phone
        return phone


class ForgottenPasswordForm(ResetPasswordForm):  # type: ignore[misc]
    """One field for every kind of sign-in name; a code goes to its address or number."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # Named as allauth's view expects it.
        self.fields["email"] = forms.CharField(
            label=_("E-mail address, phone number or user name"),
            max_length=254,
            widget=forms.TextInput(attrs={**_TEXT, "autocomplete": "username", "autofocus": True}),
        )

    def clean_email(self) -> str:
        """The sign-in name in normal form."""
        self.kind, name = read_sign_in_name(self.cleaned_data["email"])
        try:
            if self.kind == "email":
                return normal_email(name)
            if self.kind == "username":
                return normal_username(name)
        except ProductError as error:
            raise forms.ValidationError(
                _("Enter an e-mail address, a phone number or a user name.")
            ) from error
        return name

    def save(self, request: HttpRequest, **kwargs: Any) -> str:
        """A code is on its way if the name has an account; the answer is the same if not."""
        name = str(self.cleaned_data["email"])
        user, target = self._find(name)
        PasswordCode.start(request=request, user=user, typed=name, kind=self.kind, target=target)
        return name

    def _find(self, name: str) -> tuple[User | None, str]:
        if self.kind == "email":
            users = filter_users_by_email(
                name, is_active=True, prefer_verified=True, for_login=True
            )
            return (users[0] if users else None), name
        if self.kind == "phone":
            return find_user_by_phone(name), name
        user = User.objects.filter(username=name, is_active=True).first()
        if user is None:
            return None, ""
        return user, best_email(user) or (str(user.phone) if user.phone_verified else "")


class NewPasswordForm(ResetPasswordKeyForm):  # type: ignore[misc]
    """The new password, once."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields.pop("password2", None)
        field = self.fields["password1"]
        field.label = _("New password")
        field.help_text = _("At least 10 characters, not a common password.")
        field.widget.attrs.pop("placeholder", None)


class FirstPasswordForm(forms.Form):
    """The first password of an account that somebody else made."""

    password1 = forms.CharField(
        label=_("Password"),
        help_text=_("At least 10 characters, not a common password."),
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password", "autofocus": True}),
    )

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.user = user

    def clean_password1(self) -> str:
        """The password, long enough and not a common one."""
        password: str = self.cleaned_data["password1"]
        get_adapter().clean_password(password, user=self.user)
        return password


def resend_confirmation(request: HttpRequest, login: Any) -> bool:
    """The mail with the link was sent again; False while the last one is too young."""
    return bool(flows.email_verification.send_verification_email_at_login(request, login))
