"""The forms of what a company is as a payer. Their one rule: shape only, the verbs decide."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from billing.profile import missing_details
from members.company_forms import CompanyProfileForm
from members.models import Company
from skypemgr.lib.amounts import AmountField, currency_places


class BillingDetailsForm(CompanyProfileForm):
    """What an invoice says of the buyer: the same fields as on the company's profile."""

    phone = website = language = time_zone = currency = None  # type: ignore[assignment]
    max_call_seconds = terms_url = privacy_url = None  # type: ignore[assignment]
    vat_number = forms.CharField(
        label=_("VAT number"),
        max_length=30,
        required=False,
        help_text=_("If you have one. It stands on your invoices."),
    )

    def __init__(self, *args: Any, company: Company, **more: Any) -> None:
        super().__init__(*args, company=company, **more)
        country = self.data.get("country", company.country) if self.is_bound else company.country
        for name in missing_details(Company(country=country)):
            if name in self.fields:
                self.fields[name].required = True
                self.fields[name].error_messages["required"] = _("Your invoices need this.")


class CompanyLimitForm(forms.Form):
    """The company's own monthly limit; empty is none."""

    company_limit = AmountField(
        label=_("Own monthly limit"),
        required=False,
        help_text=_(
            "Before VAT, for all payment methods together. Leave it empty for no limit of your own."
        ),
    )

    def __init__(self, *args: Any, currency: str, **more: Any) -> None:
        super().__init__(*args, **more)
        field = self.fields["company_limit"]
        if isinstance(field, AmountField):
            field.places = currency_places(currency)
