"""What the tests of files share: reads them as an independent program would."""

import csv
import io
import zipfile
from collections.abc import Sequence
from decimal import Decimal

import openpyxl
import pypdf

from members.actors import Actor
from members.models import Member
from skypemgr.portal.exports.asking import open_file, request_export
from skypemgr.portal.models import Export
from tests.portal.conftest import NOW


def ask(
    maker: Member, *names: str, form: str = "csv", language: str = "en", **wanted: str
) -> Export:
    """The maker's export of these reports; of the whole year if nothing else is said."""
    return request_export(
        actor=Actor.of_member(maker),
        names=names or ("summary",),
        wanted=wanted or {"year": "2026"},
        form=form,
        language=language,
        now=NOW,
    )


def content_of(export: Export) -> bytes:
    with open_file(export) as file:
        return file.read()


def read_csv(content: bytes, language: str = "en") -> list[list[str]]:
    text = content.decode("utf-8-sig")
    return list(csv.reader(io.StringIO(text), delimiter=";" if language == "fr" else ","))


def read_xlsx(content: bytes) -> list[Sequence[object]]:
    book = openpyxl.load_workbook(io.BytesIO(content))
    (sheet,) = book.worksheets
    return [tuple(cell.value for cell in row) for row in sheet.iter_rows()]


def read_pdf(content: bytes) -> list[str]:
    """The text of each page, every space a plain one."""
    pages = pypdf.PdfReader(io.BytesIO(content)).pages
    return [" ".join(page.extract_text().replace("\u202f", " ").split()) for page in pages]


def read_zip(content: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert archive.testzip() is None
        return {name: archive.read(name) for name in archive.namelist()}


def sum_of(rows: Sequence[Sequence[object]], label: str) -> Decimal:
    """The sum of a column of amounts, the header on top."""
    place = list(rows[0]).index(label)
    amounts = [
        str(row[place]).replace(",", ".") for row in rows[1:] if row[place] not in ("", None)
    ]
    return sum(map(Decimal, amounts), start=Decimal(0))
