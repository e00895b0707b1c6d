"""The form that closes a company. Its one rule: whoever presses the button proves who they are."""

from typing import Any

from allauth.account.adapter import get_adapter
from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from members.models import User


class CloseForm(forms.Form):
    """Asks for the password; who signs in without one types the company's name."""

    password = forms.CharField(
        label=gettext_lazy("Your password"),
        strip=False,
        max_length=4096,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )
    confirm = forms.CharField(
        label=gettext_lazy("Name of the company"),
        max_length=150,
        help_text=gettext_lazy("Write it exactly as it is, so that it is not closed by mistake."),
    )

    def __init__(self, *args: Any, user: User, company_name: str, **options: Any) -> None:
        super().__init__(*args, **options)
        self.user = user
        self.company_name = company_name
        del self.fields["confirm" if user.has_usable_password() else "password"]

    def clean_password(self) -> str:
        """The password of the login; too many wrong ones lock for a while, as at sign-in."""
        password: str = self.cleaned_data["password"]
        if not get_adapter().reauthenticate(self.user, password):
            raise forms.ValidationError(_("This password is not right."), code="wrong")
        return password

    def clean_confirm(self) -> str:
        """The company's name, exactly."""
        name: str = self.cleaned_data["confirm"]
        if name != self.company_name:
            raise forms.ValidationError(_("Write the company's name exactly as it is."))
        return name
