"""The members as files: what the filters leave, and nothing that runs."""

import csv
import io
from typing import Any

import openpyxl
from django.test import Client

from members.models import Member
from skypemgr.lib.periods import utc_now
from tests.conftest import ClientOf, give, make_member
from tests.credit_pages.conftest import post_call
from tests.credit_pages.test_members_table import rename, set_rule


def read_csv(response: Any, delimiter: str = ",") -> list[dict[str, str]]:
    text = b"".join(response.streaming_content).decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text), delimiter=delimiter))


def test_the_file_holds_what_the_filters_leave_on_every_page(desk: Client, rich: Member) -> None:
    for number in range(60):
        make_member(rich.company, f"m{number:02}")
    rows = read_csv(desk.get("/members/export/?role=member&q=m&sort=-name"))
    assert [row["Name"] for row in rows] == [f"M{number:02}" for number in range(59, -1, -1)]


def test_a_row_says_all_of_a_member(desk: Client, rich: Member, bob: Member) -> None:
    set_rule(rich, bob)
    post_call(bob, "2.5")
    row = read_csv(desk.get("/members/export/?q=bob&format=csv"))[0]
    today = f"{bob.company.day_at(utc_now())}"
    assert row == {
        "Name": "Bob",
        "E-mail": "bob@example.com",
        "User name": "bob",
        "Phone": "",
        "List": "",
        "Role": "Member",
        "Status": "Active",
        "Job title": "",
        "Work e-mail": "bob@example.com",
        "Work phone": "",
        "Cost centre": "",
        "Joined": today,
        "Balance": "7.5000",
        "Spent this month": "2.5000",
        "Last activity": today,
        "Auto-recharge": "Auto-recharge on",
        "Recharge with": "10.0000",
        "When balance falls below": "5.0000",
        "Monthly recharge limit": "40.0000",
        "Currency": "EUR",
    }


def test_a_workbook_holds_the_same_with_amounts_as_numbers(
    desk: Client, rich: Member, bob: Member
) -> None:
    give(rich, bob, "12.5")
    response = desk.get("/members/export/?role=member&format=xlsx")
    assert response["Content-Disposition"].startswith('attachment; filename="members-')
    content = b"".join(response.streaming_content)  # type: ignore[attr-defined]
    sheet = openpyxl.load_workbook(io.BytesIO(content))["Members"]
    header, row = sheet.iter_rows(values_only=True)
    assert dict(zip(header, row, strict=True))["Balance"] == 12.5
    assert row[0] == "Bob"


def test_names_that_look_like_formulas_do_not_run(desk: Client, bob: Member) -> None:
    rename(bob, "=HYPERLINK(1)", phone="+33142276830")
    row = read_csv(desk.get("/members/export/?role=member"))[0]
    assert row["Name"] == "'=HYPERLINK(1)"
    assert row["Work phone"] == "'+33142276830"
    content = b"".join(
        desk.get("/members/export/?role=member&format=xlsx").streaming_content  # type: ignore[attr-defined]
    )
    cell = openpyxl.load_workbook(io.BytesIO(content))["Members"]["A2"]
    assert (cell.value, cell.data_type) == ("=HYPERLINK(1)", "s")


def test_french_files_part_by_semicolons_and_write_a_comma(
    client_of: ClientOf, rich: Member, bob: Member
) -> None:
    give(rich, bob, "12.5")
    row = read_csv(client_of(rich, "fr").get("/members/export/?role=member"), ";")[0]
    assert "12,5000" in row.values()
    assert "EUR" in row.values()


def test_finance_exports_members_do_not_and_others_have_their_own(
    client_of: ClientOf, rich: Member, bob: Member, fiona: Member, charlie: Member
) -> None:
    assert len(read_csv(client_of(fiona).get("/members/export/"))) == 3
    assert client_of(bob).get("/members/export/").status_code == 403
    assert [row["Name"] for row in read_csv(client_of(charlie).get("/members/export/"))] == [
        "Charlie"
    ]
