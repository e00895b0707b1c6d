"""The operator's forms for plans, prices and areas. Their one rule: they refuse what an import of
the same would refuse.
"""

from copy import copy
from typing import Any, ClassVar

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from billing.features.catalogue import (
    MOST_MINUTES,
    check_plan,
    is_another,
    is_given,
    read_prefixes,
)
from billing.models import PERIODS, NumberArea, Plan, PlanPrice
from members.countries import COUNTRIES, currency_choices
from skypemgr.lib.amounts import currency_places, parse_typed_amount, write_typed_amount

SECONDS_A_MINUTE = 60
# Field and sentence for each reason of check_plan and read_prefixes.
REASONS = {
    "missing_minutes": ("minutes", _("Enter how many minutes the subscription includes.")),
    "minutes_of_other_kind": ("minutes", _("Only subscriptions include minutes.")),
    "missing_prefixes": ("destinations", _("Enter what the subscription includes.")),
    "prefixes_of_other_kind": ("destinations", _("Only subscriptions have destinations.")),
    "malformed_prefix": (
        "destinations",
        _("Write the beginnings of numbers as digits with the country code, such as 331."),
    ),
    "unknown_destination": (
        "destinations",
        _("The destinations of this country are not known here. Write the beginnings of numbers."),
    ),
    "too_many_prefixes": ("destinations", _("These are too many destinations.")),
    "country_of_other_kind": ("country", _("Only numbers have a country.")),
    "missing_country": ("country", _("Choose the country of the number.")),
    "ends_before_start": ("valid_until", _("The plan cannot end before it begins.")),
}


def country_codes() -> list[tuple[str, str]]:
    """Every country by its code, and none."""
    return [("", "–"), *((code, f"{code} · {each.en}") for code, each in sorted(COUNTRIES.items()))]


class PlanForm(forms.ModelForm):  # type: ignore[type-arg]
    """A plan; what it is stays as it is once somebody had it."""

    country = forms.ChoiceField(
        label=_("country"), required=False, choices=country_codes, help_text=_("Of a number.")
    )
    destinations = forms.CharField(
        label=_("destinations"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text=_(
            "Of a subscription: countries such as FR (their landlines and mobiles), or the "
            "beginnings of numbers such as 331, parted by blanks."
        ),
    )
    minutes = forms.IntegerField(
        label=_("minutes a month"),
        required=False,
        min_value=1,
        max_value=MOST_MINUTES,
        help_text=_("Of a subscription; of an unlimited one its fair use."),
    )

    class Meta:
        model = Plan
        fields = (
            *("code", "kind", "name_en", "name_fr", "country", "is_unlimited"),
            *("valid_from", "valid_until", "position"),
        )
        labels: ClassVar[dict[str, Any]] = {
            "code": _("code"),
            "kind": _("kind"),
            "is_unlimited": _("unlimited within fair use"),
            "valid_from": _("offered from"),
            "valid_until": _("withdrawn on"),
            "position": _("position"),
        }
        help_texts: ClassVar[dict[str, Any]] = {
            "valid_until": _(
                "From this day on it is neither given nor renewed; what is paid stays usable."
            ),
        }

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        plan: Plan = self.instance
        self.fields["code"].disabled = plan.pk is not None
        self.initial["destinations"] = " ".join(plan.prefixes)
        if plan.included_seconds:
            self.initial["minutes"] = plan.included_seconds // SECONDS_A_MINUTE

    def clean(self) -> dict[str, Any]:
        """A plan that makes sense, and is no other one than was given."""
        data: dict[str, Any] = super().clean() or self.cleaned_data
        # What the database would refuse is refused below, in words.
        self._validate_constraints = False
        if self.errors:
            return data
        wanted = copy(self.instance)
        for name, value in data.items():
            setattr(wanted, name, value)
        wanted.included_seconds = data["minutes"] * SECONDS_A_MINUTE if data["minutes"] else None
        try:
            wanted.prefixes = read_prefixes(data["destinations"])
            check_plan(wanted)
        except ValueError as error:
            field, sentence = REASONS[str(error)]
            self.add_error(field, ValidationError(sentence, code=str(error)))
            return data
        if wanted.pk and is_another(Plan.objects.get(pk=wanted.pk), wanted) and is_given(wanted):
            raise ValidationError(
                _(
                    "This plan was given already: its kind, country and minutes stay as they are, "
                    "and destinations are only added. Withdraw it and add another one."
                ),
                code="plan_conflict",
            )
        self.instance.included_seconds = wanted.included_seconds
        self.instance.prefixes = wanted.prefixes
        return data


class PriceForm(forms.ModelForm):  # type: ignore[type-arg]
    """What a plan costs; concerns what is given or renewed from now on."""

    currency = forms.ChoiceField(
        label=_("currency"), choices=lambda: [("", "–"), *currency_choices()]
    )
    months = forms.TypedChoiceField(
        label=_("months"),
        coerce=int,
        choices=[("", "–"), *((months, str(months)) for months in PERIODS)],
    )
    price = forms.CharField(label=_("price"), max_length=30)

    class Meta:
        model = PlanPrice
        fields = ("currency", "months", "price")

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        row: PlanPrice = self.instance
        if row.pk is not None:
            self.fields["currency"].disabled = self.fields["months"].disabled = True
            places = currency_places(row.currency)
            self.initial["price"] = write_typed_amount(row.price, places=places)

    def clean(self) -> dict[str, Any]:
        """The price in the decimals of its currency; 0 is free."""
        data: dict[str, Any] = super().clean() or self.cleaned_data
        if "currency" in data and "price" in data:
            places = currency_places(data["currency"])
            try:
                data["price"] = parse_typed_amount(data["price"], places=places, zero_allowed=True)
            except ValidationError as error:
                self.add_error("price", error)
        return data


class AreaForm(forms.ModelForm):  # type: ignore[type-arg]
    """An area; its rules of residence stand in both languages or in none."""

    country = forms.ChoiceField(label=_("country"), choices=country_codes)

    class Meta:
        model = NumberArea
        fields = ("country", "code", "name", "note_en", "note_fr", "position")
        labels: ClassVar[dict[str, Any]] = {
            "code": _("code"),
            "name": _("name"),
            "note_en": _("rules of residence in English"),
            "note_fr": _("rules of residence in French"),
            "position": _("position"),
        }
        help_texts: ClassVar[dict[str, Any]] = {
            "note_en": _("Whoever gives a number of this area accepts them. Empty: none."),
        }

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        for name in ("country", "code"):
            self.fields[name].disabled = self.instance.pk is not None

    def clean(self) -> dict[str, Any]:
        """Both notes or none."""
        data: dict[str, Any] = super().clean() or self.cleaned_data
        if bool(data.get("note_en")) != bool(data.get("note_fr")):
            empty = "note_fr" if data.get("note_en") else "note_en"
            self.add_error(empty, _("Write the rules in both languages."))
        return data
