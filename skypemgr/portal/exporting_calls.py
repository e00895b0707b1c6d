"""Calls as files. Its one rule: a file holds the same lines as the page, digits hidden alike."""

from collections.abc import Iterator

from django.http import HttpResponseBase
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from billing.features.destinations import country_name
from skypemgr.lib.exports import Cell, csv_response, xlsx_response
from skypemgr.portal.queries.calls import Search, all_singles, read_calls, read_days, shown_number


def download_calls(search: Search, *, form: str, language: str) -> HttpResponseBase:
    """All lines that the search finds, as ``csv`` or ``xlsx``."""
    is_single = search.shows_member or search.shows_day
    header, rows = _singles(search, language) if is_single else _days(search)
    name = f"calls-{search.span.slug}"
    if form == "xlsx":
        return xlsx_response(name, header, rows, sheet=_("Calls"))
    return csv_response(name, header, rows, language=language)


def _singles(search: Search, language: str) -> tuple[list[Cell], Iterator[list[Cell]]]:
    currency = search.scope.company.currency
    # Rows are read while they are sent: the reader's zone and language are not active then.
    zone, others_name = timezone.get_current_timezone(), _("All others")
    header: list[Cell] = [
        _("Start"),
        _("Date"),
        _("Booked on"),
        _("Member"),
        _("Number"),
        _("Country"),
        _("Calls"),
        *_measures(),
    ]

    def rows() -> Iterator[list[Cell]]:
        for line in all_singles(search):
            yield [
                timezone.localtime(line.started_at, zone),
                line.started_on,
                line.booked_on,
                line.member,
                shown_number(search, line),
                _country(line.country, language),
                1,
                line.duration_seconds,
                line.included_seconds,
                line.price,
                line.collected,
                line.uncollected,
                currency,
            ]
        others = read_calls(search, limit=1).others
        if others and others.calls_count:
            day = search.span.first
            yield [None, day, None, others_name, None, None, *others.all, currency]

    return header, rows()


def _days(search: Search) -> tuple[list[Cell], Iterator[list[Cell]]]:
    currency = search.scope.company.currency
    header: list[Cell] = [_("Date"), _("Calls"), *_measures()]
    return header, ([line.day, *line.sums.all, currency] for line in read_days(search))


def _country(code: str, language: str) -> str:
    with translation.override(language):
        return country_name(code) if code else ""


def _measures() -> list[Cell]:
    return [
        _("Duration (seconds)"),
        _("Included (seconds)"),
        _("Price"),
        _("Paid"),
        _("Not collected"),
        _("Currency"),
    ]
