"""Files of calls: the same lines as the page, digits hidden alike, whole or refused."""

import csv
import io
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from openpyxl import load_workbook

from credit.models import Call
from members.models import Member
from skypemgr.portal import exporting_calls
from tests.conftest import ClientOf, give, make_member
from tests.portal.test_calls import (
    BRITISH,
    DAY,
    LANDLINE,
    MOBILE,
    agree,
    callers,
    page,
    phone,
)

__all__ = ["callers"]
ODD_NAMES = (
    "=cmd|' /C calc'!A0",
    "\u00a0＋1 שלום \u202eabc",
    '🙂 "Zoé"; Renée, Cie',
    "two\r\nlines\tand a tab",
    "100%s %(name)s \\. '",
)
ONE_DAY = {"from": "2026-09-18", "to": "2026-09-18"}
SEPARATORS = {"en": ",", "fr": ";"}


def csv_rows(response: Any, language: str = "en") -> list[list[str]]:
    """The lines below the header."""
    assert response.status_code == 200
    assert response["Content-Disposition"].endswith('.csv"')
    text = b"".join(response.streaming_content).decode("utf-8-sig")
    rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=SEPARATORS[language]))
    assert {len(row) for row in rows} == {13}
    return rows[1:]


def sheet_rows(response: Any) -> list[tuple[Any, ...]]:
    """The same of a workbook."""
    assert response.status_code == 200
    file = io.BytesIO(b"".join(response.streaming_content))
    return list(load_workbook(file).worksheets[0].iter_rows(min_row=2, values_only=True))


def cell_of(value: Any, language: str) -> str:
    """What a CSV holds for a cell of a workbook."""
    if value is None:
        return ""
    day = "%d/%m/%Y" if language == "fr" else "%Y-%m-%d"
    if isinstance(value, datetime):
        # Days are datetimes in a workbook too.
        instant = f"{value:{day} %H:%M:%S}"
        return instant.removesuffix(" 00:00:00")
    if isinstance(value, int | float):
        text = f"{Decimal(str(value)).normalize():f}"
        return text.replace(".", ",") if language == "fr" else text
    # A workbook's own way to write a carriage return.
    return str(value).replace("_x000D_\n", "\n")


def plain(cell: str, language: str) -> str:
    """A cell of a CSV without the apostrophe of text and the zeros of an amount."""
    text = cell.removeprefix("'")
    mark = "," if language == "fr" else "."
    whole, point, rest = text.partition(mark)
    if point and len(rest) == 4 and (whole + rest).lstrip("-").isdigit():
        return f"{whole}{mark}{rest}".rstrip("0").rstrip(mark)
    return text.replace("\r\n", "\n")


@pytest.fixture
def odd_callers(callers: tuple[Member, ...]) -> tuple[Member, ...]:
    """Alice, Bob and five with odd names agree to be shown, and called; Carol did not agree."""
    alice, bob, _carol = callers
    people = [make_member(alice.company, f"odd{place}") for place in range(len(ODD_NAMES))]
    for member, name in zip(people, ODD_NAMES, strict=True):
        Member.objects.filter(pk=member.pk).update(name=name)
        give(alice, member, "2", now=DAY - timedelta(days=1))
    destinations = (BRITISH, MOBILE, LANDLINE, "112", "+12125550123")
    for place, (member, destination) in enumerate(zip(people, destinations, strict=True)):
        phone(member, destination, DAY + timedelta(minutes=20, seconds=place, microseconds=999_999))
    phone(alice, MOBILE, DAY + timedelta(hours=5), seconds=600)
    agree(alice, bob, *people)
    return (alice, bob, *people)


@pytest.mark.django_db
@pytest.mark.parametrize("language", ["en", "fr"])
@pytest.mark.parametrize("zone", ["Europe/Paris", "Asia/Kathmandu"])
def test_the_csv_holds_the_lines_of_the_page_and_of_the_workbook(
    odd_callers: tuple[Member, ...], client_of: ClientOf, api: Any, language: str, zone: str
) -> None:
    alice = odd_callers[0]
    type(alice.user).objects.filter(pk=alice.user.pk).update(language=language, time_zone=zone)
    browser = client_of(alice)
    rows = csv_rows(browser.get("/calls/export/", ONE_DAY), language)
    book = sheet_rows(browser.get("/calls/export/", {**ONE_DAY, "format": "xlsx"}))
    assert len(rows) == len(book) == 3 + len(ODD_NAMES) + 1 + 1
    assert [[plain(cell, language) for cell in row] for row in rows] == [
        [cell_of(cell, language) for cell in line] for line in book
    ]
    shown = api(alice).get("calls", **ONE_DAY).json()
    names = dict(Member.objects.values_list("pk", "name"))
    for row, line in zip(rows, shown["results"], strict=False):
        assert row[3].removeprefix("'") == names[line["member"]]
        number = row[4].removeprefix("'")
        assert number == line["number"].replace(" ", "").replace("-", "")
        assert Decimal(row[9].replace(",", ".")) == Decimal(line["price"])
        assert row[12] == "EUR"
    others = rows[-1]
    assert others[:3] == ["", "18/09/2026" if language == "fr" else "2026-09-18", ""]
    assert others[6] == str(shown["others"]["calls"]) == "2"
    assert sum(Decimal(row[10].replace(",", ".")) for row in rows) == sum(
        Call.objects.values_list("collected", flat=True)
    )


