"""Forms of one's own profile. Their one rule: shape only, the rules are in the verbs."""

from typing import Any

from django import forms
from django.conf import settings
from django.utils.translation import get_language_info, gettext_lazy
from django.utils.translation import gettext as _

from members.countries import time_zone_choices
from members.models import Member


def language_name(code: str) -> str:
    """The language's name in itself."""
    return str(get_language_info(code)["name_local"]).capitalize()


class ProfileForm(forms.Form):
    """Name, language and time zone; the empty choice follows the company."""

    name = forms.CharField(
        label=gettext_lazy("Name"),
        max_length=150,
        widget=forms.TextInput(attrs={"autocomplete": "name"}),
    )
    language = forms.ChoiceField(
        label=gettext_lazy("Language"),
        required=False,
        help_text=gettext_lazy("Pages and messages to you are in it."),
    )
    time_zone = forms.ChoiceField(
        label=gettext_lazy("Time zone"),
        required=False,
        help_text=gettext_lazy("Times are shown in it. Days and limits stay the company's."),
    )

    def __init__(self, *args: Any, member: Member, **kwargs: Any) -> None:
        user, company = member.user, member.company
        kwargs["initial"] = {
            "name": member.name,
            "language": user.language,
            "time_zone": user.time_zone,
        }
        super().__init__(*args, **kwargs)
        as_company = _("As the company: %(choice)s")
        self.fields["language"].choices = [  # type: ignore[attr-defined]
            ("", as_company % {"choice": language_name(company.language)}),
            *((code, language_name(code)) for code, _name in settings.LANGUAGES),
        ]
        zone = company.present_zone.replace("_", " ")
        self.fields["time_zone"].choices = [  # type: ignore[attr-defined]
            ("", as_company % {"choice": zone}),
            *time_zone_choices(),
        ]
