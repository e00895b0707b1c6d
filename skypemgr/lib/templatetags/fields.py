"""Tags that draw a form: label above, help under, error beside, all tied together for readers.

One rule: a field is drawn once, here; pages never write an input of a form by hand.
"""

from typing import Any

from django import forms, template
from django.forms.boundfield import BoundField
from django.template.loader import render_to_string
from django.utils.html import format_html_join
from django.utils.safestring import SafeString

from skypemgr.lib import formats

register = template.Library()

_CLASSES = {
    "check": "form-check-input",
    # A group of choices puts its attributes on the group as well: no class of one box.
    "choices": "",
    "select": "form-select",
    "text": "form-control",
}


@register.simple_tag
def field(
    bound: BoundField,
    label: str | None = None,
    help: str | None = None,  # noqa: A002 - the name that templates read best
    currency: str = "",
    prefix: str = "",
    suffix: str = "",
    **attributes: Any,
) -> SafeString:
    """`{% field form.amount currency="EUR" %}` draws one field with its label, help and errors.

    Other names become attributes of the input, `_` as `-`; `looks="cards"` draws choices as cards.
    """
    looks = str(attributes.pop("looks", ""))
    kind = _kind_of(bound)
    help_text = bound.help_text if help is None else help
    own = {name.replace("_", "-"): value for name, value in attributes.items()}
    if currency:
        own = {"inputmode": "decimal", "autocomplete": "off", **own}
        symbol = formats.currency_symbol(currency)
        french = formats.format_money(0, currency).endswith(symbol)
        prefix, suffix = ("", symbol) if french else (symbol, "")
    values = {
        "field": bound,
        "kind": kind,
        "looks": looks,
        "label": bound.label if label is None else label,
        "help": help_text,
        "help_id": f"{bound.auto_id}_help",
        "error_id": f"{bound.auto_id}_error",
        "prefix": prefix,
        "suffix": suffix,
        "control": _control(bound, kind, bool(help_text), own),
    }
    return render_to_string("components/form_field.html", values)


@register.simple_tag
def form_errors(form: forms.BaseForm) -> SafeString:
    """`{% form_errors form %}` sums the errors up on top, each a link to its field."""
    lines = [
        {"target": bound.auto_id, "label": bound.label, "errors": bound.errors}
        for bound in form.visible_fields()
        if bound.errors
    ]
    hidden = [error for bound in form.hidden_fields() for error in bound.errors]
    general = [*form.non_field_errors(), *hidden]
    return render_to_string("components/form_errors.html", {"general": general, "lines": lines})


@register.simple_tag
def form_fields(form: forms.BaseForm) -> SafeString:
    """`{% form_fields form %}` draws the summary of errors and every field in order."""
    pieces = [form_errors(form)]
    pieces += [bound.as_widget() for bound in form.hidden_fields()]
    pieces += [field(bound) for bound in form.visible_fields()]
    return format_html_join("", "{}", ((piece,) for piece in pieces))


def _kind_of(bound: BoundField) -> str:
    widget = bound.field.widget
    if isinstance(widget, forms.CheckboxInput):
        return "check"
    if isinstance(widget, forms.RadioSelect | forms.CheckboxSelectMultiple):
        return "choices"
    return "select" if isinstance(widget, forms.Select) else "text"


def _control(bound: BoundField, kind: str, has_help: bool, own: dict[str, Any]) -> SafeString:
    given = str(bound.field.widget.attrs.get("class", ""))
    classes = [_CLASSES[kind], given, str(own.pop("class", ""))]
    if bound.errors:
        classes.append("is-invalid")
    attributes = {**own, "class": " ".join(name for name in classes if name)}
    described = [f"{bound.auto_id}_error"] if bound.errors else []
    if has_help:
        described.append(f"{bound.auto_id}_help")
    if described:
        attributes["aria-describedby"] = " ".join(described)
    if bound.errors:
        attributes["aria-invalid"] = "true"
    return bound.as_widget(attrs=attributes)
