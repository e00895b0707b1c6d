"""The forms of the company's auto-recharge. Their one rule: what may be agreed to is the verb's to
say; here an error finds its field.
"""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from billing.auto_rules import check_terms, terms_of
from billing.consent import VERSION, Terms
from billing.methods import method_name
from billing.models import AutoPurchaseRule, PaymentMethod
from skypemgr.lib.amounts import AmountField, currency_places
from skypemgr.lib.errors import ProductError

AMOUNT, TARGET = "amount", "target"
AGREE = _("Please read what auto-recharge does and agree to it.")


class RuleForm(forms.Form):
    """The company's auto-recharge: with what, when, how much, at most how much, and the consent."""

    method = forms.ChoiceField(label=_("Payment method"))
    level = AmountField(label=_("When the company's balance falls below"))
    how = forms.ChoiceField(
        label=_("How much is bought"),
        choices=[
            (AMOUNT, _("A fixed amount each time")),
            (TARGET, _("What brings the balance back to an amount")),
        ],
        initial=AMOUNT,
        required=False,
        widget=forms.RadioSelect,
    )
    amount = AmountField(label=_("Buy each time"))
    target = AmountField(label=_("Bring the balance back to"))
    monthly_limit = AmountField(
        label=_("Monthly limit"),
        help_text=_("Before VAT. A purchase that would pass it is not made."),
    )
    consent = forms.BooleanField(
        label=_("I agree to the text above."), error_messages={"required": AGREE}
    )

    def __init__(
        self,
        *args: Any,
        currency: str,
        saved: Sequence[PaymentMethod],
        rule: AutoPurchaseRule | None = None,
        **more: Any,
    ) -> None:
        super().__init__(*args, **more)
        self.currency = currency
        self.saved = {str(method.pk): method for method in saved}
        method = self.fields["method"]
        if isinstance(method, forms.ChoiceField):
            method.choices = [(pk, method_name(one)) for pk, one in self.saved.items()]
        places = currency_places(currency)
        for name in ("level", "amount", "target", "monthly_limit"):
            field = self.fields[name]
            if isinstance(field, AmountField):
                field.places = places
            if rule is not None:
                field.initial = getattr(rule, name)
        if rule is not None:
            method.initial = str(rule.method_id)
            self.fields["how"].initial = AMOUNT if rule.target is None else TARGET
        if self.is_bound:
            self.fields["amount"].required = not self._is_target()
            self.fields["target"].required = self._is_target()

    def _is_target(self) -> bool:
        return self.data.get("how") == TARGET

    def clean(self) -> dict[str, Any]:
        """``terms`` is what was typed, if the rule could buy with it."""
        cleaned = super().clean() or self.cleaned_data
        unused = AMOUNT if self._is_target() else TARGET
        self.errors.pop(unused, None)
        cleaned[unused] = None
        cleaned["terms"] = None
        if {"level", "amount", "target", "monthly_limit"} & self.errors.keys():
            return cleaned
        terms = Terms(
            cleaned["level"], cleaned["amount"], cleaned["monthly_limit"], cleaned["target"]
        )
        try:
            check_terms(terms, self.currency)
        except ProductError as error:
            self.add_error(error.field or None, str(error))
        else:
            cleaned["terms"] = terms
        return cleaned

    def typed(self) -> tuple[Terms, PaymentMethod] | None:
        """The terms and what pays, agreed to or not yet; None while something is missing."""
        self.is_valid()
        terms = self.cleaned_data.get("terms")
        method = self.saved.get(str(self.cleaned_data.get("method", "")))
        return (terms, method) if terms is not None and method is not None else None


class TakeOverForm(forms.Form):
    """One press that lets another method pay on the terms that stand beside the button."""

    method = forms.IntegerField(widget=forms.HiddenInput, min_value=1, max_value=2**63 - 1)
    shown = forms.CharField(widget=forms.HiddenInput, max_length=200)
    version = forms.CharField(widget=forms.HiddenInput, max_length=20)

    @classmethod
    def of(cls, rule: AutoPurchaseRule, method: PaymentMethod) -> "TakeOverForm":
        """The form for this method on the rule's terms as they are now."""
        initial = {"method": method.pk, "shown": _facts(rule), "version": VERSION}
        return cls(initial=initial, auto_id=False)

    def is_current(self, rule: AutoPurchaseRule) -> bool:
        """Whether the terms are still the ones that were shown."""
        return bool(self.cleaned_data["shown"] == _facts(rule))


class RemovalForm(forms.Form):
    """What becomes of auto-recharge when the method that pays for it is removed."""

    PAUSE = "pause"

    then = forms.ChoiceField(
        label=_("What becomes of auto-recharge?"),
        widget=forms.RadioSelect,
        error_messages={"required": _("Choose what becomes of auto-recharge.")},
    )
    consent = forms.BooleanField(label=_("I agree to the text above."), required=False)

    def __init__(self, *args: Any, takers: Sequence[PaymentMethod], **more: Any) -> None:
        super().__init__(*args, **more)
        field = self.fields["then"]
        if isinstance(field, forms.ChoiceField):
            field.choices = [
                *((str(one.pk), _takes_over(one)) for one in takers),
                (self.PAUSE, _("Pause it until somebody chooses a payment method")),
            ]
            field.initial = str(takers[0].pk) if takers else self.PAUSE

    def clean(self) -> dict[str, Any]:
        """Another method takes over only with a tick."""
        cleaned = super().clean() or self.cleaned_data
        if cleaned.get("then", self.PAUSE) != self.PAUSE and not cleaned.get("consent"):
            self.add_error("consent", AGREE)
        return cleaned


def _takes_over(method: PaymentMethod) -> str:
    return str(_("%(name)s takes over") % {"name": method_name(method)})


def _facts(rule: AutoPurchaseRule) -> str:
    terms = terms_of(rule)
    return f"{terms.level}/{terms.amount}/{terms.target}/{terms.monthly_limit}"
