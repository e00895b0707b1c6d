"""The form of the low-balance alert. Its one rule: shape only, the rules are in the verb."""

from decimal import Decimal
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from credit.low_balance import AlertStatus
from members.models import Member
from members.models.people import Role
from skypemgr.lib.amounts import AmountField


class AlertForm(forms.Form):
    """Level and recipients; an empty level switches the alert off."""

    level = AmountField(
        label=gettext_lazy("Tell when the company's balance falls below"),
        help_text=gettext_lazy("Leave it empty to be told nothing."),
        required=False,
    )
    recipients = forms.TypedMultipleChoiceField(
        label=gettext_lazy("Who is told"),
        help_text=gettext_lazy("If nobody is ticked, all administrators are told."),
        required=False,
        coerce=int,
        widget=forms.CheckboxSelectMultiple,
    )

    def __init__(
        self, *args: Any, status: AlertStatus, possible: list[Member], **kwargs: Any
    ) -> None:
        kwargs["initial"] = {
            "level": status.level,
            "recipients": [member.pk for member in status.recipients],
        }
        super().__init__(*args, **kwargs)
        self.fields["recipients"].choices = [  # type: ignore[attr-defined]
            (member.pk, _person(member)) for member in possible
        ]

    @property
    def level_given(self) -> Decimal | None:
        """The level that was typed; None for an empty field. Only after ``is_valid``."""
        level: Decimal | None = self.cleaned_data["level"]
        return level


def _person(member: Member) -> str:
    role = Role(member.role).label
    return _("%(name)s, %(role)s") % {"name": member.name, "role": str(role).lower()}
