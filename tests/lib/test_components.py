"""What the pieces of the pages draw, and the promises that all of them keep."""

import hashlib
import re
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django import forms
from django.conf import settings
from django.core.paginator import Paginator
from django.template import Context, Template
from django.template.loader import get_template, render_to_string
from django.test import RequestFactory
from django.utils import translation

from skypemgr.lib import icons
from skypemgr.lib.templatetags.ui import initials

PROJECT = Path(settings.BASE_DIR)
OWN_TEMPLATES = sorted((PROJECT / "templates" / "components").glob("*.html")) + [
    PROJECT / "templates" / name
    for name in (
        "base.html",
        "base_plain.html",
        "403.html",
        "403_csrf.html",
        "404.html",
        "500.html",
    )
]


def draw(source: str, **values: Any) -> str:
    return Template("{% load ui fields formats %}" + source).render(Context(values))


class AmountForm(forms.Form):
    amount = forms.CharField(help_text="Credit stays with the member.")
    note = forms.CharField(required=False)
    method = forms.ChoiceField(widget=forms.RadioSelect, choices=[("card", "Card")])
    form_key = forms.CharField(widget=forms.HiddenInput, initial="k-1")


def test_an_unknown_icon_is_an_error() -> None:
    with pytest.raises(icons.UnknownIconError):
        icons.render_icon("no-such-icon")


def test_an_icon_name_cannot_lead_out_of_its_folder() -> None:
    with pytest.raises(icons.UnknownIconError):
        icons.render_icon("../logo")


def test_an_icon_is_silent_unless_it_has_a_label() -> None:
    assert 'aria-hidden="true"' in draw('{% icon "users" %}')
    assert 'role="img" aria-label="Members &lt;3"' in draw(
        '{% icon "users" label=words %}', words="Members <3"
    )


@pytest.mark.parametrize(
    ("name", "letters"),
    [("Alice Martin", "AM"), ("bob", "B"), ("Jean-Luc de la Tour", "JT"), ("", "·"), ("@ !", "·")],
)
def test_initials_are_at_most_two_letters(name: str, letters: str) -> None:
    assert initials(name) == letters


def test_what_a_person_typed_is_escaped_everywhere() -> None:
    html = draw(
        "{% card title=evil subtitle=evil %}{{ evil }}{% endcard %}{% avatar evil %}"
        "{% badge evil %}{% stat evil evil %}{% notice title=evil %}{{ evil }}{% endnotice %}"
        "{% page_header title=evil %}{% endpage_header %}{% copy_button evil evil %}"
        "{% empty_state title=evil %}{% endempty_state %}{% table label=evil %}{% endtable %}"
        "{% steps 1 evil %}{% progress 1 2 evil %}{% before_after evil evil evil %}",
        evil="<script>\"'",
    )
    assert "<script" not in html
    assert "&lt;script&gt;" in html


def test_an_empty_page_header_draws_no_place_for_actions() -> None:
    assert "page-actions" not in draw('{% page_header title="A" %} {% endpage_header %}')
    assert "page-actions" in draw('{% page_header title="A" %}<a>b</a>{% endpage_header %}')


def test_a_field_is_tied_to_its_label_help_and_error() -> None:
    form = AmountForm({"amount": "", "method": "card"})
    html = draw("{% field form.amount %}", form=form)
    assert '<label class="form-label" for="id_amount">' in html
    assert 'aria-describedby="id_amount_error id_amount_help"' in html
    assert 'aria-invalid="true"' in html
    assert 'id="id_amount_error"' in html
    assert 'id="id_amount_help"' in html


def test_a_field_without_error_is_not_marked() -> None:
    html = draw("{% field form.amount %}", form=AmountForm())
    assert "aria-invalid" not in html
    assert 'aria-describedby="id_amount_help"' in html


def test_only_what_may_be_left_empty_says_so() -> None:
    assert "form-optional" in draw("{% field form.note %}", form=AmountForm())
    assert "form-optional" not in draw("{% field form.amount %}", form=AmountForm())


@pytest.mark.parametrize(("language", "after"), [("fr", True), ("en", False)])
def test_the_currency_stands_where_the_language_puts_it(language: str, after: bool) -> None:
    with translation.override(language):
        html = draw('{% field form.amount currency="EUR" %}', form=AmountForm())
    assert (html.index("<input") < html.index("€")) is after
    assert 'inputmode="decimal"' in html


def test_names_given_to_a_field_become_attributes() -> None:
    html = draw('{% field form.amount data_preview_amount="" %}', form=AmountForm())
    assert "data-preview-amount" in html


