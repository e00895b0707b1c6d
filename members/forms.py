"""Forms of the pages about people. Their one rule: shape only, the rules are in the verbs."""

from typing import Any

from django import forms
from django.conf import settings
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from members.actors import Actor
from members.countries import (
    country_choices,
    currency_choices,
    time_zone_choices,
)
from members.import_columns import FIELDS
from members.models import ImportJob, Invitation, Member, MemberList
from members.models.people import Role

Way = Invitation.Way
NO_LIST = "none"


def lists_of(actor: Actor) -> Any:
    """The company's lists in use, by name."""
    return MemberList.objects.filter(company=actor.company, archived_at=None).order_by("name_key")


class ListField(forms.ModelChoiceField):  # type: ignore[type-arg]
    """One of the company's lists, or none."""

    def __init__(self, actor: Actor, **kwargs: Any) -> None:
        super().__init__(
            queryset=lists_of(actor),
            required=False,
            label=_("List"),
            empty_label=_("Not in a list"),
            error_messages={"invalid_choice": _("Choose a list from the list.")},
            **kwargs,
        )


class CompanyForm(forms.Form):
    """Name and terms of a new company."""

    name = forms.CharField(
        label=_("Company name"),
        max_length=150,
        widget=forms.TextInput(attrs={"autocomplete": "organization", "autofocus": True}),
    )
    country = forms.ChoiceField(label=_("Country"))
    currency = forms.ChoiceField(
        label=_("Currency"),
        help_text=_("It cannot be changed once the company has bought or shared out credit."),
    )
    time_zone = forms.ChoiceField(
        label=_("Time zone"), help_text=_("Days, months and limits are counted in it.")
    )
    language = forms.ChoiceField(label=_("Language"), choices=settings.LANGUAGES)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["country"].choices = country_choices(get_language() or "en")  # type: ignore[attr-defined]
        self.fields["currency"].choices = currency_choices()  # type: ignore[attr-defined]
        self.fields["time_zone"].choices = time_zone_choices()  # type: ignore[attr-defined]


class InviteForm(forms.Form):
    """Step 1: the way, and who."""

    way = forms.ChoiceField(
        label=_("How do you invite them?"),
        choices=(
            (Way.EMAIL, _("By e-mail address")),
            (Way.USERNAME, _("By user name")),
            (Way.PHONE, _("By phone number")),
        ),
        initial=Way.EMAIL,
        widget=forms.RadioSelect,
    )
    addresses = forms.CharField(
        label=_("E-mail addresses, user names or phone numbers"),
        help_text=_("One or several: one per line, or with commas or semicolons between them."),
        max_length=60_000,
        widget=forms.Textarea(
            attrs={"rows": 6, "autocapitalize": "none", "spellcheck": "false", "autofocus": True}
        ),
        error_messages={"required": _("Enter at least one address, name or number.")},
    )


