"""The forms of the desk for bank transfers. Their one rule: no decision without a word of why."""

from typing import Any

from django import forms
from django.contrib.admin.helpers import ActionForm
from django.utils.translation import gettext_lazy as _


class UploadForm(forms.Form):
    """A bank's statement."""

    file = forms.FileField(
        label=_("Statement (CSV or XLSX)"),
        help_text=_(
            "Its first line names the columns: a day, an amount (or credit) and a label. The same"
            " file, or one that overlaps it, may be imported again: nothing is credited twice."
        ),
    )


class DecisionForm(forms.Form):
    """What is to become of a line."""

    decision = forms.ChoiceField(
        label=_("Decision"),
        widget=forms.RadioSelect,
        choices=(
            ("settle", _("It pays this purchase, which is credited in full")),
            ("send_back", _("To be sent back to the payer")),
            ("set_aside", _("It has nothing to do with purchases")),
        ),
    )
    purchase = forms.IntegerField(label=_("Number of the purchase"), required=False, min_value=1)
    reason = forms.CharField(label=_("Why"), max_length=1000, widget=forms.Textarea({"rows": 3}))

    def clean(self) -> dict[str, Any]:
        """A purchase is named if one is paid."""
        data = super().clean() or {}
        if data.get("decision") == "settle" and not data.get("purchase"):
            self.add_error("purchase", _("Enter the number of the purchase."))
        return data


class ByHandForm(forms.Form):
    """A transfer that arrived without a statement."""

    received_on = forms.DateField(
        label=_("Received in full on"), widget=forms.DateInput({"type": "date"})
    )
    reason = forms.CharField(label=_("Why"), max_length=1000, widget=forms.Textarea({"rows": 3}))


class WordForm(ActionForm):
    """What the operator writes down beside the chosen action."""

    word = forms.CharField(label=_("Why"), required=False, max_length=1000)