@pytest.mark.django_db
def test_no_cell_is_a_formula_and_digits_are_hidden_but_ones_own(
    odd_callers: tuple[Member, ...], client_of: ClientOf
) -> None:
    rows = csv_rows(client_of(odd_callers[0]).get("/calls/export/", ONE_DAY))
    for row in rows:
        for cell in (row[3], row[4], row[5]):
            assert not cell.lstrip(" \u00a0").startswith(("=", "+", "-", "@", "\t", "\r", "＋"))
    numbers = {row[3]: row[4] for row in rows}
    assert numbers["Alice"] == f"'{MOBILE}"
    assert all("••" in row[4] for row in rows[:-1] if row[3] != "Alice")
    assert numbers[ODD_NAMES[3]] == "•••"
    assert numbers[ODD_NAMES[4]] == "'+1212555••••"


@pytest.mark.django_db
def test_instants_are_those_of_the_readers_zone_and_countries_of_the_language(
    callers: tuple[Member, ...], client_of: ClientOf
) -> None:
    bob = callers[1]
    users = type(bob.user).objects.filter(pk=bob.user.pk)
    users.update(language="fr", time_zone="America/New_York")
    rows = csv_rows(client_of(bob).get("/calls/export/", {"month": "2026-09"}), "fr")
    assert [row[0] for row in rows] == [
        "18/09/2026 05:02:00",
        "18/09/2026 05:01:00",
        "18/09/2026 05:00:00",
    ]
    assert rows[0][1:6] == ["18/09/2026", "18/09/2026", "Bob", f"'{BRITISH}", "Royaume-Uni"]
    assert rows[2][9] == "0,0180"
    english = csv_rows(
        client_of(bob).get("/calls/export/", {"month": "2026-09", "country": "GB"}), "fr"
    )
    assert [row[4] for row in english] == [f"'{BRITISH}"]


@pytest.mark.django_db
@pytest.mark.parametrize("form", ["csv", "xlsx"])
def test_files_hold_single_calls_only_for_whoever_may_see_them(
    callers: tuple[Member, ...],
    fiona: Member,
    charlie: Member,
    client_of: ClientOf,
    api: Any,
    form: str,
) -> None:
    alice, bob, carol = callers

    def text(reader: Member, **query: Any) -> str:
        response: Any = client_of(reader).get("/calls/export/", {**query, "format": form})
        if form == "xlsx":
            return str(sheet_rows(response))
        return b"".join(response.streaming_content).decode()

    for member in (bob, carol):
        assert "3314227" not in text(alice, member=member.pk)
    agree(alice, bob)
    assert "+3314227••••" in text(alice, member=bob.pk)
    assert "81 86" not in text(alice, member=bob.pk)
    assert "8186" not in text(alice, member=bob.pk)
    assert "3314227" not in text(alice, member=carol.pk)
    for query in ({"member": bob.pk}, ONE_DAY):
        assert "3314227" not in text(fiona, **query)
        assert "Bob" not in text(fiona, **query)
    assert LANDLINE in text(bob)
    assert text(carol, member=bob.pk) == text(carol)
    page(client_of(charlie), f"/calls/export/?member={bob.pk}&format={form}", status=404)
    assert api(charlie).get("calls", member=bob.pk, format=form).status_code == 404
    assert api(bob).get("calls", format=form).status_code == 403


@pytest.mark.django_db
def test_programs_get_the_same_files(
    odd_callers: tuple[Member, ...], client_of: ClientOf, api: Any
) -> None:
    alice, bob = odd_callers[:2]
    for reader, address, path in (
        (alice, "/calls/export/", "calls"),
        (bob, "/calls/export/", "me/calls"),
    ):
        of_page = csv_rows(client_of(reader).get(address, ONE_DAY))
        assert csv_rows(api(reader).get(path, **ONE_DAY, format="csv")) == of_page
        book = sheet_rows(api(reader).get(path, **ONE_DAY, format="xlsx"))
        assert len(book) == len(of_page)
    refused = api(bob).get("me/calls", format="pdf")
    assert (refused.status_code, refused.json()["code"]) == (422, "invalid_format")


@pytest.mark.django_db
def test_a_workbook_of_too_many_calls_is_refused_and_a_csv_is_not(
    odd_callers: tuple[Member, ...],
    client_of: ClientOf,
    api: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    alice, bob = odd_callers[:2]
    monkeypatch.setattr(exporting_calls, "MOST_SHEET_ROWS", 3)
    words = page(client_of(alice), "/calls/export/?from=2026-09-18&to=2026-09-18&format=xlsx", 422)
    assert "at most 3 calls. Choose CSV, or fewer days." in words
    answer = api(alice).get("calls", **ONE_DAY, format="xlsx")
    assert (answer.status_code, answer.json()["code"]) == (422, "too_many_rows")
    assert len(csv_rows(client_of(alice).get("/calls/export/", ONE_DAY))) == 10
    # Exactly as many as it holds.
    assert len(sheet_rows(client_of(bob).get("/calls/export/", {"format": "xlsx", **ONE_DAY}))) == 3


@pytest.mark.django_db
def test_narrowed_files_hold_what_the_narrowed_page_holds(
    callers: tuple[Member, ...], client_of: ClientOf
) -> None:
    alice, bob, _carol = callers
    agree(alice, bob)
    browser = client_of(alice)
    unpaid = {"member": str(bob.pk), "uncollected": "1"}
    rows = csv_rows(browser.get("/calls/export/", {**ONE_DAY, "country": "FR"}))
    assert [row[5] for row in rows] == ["France", "France", ""]
    assert rows[-1][6] == "2"
    assert csv_rows(browser.get("/calls/export/", unpaid)) == []
    Call.objects.filter(member=bob, destination=MOBILE).update(
        collected=0, uncollected=Call.objects.get(member=bob, destination=MOBILE).price
    )
    rows = csv_rows(browser.get("/calls/export/", unpaid))
    assert [row[4] for row in rows] == ["'+3361234••••"]
