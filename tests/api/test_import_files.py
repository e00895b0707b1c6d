"""Files with members, through the page and the API alike: what is read, and what is refused."""

import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from members.import_verdicts import RowCode
from members.import_work import advance_import
from members.models import ImportJob, Member, User
from skypemgr.lib.exports import xlsx_file
from tests.api.conftest import Answer, Api, ApiClient, refused
from tests.conftest import ClientOf

DOOR, PAGE = "/api/v1/members/import", "/members/import/"
GOOD = b"Courriel;Nom\ndora@example.com;Dora\nnonsense;Eve"
MEGABYTE = 1024 * 1024


def send(client: ApiClient, content: bytes, name: str = "people.csv", **more: Any) -> Answer:
    """The file is posted as a form."""
    return client.client.post(DOOR, {"file": SimpleUploadedFile(name, content), **more})


def workbook(**parts: bytes) -> bytes:
    """A workbook with two people; parts are replaced or added."""
    whole = xlsx_file(("email", "name"), [("dora@example.com", "Dora")], sheet="People").read()
    file = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(whole)) as old,
        zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as new,
    ):
        for part in old.namelist():
            if part.rpartition("/")[2] not in parts:
                new.writestr(part, old.read(part))
        for part, content in parts.items():
            folder = "xl/worksheets/" if part.startswith("sheet") else "xl/"
            new.writestr(folder + part, content)
    return file.getvalue()


def bomb() -> bytes:
    """A workbook of some 100 KB whose sheet would be 100 MB."""
    content = workbook(**{"sheet1.xml": b" " * (100 * MEGABYTE)})
    assert len(content) < MEGABYTE // 4
    return content


BAD: dict[str, tuple[Callable[[], bytes], str, str]] = {
    "fifty megabytes": (
        lambda: b"email,name\n" + b"x" * (50 * MEGABYTE),
        "file_too_big",
        "bigger than 20 MB",
    ),
    "a zip bomb": (bomb, "file_too_big", "too big when unpacked"),
    "macros": (
        lambda: workbook(**{"vbaProject.bin": b"Sub AutoOpen()"}),
        "macros",
        "holds macros",
    ),
    "a million rows": (
        lambda: b"email,name\n" + b"a@b.co,A\n" * 1_000_000,
        "too_many_rows",
        "At most 200000 rows",
    ),
    "an old workbook": (lambda: b"\xd0\xcf\x11\xe0" * 9, "unreadable_file", "old Excel file"),
    "a picture": (lambda: b"\x89PNG\r\n\0\0", "unreadable_file", "not a CSV file"),
    "a header alone": (lambda: b"email,name\n", "no_rows", "no rows"),
}


@pytest.mark.parametrize("what", BAD)
def test_a_file_that_cannot_be_borne_is_refused_in_words_by_both_doors(
    api: Api, client_of: ClientOf, alice: Member, what: str
) -> None:
    make, code, words = BAD[what]
    content = make()
    problem = refused(send(api(alice), content), 422, code)
    assert words in problem["detail"]
    assert problem["errors"][0]["field"] == "file"
    answer = client_of(alice).post(PAGE, {"file": SimpleUploadedFile("people.csv", content)})
    assert answer.status_code == 422
    assert words in answer.content.decode()
    assert not ImportJob.objects.exists()


def test_a_file_goes_the_way_of_the_page(api: Api, alice: Member) -> None:
    client = api(alice)
    answer = send(client, GOOD)
    assert answer.status_code == 202, answer.content
    made = answer.json()
    assert (made["file_name"], made["state"], made["rows"]) == ("people.csv", "checking", 2)
    advance_import(made["id"])
    body = client.get(f"members/import/{made['id']}").json()
    assert (body["state"], body["imported"], body["refused"]) == ("done", 1, 1)
    assert User.objects.filter(email="dora@example.com").exists()


def test_a_workbook_is_checked_first_and_its_columns_are_named(api: Api, alice: Member) -> None:
    client = api(alice)
    whole = xlsx_file(("A", "B"), [("dora@example.com", "Dora")], sheet="People").read()
    refused(send(client, whole, "people.xlsx"), 422, "invalid")
    assert not ImportJob.objects.exists()
    columns = json.dumps({"email": "A", "name": "B"})
    answer = send(client, whole, "people.xlsx", columns=columns, dry_run="true")
    made = answer.json()
    advance_import(made["id"])
    assert client.get(f"members/import/{made['id']}").json()["state"] == "checked"
    assert not User.objects.filter(email="dora@example.com").exists()


@pytest.mark.parametrize(
    ("columns", "field"),
    [
        ('{"email": "Z"}', "columns"),
        ('{"email": 1}', "columns"),
        ("[]", "columns"),
        ("{", "columns"),
        ('{"password": "Nom"}', "email"),
    ],
)
def test_columns_that_make_no_sense_are_refused(
    api: Api, alice: Member, columns: str, field: str
) -> None:
    problem = refused(send(api(alice), GOOD, columns=columns), 422, "invalid")
    assert problem["errors"][0]["field"] == field
    assert not ImportJob.objects.exists()


def test_a_form_without_a_file_or_with_more_is_refused(api: Api, alice: Member) -> None:
    client = api(alice)
    refused(client.client.post(DOOR, {"dry_run": "true"}), 422, "required")
    refused(send(client, GOOD, password="x"), 422, "unknown_field")
    refused(send(client, b""), 422, "empty")
    broken = client.client.generic("POST", DOOR, b"x", content_type="multipart/form-data")
    refused(broken, 400, "malformed_form")


def test_what_is_far_too_big_is_not_even_received(api: Api, alice: Member) -> None:
    answer = api(alice).client.generic(
        "POST",
        DOOR,
        b"--x--",
        content_type="multipart/form-data; boundary=x",
        CONTENT_LENGTH=str(900 * MEGABYTE),
    )
    refused(answer, 413, "file_too_big")


def test_every_verdict_and_refusal_is_explained_to_users() -> None:
    page = (Path(__file__).parents[2] / "docs/users/imports.md").read_text(encoding="utf-8")
    for code in (*RowCode.values, *(code for _make, code, _words in BAD.values())):
        assert f"`{code}`" in page, code


def test_only_administrators_send_files(
    api: Api, alice: Member, bob: Member, fiona: Member, charlie: Member
) -> None:
    for member in (bob, fiona):
        refused(send(api(member), GOOD), 403, "not_allowed")
    made = send(api(alice), GOOD).json()
    refused(api(charlie).get(f"members/import/{made['id']}"), 404, "not_found")


def test_a_body_of_json_that_is_far_too_big_is_a_problem_too(api: Api, alice: Member) -> None:
    answer = api(alice).client.generic(
        "POST", DOOR, b"{}", content_type="application/json", CONTENT_LENGTH=str(900 * MEGABYTE)
    )
    refused(answer, 413, "body_too_big")


def test_other_doors_take_no_form(api: Api, alice: Member) -> None:
    answer = api(alice).client.post("/api/v1/lists", {"name": "Sales"})
    refused(answer, 415, "unsupported_media_type")
