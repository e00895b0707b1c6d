"""Forms of voicemail, forwarding and caller ID. Their one rule: shape only, the verbs decide."""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from billing.features.phones import Phone, Target, VoicemailTerms
from billing.features.settings import LONGEST_TEXT
from billing.features.targets import LONGEST
from billing.models import MOST_SECONDS, MOST_TARGETS, PhoneSettings
from skypemgr.lib.errors import ProductError
from skypemgr.lib.phones import readable_number

SECONDS = _("Write a number of seconds from 0 to 120.")
USUAL_SECONDS = 20


class _Seconds(forms.IntegerField):
    """How long it rings, from 0 to 120."""

    def __init__(self, **options: Any) -> None:
        errors = dict.fromkeys(("required", "invalid", "min_value", "max_value"), SECONDS)
        super().__init__(
            min_value=0,
            max_value=MOST_SECONDS,
            error_messages=errors,
            widget=forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "off"}),
            **options,
        )


class VoicemailForm(forms.Form):
    """How voicemail answers."""

    use_required_attribute = False

    is_on = forms.BooleanField(label=_("Voicemail answers calls"), required=False)
    answer_after_seconds = _Seconds(label=_("Answers after"))
    greeting = forms.ChoiceField(
        label=_("Greeting"), choices=PhoneSettings.Greeting.choices, widget=forms.RadioSelect
    )
    greeting_text = forms.CharField(
        label=_("Words to be read out"),
        max_length=LONGEST_TEXT,
        widget=forms.Textarea(attrs={"rows": 3}),
        error_messages={"required": _("Write the words to be read out.")},
    )
    greeting_language = forms.ChoiceField(
        label=_("Language of the greeting"), choices=PhoneSettings.Language.choices
    )
    email = forms.EmailField(
        label=_("Tell of new messages by e-mail to"),
        required=False,
        max_length=254,
        widget=forms.EmailInput(attrs={"autocomplete": "off"}),
    )

    def __init__(self, *args: Any, is_own: bool = False, **more: Any) -> None:
        super().__init__(*args, **more)
        field = self.fields["greeting"]
        if is_own and isinstance(field, forms.ChoiceField):
            name = PhoneSettings.Greeting.NAME
            field.choices = [
                (value, _("A greeting with your name") if value == name else label)
                for value, label in PhoneSettings.Greeting.choices
            ]

    def clean(self) -> dict[str, Any]:
        """Words are needed only where they are read out."""
        cleaned = super().clean() or self.cleaned_data
        if cleaned.get("greeting") != PhoneSettings.Greeting.TEXT:
            cleaned.setdefault("greeting_text", "")
            self.errors.pop("greeting_text", None)
        return cleaned

    @classmethod
    def start(cls, phone: Phone) -> dict[str, Any]:
        """What the form shows at first."""
        terms = phone.voicemail
        return {name: getattr(terms, name) for name in cls.base_fields}

    def terms(self) -> VoicemailTerms:
        """What was typed."""
        return VoicemailTerms(**self.cleaned_data)


class ForwardingForm(forms.Form):
    """Up to three numbers in order; what is empty is left out."""

    use_required_attribute = False

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        labels = (_("First number"), _("Second number"), _("Third number"))
        for place, label in enumerate(labels):
            self.fields[f"number_{place}"] = forms.CharField(
                label=label,
                required=False,
                max_length=LONGEST,
                widget=forms.TextInput(attrs={"type": "tel", "autocomplete": "off"}),
            )
            self.fields[f"delay_{place}"] = _Seconds(
                label=_("Rings there after"), initial=USUAL_SECONDS
            )

    @property
    def rows(self) -> list[tuple[forms.BoundField, forms.BoundField]]:
        """Number and seconds, side by side."""
        return [(self[f"number_{place}"], self[f"delay_{place}"]) for place in range(MOST_TARGETS)]

    @classmethod
    def start(cls, phone: Phone) -> dict[str, Any]:
        """What the form shows at first."""
        shown: dict[str, Any] = {}
        for place, each in enumerate(phone.targets):
            shown[f"number_{place}"] = readable_number(each.number)
            shown[f"delay_{place}"] = each.delay_seconds
        return shown

    def clean(self) -> dict[str, Any]:
        """Seconds are needed only where there is a number."""
        cleaned = super().clean() or self.cleaned_data
        for place in range(MOST_TARGETS):
            number = f"number_{place}"
            if number not in self.errors and not cleaned.get(number):
                self.errors.pop(f"delay_{place}", None)
        return cleaned

    def targets(self) -> list[Target]:
        """What was typed, in order."""
        data = self.cleaned_data
        return [Target(data[f"number_{place}"], data[f"delay_{place}"]) for place in self._used()]

    def add_refusal(self, error: ProductError) -> None:
        """The refusal stands beside the field that it names, such as ``targets.0.number``."""
        parts = error.field.split(".")
        name = None
        if len(parts) == len(("targets", "place", "name")):
            kind = "number" if parts[2] == "number" else "delay"
            name = f"{kind}_{self._used()[int(parts[1])]}"
        self.add_error(name, str(error))

    def _used(self) -> list[int]:
        return [place for place in range(MOST_TARGETS) if self.cleaned_data.get(f"number_{place}")]


class CallerIdForm(forms.Form):
    """One of the own numbers, or none."""

    number = forms.ChoiceField(
        label=_("Number shown to those who are called"), required=False, widget=forms.RadioSelect
    )

    def __init__(self, *args: Any, numbers: Sequence[str], **more: Any) -> None:
        super().__init__(*args, **more)
        field = self.fields["number"]
        if isinstance(field, forms.ChoiceField):
            field.choices = [
                *((number, readable_number(number)) for number in numbers),
                ("", _("None of them: the phone system decides")),
            ]

    @classmethod
    def start(cls, phone: Phone) -> dict[str, Any]:
        """What the form shows at first."""
        return {"number": phone.caller_id or ""}
