"""The forms of features. Their one rule: shape is checked here; what may be given, in the verbs."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from django import forms
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext, pgettext

from billing.features.left import AreaLeft
from billing.features.wording import period_words, plan_words, price_words
from billing.models import FeatureKind, Plan
from members.models import Member
from skypemgr.lib.formats import format_money, format_number

STALE = {
    "required": gettext_lazy("This page is too old. Please reload it."),
    "invalid": gettext_lazy("This page is too old. Please reload it."),
}


def _card(title: object, words: object) -> SafeString:
    return format_html(
        '<span class="choice-card-words">{}{}</span>',
        title,
        format_html("<small>{}</small>", words) if words else "",
    )


def _set_choices(field: forms.Field, choices: Sequence[tuple[str, Any]]) -> None:
    if isinstance(field, forms.ChoiceField):
        field.choices = list(choices)


class PlanForm(forms.Form):
    """Which plan, and for numbers of which area, whose rules of residence are accepted."""

    area = forms.ChoiceField(
        label=gettext_lazy("Area"),
        widget=forms.RadioSelect,
        error_messages={"required": gettext_lazy("Choose an area.")},
    )
    plan = forms.ChoiceField(
        label=gettext_lazy("Plan"),
        widget=forms.RadioSelect,
        error_messages={
            "required": gettext_lazy("Choose a plan."),
            "invalid_choice": gettext_lazy("This plan is not offered. Choose another one."),
        },
    )
    accepted = forms.BooleanField(
        label=gettext_lazy("These rules of residence are kept for each number"), required=False
    )

    def __init__(
        self,
        *args: Any,
        plans: Sequence[Plan],
        least: Mapping[int, Decimal],
        currency: str,
        areas: Sequence[AreaLeft] | None,
        count: int,
        **more: Any,
    ) -> None:
        super().__init__(*args, **more)
        self.areas = {str(each.area.pk): each for each in areas or ()}
        self.plans, self.count = plans, count
        if areas is None:
            del self.fields["area"]
        else:
            labels = [(pk, _area_label(each)) for pk, each in self.areas.items()]
            _set_choices(self.fields["area"], labels)
        if areas is None or not any(each.area.note for each in areas):
            del self.fields["accepted"]
        if areas is not None and len(plans) == 1:
            del self.fields["plan"]
        else:
            _set_choices(
                self.fields["plan"],
                [(plan.code, _plan_label(plan, least.get(plan.pk), currency)) for plan in plans],
            )

    def clean(self) -> dict[str, Any]:
        """The area has numbers enough, and its rules are accepted."""
        cleaned = super().clean() or self.cleaned_data
        if "plan" not in self.fields:
            cleaned["plan"] = self.plans[0].code
        chosen = self.areas.get(str(cleaned.get("area", "")))
        if chosen is None:
            return cleaned
        if chosen.left < self.count:
            sentence = ngettext(
                "Only %(left)s number is left in %(area)s.",
                "Only %(left)s numbers are left in %(area)s.",
                chosen.left,
            )
            words = {"left": format_number(chosen.left), "area": chosen.area.name}
            self.add_error("area", sentence % words)
        if chosen.area.note and not cleaned.get("accepted"):
            self.add_error("accepted", _("Accept the rules of residence first."))
        return cleaned


def _area_label(each: AreaLeft) -> SafeString:
    left = ngettext("%(count)s number left", "%(count)s numbers left", each.left)
    return _card(each.area.name, left % {"count": format_number(each.left)})


def _plan_label(plan: Plan, least: Decimal | None, currency: str) -> SafeString:
    words = plan_words(plan)
    if least is not None:
        price = (
            pgettext("price", "free")
            if least == 0
            else _("from %(price)s a month") % {"price": format_money(least, currency)}
        )
        words = format_html('<span class="choice-price">{}</span>{}', price, words)
    return _card(plan.name, words)


class PeriodForm(forms.Form):
    """For how long: 1, 3 or 12 months, as far as the plan has a price for them."""

    months = forms.TypedChoiceField(
        label=gettext_lazy("Period"),
        widget=forms.RadioSelect,
        coerce=int,
        error_messages={"required": gettext_lazy("Choose a period.")},
    )

    def __init__(
        self, *args: Any, prices: Mapping[int, Decimal], currency: str, count: int, **more: Any
    ) -> None:
        super().__init__(*args, **more)
        choices = []
        for months, price in prices.items():
            words: object = price_words(price, months, currency)
            if count > 1 and price > 0:
                words = _("%(price)s each · %(total)s in all") % {
                    "price": words,
                    "total": format_money(price * count, currency),
                }
            choices.append((str(months), _card(period_words(months), words)))
        _set_choices(self.fields["months"], choices)
        self.initial.setdefault("months", choices[0][0] if choices else "")


class BuyForm(forms.Form):
    """What the check page showed: if anything is otherwise meanwhile, it is asked again."""

    shown_count = forms.IntegerField(widget=forms.HiddenInput, error_messages=STALE)
    shown_total = forms.DecimalField(widget=forms.HiddenInput, error_messages=STALE)
    numbers = forms.RegexField(
        r"\A[0-9]{1,18}(,[0-9]{1,18})*\Z",
        widget=forms.HiddenInput,
        required=False,
        error_messages=STALE,
    )

    def number_ids(self) -> tuple[int, ...]:
        """The numbers that were shown, by pk; only after ``is_valid``."""
        text: str = self.cleaned_data["numbers"]
        return tuple(int(pk) for pk in text.split(",")) if text else ()


class ReceiverForm(forms.Form):
    """Who receives a number that is handed on."""

    member = forms.TypedChoiceField(
        label=gettext_lazy("New holder"),
        widget=forms.RadioSelect,
        coerce=int,
        error_messages={"required": gettext_lazy("Choose who receives the number.")},
    )
    accepted = forms.BooleanField(
        label=gettext_lazy("The new holder keeps these rules of residence"),
        error_messages={"required": gettext_lazy("Accept the rules of residence first.")},
    )

    def __init__(self, *args: Any, members: Sequence[Member], has_note: bool, **more: Any) -> None:
        super().__init__(*args, **more)
        _set_choices(
            self.fields["member"],
            [(str(member.pk), _card(member.name, member.user.email)) for member in members],
        )
        if not has_note:
            del self.fields["accepted"]


class KindsForm(forms.Form):
    """Which kinds of features a member may have."""

    kinds = forms.MultipleChoiceField(
        label=gettext_lazy("May have"),
        choices=FeatureKind.choices,
        widget=forms.CheckboxSelectMultiple,
        required=False,
    )
