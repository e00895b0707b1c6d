"""Forms of the portal's pages. Their one rule: shape only, the rules are in the verbs."""

from collections.abc import Mapping
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from skypemgr.lib.formats import format_month
from skypemgr.portal.models import Export
from skypemgr.portal.reports.catalogue import REPORTS
from skypemgr.portal.spans import Kind, Span

CHOSEN_DAYS = "days"
# What only one report understands; several are cut by list and member at most.
OF_ONE_REPORT = ("by", "kind", "sort")
KEPT_FILTERS = (*OF_ONE_REPORT, "list", "member")


class ExportForm(forms.Form):
    """Which reports of which days come as which kind of file."""

    reports = forms.MultipleChoiceField(
        label=_("Reports"),
        widget=forms.CheckboxSelectMultiple,
        error_messages={
            "required": _("Choose at least one report."),
            "invalid_choice": _("There is no such report."),
        },
    )
    days = forms.ChoiceField(label=_("Days"))
    # Named as in an address; a field cannot be called from.
    first = forms.CharField(
        label=_("First day"), max_length=20, widget=forms.DateInput(attrs={"type": "date"})
    )
    last = forms.CharField(
        label=_("Last day"), max_length=20, widget=forms.DateInput(attrs={"type": "date"})
    )
    format = forms.ChoiceField(
        label=_("Format"),
        choices=[
            (Export.Form.CSV, _("CSV, for any program")),
            (Export.Form.XLSX, _("Excel, ready to work with")),
            (Export.Form.PDF, _("PDF, to read and print")),
            (Export.Form.JSON, _("JSON, for developers")),
        ],
        widget=forms.RadioSelect,
        initial=Export.Form.CSV,
    )

    def __init__(self, data: Any = None, *, span: Span, **kwargs: Any) -> None:
        super().__init__(data, **kwargs)
        self._choices_of("reports", [(name, entry.title) for name, entry in REPORTS.items()])
        months = [(f"month={day:%Y-%m}", format_month(day)) for day in span.months]
        years = [(f"year={year}", str(year)) for year in span.years]
        chosen = [(CHOSEN_DAYS, _("The days below"))]
        self._choices_of("days", [*chosen, (_("Months"), months), (_("Years"), years)])

    def _choices_of(self, name: str, choices: list[Any]) -> None:
        field = self.fields[name]
        if isinstance(field, forms.ChoiceField):
            field.choices = choices

    def clean(self) -> dict[str, Any]:
        """Both of the days below are there, if it is they that are wanted."""
        cleaned: dict[str, Any] = super().clean() or {}
        if cleaned.get("days") != CHOSEN_DAYS:
            for name in ("first", "last"):
                self.errors.pop(name, None)
        return cleaned

    @property
    def wanted(self) -> dict[str, str]:
        """The days as in a report's address."""
        days = self.cleaned_data["days"]
        if days == CHOSEN_DAYS:
            return {"from": self.cleaned_data["first"], "to": self.cleaned_data["last"]}
        name, _sign, value = days.partition("=")
        return {name: value}

    @staticmethod
    def field_of(name: str) -> str | None:
        """The field of the form for a field of an address; None if there is none."""
        known = {"from": "first", "to": "last", "month": "days", "year": "days"}
        field = known.get(name, name)
        return field if field in ExportForm.base_fields else None


def first_values(span: Span, query: Mapping[str, str]) -> dict[str, Any]:
    """What stands in the form at first: the reports, days and format of an address."""
    parameters = span.parameters
    is_chosen = span.kind == Kind.DAYS
    names = named_reports(query)
    form = query.get("format", "")
    return {
        "reports": names or ["summary"],
        "days": CHOSEN_DAYS if is_chosen else "=".join(next(iter(parameters.items()))),
        "first": span.first.isoformat() if is_chosen else "",
        "last": span.last.isoformat() if is_chosen else "",
        "format": form if form in Export.Form.values else Export.Form.CSV,
    }


def named_reports(query: Mapping[str, str]) -> list[str]:
    """The reports that an address names."""
    return [name for name in query.get("reports", "").split(",") if name in REPORTS]


def kept_filters(
    given: Mapping[str, str], reports: list[str], *, named: list[str]
) -> dict[str, str]:
    """The filters that the chosen reports understand: a cut only if the one that had it, which the
    address named, is the one that is chosen.
    """
    is_same = len(reports) == 1 and reports == named
    names = KEPT_FILTERS if is_same else ("list", "member")
    return {name: given[name] for name in names if given.get(name)}
