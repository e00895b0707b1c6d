"""The form of the company's profile. Its one rule: shape only, the rules are in the verb."""

from typing import Any

from django import forms
from django.conf import settings
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from members.countries import country_choices, currency_choices, time_zone_choices
from members.models import Company
from members.own_forms import language_name


class CompanyProfileForm(forms.Form):
    """Everything that a company says of itself."""

    name = forms.CharField(label=_("Company name"), max_length=150)
    address_line_1 = forms.CharField(label=_("Address"), max_length=150, required=False)
    address_line_2 = forms.CharField(
        label=_("Address, second line"), max_length=150, required=False
    )
    postcode = forms.CharField(label=_("Postcode"), max_length=20, required=False)
    city = forms.CharField(label=_("City"), max_length=100, required=False)
    country = forms.ChoiceField(label=_("Country"))
    phone = forms.CharField(
        label=_("Phone number"),
        max_length=32,
        required=False,
        widget=forms.TextInput(attrs={"type": "tel"}),
    )
    website = forms.CharField(label=_("Web site"), max_length=200, required=False)
    siren = forms.CharField(
        label="SIREN", max_length=20, required=False, help_text=_("Companies in France: 9 digits.")
    )
    vat_number = forms.CharField(label=_("VAT number"), max_length=30, required=False)
    language = forms.ChoiceField(label=_("Language"))
    time_zone = forms.ChoiceField(
        label=_("Time zone"),
        help_text=_("Another one counts from the 1st of the next month, 00:00 there."),
    )
    currency = forms.ChoiceField(label=_("Currency"))
    max_call_seconds = forms.IntegerField(
        label=_("Longest call in seconds"),
        min_value=60,
        max_value=86_400,
        help_text=_("At most this much is set aside for one call in progress."),
    )
    terms_url = forms.CharField(label=_("Link to your terms"), max_length=200, required=False)
    privacy_url = forms.CharField(
        label=_("Link to your privacy notice"), max_length=200, required=False
    )

    def __init__(self, *args: Any, company: Company, **kwargs: Any) -> None:
        coming = company.coming_zone
        kwargs["initial"] = {
            name: getattr(company, name) for name in self.base_fields if name != "time_zone"
        } | {"time_zone": coming[0] if coming else company.present_zone}
        super().__init__(*args, **kwargs)
        choices = {
            "country": country_choices(get_language() or "en"),
            "language": [(code, language_name(code)) for code, _name in settings.LANGUAGES],
            "time_zone": time_zone_choices(),
            "currency": currency_choices(),
        }
        for name in choices.keys() & self.fields.keys():
            self.fields[name].choices = choices[name]  # type: ignore[attr-defined]
        if company.currency_fixed_at is not None and "currency" in self.fields:
            self.fields["currency"].disabled = True
            self.fields["currency"].help_text = _("It is fixed: credit is kept in it.")