class InviteTermsForm(forms.Form):
    """Step 2: list and role; the way and addresses travel along as they were typed."""

    way = forms.ChoiceField(choices=Way, widget=forms.HiddenInput)
    addresses = forms.CharField(max_length=60_000, widget=forms.HiddenInput)
    role = forms.ChoiceField(label=_("Role"), choices=Role, initial=Role.MEMBER)
    new_list = forms.CharField(label=_("List name"), max_length=80, required=False)

    def __init__(self, *args: Any, actor: Actor, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["list"] = ListField(
            actor, help_text=_("They join it when they accept the invitation.")
        )


class CreateMemberForm(forms.Form):
    """A new account."""

    name = forms.CharField(
        label=_("Name"), max_length=150, widget=forms.TextInput(attrs={"autofocus": True})
    )
    email = forms.EmailField(
        label=_("E-mail address"), help_text=_("A link to set a password is sent to it.")
    )
    username = forms.CharField(
        label=_("User name"),
        max_length=64,
        required=False,
        help_text=_("To sign in with, instead of the e-mail address."),
        widget=forms.TextInput(attrs={"autocapitalize": "none", "spellcheck": "false"}),
    )
    phone = forms.CharField(
        label=_("Phone number"),
        max_length=32,
        required=False,
        widget=forms.TextInput(attrs={"type": "tel"}),
    )
    role = forms.ChoiceField(label=_("Role"), choices=Role, initial=Role.MEMBER)

    field_order = ("name", "email", "username", "phone", "list", "role")

    def __init__(self, *args: Any, actor: Actor, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["list"] = ListField(actor)
        self.order_fields(self.field_order)


class DetailsForm(forms.Form):
    """What administrators may change about a member."""

    name = forms.CharField(label=_("Name"), max_length=150)
    job_title = forms.CharField(label=_("Job title"), max_length=100, required=False)
    work_email = forms.EmailField(label=_("Work e-mail"), required=False)
    work_phone = forms.CharField(
        label=_("Work phone"),
        max_length=32,
        required=False,
        widget=forms.TextInput(attrs={"type": "tel"}),
    )
    new_list = forms.CharField(
        label=_("Create a list"),
        max_length=80,
        required=False,
        help_text=_("Enter a name here to create a list and put the member in it."),
    )
    role = forms.ChoiceField(label=_("Role"), choices=Role)
    cost_centre = forms.CharField(label=_("Cost centre"), max_length=40, required=False)

    field_order = (
        "name",
        "job_title",
        "work_email",
        "work_phone",
        "list",
        "new_list",
        "role",
        "cost_centre",
    )

    def __init__(self, *args: Any, actor: Actor, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["list"] = ListField(actor)
        self.order_fields(self.field_order)

    @classmethod
    def of_member(cls, member: Member, actor: Actor) -> "DetailsForm":
        """The form as the member is now."""
        initial = {name: getattr(member, name) for name in cls.field_order if name != "new_list"}
        return cls(actor=actor, initial=initial)


class ListNameForm(forms.Form):
    """The name of a list."""

    name = forms.CharField(
        label=_("List name"), max_length=80, widget=forms.TextInput(attrs={"autofocus": True})
    )


class MoveForm(forms.Form):
    """Where members go: a list, a new one, or none."""

    new_list = forms.CharField(
        label=_("Create a list"),
        max_length=80,
        required=False,
        help_text=_("Enter a name here to create a list and move them there."),
    )

    def __init__(self, *args: Any, actor: Actor, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # Nobody leaves a list because a choice was forgotten: "none" has to be chosen too.
        choices = [(str(found.pk), found.name) for found in lists_of(actor)]
        self.fields["list"] = forms.ChoiceField(
            label=_("List"),
            choices=[("", _("Choose a list")), *choices, (NO_LIST, _("Not in a list"))],
            required=False,
            error_messages={"invalid_choice": _("Choose a list from the list.")},
        )
        self.order_fields(("list", "new_list"))

    def clean(self) -> dict[str, Any]:
        """One of the two is filled in."""
        values: dict[str, Any] = super().clean() or {}
        if not self.errors and not values.get("list") and not values.get("new_list"):
            self.add_error("list", _("Choose a list from the list."))
        return values


class ImportFileForm(forms.Form):
    """A file with members."""

    file = forms.FileField(
        label=_("File"),
        help_text=_("CSV or XLSX; the first line names the columns."),
        widget=forms.ClearableFileInput(attrs={"accept": ".csv,.tsv,.txt,.xlsx"}),
        error_messages={"empty": _("The file has no rows."), "required": _("Choose a file.")},
    )


class ImportColumnsForm(forms.Form):
    """Which column of the file holds what."""

    def __init__(self, *args: Any, job: ImportJob, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        columns = [
            (str(index), name or _("Column %(number)s") % {"number": index + 1})
            for index, name in enumerate(job.header)
        ]
        for name, label in FIELDS.items():
            self.fields[name] = forms.ChoiceField(
                label=label,
                choices=[("", _("Not in the file")), *columns],
                required=name == "email",
                initial=str(job.mapping.get(name, "")),
                error_messages={"required": _("Say which column holds the e-mail address.")},
            )

    def mapping(self) -> dict[str, int]:
        """The chosen column of each field that has one."""
        return {name: int(index) for name, index in self.cleaned_data.items() if index}


class ImportChoiceForm(forms.Form):
    """What happens when a row cannot be imported."""

    mode = forms.ChoiceField(
        label=_("If a row cannot be imported"),
        choices=(
            ("skip", _("Skip it and import the others")),
            ("all", _("Import nothing: all rows or none")),
        ),
        widget=forms.RadioSelect,
    )
