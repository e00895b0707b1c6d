"""Forms of the token pages. Their one rule: shape only, the rules are in ``members.tokens``."""

from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from members.models import ApiToken

SCOPES = (
    (ApiToken.Scope.READ, _("Read: balances, members, purchases and reports that you may see")),
    (ApiToken.Scope.WRITE, _("Write: do what you may do yourself, without asking again")),
    (ApiToken.Scope.CALLS, _("Calls: report the calls of your company's members")),
)
LASTS = (
    ("30", _("30 days")),
    ("90", _("90 days")),
    ("365", _("1 year")),
    ("never", _("Until it is revoked")),
)


class CompanyTokenForm(forms.Form):
    """A token of the company: name and expiry."""

    name = forms.CharField(
        label=_("Name"),
        max_length=80,
        help_text=_("Where you will use it, so that you know which one to revoke."),
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    lasts = forms.ChoiceField(label=_("Works for"), choices=LASTS, initial="90")

    def expires_at(self, now: datetime) -> datetime | None:
        """When the token stops; None for never."""
        days = self.cleaned_data["lasts"]
        return None if days == "never" else now + timedelta(days=int(days))


class OwnTokenForm(CompanyTokenForm):
    """A token of one's own: also what it may do."""

    scopes = forms.MultipleChoiceField(
        label=_("What it may do"),
        choices=SCOPES,
        initial=[ApiToken.Scope.READ],
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": _("Choose what the token may do: read, write or calls.")},
    )
    field_order = ("name", "scopes", "lasts")

    def __init__(self, *args: Any, may_report_calls: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not may_report_calls:
            self.fields["scopes"].choices = SCOPES[:2]  # type: ignore[attr-defined]
