"""Fields of the pages for signing up and in. Its one rule: what is typed leaves in normal form."""

from typing import Any

from allauth.core import context
from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from members.addresses import parse_phone
from members.countries import guess_country

PHONE_MESSAGE = _("Enter a valid phone number with its country code, such as +33 1 23 45 67 89.")


def browser_country() -> str:
    """The country that the browser's languages speak for; empty outside a request."""
    request = context.request
    return guess_country(request.headers.get("Accept-Language", "")) if request else ""


def asked_phone() -> str:
    """The number that the page's address names, as E.164; empty if there is none."""
    request = context.request
    text = request.GET.get("phone", "") if request else ""
    return parse_phone(text, "") or ""


class PhoneField(forms.CharField):
    """A number; without a country code it is one of the browser's country."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("label", _("Phone number"))
        kwargs.setdefault("widget", forms.TextInput(attrs={"type": "tel", "autocomplete": "tel"}))
        super().__init__(**kwargs)

    def clean(self, value: Any) -> str:
        """The number as E.164, or empty."""
        text: str = super().clean(value)
        if not text:
            return ""
        phone = parse_phone(text, browser_country())
        if phone is None:
            raise ValidationError(PHONE_MESSAGE, code="invalid_phone")
        return phone
