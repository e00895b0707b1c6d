"""The forms of credit. Its one rule: they check shapes; what may be moved is checked by verbs."""

from typing import Any
from uuid import uuid4

from django import forms
from django.utils.translation import gettext_lazy as _

from credit.models import RechargeRule
from credit.rules import RuleTerms
from skypemgr.lib.amounts import AmountField

STALE = {
    "required": _("This page is too old. Please reload it."),
    "invalid": _("This page is too old. Please reload it."),
}


class AllocationForm(forms.Form):
    """How much each chosen member is to receive. ``form_key`` makes a repetition harmless."""

    form_key = forms.UUIDField(widget=forms.HiddenInput, error_messages=STALE)
    amount = AmountField(label=_("Amount"))

    @classmethod
    def fresh(cls) -> "AllocationForm":
        """An empty form with a key of its own."""
        return cls(initial={"form_key": uuid4()})


class BulkAllocationForm(AllocationForm):
    """The same for many; ``shown_count`` is the number of members that the page told."""

    shown_count = forms.IntegerField(widget=forms.HiddenInput, error_messages=STALE)
    amount = AmountField(label=_("Amount for each member"))

    @classmethod
    def fresh_for(cls, count: int) -> "BulkAllocationForm":
        """An empty form with a key of its own, for so many members."""
        return cls(initial={"form_key": uuid4(), "shown_count": count})


class RuleForm(forms.Form):
    """The three amounts of an auto-recharge rule."""

    amount = AmountField(label=_("Recharge member's account with"))
    threshold = AmountField(
        label=_("when balance falls below"),
        help_text=_("A balance that is exactly this amount is not recharged yet."),
    )
    monthly_limit = AmountField(
        label=_("Monthly recharge limit"),
        help_text=_(
            "When it is reached, auto-recharge is suspended until the first day of the next month."
        ),
    )

    @classmethod
    def of_rule(cls, rule: RechargeRule | None) -> "RuleForm":
        """Filled with the rule's values, empty without a rule."""
        if rule is None:
            return cls()
        return cls(
            initial={
                "amount": rule.amount,
                "threshold": rule.threshold,
                "monthly_limit": rule.monthly_limit,
            }
        )

    def terms(self) -> RuleTerms:
        """The values as the verb takes them; only after ``is_valid``."""
        values = self.cleaned_data
        return RuleTerms(values["amount"], values["threshold"], values["monthly_limit"])


class CountForm(forms.Form):
    """``shown_count`` is the number of members that the page told."""

    shown_count = forms.IntegerField(widget=forms.HiddenInput, error_messages=STALE)

    def says(self, count: int) -> bool:
        """Whether it is still so many."""
        return self.is_valid() and bool(self.cleaned_data["shown_count"] == count)


class BulkRuleForm(RuleForm):
    """The same rule for many; ``shown_count`` is the number of members that the page told."""

    shown_count = forms.IntegerField(widget=forms.HiddenInput, error_messages=STALE)


class RequestForm(forms.Form):
    """What a member asks for, and why."""

    amount = AmountField(label=_("Amount"))
    reason = forms.CharField(
        label=_("Reason"),
        help_text=_("Your administrators read it."),
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 3}),
    )


class AnswerForm(forms.Form):
    """An administrator's answer to request ``pk``: an amount, or a word when it is declined."""

    def __init__(self, *args: Any, pk: int, declines: bool = False, **kwargs: Any) -> None:
        kwargs["auto_id"] = f"request_{pk}_%s"
        super().__init__(*args, **kwargs)
        self.pk = pk
        if declines:
            self.fields["answer"] = forms.CharField(
                label=_("Your answer"),
                help_text=_("Optional. It stands in the e-mail."),
                max_length=500,
                required=False,
                widget=forms.Textarea(attrs={"rows": 3}),
            )
        else:
            self.fields["amount"] = AmountField(label=_("Amount"))
