"""The pages of an import, and what is refused as a file."""

import io
import zipfile
from collections.abc import Callable

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from pytest_django import Settings

from members.import_work import advance_import
from members.models import ImportJob, Member, User
from skypemgr.lib.exports import xlsx_file
from skypemgr.lib.tables import UnreadableTable
from skypemgr.lib.workbooks import read_upload
from tests.conftest import ClientOf

PAGE = "/members/import/"
HEADER = ("email", "name", "phone", "list")


def upload(client: Client, content: bytes, name: str = "people.csv") -> ImportJob:
    answer = client.post(PAGE, {"file": SimpleUploadedFile(name, content)})
    assert answer.status_code == 302, answer.content.decode()
    job = ImportJob.objects.latest("pk")
    assert answer["Location"] == f"{PAGE}{job.pk}/"
    return job


def workbook(*rows: tuple[object, ...]) -> bytes:
    return xlsx_file(HEADER, rows, sheet="People").read()  # type: ignore[arg-type]


def with_part(content: bytes, name: str, part: bytes) -> bytes:
    file = io.BytesIO(content)
    with zipfile.ZipFile(file, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, part)
    return file.getvalue()


def test_the_steps_lead_from_a_workbook_to_members(alice: Member, client_of: ClientOf) -> None:
    client = client_of(alice)
    assert client.get(PAGE).status_code == 200
    content = workbook(("dora@example.com", "Dora", 33612374115, "Sales"), ("x", "Y", "", ""))
    job = upload(client, content, "people.xlsx")
    path = f"{PAGE}{job.pk}/"
    assert "Which column holds what?" in client.get(path).content.decode()
    columns = {"action": "check", "email": "0", "name": "1", "phone": "2", "list": "3"}
    assert client.post(path, {**columns, "phone": "1"}).status_code == 422
    assert client.post(path, columns).status_code == 302
    assert "Checking the rows" in client.get(path).content.decode()
    polled = client.get(path, headers={"HX-Request": "true"})
    assert "0 of 2 rows" in polled.content.decode()
    advance_import(job.pk)
    assert client.get(path, headers={"HX-Request": "true"})["HX-Refresh"] == "true"
    words = client.get(path).content.decode()
    assert "1 of 2 rows can be imported" in words
    assert "Not an e-mail address" in words
    assert "Sales" in words
    assert client.post(path, {"action": "import", "mode": "all"}).status_code == 422
    assert client.post(path, {"action": "import", "mode": "skip"}).status_code == 302
    advance_import(job.pk)
    assert "1 member is imported" in client.get(path).content.decode()
    assert User.objects.get(email="dora@example.com").phone == "+33612374115"
    assert "people.xlsx" in client.get(PAGE).content.decode()
    result = client.get(f"{path}result/csv/").getvalue()
    assert b"3,Not an e-mail address,invalid_email,x,Y" in result
    assert client.get(f"{path}result/xlsx/").status_code == 200
    assert client.get(f"{path}result/pdf/").status_code == 404


def test_a_result_file_holds_no_formula(alice: Member, client_of: ClientOf) -> None:
    client = client_of(alice)
    job = upload(client, b'email,name\nx,"=HYPERLINK(""x"")"')
    answer = client.get(f"{PAGE}{job.pk}/result/csv/")
    assert b"'=HYPERLINK" in answer.getvalue()


def test_columns_can_be_named_again_and_the_file_forgotten(
    alice: Member, client_of: ClientOf
) -> None:
    client = client_of(alice)
    job = upload(client, b"a;b\ndora@example.com;Dora")
    path = f"{PAGE}{job.pk}/"
    client.post(path, {"action": "check", "email": "1", "name": "0"})
    advance_import(job.pk)
    client.post(path, {"action": "columns"})
    assert "Which column holds what?" in client.get(path).content.decode()
    assert client.post(path, {"action": "discard"})["Location"] == PAGE
    assert client.get(path).status_code == 404
    assert not User.objects.filter(name="Dora").exists()


def test_the_template_is_a_table_that_can_be_imported(alice: Member, client_of: ClientOf) -> None:
    client = client_of(alice)
    for form in ("csv", "xlsx"):
        answer = client.get(f"{PAGE}template/{form}/")
        content = answer.getvalue()
        table = read_upload(io.BytesIO(content), limit=10)
        assert table.header[:2] == ["email", "name"]
        assert len(table.rows) == 1


