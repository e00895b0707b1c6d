"""The forms of billing. Their one rule: shape is checked here; what may be bought, in the verbs."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from billing.auto_rules import check_terms
from billing.consent import Terms
from billing.gateways.base import Gateway, Way
from billing.marks import marked, method_mark, way_mark
from billing.means import NewMethod, list_new_means
from billing.methods import method_name
from billing.models import PaymentMethod
from billing.prices import check_amount, limits_of
from skypemgr.lib.amounts import AmountField, currency_places
from skypemgr.lib.errors import ProductError
from skypemgr.lib.formats import format_money

OTHER = "other"


class MethodForm(forms.Form):
    """A saved method, or a new card. The number field takes the sandbox's test cards only."""

    method = forms.ChoiceField(label=_("Payment method"), widget=forms.RadioSelect)
    number = forms.CharField(
        label=_("Test card number"),
        max_length=40,
        error_messages={"required": _("Enter the number of a test card.")},
        widget=forms.TextInput(
            attrs={"inputmode": "numeric", "autocomplete": "off", "spellcheck": "false"}
        ),
    )

    def __init__(
        self,
        *args: Any,
        saved: Sequence[PaymentMethod],
        gateways: Sequence[Gateway],
        currency: str,
        **more: Any,
    ) -> None:
        super().__init__(*args, **more)
        asking = [gateway for gateway in gateways if gateway.asks_number]
        choices = [
            (str(method.pk), marked(method_mark(method), method_name(method))) for method in saved
        ]
        for gateway in asking:
            label = _("A new test card (sandbox)") if saved else gateway.label
            choices.append((gateway.name, marked(way_mark(Way.CARD), label)))
        for new in list_new_means(currency):
            words = marked(way_mark(new.way), _new_label(new, bool(saved)))
            choices.append((new.name, words))
        field = self.fields["method"]
        if isinstance(field, forms.ChoiceField):
            field.choices = choices
        if choices:
            field.initial = choices[0][0]
        if self.is_bound:
            # Only a test card is typed in here.
            chosen = str(self.data.get("method", ""))
            self.fields["number"].required = chosen in [gateway.name for gateway in asking]


def _new_label(new: NewMethod, has_saved: bool) -> str:
    if new.way == Way.CARD and has_saved:
        return str(_("Another card"))
    return new.label


class AmountForm(forms.Form):
    """How much to buy, and whether to go on buying it automatically."""

    choice = forms.ChoiceField(label=_("Amount"), widget=forms.RadioSelect, required=False)
    other = AmountField(label=_("Other amount"))
    auto_recharge = forms.BooleanField(label=_("Turn on auto-recharge"), required=False)
    level = AmountField(label=_("When the company's balance falls below"))
    monthly_limit = AmountField(label=_("Monthly limit"))

    def __init__(
        self,
        *args: Any,
        currency: str,
        can_recharge: bool = True,
        most: Decimal | None = None,
        **more: Any,
    ) -> None:
        super().__init__(*args, **more)
        self.currency = currency
        if not can_recharge:
            for name in ("auto_recharge", "level", "monthly_limit"):
                del self.fields[name]
        places = currency_places(currency)
        limits = limits_of(currency)
        choice = self.fields["choice"]
        if isinstance(choice, forms.ChoiceField):
            offered = [(str(amount), format_money(amount, currency)) for amount in limits.offered]
            choice.choices = [*offered, (OTHER, _("Other amount"))]
        for name in ("other", "level", "monthly_limit"):
            field = self.fields.get(name)
            if isinstance(field, AmountField):
                field.places = places
        self.fields["other"].help_text = _("From %(least)s to %(most)s.") % {
            "least": format_money(limits.least, currency),
            "most": format_money(limits.most if most is None else most, currency),
        }
        if self.is_bound:
            # Each field is asked for only where its choice was made.
            self.fields["other"].required = self.data.get("choice") == OTHER
            for name in ("level", "monthly_limit"):
                if name in self.fields:
                    self.fields[name].required = bool(self.data.get("auto_recharge"))

    def clean(self) -> dict[str, Any]:
        """``amount`` and, if ticked, ``terms`` are what was chosen."""
        cleaned = super().clean() or self.cleaned_data
        amount = self._amount(cleaned)
        cleaned["amount"], cleaned["terms"] = amount, None
        if not cleaned.get("auto_recharge"):
            # Fields that only matter with the tick do not stand in the way without it.
            self.errors.pop("level", None)
            self.errors.pop("monthly_limit", None)
        elif amount is not None:
            cleaned["terms"] = self._terms(cleaned, amount)
        return cleaned

    def _amount(self, cleaned: dict[str, Any]) -> Decimal | None:
        choice, other = cleaned.get("choice", ""), cleaned.get("other")
        if "other" in self.errors or "choice" in self.errors:
            return None
        if other is None and not choice:
            self.add_error("choice", _("Choose an amount."))
            return None
        if other is not None and choice not in ("", OTHER) and other != Decimal(choice):
            self.add_error(
                "other", _("Choose an amount from the list or enter another one, not both.")
            )
            return None
        amount = Decimal(choice) if other is None else other
        try:
            return check_amount(amount, self.currency)
        except ProductError as error:
            self.add_error("other", str(error))
        return None

    def _terms(self, cleaned: dict[str, Any], amount: Decimal) -> Terms | None:
        if "level" in self.errors or "monthly_limit" in self.errors:
            return None
        terms = Terms(cleaned["level"], amount, cleaned["monthly_limit"])
        try:
            check_terms(terms, self.currency)
        except ProductError as error:
            self.add_error(error.field or None, str(error))
            return None
        return terms