def test_choices_are_a_group_with_a_legend() -> None:
    html = draw('{% field form.method looks="cards" %}', form=AmountForm())
    assert "<fieldset" in html
    assert "<legend" in html


def test_errors_are_summed_up_with_links_to_the_fields() -> None:
    form = AmountForm({"amount": "", "method": "card", "form_key": ""})
    form.add_error(None, "The company is closed.")
    html = draw("{% form_errors form %}", form=form)
    assert 'href="#id_amount"' in html
    assert "The company is closed." in html
    assert html.count("This field is required.") == 2, "the hidden field's error is told too"


def test_a_form_without_errors_has_no_summary() -> None:
    assert draw("{% form_errors form %}", form=AmountForm()).strip() == ""


def test_a_whole_form_carries_its_hidden_fields() -> None:
    assert 'value="k-1"' in draw("{% form_fields form %}", form=AmountForm())


def test_a_chart_says_its_numbers_in_a_table_too() -> None:
    data = {
        "id": "year",
        "currency": "EUR",
        "labels": ["Oct", "Nov"],
        "series": [{"kind": "calls", "label": "Calls", "values": [Decimal("1.5"), Decimal(2)]}],
    }
    html = draw('{% chart data title="Calls" %}', data=data)
    assert 'data-chart="chart-year"' in html
    assert '<script id="chart-year" type="application/json">' in html
    assert "€1.50" in html
    assert "€3.50" in html, "the total"


def test_a_chart_without_values_says_so_in_words() -> None:
    data = {"labels": ["Nov"], "series": [{"kind": "calls", "label": "Calls", "values": [0]}]}
    html = draw('{% chart data empty="No call yet." %}', data=data)
    assert "No call yet." in html
    assert "<canvas" not in html


def test_pages_keep_the_rest_of_the_query() -> None:
    page = Paginator(range(30), 10).get_page(2)
    request = RequestFactory().get("/members/?q=bob&page=2")
    html = render_to_string("components/pagination.html", {"page": page}, request=request)
    assert 'href="?q=bob&amp;page=3"' in html
    assert "11 to 20 of 30" in html


def test_one_page_needs_no_pages() -> None:
    page = Paginator(range(3), 10).get_page(1)
    assert render_to_string("components/pagination.html", {"page": page}).strip() == ""


def test_a_movement_shows_its_sign_and_a_missing_amount_shows_nothing() -> None:
    assert 'amount-in">+€5.00' in draw('{% movement five "EUR" %}', five=Decimal(5))
    assert draw('{{ nothing|money:"EUR" }}', nothing=None) == ""


def test_a_share_of_nothing_is_not_a_percentage() -> None:
    assert draw("{{ part|share_of:whole }}", part=Decimal(1), whole=Decimal(0)) == ""
    assert draw("{{ part|share_of:whole }}", part=Decimal(1), whole=Decimal(4)) == "25%"


@pytest.mark.parametrize("language", ["en", "fr"])
def test_the_server_error_page_needs_no_context(language: str) -> None:
    with translation.override(language):
        assert 'class="fault-code">500<' in get_template("500.html").render()


@pytest.mark.parametrize("path", OWN_TEMPLATES, ids=lambda path: path.name)
def test_no_piece_needs_what_the_content_policy_forbids(path: Path) -> None:
    source = path.read_text(encoding="utf-8")
    assert not re.search(r"\sstyle=", source)
    assert not re.search(r"\son[a-z]+=", source)
    assert not re.search(r"<style|javascript:", source)
    assert all(" src=" in tag for tag in re.findall(r"<script[^>]*>", source))


def test_every_icon_named_in_a_template_is_there() -> None:
    for path in (PROJECT / "templates").rglob("*.html"):
        for name in re.findall(r'{% icon "([^"]+)"', path.read_text(encoding="utf-8")):
            assert icons.read_icon(name), path


def test_no_style_sheet_or_script_of_ours_reaches_out() -> None:
    for path in [*(PROJECT / "static/css").glob("*.css"), *(PROJECT / "static/js").glob("*.js")]:
        assert not re.search(r"(https?:)?//[a-z]+\.[a-z]", path.read_text(encoding="utf-8")), path


def test_what_is_vendored_is_what_is_written_down() -> None:
    vendor = PROJECT / "static" / "vendor"
    noted = (vendor / "VERSIONS").read_text(encoding="utf-8")
    for path in vendor.rglob("*"):
        if path.suffix in {".css", ".js", ".woff2"}:
            checksum = hashlib.sha256(path.read_bytes()).hexdigest()
            assert f"{checksum}  {path.relative_to(vendor).as_posix()}" in noted