@pytest.mark.parametrize("who", ["bob", "fiona", "charlie"])
def test_nobody_else_sees_an_import(
    alice: Member, who: str, request: pytest.FixtureRequest, client_of: ClientOf
) -> None:
    job = upload(client_of(alice), b"email,name\ndora@example.com,Dora")
    member: Member = request.getfixturevalue(who)
    client = client_of(member)
    status = 404 if who == "charlie" else 403
    for path in ("", "result/csv/"):
        assert client.get(f"{PAGE}{job.pk}/{path}").status_code == status
    assert client.post(f"{PAGE}{job.pk}/", {"action": "discard"}).status_code == status
    assert client.get(PAGE).status_code == (200 if who == "charlie" else 403)
    assert "people.csv" not in client.get(PAGE).content.decode()
    assert ImportJob.objects.filter(pk=job.pk).exists()


BOMB = with_part(workbook(("a", "b", "", "")), "xl/big.xml", b"0" * (30 * 1024 * 1024))
MACRO = with_part(workbook(("a", "b", "", "")), "xl/vbaProject.bin", b"x")
ENTITIES = (
    b'<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]>'
    b'<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">&b;</worksheet>'
)


def with_entities() -> bytes:
    source, target = io.BytesIO(workbook(("a", "b", "", ""))), io.BytesIO()
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w") as new:
        for part in old.namelist():
            new.writestr(part, ENTITIES if "sheet1.xml" in part else old.read(part))
    return target.getvalue()


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "no_rows"),
        (b"email,name\n", "no_rows"),
        (b"\xd0\xcf\x11\xe0rest", "unreadable_file"),
        (b"PK\x03\x04rest", "unreadable_file"),
        (b"email\0,name\nx,y", "unreadable_file"),
        (BOMB, "file_too_big"),
        (MACRO, "macros"),
        (with_entities(), "unreadable_file"),
        (b"email,name\n" + b"a@example.com,A\n" * 60, "too_many_rows"),
        (workbook(*[("a", "b", "", "")] * 60), "too_many_rows"),
    ],
)
def test_what_is_no_table_of_bearable_size_is_refused(content: bytes, code: str) -> None:
    with pytest.raises(UnreadableTable) as caught:
        read_upload(io.BytesIO(content), limit=50)
    assert caught.value.code == code


def test_a_file_that_is_too_big_is_refused_on_the_page(
    alice: Member, client_of: ClientOf, settings: Settings
) -> None:
    settings.MAX_UPLOAD_BYTES = 1024
    file = SimpleUploadedFile("people.csv", b"email,name\n" + b"a@example.com,A\n" * 100)
    answer = client_of(alice).post(PAGE, {"file": file})
    assert answer.status_code == 422
    assert "bigger than" in answer.content.decode()
    assert not ImportJob.objects.exists()


def test_rows_of_every_width_are_read_and_no_cell_is_endless() -> None:
    content = b"email,name\n\na@example.com\nb@example.com,B," + b"x" * 5_000
    table = read_upload(io.BytesIO(content), limit=50)
    assert [(line, len(cells)) for line, cells in table.rows] == [(3, 3), (4, 3)]
    assert len(table.rows[1][1][2]) == 1_000
    wide = read_upload(io.BytesIO(b"a\n" + b"," * 500 + b"x\ny"), limit=50)
    assert len(wide.header) == 50


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_common_encodings_and_delimiters_are_read(encoding: str, delimiter: str) -> None:
    text = delimiter.join(("email", "name")) + "\r\n" + delimiter.join(("a@example.com", "Zoé"))
    table = read_upload(io.BytesIO(text.encode(encoding)), limit=5)
    assert table.rows == [(2, ["a@example.com", "Zoé"])]


def test_a_page_of_rows_takes_few_queries(
    alice: Member,
    client_of: ClientOf,
    django_assert_max_num_queries: Callable[..., object],
) -> None:
    client = client_of(alice)
    job = upload(client, b"email,name\n" + b"a@example.com,A\n" * 90)
    client.post(f"{PAGE}{job.pk}/", {"action": "check", "email": "0", "name": "1"})
    advance_import(job.pk)
    with django_assert_max_num_queries(8):  # type: ignore[attr-defined]
        client.get(f"{PAGE}{job.pk}/?rows=all")
